import { existsSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { GIVE_BACK, openDuckDb } from '../queries/engines/duckdb-instance.js'
import type { BoundValue } from '../queries/engines/engine.js'
import { quoted } from '../queries/engines/literal.js'
import { bytesOfSize } from '../queries/engines/memory-size.js'
import { NarrowedTables } from '../queries/engines/narrowed-tables.js'
import { TRINO_MACROS } from '../queries/engines/trino-macros.js'
import { makeFolder } from '../store/durable.js'
import { IS_A_LINK, linkIn } from '../store/links.js'
import type { Column } from '../transform/audit-row.js'
import { BUCKET_COLUMN } from '../transform/derived.js'
import { derivedPrefix } from '../transform/layout.js'
import type { DerivedFolder } from './derived-folder.js'
import { DerivedError } from './error.js'

/** What a desk writes with: where, and in which columns. */
export interface Desk {
  readonly bench: Workbench
  readonly folder: DerivedFolder
  readonly columns: readonly Column[]
}

/** Work in progress; what is in it when a compaction begins was left by one that was killed. */
const WORK = '.work'

/** A DuckDB file for its lock alone: the system lets go of it when the process ends, however it ends. */
const LOCK = '.lock.duckdb'

/** The system's locks are between processes; this is within one. */
const taken = new Set<string>()

/** Where a desk compacts a table: its DuckDB and a folder for work in progress, held by one compaction at a time. */
export class Workbench {
  private folders = 0
  private readonly narrowed = new Map<string, NarrowedTables>()

  private constructor(
    readonly root: string,
    readonly table: string,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly lock: string,
    private readonly memory: number,
  ) {}

  /** Takes it. Throws a `DerivedError` where another compaction has it. */
  static async take(root: string, table: string, memory: string): Promise<Workbench> {
    const folder = join(root, derivedPrefix(table))
    for (const name of ['', WORK, LOCK, `${LOCK}.wal`]) refuseOdd(root, `${derivedPrefix(table)}${name}`)
    if (!existsSync(folder)) makeFolder(folder)
    const lock = join(realpathSync(folder), LOCK)
    if (taken.has(lock)) throw new DerivedError(`compaction of ${table} is running already, in this process`)
    taken.add(lock)
    try {
      const instance = await openDuckDb()
      const connection = await instance.connect()
      await attachLock(connection, lock, table)
      await connection.run(TRINO_MACROS)
      const bench = new Workbench(root, table, instance, connection, lock, Number(bytesOfSize(memory)))
      rmSync(bench.path(), { recursive: true, force: true })
      makeFolder(bench.path())
      const spill = bench.path('spill').replaceAll("'", "''")
      // the order of rows within a file is stated; elsewhere it would only cost memory
      const settings = [`memory_limit = '${memory}'`, `temp_directory = '${spill}'`, 'preserve_insertion_order = false']
      for (const setting of [...settings, 'parquet_metadata_cache = true']) await connection.run(`set ${setting}`)
      return bench
    } catch (error) {
      taken.delete(lock)
      throw error
    }
  }

  async query(sql: string, values: readonly BoundValue[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const result = await this.connection.runAndReadAll(sql, [...values])
    return result.getRowObjects()
  }

  /**
   * What is told of each item, by the text that says which rows the temporary view of the table's rows has, of so many
   * parts of the table.
   */
  narrowedFor(rows: string, parts: number): NarrowedTables {
    const narrowed = this.narrowed.get(rows) ?? new NarrowedTables(this.memory / parts, 'temp')
    this.narrowed.set(rows, narrowed)
    return narrowed
  }

  /** Lets go of what was told of items. */
  async forgetItems(): Promise<void> {
    for (const narrowed of this.narrowed.values()) await narrowed.forget(sql => this.query(sql))
    this.narrowed.clear()
  }

  /** What `GIVE_BACK` does. */
  async giveBack(): Promise<void> {
    await this.query(GIVE_BACK)
  }

  /** What statements come to that are run by one thread, which reads rows in their order. */
  async byOneThread<T>(run: () => Promise<T>): Promise<T> {
    await this.query('set threads = 1')
    try {
      return await run()
    } finally {
      await this.query('reset threads')
    }
  }

  /** A path in the folder for work in progress. */
  path(name = ''): string {
    return join(this.root, derivedPrefix(this.table), WORK, name)
  }

  /** A new folder for work in progress. */
  newFolder(): string {
    const path = this.path(`staged-${++this.folders}`)
    makeFolder(path)
    return path
  }

  /** Where the rows of a bucket are written, in a folder that says which bucket it is of. */
  bucketPath(bucket: string): string {
    const folder = this.path(`${BUCKET_COLUMN}=${bucket}`)
    makeFolder(folder)
    return join(folder, 'rows.parquet')
  }

  /** Lets go of it. */
  close(): void {
    try {
      this.connection.closeSync()
      this.instance.closeSync()
      rmSync(this.path(), { recursive: true, force: true })
    } finally {
      taken.delete(this.lock)
    }
  }
}

/** A link would lead out of the archive, and whoever opened a pipe would wait for good. */
function refuseOdd(root: string, key: string): void {
  const refuse = (odd: string) => new DerivedError(odd, [], 'nothing was published')
  const link = linkIn(root, key)
  if (link !== undefined) throw refuse(`${link} ${IS_A_LINK}`)
  const found = statSync(join(root, key), { throwIfNoEntry: false })
  const isExpected = key.includes(LOCK) ? found?.isFile() : found?.isDirectory()
  if (isExpected === false) throw refuse(`${key} is no ${key.includes(LOCK) ? 'file' : 'folder'}`)
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
      throw new DerivedError(`compaction of ${table} is running already${who}`)
    }
    if (!/not a valid DuckDB database|serializ|corrupt|checksum/i.test(message)) throw error
    // a compaction was killed while it made the file; nothing is kept in it
    for (const name of [path, `${path}.wal`]) rmSync(name, { force: true })
    await attach()
  }
}
