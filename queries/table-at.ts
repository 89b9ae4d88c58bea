import { formatInstant, type Instant, type TimePrecision } from '../transform/instant.js'
import type { EventName } from '../transform/stream-record.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { bindQuery } from './ask.js'
import { SAVED_QUERIES, type SavedQuery } from './catalog.js'
import { continuityOfAll, olderItems, rowsOfEachItem } from './each-item.js'
import { type QueryEngine, streamAnswer } from './engine.js'
import type { Confidence } from './reconstruct.js'
import { type Row, rowsOf } from './rows.js'

/** One item of a table as it was at a moment, and how far that can be believed. */
export interface ItemOfTable {
  readonly itemKey: string
  readonly state: 'present' | 'unknown'
  readonly confidence: Confidence
  /** Canonical DynamoDB JSON. */
  readonly image: string | null
  readonly imageHash: string | null
  /** The change that led here; undefined where it is not known. */
  readonly last: LastChange | undefined
  /** True where changes of one time contradict one another, so that the state after them is one of several. */
  readonly unresolved: boolean
}

/** The change that an item's state at a moment comes from. */
export interface LastChange {
  readonly event_id: string
  readonly event_name: EventName
  readonly event_time_us: number
  readonly time_precision: TimePrecision
  readonly actor: string | null
}

/**
 * What a table held at a moment, one item after the other, by key; then the items that were there although the archive
 * cannot say what they were. Where the engine can stream, memory holds a few of them and what does not fit together.
 */
export async function* itemsAt(
  engine: QueryEngine,
  table: TableConfiguration,
  at: Pick<Instant, 'us'>,
): AsyncGenerator<ItemOfTable> {
  const findings = new Map<unknown, Row[]>()
  for await (const row of rowsOfEachItem(engine, table, continuityOfAll(table)))
    findings.set(row.item_key, [...(findings.get(row.item_key) ?? []), row])
  for await (const row of statesAt(engine, table, at))
    yield toItem(row, confidenceAt(row, findings.get(row.item_key) ?? [], at))
  const nothing = { image: null, imageHash: null, last: undefined, unresolved: false }
  for await (const { item_key, event_time_us: firstUs } of rowsOfEachItem(engine, table, olderItems(table))) {
    if (Number(firstUs) > at.us)
      yield { itemKey: item_key as string, state: 'unknown', confidence: 'PRE-ARCHIVE', ...nothing }
  }
}

async function* statesAt(engine: QueryEngine, table: TableConfiguration, at: Pick<Instant, 'us'>): AsyncGenerator<Row> {
  const query = SAVED_QUERIES.get('table-as-of') as SavedQuery
  const { sql, values, scope } = bindQuery(query, table, { at: formatInstant(at.us, 6) })
  for await (const piece of streamAnswer(engine, sql, values, { scope })) yield* rowsOf(piece)
}

function toItem(row: Row, confidence: Confidence): ItemOfTable {
  const { item_key, state, image, image_hash, event_id, event_name, event_time_us, time_precision, actor } = row
  const last = { event_id, event_name, event_time_us: Number(event_time_us), time_precision, actor } as LastChange
  return {
    itemKey: item_key as string,
    state: state as ItemOfTable['state'],
    confidence,
    image: image as string | null,
    imageHash: image_hash as string | null,
    last: event_id === null ? undefined : last,
    unresolved: row.unresolved === true,
  }
}

const WORST_FIRST = ['CONFLICT', 'GAP', 'KEYS-ONLY', 'PRE-ARCHIVE'] as const

/** A gap that shows after the moment counts too, where what is missing may have been before: the state fits no later. */
function confidenceAt(item: Row, findings: readonly Row[], at: Pick<Instant, 'us'>): Confidence {
  const shown = findings.filter(
    ({ finding, event_time_us: us, expected_state: before }) =>
      Number(us) <= at.us || (finding === 'GAP' && before === item.image_hash),
  )
  return WORST_FIRST.find(confidence => shown.some(({ finding }) => finding === confidence)) ?? 'UNBROKEN'
}
