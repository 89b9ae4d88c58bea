/**
 * Compares what an incremental export tells of the items that changed in a window with what the archive's rows of that
 * window say, for a function that has no DuckDB: the archive's side is two hashes an item, asked of its engine, and
 * what is told is held in memory. Only the days of the window are read, but for when what differs had changed last.
 */
import { bindValues, internalQuery, renderQuery } from '../queries/catalog.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { streamRows } from '../queries/engines/stream-rows.js'
import { StatesDigest } from '../transform/fact.js'
import { formatInstant } from '../transform/instant.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { changesBetween } from './changes-between.js'
import type { ComparedItems } from './reconciliation-fact.js'

/** A window in microseconds since 1970, its end excluded; best of whole seconds, to which a stream's times are cut. */
export interface NetWindow {
  readonly fromUs: number
  readonly toUs: number
}

/** What an item was before a window and after it: the hash of an image, or `absent`. */
export interface NetChange {
  readonly before: string
  readonly after: string
}

/** What is told of the items that changed, by their keys; each is taken out when it has been compared. */
export type ToldChanges = Map<string, NetChange>

/** What an item was where there was none. */
export const NO_ITEM = 'absent'

/** An item of which the two sides do not say the same, and when the archive's last change of it in the window was. */
export interface Doubt {
  readonly itemKey: string
  /** Undefined where the export leaves the item out. */
  readonly told: NetChange | undefined
  /** Undefined where the archive has no change of it. */
  readonly archived: NetChange | undefined
  readonly lastUs: number | undefined
}

/** What was compared, without the times of the items that differ. */
export interface NetComparison extends Omit<ComparedItems, 'differing'> {
  readonly differing: readonly Doubt[]
}

/** DynamoDB's times in a stream are approximate, so a change so near to an end may be told of the other window. */
const EDGE_US = 5_000_000

/** Keys in one statement. */
const BATCH = 500

/**
 * Compares them. An item that nothing happened to on one side must be the same before and after on the other. What a
 * change near either end explains counts as equal; what no image tells is unsettled.
 */
export async function compareNetChanges(
  engine: QueryEngine,
  table: TableConfiguration,
  window: NetWindow,
  told: ToldChanges,
): Promise<NetComparison> {
  const digest = new StatesDigest()
  const [unsettled, doubts] = [new Set<string>(), [] as Doubt[]]
  let items = 0
  const judge = (doubt: Doubt) => {
    items++
    const state = agreedState(doubt)
    if (state === 'unknown') unsettled.add(doubt.itemKey)
    else if (state === undefined) doubts.push(doubt)
    else if (state !== NO_ITEM) digest.add(doubt.itemKey, state)
  }
  for await (const { itemKey, lastUs, ...archived } of windowEnds(engine, table, window)) {
    judge({ itemKey, told: told.get(itemKey), archived, lastUs })
    told.delete(itemKey)
  }
  for (const [itemKey, change] of told) judge({ itemKey, told: change, archived: undefined, lastUs: undefined })
  const differing = await unexplained(engine, table, window, doubts)
  return { items, differing, unsettled, digest: digest.hex() }
}

/** What both sides say that the item was afterwards; `unknown` where the archive cannot; undefined: not the same. */
function agreedState({ told, archived }: Doubt): string | undefined {
  if (archived === undefined) return told?.before === told?.after ? told?.after : undefined
  if ([archived.before, archived.after].some(isUnknown)) return 'unknown'
  if (told === undefined) return archived.before === archived.after ? archived.after : undefined
  return told.before === archived.before && told.after === archived.after ? told.after : undefined
}

function isUnknown(state: string): boolean {
  return state === 'unknown' || state === 'unlinked'
}

async function* windowEnds(
  engine: QueryEngine,
  table: TableConfiguration,
  { fromUs, toUs }: NetWindow,
): AsyncGenerator<NetChange & { readonly itemKey: string; readonly lastUs: number }> {
  const statement = renderQuery(internalQuery('window-ends'), { changes: deliveriesOf(table) })
  const ends = [
    ['from', formatInstant(fromUs, 6)],
    ['to', formatInstant(toUs, 6)],
  ] as const
  for await (const row of streamRows(engine, statement.sql, bindValues(statement, new Map(ends))))
    yield {
      itemKey: row.item_key as string,
      before: row.entry_state as string,
      after: row.exit_state as string,
      lastUs: Number(row.last_us),
    }
}

/** Those that no change near an end of the window explains. */
async function unexplained(
  engine: QueryEngine,
  table: TableConfiguration,
  { fromUs, toUs }: NetWindow,
  doubts: readonly Doubt[],
): Promise<readonly Doubt[]> {
  if (doubts.length === 0) return []
  const [first, last] = [await edgeStates(engine, table, fromUs), await edgeStates(engine, table, toUs)]
  return doubts.filter(doubt => !isExplained(doubt, first.get(doubt.itemKey), last.get(doubt.itemKey)))
}

/**
 * The same with the times of the items that differ: of the archive's last change before what it lacks, for which all
 * days before the window are read. What leads into a right state from a wrong one lacks something before the window's
 * first change.
 */
export async function withLastChanges(
  engine: QueryEngine,
  table: TableConfiguration,
  { fromUs }: Pick<NetWindow, 'fromUs'>,
  compared: NetComparison,
): Promise<ComparedItems> {
  const isEarlier = ({ told, archived }: Doubt) => archived === undefined || told?.after === archived.after
  const earlier = compared.differing.filter(isEarlier).map(({ itemKey }) => itemKey)
  const known = await lastChanges(engine, table, fromUs, earlier)
  const times = compared.differing.map(
    one => [one.itemKey, (isEarlier(one) ? known.get(one.itemKey) : one.lastUs) ?? null] as const,
  )
  return { ...compared, differing: new Map(times) }
}

type States = ReadonlySet<string> | undefined

/** True where a change that an end of the window may have cut off left or entered what the other side says. */
function isExplained({ told, archived }: Doubt, first: States, last: States): boolean {
  if (told === undefined) {
    const { before, after } = archived as NetChange
    return last?.has(before) === true || first?.has(after) === true
  }
  if (archived === undefined) return last?.has(told.after) === true || first?.has(told.before) === true
  return (
    (told.before === archived.before || first?.has(told.before) === true) &&
    (told.after === archived.after || last?.has(told.after) === true)
  )
}

/** The states that changes near a moment left or entered, by item. */
async function edgeStates(
  engine: QueryEngine,
  table: TableConfiguration,
  us: number,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const states = new Map<string, Set<string>>()
  const columns = ['item_key', 'event_name', 'old_hash', 'new_hash']
  for await (const [key, name, old, next] of changesBetween(engine, table, columns, us - EDGE_US, us + EDGE_US)) {
    const of = states.get(key as string) ?? new Set()
    states.set(key as string, of)
    of.add(old ?? (name === 'INSERT' ? NO_ITEM : 'unknown'))
    of.add(next ?? (name === 'REMOVE' ? NO_ITEM : 'unknown'))
  }
  return states
}

/** When the archive's last change of each of these items was made, of those before a moment. */
async function lastChanges(
  engine: QueryEngine,
  table: TableConfiguration,
  beforeUs: number,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for (let from = 0; from < keys.length; from += BATCH) {
    const batch = keys.slice(from, from + BATCH)
    const sql = `
      select item_key, max(event_time_us) as last_us
      from ${deliveriesOf(table)}
      where event_date <= ?
        and event_time_us < ?
        and event_name <> 'BASELINE'
        and item_key in (${batch.map(() => '?').join(', ')})
      group by item_key`
    for await (const row of streamRows(engine, sql, [dateOf(beforeUs), beforeUs, ...batch]))
      found.set(row.item_key as string, Number(row.last_us))
  }
  return found
}
