import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api'

/** DUCKDB_RESULT_TYPE_INVALID; its name in the client would load DuckDB with this file. */
const FAILED = 0

/**
 * The rows of an answer that is streamed. Throws where the statement failed half-way or was interrupted, with what
 * `why` finds: DuckDB's client then ends the answer as if it were whole, and only the result's type tells one from the
 * other.
 */
export async function* chunksOf(
  result: DuckDBResult,
  why: () => Promise<unknown> = async () => undefined,
): AsyncGenerator<DuckDBDataChunk, undefined> {
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk !== null && chunk.rowCount > 0) yield chunk
    else if ((result.returnType as number) !== FAILED) return
    else throw (await why()) ?? new Error('the statement failed while its rows were read')
  }
}
