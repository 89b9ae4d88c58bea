import { chmodSync, existsSync, readdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import type { BoundValue } from '../queries/engines/engine.js'
import { quoted } from '../queries/engines/literal.js'
import { TRINO_MACROS } from '../queries/engines/trino-macros.js'
import { makeFolder, sync } from '../store/durable.js'
import { sha256OfFile } from '../store/file-hash.js'
import { IS_A_LINK, linkIn } from '../store/links.js'
import {
  answersPrefix,
  BUCKET_COLUMN,
  changesPrefix,
  checkpointsPrefix,
  coveredKey,
  manifestKey,
} from '../transform/derived.js'
import { derivedPrefix } from '../transform/layout.js'
import { CompactionError } from './compaction-error.js'
import { LOT_COLUMN } from './compaction-sql.js'
import { coveredText, type ListedObject, type Manifest, type WrittenFile } from './derived-copy.js'

/** Work in progress; what is in it when a compaction begins was left by one that was killed. */
const WORK = '.work'

/** A DuckDB file for its lock alone: the system lets go of it when the process ends, however it ends. */
const LOCK = '.lock.duckdb'

/** The system's locks are between processes; this is within one. */
const taken = new Set<string>()

/**
 * The folder of what is derived from a table, held by one compaction at a time. A file becomes part of it by the
 * manifest alone, which is replaced as a whole: until then readers have the old one and every file it names.
 */
export class DerivedFolder {
  private constructor(
    readonly root: string,
    readonly table: string,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly lock: string,
  ) {}

  /** Takes the folder. Throws `CompactionError` where another compaction has it. */
  static async take(root: string, table: string, memory: string): Promise<DerivedFolder> {
    const folder = join(root, derivedPrefix(table))
    for (const name of ['', WORK, LOCK, `${LOCK}.wal`]) refuseLink(root, `${derivedPrefix(table)}${name}`)
    if (!existsSync(folder)) makeFolder(folder)
    const lock = join(realpathSync(folder), LOCK)
    if (taken.has(lock)) throw new CompactionError(`compaction of ${table} is running already, in this process`)
    taken.add(lock)
    try {
      const instance = await openDuckDb()
      const connection = await instance.connect()
      await attachLock(connection, lock, table)
      for (const statement of TRINO_MACROS) await connection.run(statement)
      const derived = new DerivedFolder(root, table, instance, connection, lock)
      rmSync(derived.workPath(), { recursive: true, force: true })
      for (const name of ['', 'staged']) makeFolder(derived.workPath(name))
      const spill = derived.workPath('spill').replaceAll("'", "''")
      // the order of rows within a file is stated; elsewhere it would only cost memory
      const settings = [`memory_limit = '${memory}'`, `temp_directory = '${spill}'`, 'preserve_insertion_order = false']
      for (const setting of [...settings, 'parquet_metadata_cache = true']) await connection.run(`set ${setting}`)
      return derived
    } catch (error) {
      taken.delete(lock)
      throw error
    }
  }

  async query(sql: string, values: readonly BoundValue[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const result = await this.connection.runAndReadAll(sql, [...values])
    return result.getRowObjects()
  }

  workPath(name = ''): string {
    return join(this.root, derivedPrefix(this.table), WORK, name)
  }

  /** The folder that one batch of new rows is sorted into, lot by lot. */
  stagePath(batch: number): string {
    return this.workPath(`staged/${batch}`)
  }

  /** The staged files of a lot, of all batches. */
  stagedFiles(lot: number): readonly string[] {
    return this.stagedFolders(lot).flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
  }

  /** Staged rows are needed until their lot has read them. */
  removeStaged(lot: number): void {
    for (const folder of this.stagedFolders(lot)) rmSync(folder, { recursive: true })
  }

  private stagedFolders(lot: number): readonly string[] {
    return readdirSync(this.workPath('staged'))
      .map(batch => join(this.workPath('staged'), batch, `${LOT_COLUMN}=${lot}`))
      .filter(folder => existsSync(folder))
  }

  /** Where the run of a bucket is written, in a folder that says which bucket it is of. */
  bucketPath(bucket: string): string {
    const folder = this.workPath(`${BUCKET_COLUMN}=${bucket}`)
    makeFolder(folder)
    return join(folder, 'run.parquet')
  }

  /** Puts a finished file in its place, where nobody looks before a manifest names it. */
  keep(path: string, key: string): WrittenFile {
    const target = join(this.root, ...key.split('/'))
    refuseLink(this.root, key)
    chmodSync(path, 0o600)
    const sha256 = sha256OfFile(path)
    sync(path)
    if (!existsSync(dirname(target))) makeFolder(dirname(target))
    renameSync(path, target)
    sync(dirname(target))
    return { bytes: statSync(target).size, sha256 }
  }

  /** Makes a manifest the one in use, all or nothing. */
  publish(manifest: Manifest, covered: readonly ListedObject[]): void {
    this.replace(coveredKey(this.table, manifest.generation), coveredText(covered))
    this.replace(manifestKey(this.table), `${JSON.stringify(manifest)}\n`)
  }

  private replace(key: string, text: string): void {
    const staged = this.workPath('text')
    writeFileSync(staged, text)
    this.keep(staged, key)
  }

  /**
   * Removes files of our own names that the manifest in use does not name: what a killed run left, and what the run before replaced. What a run
   * replaces itself it leaves to the next, because a reader may be at it; one that is even slower finds its file gone,
   * reads the manifest again and asks again.
   */
  sweep(named: ReadonlySet<string>): readonly string[] {
    const prefix = derivedPrefix(this.table)
    const folder = join(this.root, prefix)
    const covered = readdirSync(folder).filter(name => COVERED.test(name))
    const inside = [changesPrefix(this.table), checkpointsPrefix(this.table), answersPrefix(this.table)].flatMap(
      inner => {
        refuseLink(this.root, inner)
        return filesUnder(join(this.root, inner)).map(path => `${inner}${path}`)
      },
    )
    const unused = [...covered.map(name => `${prefix}${name}`), ...inside].filter(key => !named.has(key))
    for (const key of unused) rmSync(join(this.root, ...key.split('/')), { force: true })
    return unused
  }

  /** Lets go of the folder. */
  close(): void {
    try {
      this.connection.closeSync()
      this.instance.closeSync()
      rmSync(this.workPath(), { recursive: true, force: true })
    } finally {
      taken.delete(this.lock)
    }
  }
}

function filesUnder(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/'))
    .filter(path => KEPT.test(path))
}

/** Names that a compaction gives; what is called otherwise is not ours to remove. */
const COVERED = /^covered-\d+\.tsv$/
const KEPT = /^(?:(?:bucket=[0-9a-f]+|day=[0-9-]+)\/)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.parquet$/

function refuseLink(root: string, key: string): void {
  const link = linkIn(root, key)
  if (link !== undefined) throw new CompactionError(`${link} ${IS_A_LINK}`, [], 'nothing was published')
}

async function attachLock(connection: DuckDBConnection, path: string, table: string): Promise<void> {
  const attach = () => connection.run(`attach ${quoted(path)} as lock`)
  try {
    await attach()
  } catch (error) {
    const { message } = error as Error
    if (/lock on file/.test(message)) {
      const process = /PID (\d+)/.exec(message)?.[1]
      const who = process === undefined ? '' : `, in process ${process}`
      throw new CompactionError(`compaction of ${table} is running already${who}`)
    }
    if (!/not a valid DuckDB database|serializ|corrupt|checksum/i.test(message)) throw error
    // a compaction was killed while it made the file; nothing is kept in it
    for (const name of [path, `${path}.wal`]) rmSync(name, { force: true })
    await attach()
  }
}
