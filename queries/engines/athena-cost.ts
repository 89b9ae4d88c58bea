import type { QueryExecution } from '@aws-sdk/client-athena'
import { GB, PRICES } from '../../aws/prices.js'

const MB = 1024 ** 2

const { usd, units, source, date } = PRICES['Athena, scanned']

/**
 * What Athena asks for a query: USD 5 a terabyte scanned, each query rounded up to the next megabyte, at least 10 MB.
 * DDL and failed queries are free. Other regions differ, and capacity that was bought ahead is billed otherwise.
 */
const ATHENA_PRICE = {
  usdPerByte: usd / (units * GB),
  roundedToBytes: MB,
  minimumBytes: 10 * MB,
  source: `Athena pricing, us-east-1: ${source}, ${date}`,
} as const

/** A statement that Athena ran, and what it took. */
export interface Execution {
  /** QueryExecutionId: names the query in the console and in CloudTrail. */
  readonly id: string
  readonly state: string
  readonly engineVersion: string | undefined
  readonly bytesScanned: number
  /** Milliseconds that the engine worked. */
  readonly engineMs: number
  /** Milliseconds from submission to the end, waiting included. */
  readonly totalMs: number
  /** About what it costs, by `ATHENA_PRICE`. */
  readonly costUsd: number
}

/** Several statements together. */
export interface Expense {
  readonly queries: number
  readonly bytesScanned: number
  readonly engineMs: number
  readonly costUsd: number
}

/** What Athena's record of an ended query says. */
export function executionOf(query: QueryExecution): Execution {
  const {
    DataScannedInBytes = 0,
    EngineExecutionTimeInMillis = 0,
    TotalExecutionTimeInMillis = 0,
  } = query.Statistics ?? {}
  const state = query.Status?.State ?? 'UNKNOWN'
  return {
    id: query.QueryExecutionId ?? '',
    state,
    engineVersion: query.EngineVersion?.EffectiveEngineVersion,
    bytesScanned: DataScannedInBytes,
    engineMs: EngineExecutionTimeInMillis,
    totalMs: TotalExecutionTimeInMillis,
    costUsd: state === 'FAILED' || query.StatementType !== 'DML' ? 0 : costOf(DataScannedInBytes),
  }
}

/** What a query that scans so many bytes costs in US dollars. */
export function costOf(bytesScanned: number): number {
  const { usdPerByte, roundedToBytes, minimumBytes } = ATHENA_PRICE
  const rounded = Math.ceil(bytesScanned / roundedToBytes) * roundedToBytes
  return Math.max(rounded, minimumBytes) * usdPerByte
}

/** The sum of some executions. */
export function expenseOf(executions: readonly Execution[]): Expense {
  const sum = (read: (execution: Execution) => number) => executions.reduce((all, one) => all + read(one), 0)
  return {
    queries: executions.length,
    bytesScanned: sum(one => one.bytesScanned),
    engineMs: sum(one => one.engineMs),
    costUsd: sum(one => one.costUsd),
  }
}

/** `2 queries, 12.4 MB scanned, 1.9 s, about USD 0.0001`. */
export function formatExpense({ queries, bytesScanned, engineMs, costUsd }: Expense): string {
  const count = queries === 1 ? '1 query' : `${queries} queries`
  return `${count}, ${formatBytes(bytesScanned)} scanned, ${(engineMs / 1000).toFixed(1)} s, about USD ${formatUsd(costUsd)}`
}

/** `12.4 MB`, in the units that Athena counts in. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`
}

/** Rounded up in the fourth place, because nothing that costs is free. */
export function formatUsd(usd: number): string {
  return (Math.ceil(usd * 10_000 - 1e-9) / 10_000).toFixed(usd < 1 ? 4 : 2)
}
