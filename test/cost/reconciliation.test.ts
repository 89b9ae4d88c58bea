import { describe, expect, it } from 'vitest'
import { reconciliationBillOf } from '../../cost/reconciliation.js'

const usdOf = (changes: number) => {
  const { parts, usdAMonth } = reconciliationBillOf({ changes }, { itemBytes: 1024 })
  return { ...Object.fromEntries(parts.map(({ part, usd }) => [part, usd])), usdAMonth } as Record<string, number>
}

describe('a month of nightly comparisons', () => {
  it('exports and scans what changed, once', () => {
    const usd = usdOf(10_000_000)
    expect(usd['DynamoDB, exporting what changed']).toBeCloseTo(((1e7 * 1024) / 1024 ** 3) * 0.1)
    expect(usd['Athena, rows without images']).toBeCloseTo(((1e7 * 320) / 1024 ** 4) * 5)
    expect(usd['comparison, running']).toBeCloseTo((730 * 4 + (20 * 365) / 12 + 1e7 / 3000) * 2 * 0.0000133334)
    expect(usd['S3, exports of a week']).toBeCloseTo(((1e7 * 2 * 1024 * 0.2) / 1024 ** 3 / (365 / 12)) * 7 * 0.023)
    expect(usd['metrics of the comparison']).toBeCloseTo(1.2)
  })

  it('pays for 10 MB of an export at least', () => {
    expect(usdOf(0)['DynamoDB, exporting what changed']).toBeCloseTo(((365 / 12) * 10 * 0.1) / 1024)
    expect(usdOf(0).usdAMonth).toBeLessThan(2)
  })
})
