import { type BoundValue, type QueryEngine, type RunOptions, streamAnswer } from './engine.js'
import { type Row, rowsOf } from './rows.js'

/** The rows of the answer to a statement, as it comes. */
export async function* streamRows(
  engine: QueryEngine,
  sql: string,
  values?: readonly BoundValue[],
  options?: RunOptions,
): AsyncGenerator<Row> {
  if (engine.rows === undefined)
    for await (const piece of streamAnswer(engine, sql, values, options)) yield* rowsOf(piece)
  else for await (const rows of engine.rows(sql, values, options)) yield* rows
}
