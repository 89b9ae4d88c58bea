import type { TableConfiguration } from '../transform/table-configuration.js'
import { bindQuery } from './ask.js'
import { SAVED_QUERIES, type SavedQuery } from './catalog.js'
import { type QueryEngine, streamAnswer } from './engine.js'
import { deliveriesOf } from './literal.js'
import { type Row, rowsOf } from './rows.js'

/** What a row holds that is not what its hashes say. */
export interface AlteredRow {
  readonly altered: string
  readonly itemKey: string
  readonly eventId: string
  readonly eventName: string
  readonly eventTimeUs: number
  readonly expectedHash: string | null
  readonly foundHash: string | null
}

/** The rows of a table, in a period, that are no longer what their own hashes say, oldest first. */
export async function* alteredRows(
  engine: QueryEngine,
  table: TableConfiguration,
  period: Readonly<Record<string, string>>,
): AsyncGenerator<AlteredRow> {
  const { sql, values } = bindQuery(SAVED_QUERIES.get('altered-rows') as SavedQuery, table, period)
  for await (const piece of streamAnswer(engine, sql, values)) {
    for (const row of rowsOf(piece)) yield toAlteredRow(row)
  }
}

function toAlteredRow(row: Row): AlteredRow {
  return {
    altered: row.altered as string,
    itemKey: row.item_key as string,
    eventId: row.event_id as string,
    eventName: row.event_name as string,
    eventTimeUs: Number(row.event_time_us),
    expectedHash: row.expected_hash as string | null,
    foundHash: row.found_hash as string | null,
  }
}

/** How many rows a table has, repeated deliveries among them. */
export async function countRows(engine: QueryEngine, table: TableConfiguration): Promise<number> {
  const answer = await engine.run(`select count(*) as n from ${deliveriesOf(table)}`)
  const [row] = [...rowsOf(answer)]
  return Number(row?.n ?? 0)
}
