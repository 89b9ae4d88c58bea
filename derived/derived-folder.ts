import { rmdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { sha256OfFile } from '../store/file-hash.js'
import { DiskArchive } from '../store/folder.js'
import type { ObjectEntry, TaggedText } from '../store/objects.js'
import { entriesOf } from '../store/table-objects.js'
import { isManifest } from '../transform/derived.js'
import { type Days, groupByDay } from './coverage.js'
import { ROWS_FILE } from './duckdb-tables.js'
import { DerivedError } from './error.js'
import { keepOwn } from './own-copy.js'
import type { DerivedObjects } from './publisher.js'

/** Names that a compaction gives; what is called otherwise is not ours to read or to remove. */
const OURS = new RegExp(
  String.raw`/folder=[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-\d+)?/(?:(?:bucket=[0-9a-f]+/)?${ROWS_FILE}|objects\.tsv)$`,
)

/**
 * Derived files in an archive's folder. The ETag of each is the SHA-256 of its bytes: a bit that turned makes it
 * another.
 */
export class DerivedFolder implements DerivedObjects {
  private readonly folder: DiskArchive

  constructor(root: string) {
    this.folder = new DiskArchive(root)
  }

  async entries(prefix: string): Promise<readonly ObjectEntry[]> {
    const { keys, odd } = await this.folder.survey(prefix)
    if (odd[0] !== undefined) throw new DerivedError(`${odd[0].key} ${odd[0].reason}`, [], 'nothing was published')
    return keys.filter(key => OURS.test(key)).map(key => this.describe(key))
  }

  private describe(key: string): ObjectEntry {
    const path = this.folder.pathOf(key)
    const { size, mtimeMs } = statSync(path)
    return { key, bytes: size, etag: sha256Of(path), modified: mtimeMs, storageClass: 'STANDARD' }
  }

  openTagged(key: string): Promise<TaggedText | undefined> {
    return this.folder.openTagged(key)
  }

  replace(key: string, text: string, opened: TaggedText | undefined): Promise<void> {
    if (isManifest(key)) keepOwn(this.folder.root, key, text, opened?.text)
    return this.folder.replace(key, text, opened)
  }

  /** Takes over a finished file. */
  put(key: string, path: string): Promise<void> {
    return this.folder.put(key, { path })
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.folder.remove(keys)
    for (const folder of new Set(keys.map(key => dirname(this.folder.pathOf(key))))) removeEmpty(folder)
  }
}

/** A run's folders are its own, so they go with it. */
function removeEmpty(folder: string): void {
  if (!/[/\\](bucket|folder)=[^/\\]*$/.test(folder)) return
  try {
    rmdirSync(folder)
  } catch {
    // what is in it is not ours
    return
  }
  removeEmpty(dirname(folder))
}

/** SHA-256 of files by what the system says of them: it is another as soon as somebody writes to one. */
const hashes = new Map<string, string>()

function sha256Of(path: string): string {
  const { size, ino, mtimeMs, ctimeMs } = statSync(path)
  const file = [path, size, ino, mtimeMs, ctimeMs].join('\n')
  const known = hashes.get(file) ?? sha256OfFile(path)
  hashes.set(file, known)
  return known
}

/** The archive's objects of a table in a folder, day by day. Only its size tells an object from another. */
export async function daysIn(root: string, table: string): Promise<Days> {
  const entries = await entriesOf(new DiskArchive(root), table)
  return groupByDay(entries.map(entry => ({ ...entry, etag: '' })))
}
