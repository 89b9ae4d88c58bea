import type { QueryEngine } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { rowsOf } from '../queries/engines/rows.js'
import { streamRows } from '../queries/engines/stream-rows.js'
import type { NamedTable } from '../transform/table-names.js'
import type { KeptRow } from './subject-rows.js'

/**
 * A person's rows of an archive on AWS, as they were delivered. They are asked for by the token: Athena keeps what it
 * was asked for 45 days, and an id among it would be a new copy of it.
 */
export async function* deliveredRows(engine: QueryEngine, table: NamedTable, token: string): AsyncGenerator<KeptRow> {
  const sql = `select
  "$path" as lies_at, table_name, event_id, event_name, event_time, item_key, config_id, old_image, new_image
from ${deliveriesOf(table)}
where contains(subjects, ?)`
  for await (const { lies_at: at, ...row } of streamRows(engine, sql, [token]))
    yield { object: String(at), row: { ...row, subjects: [token] } }
}

/**
 * How many rows of a table are of other configurations than those, by their ids, under which all was sealed that is
 * erasable.
 */
export async function countUnsealed(
  engine: QueryEngine,
  table: NamedTable,
  sealed: ReadonlySet<string>,
): Promise<number> {
  const others = sealed.size === 0 ? '' : ` where config_id not in (${[...sealed].map(() => '?').join(', ')})`
  const answer = await engine.run(`select count(*) as n from ${deliveriesOf(table)}${others}`, [...sealed])
  const [row] = [...rowsOf(answer)]
  return Number(row?.n)
}

/** What is told of such rows, which nobody asks Athena for: an id among what it was asked would be a new copy of it. */
export function tellUnsealed(table: string, rows: number): readonly string[] {
  if (rows === 0) return []
  return [`${rows} rows of ${table} were made before all was sealed that is erasable, and were not searched for the id`]
}
