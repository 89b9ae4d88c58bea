import type { DuckDBConnection, DuckDBDataChunk, DuckDBType } from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import type { toArrowTable } from './arrow.js'
import type { BoundStatement } from './derivation.js'
import { chunksOf } from './duckdb-chunks.js'
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

/** What becomes of some rows of an answer, with the names and types of its columns. */
export type Shape<T> = (names: readonly string[], types: readonly DuckDBType[], chunk: DuckDBDataChunk) => T

/** A statement's answer as it comes, on a connection of its own. */
export async function* streamOn<T>(
  connection: DuckDBConnection,
  { sql, values }: BoundStatement,
  shape: Shape<T>,
): AsyncGenerator<T> {
  const result = await connection.stream(namedAsInDuckDb(sql), [...values])
  const why = () => failureAgain(connection, sql, values)
  for await (const chunk of chunksOf(result, { why, interrupt: () => connection.interrupt() }))
    yield shape(result.deduplicatedColumnNames(), result.columnTypes(), chunk)
}

/**
 * The same, once its first is there: what cannot be read shows by then. Whoever has it has to iterate it, for only that
 * lets go of it.
 */
export async function begun<T>(all: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await all.next()
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await all.next()) yield next.value
    } finally {
      await all.return(undefined)
    }
  })()
}

/** Why a statement failed half-way, which its answer does not tell: the same again, without its rows. */
async function failureAgain(
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
  { sql, values }: BoundStatement,
  toTable: typeof toArrowTable,
): Promise<Table> {
  const result = await connection.run(namedAsInDuckDb(sql), [...values])
  const chunks = await result.fetchAllChunks()
  return toTable(result.deduplicatedColumnNames(), result.columnTypes(), chunks)
}
