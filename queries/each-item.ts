import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import { bindQuery } from './ask.js'
import { SAVED_QUERIES, type SavedQuery } from './catalog.js'
import { type BoundValue, type QueryEngine, streamAnswer } from './engine.js'
import { type Row, rowsOf } from './rows.js'

/** A statement whose rows each tell of one item, from all changes of that item and nothing else, in the order of `item_key`. */
export interface EachItemStatement {
  readonly sql: string
  readonly values: readonly BoundValue[]
}

/** What does not fit together in the whole history of each item, as `continuity` tells it. */
export function continuityOfAll(table: TableConfiguration): EachItemStatement {
  const { sql, values } = bindQuery(SAVED_QUERIES.get('continuity') as SavedQuery, table, {})
  return { sql: `select * from (\n${sql}\n) as found order by item_key, event_time_us, event_id`, values }
}

/** Items that were there before their first change, and when that was made. */
export function olderItems({ table }: TableConfiguration): EachItemStatement {
  const sql = `
    select item_key, event_time_us
    from (
      select item_key, event_name, event_time_us, row_number() over (
        partition by item_key
        order by event_time_us, coalesce(sequence, ''), case when event_name = 'INSERT' then 0 else 1 end
      ) as place
      from ${tableIdentifier(table)}
    ) as placed
    where place = 1 and event_name <> 'INSERT'
    order by item_key`
  return { sql, values: [] }
}

/** The statements whose answers a compaction keeps, so that a question about the whole table need not read its whole past. */
export function keptStatements(table: TableConfiguration): readonly EachItemStatement[] {
  return [continuityOfAll(table), olderItems(table)]
}

/** The rows of such a statement, those of one item in no order of their own: from what a compaction kept, where the engine can. */
export async function* rowsOfEachItem(
  engine: QueryEngine,
  { table }: TableConfiguration,
  { sql, values }: EachItemStatement,
): AsyncGenerator<Row> {
  for await (const piece of streamAnswer(engine, sql, values, { scope: { table, eachItem: true } }))
    yield* rowsOf(piece)
}
