import { describe, expect, it } from 'vitest'
import { personsBillOf } from '../../cost/persons.js'

const transform = { calls: 1000, gbSeconds: 5000, concurrency: 1.5 }

describe('a month of keys of persons', () => {
  it('has a read a change, a write a new item, and a transform that takes longer', () => {
    const { parts, usdAMonth } = personsBillOf({ changes: 10_000_000, transform }, { updates: 0.7, deletes: 0.1 })
    const usd = Object.fromEntries(parts.map(part => [part.part, part.usd]))
    expect(usd['KMS, key that opens the keys']).toBe(1)
    expect(usd['alarm of the keys']).toBeCloseTo(0.2)
    // two containers, each hour of the month, two secrets
    expect(usd['KMS, requests']).toBeCloseTo((2 * 730 * 2 * 0.03) / 10_000)
    expect(usd['DynamoDB, reading keys']).toBeCloseTo(1.25)
    expect(usd['DynamoDB, keys of new persons']).toBeCloseTo(1.25)
    expect(usd['DynamoDB, the keys of the first month']).toBeCloseTo(((2_000_000 * 220) / 1024 ** 3) * 0.25)
    expect(usd['transform, sealing']).toBeCloseTo(5000 * 2.8 * 0.0000133334)
    expect(usdAMonth).toBeCloseTo(Object.values(usd).reduce((sum, one) => sum + one, 0))
  })

  it('costs what is there even if nothing changes', () => {
    const idle = personsBillOf(
      { changes: 0, transform: { calls: 0, gbSeconds: 0, concurrency: 0 } },
      { updates: 1, deletes: 0 },
    )
    expect(idle.usdAMonth).toBeCloseTo(1.2 + (730 * 2 * 0.03) / 10_000)
  })
})
