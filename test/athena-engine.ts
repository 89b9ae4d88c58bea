/** Athena engines for tests: they ask a server on loopback, and wait for nothing. */
import { AthenaClient, type ColumnInfo } from '@aws-sdk/client-athena'
import { AthenaEngine, type AthenaOptions } from '../queries/engines/athena.js'
import type { AthenaServer, Outcome } from './athena-server.js'
import { LOOPBACK_CONNECTION } from './loopback.js'

/** An engine whose waiting times are noted instead of waited for. */
export function openAthena(
  server: AthenaServer,
  options: Partial<AthenaOptions> = {},
  waits: number[] = [],
): AthenaEngine {
  const client = new AthenaClient({ ...LOOPBACK_CONNECTION, endpoint: server.endpoint, maxAttempts: 1 })
  const sleep = async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted()
    waits.push(ms)
  }
  return AthenaEngine.open({ workgroup: 'itemtrail', database: 'audit', client, sleep, ...options })
}

/** A query's good end: columns as `name type`, and rows. A question for columns alone gets no rows. */
export function success(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[] = [],
  bytesScanned = 0,
): AthenaServer['answer'] {
  return sql => ({
    state: 'SUCCEEDED',
    columns: columns.map(columnInfo),
    rows: asksForColumns(sql) ? [] : rows,
    bytesScanned: asksForColumns(sql) ? 0 : bytesScanned,
  })
}

/** A query's bad end. */
export function failure(reason: string, state: 'FAILED' | 'CANCELLED' = 'FAILED', bytesScanned = 0): Outcome {
  return { state, reason, bytesScanned }
}

/** True for the question that the engine puts before another to learn its columns. */
export function asksForColumns(sql: string): boolean {
  return /^select \* from \(\n[\s\S]*\n\) limit 0$/.test(sql)
}

function columnInfo(text: string): ColumnInfo {
  const [, Name, Type, Precision, Scale] = /^(\S+) ([^(]+)(?:\((\d+),(\d+)\))?$/.exec(text) ?? []
  return { Name, Type, ...(Precision !== undefined && { Precision: Number(Precision), Scale: Number(Scale) }) }
}
