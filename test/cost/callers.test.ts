import { describe, expect, it } from 'vitest'
import { callersBillOf } from '../../cost/callers.js'

describe('a month of calls', () => {
  it('has an event a change, at a dollar a million, and files whatever happens', () => {
    const { parts, usdAMonth } = callersBillOf({ changes: 10_000_000 })
    const usd = Object.fromEntries(parts.map(part => [part.part, part.usd]))
    expect(usd['CloudTrail, events of writes']).toBeCloseTo(10)
    expect(usd['S3, the first month of them']).toBeCloseTo(((10_000_000 * 600) / 1024 ** 3) * 0.023)
    expect(usdAMonth).toBeCloseTo(Object.values(usd).reduce((sum, one) => sum + one, 0))
    expect(callersBillOf({ changes: 0 }).usdAMonth).toBeCloseTo((13 * 24 * 365 * 0.005) / 12 / 1000)
  })
})
