import { dateOfKey } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { QueryEngine } from './engines/engine.js'
import { fileList } from './engines/file-list.js'
import { rowsOf } from './engines/rows.js'

/** An event, and the day that its rows lie under. */
interface EventOfDay {
  readonly eventId: string
  readonly day: string
}

/**
 * The keys of the objects that hold a row of an event, one for each delivery that went elsewhere. Undefined where the
 * engine does not say what it reads; `pathOf` says where on this disk an object lies.
 */
export async function objectsOfEvent(
  engine: QueryEngine,
  table: TableConfiguration,
  { eventId, day }: EventOfDay,
  pathOf: (key: string) => string,
): Promise<readonly string[] | undefined> {
  const keys = (await engine.objects?.(table.table))?.map(({ key }) => key).filter(key => dateOfKey(key) === day)
  if (keys === undefined || keys.length === 0) return keys
  const files = `read_parquet(${fileList(keys.map(pathOf))}, hive_partitioning = false, filename = true)`
  const found = await engine.run(`select distinct filename from ${files} where event_id = ?`, [eventId])
  const paths = new Set([...rowsOf(found)].map(({ filename }) => String(filename)))
  return keys.filter(key => paths.has(pathOf(key))).sort()
}
