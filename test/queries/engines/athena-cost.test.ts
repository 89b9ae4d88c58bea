import { describe, expect, it } from 'vitest'
import { costOf, executionOf, expenseOf, formatBytes, formatExpense } from '../../../queries/engines/athena-cost.js'

const MB = 1024 ** 2
const record = (State: string, DataScannedInBytes: number, StatementType = 'DML') =>
  ({
    QueryExecutionId: 'q',
    StatementType,
    Status: { State },
    Statistics: { DataScannedInBytes, EngineExecutionTimeInMillis: 900, TotalExecutionTimeInMillis: 1200 },
    EngineVersion: { EffectiveEngineVersion: 'Athena engine version 3' },
  }) as Parameters<typeof executionOf>[0]

describe('the cost of a query', () => {
  it.each([
    [1024 ** 4, 5],
    [0, (10 * MB * 5) / 1024 ** 4],
    [9 * MB, (10 * MB * 5) / 1024 ** 4],
    [10 * MB + 1, (11 * MB * 5) / 1024 ** 4],
  ])('is for %d bytes USD %d: rounded up to a megabyte, at least ten', (bytes, usd) => {
    expect(costOf(bytes)).toBeCloseTo(usd, 12)
  })

  it('is nothing for failed queries and for what reads no data, and that of the scan for cancelled ones', () => {
    const costs = [record('FAILED', MB), record('SUCCEEDED', 0, 'UTILITY'), record('CANCELLED', 20 * MB)].map(
      query => executionOf(query).costUsd,
    )
    expect(costs).toEqual([0, 0, costOf(20 * MB)])
  })

  it('is summed and said in a line', () => {
    const executions = [record('SUCCEEDED', 0), record('SUCCEEDED', 300 * MB)].map(executionOf)
    expect(formatExpense(expenseOf(executions))).toBe('2 queries, 300.0 MB scanned, 1.8 s, about USD 0.0015')
    expect(formatExpense(expenseOf(executions.slice(0, 1)))).toBe('1 query, 0 bytes scanned, 0.9 s, about USD 0.0001')
    expect(formatExpense(expenseOf([]))).toBe('0 queries, 0 bytes scanned, 0.0 s, about USD 0.0000')
  })

  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1536, '1.5 kB'],
    [10 * MB, '10.0 MB'],
    [3 * 1024 ** 5, '3.0 PB'],
    [1024 ** 6, '1024.0 PB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})
