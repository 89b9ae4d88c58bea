import { describe, expect, it } from 'vitest'
import { canaryBillOf } from '../../cost/canary.js'

describe('a month of the canary', () => {
  it('has a write, a read, a call and two lists every five minutes, and its metrics and alarms', () => {
    const { parts, usdAMonth } = canaryBillOf()
    const usd = Object.fromEntries(parts.map(part => [part.part, part.usd]))
    const writes = (730 * 60) / 5
    expect(usd['DynamoDB, writing the item']).toBeCloseTo((writes * 0.625) / 1e6)
    expect(usd['S3, listing its days']).toBeCloseTo((2 * writes * 0.005) / 1000)
    expect(usd['canary, running']).toBeCloseTo(writes * 0.25 * 0.0000133334)
    // Firehose rounds each record up to 5 KB, and converts and partitions it
    expect(usd['its changes, from stream to archive']).toBeGreaterThan(((writes * 5 * 1024) / 1024 ** 3) * 0.067)
    expect(usd['its changes, from stream to archive']).toBeLessThan(0.2)
    expect(usd['metrics of the canary and its table']).toBeCloseTo(3)
    expect(usd['alarms of the canary']).toBeCloseTo(0.3)
    expect(usdAMonth).toBeCloseTo(Object.values(usd).reduce((sum, one) => sum + one, 0))
    expect(parts.every(({ fixed }) => fixed)).toBe(true)
  })
})
