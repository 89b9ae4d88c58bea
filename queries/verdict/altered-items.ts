import { formatInstant } from '../../transform/instant.js'
import { dateOfKey } from '../../transform/layout.js'
import { dateOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { bindQuery } from '../bind.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'
import type { Row } from '../engines/rows.js'
import { streamRows } from '../engines/stream-rows.js'
import { type Confidence, worstOf } from './findings.js'

/** From `fromUs` to before `toUs`; null: no such end. */
interface Bounds {
  readonly fromUs: number | null
  readonly toUs: number | null
}

/**
 * Up to so many bytes of objects are hashed without being asked to, which takes about a second. For a large table it
 * would take longer than the question itself.
 */
const HASHED_BYTES = 16 * 1024 ** 2

const ALL_TIME = { fromUs: null, toUs: null }

/** The time whose rows are to be hashed: all of it where the table is small, else the period; null for none. */
async function hashedTime(
  engine: QueryEngine,
  table: TableConfiguration,
  period: Bounds,
  asked: boolean | undefined,
): Promise<Bounds | null> {
  if (asked === false) return null
  if (await isSmall(engine, table, ALL_TIME)) return ALL_TIME
  return asked === true || (await isSmall(engine, table, period)) ? period : null
}

async function isSmall(engine: QueryEngine, { table }: TableConfiguration, { fromUs, toUs }: Bounds): Promise<boolean> {
  const objects = await engine.objects?.(table)
  if (objects === undefined) return false
  const [from, to] = [fromUs === null ? '' : dateOf(fromUs), toUs === null ? '~' : dateOf(toUs)]
  const inPeriod = objects.filter(({ key }) => dateOfKey(key) >= from && dateOfKey(key) <= to)
  return inPeriod.reduce((sum, { bytes }) => sum + bytes, 0) <= HASHED_BYTES
}

/** Rows of an item that do not fit their hashes, and those that could not be held against them. */
export interface AlteredRows {
  readonly altered: number
  /** Of a row version that is not known here. */
  readonly unchecked: number
}

/** The verdict about an item, of which so many rows are altered. */
export function withAltered<V extends { readonly confidence: Confidence }>(verdict: V, rows?: AlteredRows): V {
  if (rows === undefined) return verdict
  return { ...verdict, confidence: worstOf([verdict.confidence, rows.altered > 0 ? 'ALTERED' : 'UNCHECKED']) }
}

/**
 * How many rows of each item do not fit their hashes; null where no row was hashed. `asked` says whether to hash;
 * undefined leaves it to the size of the table.
 */
export async function countAltered(
  engine: QueryEngine,
  table: TableConfiguration,
  bounds: Bounds,
  asked?: boolean,
): Promise<ReadonlyMap<string, AlteredRows> | null> {
  const time = await hashedTime(engine, table, bounds, asked)
  if (time === null) return null
  const period = {
    ...(time.fromUs !== null && { from: formatInstant(time.fromUs, 6) }),
    ...(time.toUs !== null && { to: formatInstant(time.toUs, 6) }),
  }
  // the items of a table and the verdict about it ask the same of all time
  const key = `altered rows of ${table.table} ${JSON.stringify(period)}`
  const rows = new Map<string, Map<string, boolean>>()
  for (const { altered, item_key, event_id, event_time_us, arrived_at } of await once(engine, key, () =>
    alteredRows(engine, table, period),
  )) {
    if (!touches(String(altered), Number(event_time_us), bounds)) continue
    const ofItem = rows.get(String(item_key)) ?? new Map<string, boolean>()
    const row = `${event_id} ${arrived_at}`
    rows.set(String(item_key), ofItem.set(row, (ofItem.get(row) ?? true) && altered === 'unknown_version'))
  }
  return new Map([...rows].map(([itemKey, ofItem]) => [itemKey, countRows([...ofItem.values()])]))
}

function countRows(unchecked: readonly boolean[]): AlteredRows {
  const some = unchecked.filter(isUnchecked => isUnchecked).length
  return { altered: unchecked.length - some, unchecked: some }
}

async function alteredRows(
  engine: QueryEngine,
  table: TableConfiguration,
  period: Readonly<Record<string, string>>,
): Promise<readonly Row[]> {
  const { sql, values } = bindQuery(savedQuery('altered-rows'), table, period)
  const rows: Row[] = []
  for await (const row of streamRows(engine, sql, values)) rows.push(row)
  return rows
}

/** True where an alteration may matter within the bounds: of an altered row nobody knows what time it was of. */
function touches(altered: string, us: number, { fromUs, toUs }: Bounds): boolean {
  const isImage = altered === 'old_image' || altered === 'new_image'
  return !isImage || (us >= (fromUs ?? us) && us < (toUs ?? Number.POSITIVE_INFINITY))
}
