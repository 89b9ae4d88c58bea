import { folderOfKey } from '../../journal/bundle-outline.js'
import { DiskArchive } from '../../store/folder.js'
import { formatDay } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { objectsOfEvent } from '../objects-of-event.js'
import { journalOf } from './archive-journal.js'

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
export async function placesOfEvent(
  engine: QueryEngine,
  table: TableConfiguration,
  eventId: string,
  timeUs: number,
): Promise<readonly EventObject[] | null> {
  const root = (await engine.describe?.())?.archive.root
  if (root === undefined) return null
  const folder = new DiskArchive(root)
  const event = { eventId, day: formatDay(Math.floor(timeUs / 1000)) }
  const keys = await objectsOfEvent(engine, table, event, key => folder.pathOf(key))
  if (keys === undefined) return null
  const bytes = new Map((await engine.objects?.(table.table))?.map(object => [object.key, object.bytes]))
  const folders = new Set(keys.map(folderOfKey))
  const entries = await (await journalOf(engine))?.attested?.entriesIn(name => folders.has(name))
  return keys.map(key => {
    const entry = entries?.get(key)
    if (entries === undefined) return { key, sealed: 'no journal' }
    if (entry === undefined) return { key, sealed: 'not sealed' }
    return { key, sealed: entry.bytes === bytes.get(key) ? 'sealed' : 'altered' }
  })
}
