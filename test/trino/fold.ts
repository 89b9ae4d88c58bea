/** What the fold in TypeScript answers to a saved query, for those that it can answer. */

import type { QueryEngine } from '../../queries/engines/engine.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { foldHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { type ArchivedChange, removeRepeats, stateAsOf } from '../../queries/verdict/reconstruct.js'
import { parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'

/** Each item's changes, repeats removed. */
export type Fold = ReadonlyMap<string, readonly HistoryChange[]>

/** Reads a table's rows as they lie in the archive: nothing but that is asked of the engine. */
export async function readFold(engine: QueryEngine, { table }: TableConfiguration): Promise<Fold> {
  const items = new Map<string, ArchivedChange[]>()
  for (const row of rowsOf(await engine.run(`select * from ${deliveriesOf({ table })}`))) {
    const key = row.item_key as string
    const change = { ...row, event_time_us: Number(row.event_time_us) } as unknown as ArchivedChange
    items.set(key, [...(items.get(key) ?? []), change])
  }
  // as `readHistory` has them, none of which is altered here
  const changesOf = (rows: readonly ArchivedChange[]) => removeRepeats(rows).map(change => ({ ...change, altered: [] }))
  return new Map([...items].map(([key, rows]) => [key, changesOf(rows) as unknown as readonly HistoryChange[]]))
}

/** The rows of an answer, of the columns that the fold tells; undefined for questions that it has no answer to. */
export function foldAnswer(
  fold: Fold,
  name: string,
  given: Readonly<Record<string, string>>,
): readonly Row[] | undefined {
  const item = given.item_key ?? ''
  const isWhole = given.from === undefined && given.to === undefined
  if (name === 'item-history' && isWhole) return historyOf(item, fold.get(item) ?? [])
  if (name === 'continuity' && isWhole) return [...fold].flatMap(([key, changes]) => findingsOf(key, changes))
  const at = parseInstant(given.at ?? '')?.us
  if (at === undefined) return undefined
  if (name === 'item-as-of') return stateOf(item, fold.get(item) ?? [], at)
  if (name !== 'table-as-of') return undefined
  return [...fold].flatMap(([key, changes]) => stateOf(key, changes, at)).filter(row => row.state !== 'deleted')
}

function historyOf(itemKey: string, changes: readonly HistoryChange[]): readonly Row[] {
  return foldHistory(itemKey, changes).steps.flatMap((step, i) =>
    step.changes.map(({ event_id, repeats, conflict }) => ({ step: i + 1, event_id, repeats, conflict })),
  )
}

function findingsOf(item_key: string, changes: readonly HistoryChange[]): readonly Row[] {
  return foldHistory(item_key, changes).findings.map(({ finding, eventId, eventTimeUs, changes: concerned }) => ({
    item_key,
    finding,
    event_id: eventId,
    event_time_us: eventTimeUs,
    changes: concerned,
  }))
}

function stateOf(item_key: string, changes: readonly HistoryChange[], atUs: number): readonly Row[] {
  const state = stateAsOf(changes, atUs)
  if (state.kind === 'never seen') return []
  const present = state.kind === 'present' ? state : { image: null, hash: null }
  return [{ item_key, state: state.kind, image: present.image, image_hash: present.hash }]
}

/**
 * Rows as a set of texts, of the columns that `like` has: two answers in whatever order and integers of whatever size.
 */
export function comparable(rows: readonly Row[], like: readonly Row[]): readonly string[] {
  const names = Object.keys(like[0] ?? {})
  const text = (row: Row) =>
    JSON.stringify(names.map(name => (typeof row[name] === 'bigint' ? Number(row[name]) : (row[name] ?? null))))
  return rows.map(text).sort()
}
