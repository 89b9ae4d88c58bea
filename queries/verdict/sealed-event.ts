import { DiskArchive } from '../../store/folder.js'
import { formatDay } from '../../transform/instant.js'
import { dateOfKey } from '../../transform/layout.js'
import type { QueryEngine } from '../engines/engine.js'
import { fileList } from '../engines/file-list.js'
import { rowsOf } from '../engines/rows.js'
import { attestedOf } from './sealed.js'

/** An object that holds a row of an event, and what the archive's journal says of that object. */
export interface EventObject {
  readonly key: string
  /**
   * `altered`: its size is not the one that was sealed; `not sealed`: no entry names it; `no journal`: nothing is
   * sealed at all.
   */
  readonly sealed: 'sealed' | 'altered' | 'not sealed' | 'no journal'
}

/** The objects of a folder that hold an event, by key; null where no engine of a folder answers: nobody looks there. */
export async function objectsOfEvent(
  engine: QueryEngine,
  table: string,
  eventId: string,
  timeUs: number,
): Promise<readonly EventObject[] | null> {
  const root = (await engine.describe?.())?.archive.root
  if (root === undefined || engine.objects === undefined) return null
  const day = formatDay(Math.floor(timeUs / 1000))
  const ofDay = (await engine.objects(table)).filter(({ key }) => dateOfKey(key) === day)
  if (ofDay.length === 0) return []
  const folder = new DiskArchive(root)
  const files = ofDay.map(object => ({ object, path: folder.pathOf(object.key) }))
  const all = `read_parquet(${fileList(files.map(({ path }) => path))}, hive_partitioning = false, filename = true)`
  const answer = await engine.run(`select distinct filename from ${all} where event_id = ?`, [eventId])
  const holding = new Set([...rowsOf(answer)].map(({ filename }) => String(filename)))
  const entries = (await attestedOf(engine))?.entries
  return files
    .filter(({ path }) => holding.has(path))
    .map(({ object: { key, bytes } }) => {
      const entry = entries?.get(key)
      if (entries === undefined) return { key, sealed: 'no journal' }
      if (entry === undefined) return { key, sealed: 'not sealed' }
      return { key, sealed: entry.bytes === bytes ? 'sealed' : 'altered' }
    })
}
