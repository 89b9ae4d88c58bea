/** A journal of as many entries as a test wants, written as a sealer would have, in a second or two. */
import { hash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Entry, encodeEntry, NO_TOTALS } from '../../journal/entry.js'
import { type Head, headText } from '../../journal/head.js'
import { CHECKPOINT, claimPath } from '../../journal/log-store.js'
import { signerOf, signNote } from '../../proof/note.js'
import { grow } from '../../proof/tiles.js'
import { EMPTY_ROOT } from '../../proof/tree.js'
import { ORIGIN, SEED } from '../proof/vectors.js'

export const DAY_MS = 86_400_000
/** The first day of such a journal. */
export const BEGAN = Date.parse('2026-01-01T00:00:00Z')

export interface LongJournal {
  /** Objects of a day. */
  readonly objectsADay: number
  readonly days: number
  /** Seals of a day. @default 1 */
  readonly sealsADay?: number
  /** What is said of an object, which a forger would say otherwise. @default - the same in each journal */
  readonly salt?: string
}

export const dayOf = (day: number) => new Date(BEGAN + day * DAY_MS).toISOString().slice(0, 10)
export const keyOf = (day: number, object: number) =>
  `data/Orders/event_date=${dayOf(day)}/itemtrail-${String(object).padStart(6, '0')}.parquet`

/** Its files by path, and where it ended after each sealing. */
export async function longJournal({ objectsADay, days, sealsADay = 1, salt = '' }: LongJournal) {
  const files = new Map<string, Uint8Array>()
  const heads: Head[] = []
  let head: Pick<Head, 'size' | 'root'> = { size: 0, root: EMPTY_ROOT }
  for (let turn = 0; turn < days * sealsADay; turn++) {
    const day = Math.floor(turn / sealsADay)
    const [from, to] = [0, 1].map(i => Math.floor((objectsADay * ((turn % sealsADay) + i)) / sealsADay))
    const time = new Date(BEGAN + ((turn + 1) / sealsADay) * DAY_MS).toISOString()
    const objects = Array.from({ length: Number(to) - Number(from) }, (_, i): Entry => {
      const key = keyOf(day, Number(from) + i)
      const sha256 = hash('sha256', `${salt}${key}`)
      const rows = { rows: 9000, sha256, table: 'Orders' }
      return { bytes: 6_300_000, event_date: dayOf(day), key, ...rows, type: 'object@1', version_id: hash('md5', key) }
    })
    const seal: Entry = { type: 'seal@1', time, newest: time, previous_size: head.size, sealer: 'test', ...NO_TOTALS }
    const growth = await grow(async path => files.get(path), head.size, [
      // their fields are in order: the form of an entry, in a third of the time
      ...objects.map(object => Buffer.from(JSON.stringify(object))),
      encodeEntry(seal),
    ])
    for (const { path, bytes } of growth.files) files.set(path, bytes)
    const note = await signNote(headText(ORIGIN, growth), [signerOf(ORIGIN, SEED)])
    files.set(claimPath(head.size), Buffer.from(note))
    files.set(CHECKPOINT, Buffer.from(note))
    head = growth
    heads.push({ ...growth, note })
  }
  return { files, heads }
}

/** Writes it into an archive in a folder. */
export function writeLog(root: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    const file = join(root, 'log', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
}
