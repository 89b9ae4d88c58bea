import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBAppender, DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import { isRunning } from '../store/durable.js'

/** What somebody says that an item is; hash and image are null where it says that there is none. */
export interface ToldState {
  readonly itemKey: string
  readonly hash: string | null
  readonly image: string | null
}

/** The states of a comparison have names; an incremental export tells two of each item. */
export type StateSet = 'told' | 'told_before'

/** Rows that the appender holds before they are written to the file. */
const FLUSH_ROWS = 10_000

/**
 * States of very many items, on disk, where an engine can join them with an archive. In a folder of its own, below the
 * system's one for temporary files; `remove` takes it away.
 */
export class StateStore {
  /** The database file. An engine can attach it once `seal` has returned. */
  readonly path: string
  readonly folder: string
  private readonly rows = { told: 0, told_before: 0 }
  private isSealed = false

  private constructor(
    folder: string,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly appenders: Readonly<Record<StateSet, DuckDBAppender>>,
  ) {
    this.folder = folder
    this.path = join(folder, FILE)
  }

  static async open(): Promise<StateStore> {
    sweep()
    const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
    try {
      // beside the reading of a table; what does not fit goes to the file
      const instance = await openDuckDb(join(folder, FILE), { threads: '1', memory_limit: '256MB' })
      const connection = await instance.connect()
      for (const name of ['told', 'told_before'])
        await connection.run(`create table ${name} (item_key varchar, hash varchar, image varchar)`)
      const [told, told_before] = [
        await connection.createAppender('told'),
        await connection.createAppender('told_before'),
      ]
      return new StateStore(folder, instance, connection, { told, told_before })
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  add({ itemKey, hash, image }: ToldState, set: StateSet = 'told'): void {
    const appender = this.appenders[set]
    appender.appendVarchar(itemKey)
    for (const text of [hash, image]) text === null ? appender.appendNull() : appender.appendVarchar(text)
    appender.endRow()
    if (++this.rows[set] % FLUSH_ROWS === 0) appender.flushSync()
  }

  /** Ends the adding. Every state is in the file then. Sealing again does nothing. */
  seal(): void {
    if (this.isSealed) return
    this.isSealed = true
    for (const appender of Object.values(this.appenders)) appender.closeSync()
    this.connection.closeSync()
    this.instance.closeSync()
  }

  /** Removes it from the disk, sealed or not. */
  remove(): void {
    try {
      this.seal()
    } catch {
      // what cannot be written any more is not wanted either
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const FILE = 'states.duckdb'

const PREFIX = 'itemtrail-states-'

/** Removes what processes that were killed left behind. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isInteger(pid) && !isRunning(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}
