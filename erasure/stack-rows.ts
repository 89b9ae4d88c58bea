import { type QueryEngine, streamAnswer } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { rowsOf } from '../queries/engines/rows.js'
import type { NamedTable } from '../transform/table-names.js'
import type { KeptRow } from './subject-rows.js'

/**
 * A person's rows of an archive on AWS, as they were delivered. They are asked for by the token: Athena keeps what it
 * was asked for 45 days, and an id among it would be a new copy of it.
 */
export async function* deliveredRows(engine: QueryEngine, table: NamedTable, token: string): AsyncGenerator<KeptRow> {
  const sql = `select
  "$path" as lies_at, table_name, event_id, event_name, event_time, item_key, old_image, new_image
from ${deliveriesOf(table)}
where contains(subjects, ?)`
  for await (const piece of streamAnswer(engine, sql, [token]))
    for (const { lies_at: at, ...row } of rowsOf(piece))
      yield { object: String(at), row: { ...row, subjects: [token] } }
}

/** How many rows of a table were made before any value of it was sealed. */
export async function countUnsealed(engine: QueryEngine, table: NamedTable): Promise<number> {
  const answer = await engine.run(`select count(*) as n from ${deliveriesOf(table)} where subjects is null`)
  const [row] = [...rowsOf(answer)]
  return Number(row?.n)
}
