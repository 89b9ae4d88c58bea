import { createHash, hash } from 'node:crypto'
import { DiskArchive } from '../../store/folder.js'
import type { ObjectEntry, Objects } from '../../store/objects.js'
import { entriesOf } from '../../store/table-objects.js'
import { dateOfKey } from '../../transform/layout.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { deliveriesIdentifier, tableIdentifier } from '../../transform/table-names.js'
import { SAVED_QUERIES } from '../catalog.js'
import type { Asked } from './asked.js'

/** The partitions that a question could read: of one table, from a day to a day, both included; null is no bound. */
export interface PartitionsRead {
  readonly table: string
  readonly from: string | null
  readonly to: string | null
}

/** One object that a question could read. `sha256` is null where the objects together were too large to be hashed. */
export interface ObjectRead {
  readonly key: string
  readonly bytes: number
  readonly sha256: string | null
}

export interface ObjectsRead {
  readonly count: number
  readonly bytes: number
  /**
   * SHA-256 over one line `key<TAB>bytes<TAB>sha256` an object, in the order of the list, each ended by a line feed.
   */
  readonly sha256: string
  /** Null where there are more than `MAX_LISTED`. */
  readonly list: readonly ObjectRead[] | null
}

/** The partitions that a saved query is bound to, or those of all tables that a statement names. */
export function partitionsRead(asked: Asked, tables: Iterable<TableConfiguration>): readonly PartitionsRead[] {
  if (asked.table !== undefined && asked.query !== undefined) {
    const { from, to, dayBefore = false, dayAfter = false } = SAVED_QUERIES.get(asked.query)?.days ?? {}
    return [
      { table: asked.table, from: dayOf(asked, from, dayBefore ? -1 : 0), to: dayOf(asked, to, dayAfter ? 1 : 0) },
    ]
  }
  return namedTables(asked.sql, tables).map(({ table }) => ({ table, from: null, to: null }))
}

/** The tables whose name is a word of a statement; one too many, where the word is a text, rather than one too few. */
export function namedTables(sql: string, tables: Iterable<TableConfiguration>): readonly TableConfiguration[] {
  const words = new Set(sql.toLowerCase().match(/[a-z0-9_]+/g))
  return [...tables].filter(table => words.has(tableIdentifier(table)) || words.has(deliveriesIdentifier(table)))
}

const DAY_MS = 24 * 60 * 60 * 1000

/** A parameter's day in UTC, or one so many days from it. */
function dayOf({ parameters }: Asked, name: string | undefined, days: number): string | null {
  const value = name === undefined ? undefined : parameters.get(name)
  const day = typeof value === 'string' ? new Date(value) : undefined
  if (day === undefined || Number.isNaN(day.getTime())) return null
  const bound = new Date(day.getTime() + days * DAY_MS)
  // after the last day of the year 9999 there is none
  return bound.getUTCFullYear() > 9999 ? null : bound.toISOString().slice(0, 10)
}

/** Objects up to which a receipt lists each. */
const MAX_LISTED = 10_000

/**
 * The objects of some partitions in a folder, of those that the engine has read where it tells them. They are hashed
 * where all together have no more than `hashBytes`: a receipt must not cost more than its answer.
 */
export async function objectsRead(
  root: string,
  partitions: readonly PartitionsRead[],
  hashBytes: number,
  objectsOf: (table: string) => Promise<readonly ObjectEntry[]> | undefined = () => undefined,
): Promise<ObjectsRead> {
  const archive = new DiskArchive(root)
  const entries = partitions.map(async read =>
    (await (objectsOf(read.table) ?? entriesOf(archive, read.table))).filter(({ key }) => isIn(read, dateOfKey(key))),
  )
  const objects = (await Promise.all(entries)).flat()
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0)
  const list: ObjectRead[] = []
  for (const object of objects) {
    const sha256 = bytes <= hashBytes ? await hashObject(archive, object.key) : null
    list.push({ key: object.key, bytes: object.bytes, sha256 })
  }
  const lines = list.map(({ key, bytes: size, sha256 }) => `${key}\t${size}\t${sha256 ?? '-'}\n`)
  return {
    count: list.length,
    bytes,
    sha256: hash('sha256', lines.join('')),
    list: list.length <= MAX_LISTED ? list : null,
  }
}

function isIn({ from, to }: PartitionsRead, date: string): boolean {
  return (from === null || date >= from) && (to === null || date <= to)
}

async function hashObject(archive: Objects, key: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const piece of archive.stream(key)) digest.update(piece)
  return digest.digest('hex')
}
