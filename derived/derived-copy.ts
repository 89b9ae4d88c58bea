import { hash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { FileError, readBounded } from '../config/gate.js'
import { sha256OfFile } from '../store/file-hash.js'
import { DiskArchive } from '../store/folder.js'
import { linkIn, refuseLinks } from '../store/links.js'
import { entriesOf } from '../store/table-objects.js'
import { bucketOf, coveredKey, type DERIVED_VERSION, manifestKey, runKey } from '../transform/derived.js'
import { readManifestFile } from './manifest-file.js'

/** A file as it was when it was written. */
export interface WrittenFile {
  readonly bytes: number
  /** Of its bytes, lower hex: who reads it holds it against that. */
  readonly sha256: string
}

/** One sorted file of a bucket. Each (`event_id`, `row_hash`) is in it once. */
export interface Run extends WrittenFile {
  readonly bucket: string
  readonly name: string
  readonly rows: number
  /** Rows of the archive that they stand for, repeats among them. */
  readonly deliveries: number
  /** Changes whose rows in it contradict one another. */
  readonly conflicts: number
  /** Over the deliveries, whatever their order. docs/compaction.md says how it is taken. */
  readonly digest: string
}

/** What derived files of a table are in use, and what of the archive they cover. docs/compaction.md documents it. */
export interface Manifest {
  readonly version: typeof DERIVED_VERSION
  readonly table: string
  /** Counts up with each manifest. */
  readonly generation: number
  readonly built: string
  /** How many hex digits a bucket's name has. */
  readonly digits: number
  readonly covered: Covered
  /** Rows of the objects covered. */
  readonly deliveries: number
  /** When the first change was made. */
  readonly beganUs: number
  /** Any key of the table, which tells its key attributes and their types. */
  readonly sampleKey: string
  readonly runs: readonly Run[]
  /** By day. */
  readonly checkpoints: readonly Checkpoint[]
  readonly answers: readonly KeptAnswer[]
}

/** What is left of a table's rows up to the end of a day when all is left out that later states do not depend on. */
export interface Checkpoint extends WrittenFile {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string
  readonly name: string
  readonly rows: number
  readonly items: number
}

/** The answer of a question that is put to each item by itself, over the objects covered. */
export interface KeptAnswer extends WrittenFile {
  /** Of the SQL and its values. */
  readonly statement: string
  readonly name: string
  readonly rows: number
}

/** The archive's objects that a manifest covers, as a list in a file of its own and as its SHA-256. */
export interface Covered {
  readonly objects: number
  readonly bytes: number
  readonly sha256: string
}

/** An object of the archive as it is listed. */
export interface ListedObject {
  readonly key: string
  readonly bytes: number
}

/** A copy that can stand for the objects it covers. */
export interface DerivedCopy {
  readonly root: string
  readonly manifest: Manifest
  /** Paths of the table's objects. */
  readonly objects: readonly string[]
  /** Paths of the objects that it does not cover. */
  readonly uncovered: readonly string[]
}

/** A copy, or why there is none; `remark` is for people, where there is one that cannot be used. */
export type CopyFound =
  | { readonly kind: 'usable'; readonly copy: DerivedCopy }
  | { readonly kind: 'none' }
  | {
      readonly kind: 'unusable'
      readonly remark: string
      /** An object of the archive that the copy was made from, and that is not there any more, or another. */
      readonly lost?: string
    }

/**
 * Finds the copy of a table. The manifest is read before the archive is listed, so that every object it covers is in the
 * list: whatever else is there has come since. One object that is gone or has another size, and the copy is not used.
 */
export async function findCopy(root: string, table: string): Promise<CopyFound> {
  const manifest = readManifest(root, table)
  if (manifest === undefined || typeof manifest === 'string') return unusable(table, manifest)
  const objects = await listObjects(root, table)
  if (hash('sha256', coveredText(objects)) === manifest.covered.sha256)
    return { kind: 'usable', copy: { root, manifest, objects: objects.map(pathOf(root)), uncovered: [] } }
  const covered = readCovered(root, manifest)
  if (typeof covered === 'string') return unusable(table, covered)
  const there = new Map(objects.map(({ key, bytes }) => [key, bytes]))
  for (const { key, bytes } of covered) {
    const found = there.get(key)
    if (found !== bytes) {
      const lost = found === undefined ? `${key} is gone` : `${key} has ${found} bytes instead of ${bytes}`
      return { kind: 'unusable', remark: notUsed(table, `object ${lost}`), lost }
    }
    there.delete(key)
  }
  const uncovered = objects.filter(({ key }) => there.has(key)).map(pathOf(root))
  return { kind: 'usable', copy: { root, manifest, objects: objects.map(pathOf(root)), uncovered } }
}

const pathOf =
  (root: string) =>
  ({ key }: ListedObject) =>
    join(root, ...key.split('/'))

function unusable(table: string, reason: string | undefined): CopyFound {
  return reason === undefined ? { kind: 'none' } : { kind: 'unusable', remark: notUsed(table, reason) }
}

function notUsed(table: string, reason: string): string {
  return `compacted copy of ${table} is not used: ${reason}; itemtrail compact makes a new one`
}

/** The manifest of a table; undefined where there is none, a text that says what is wrong with one. */
export function readManifest(root: string, table: string): Manifest | string | undefined {
  const key = manifestKey(table)
  try {
    refuseLinks(root, key)
    const content = readBounded(join(root, key), key, { maxBytes: MAX_BYTES })
    return content && readManifestFile(content, key, table)
  } catch (error) {
    if (error instanceof FileError) return `its manifest cannot be used, ${error.message}`
    throw error
  }
}

/** Of a table with very many objects. */
const MAX_BYTES = 256 * 1024 ** 2

/** The objects that a manifest covers, or what is wrong with the list. */
export function readCovered(root: string, { table, generation, covered }: Manifest): readonly ListedObject[] | string {
  const key = coveredKey(table, generation)
  const text = readText(root, key)
  if (text === undefined) return `${key} cannot be read`
  if (hash('sha256', text) !== covered.sha256) return `${key} is not the list that its manifest names`
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const [name, bytes] = line.split('\t') as [string, string]
      return { key: name, bytes: Number(bytes) }
    })
}

function readText(root: string, key: string): string | undefined {
  try {
    return linkIn(root, key) === undefined
      ? readBounded(join(root, key), key, { maxBytes: MAX_BYTES })?.toString()
      : undefined
  } catch (error) {
    if (error instanceof FileError) return undefined
    throw error
  }
}

/** The objects of a table with their sizes, by key. */
export async function listObjects(root: string, table: string): Promise<readonly ListedObject[]> {
  return entriesOf(new DiskArchive(root), table)
}

/** The text of the list of covered objects. */
export function coveredText(objects: readonly ListedObject[]): string {
  return objects.map(({ key, bytes }) => `${key}\t${bytes}\n`).join('')
}

/** The files of one item's bucket, or of all. Throws for one that is not as the manifest has it. */
export function runFiles({ root, manifest }: DerivedCopy, itemKey: string | undefined): readonly string[] {
  const bucket = itemKey === undefined ? undefined : bucketOf(itemKey, manifest.digits)
  const runs = manifest.runs.filter(run => bucket === undefined || run.bucket === bucket)
  return runs.map(run => checkedFile(root, runKey(manifest.table, run.bucket, run.name), run))
}

/** Files that were found to be what their manifest says, until somebody writes to them. */
const checked = new Set<string>()

/** The path of a derived file. Throws `CopyError` for one that is not the very file that its manifest names. */
export function checkedFile(root: string, key: string, { bytes, sha256 }: WrittenFile): string {
  const path = join(root, ...key.split('/'))
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new CopyError(`${key} is gone`)
  if (found.size !== bytes) throw new CopyError(`${key} has ${found.size} bytes instead of ${bytes}`)
  const file = [path, sha256, found.ino, found.mtimeMs, found.ctimeMs].join('\n')
  if (checked.has(file)) return path
  if (sha256OfFile(path) !== sha256)
    throw new CopyError(`${key} is not the file that its manifest names: its SHA-256 is another`)
  checked.add(file)
  return path
}

/** A derived file that is not as its manifest says. */
export class CopyError extends Error {
  override readonly name = 'CopyError'
}
