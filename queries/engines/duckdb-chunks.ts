import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api'

/** DUCKDB_RESULT_TYPE_INVALID; its name in the client would load DuckDB with this file. */
const FAILED = 0

/** What else is known of an answer that is streamed. */
export interface Streamed {
  /** Finds why it failed half-way. @default - nobody knows */
  readonly why?: () => Promise<unknown>
  /** Ends the statement, for whoever has seen enough. @default - the rows that are on their way are waited for */
  readonly interrupt?: () => void
}

/**
 * The rows of an answer that is streamed; DuckDB makes the next ones while some are looked at. Throws where the
 * statement failed half-way or was interrupted, with what `why` finds: DuckDB's client then ends the answer as if it
 * were whole, and only the result's type tells one from the other.
 */
export async function* chunksOf(
  result: DuckDBResult,
  { why, interrupt }: Streamed = {},
): AsyncGenerator<DuckDBDataChunk, undefined> {
  let next = fetchAhead(result)
  let isSeen = false
  try {
    for (;;) {
      const chunk = await next
      if (chunk === null || chunk.rowCount === 0) break
      next = fetchAhead(result)
      yield chunk
    }
    isSeen = true
  } finally {
    if (!isSeen) interrupt?.()
    // DuckDB may be closed after this
    await Promise.allSettled([next])
  }
  if ((result.returnType as number) === FAILED)
    throw (await why?.()) ?? new Error('the statement failed while its rows were read')
}

/** Fails only where it is waited for. */
function fetchAhead(result: DuckDBResult): Promise<DuckDBDataChunk | null> {
  const chunk = result.fetchChunk()
  chunk.catch(() => {})
  return chunk
}
