import type { DuckDBConnection } from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import type { toArrowTable } from './arrow.js'
import type { BoundValue } from './engine.js'
import { namedAsInDuckDb } from './trino-macros.js'

/**
 * Interrupts what runs on a connection when a signal says so, until the function that is returned ends it. An
 * interrupt that comes before DuckDB has begun is lost, so it is repeated.
 */
export function interruptOn(signal: AbortSignal, connection: { readonly interrupt: () => void }): () => void {
  let again: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    again ??= setInterval(() => connection.interrupt(), 20)
  }
  signal.addEventListener('abort', interrupt)
  return () => {
    signal.removeEventListener('abort', interrupt)
    clearInterval(again)
  }
}

/** Why a statement failed half-way, which its answer does not tell: the same again, without its rows. */
export async function failureAgain(
  connection: DuckDBConnection,
  sql: string,
  values: readonly BoundValue[],
): Promise<unknown> {
  return connection.run(`explain analyze ${namedAsInDuckDb(sql)}`, [...values]).then(
    () => undefined,
    error => error,
  )
}

/** A statement's whole answer. */
export async function runWhole(
  connection: DuckDBConnection,
  sql: string,
  values: readonly BoundValue[],
  toTable: typeof toArrowTable,
): Promise<Table> {
  const result = await connection.run(namedAsInDuckDb(sql), [...values])
  const chunks = await result.fetchAllChunks()
  return toTable(result.deduplicatedColumnNames(), result.columnTypes(), chunks)
}
