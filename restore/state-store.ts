import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBAppender, DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { chunksOf } from '../queries/engines/duckdb-chunks.js'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import { privateFolder } from '../store/durable.js'

/** What somebody says that an item is; hash and image are null where it says that there is none. */
export interface ToldState {
  readonly itemKey: string
  readonly hash: string | null
  readonly image: string | null
}

/** The states of a comparison have names; an incremental export tells two of each item. */
export type StateSet = 'told' | 'told_before'

/** A row of the store; a whole number comes back as bigint. */
export type StoredFields = Readonly<Record<string, string | number | bigint | boolean | null>>

/** Rows that the appender holds before they are written to the file. */
const FLUSH_ROWS = 10_000

/** What it holds in memory while it joins, and while an archive is asked beside it, which takes much itself. */
const [JOINING, BESIDE_ARCHIVE] = ['256MB', '64MB']

/**
 * States of very many items, on disk, in a DuckDB of its own where they are joined. In a folder of its own, below the
 * system's one for temporary files; `remove` takes it away.
 */
export class StateStore {
  private readonly rows = { told: 0, told_before: 0 }
  private isSealed = false

  private constructor(
    readonly folder: string,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly appenders: Readonly<Record<StateSet, DuckDBAppender>>,
  ) {}

  static async open(): Promise<StateStore> {
    const folder = privateFolder('itemtrail-states-')
    try {
      // what does not fit goes to the file
      const settings = { threads: '1', memory_limit: JOINING, preserve_insertion_order: 'false' }
      const instance = await openDuckDb(join(folder, 'states.duckdb'), settings)
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
    appendTexts(this.appenders[set], [itemKey, hash, image])
    if (++this.rows[set] % FLUSH_ROWS === 0) this.appenders[set].flushSync()
  }

  /** Ends the adding: from now on every state can be asked for. Sealing again does nothing. */
  seal(): void {
    if (this.isSealed) return
    this.isSealed = true
    for (const appender of Object.values(this.appenders)) appender.closeSync()
  }

  /** How many items were told more than once. */
  async countRepeated(): Promise<number> {
    return this.count('(select item_key from told group by item_key having count(*) > 1)')
  }

  /** Makes a table of texts, in place of an older one of that name. */
  async fill(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly (string | null)[]>,
  ): Promise<void> {
    await this.run(`create or replace table ${table} (${columns.map(column => `${column} varchar`).join(', ')})`)
    const appender = await this.connection.createAppender(table)
    let count = 0
    await this.hold(BESIDE_ARCHIVE)
    for await (const row of rows) {
      appendTexts(appender, row)
      if (++count % FLUSH_ROWS === 0) appender.flushSync()
    }
    appender.closeSync()
    await this.hold(JOINING)
  }

  private async hold(memory: string): Promise<void> {
    await this.run(`set memory_limit = '${memory}'`)
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql)
  }

  /** How many rows a table of the store has, or a statement in parentheses. */
  async count(rows: string): Promise<number> {
    const answer = await this.connection.runAndReadAll(`select count(*) from ${rows} as counted`)
    return Number(answer.getRows()[0]?.[0])
  }

  /** The rows of an answer, as they come. */
  async *stream(sql: string): AsyncGenerator<StoredFields> {
    // the next statement on a connection ends what is streaming there
    const connection = await this.instance.connect()
    try {
      const result = await connection.stream(sql)
      const names = result.columnNames()
      for await (const chunk of chunksOf(result))
        for (const row of chunk.getRows())
          yield Object.fromEntries(names.map((name, i) => [name, row[i] as StoredFields[string]]))
    } finally {
      connection.closeSync()
    }
  }

  /** Removes it from the disk, sealed or not. */
  remove(): void {
    try {
      this.seal()
    } catch {
      // what cannot be written any more is not wanted either
    }
    this.connection.closeSync()
    this.instance.closeSync()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function appendTexts(appender: DuckDBAppender, texts: readonly (string | null)[]): void {
  for (const text of texts) text === null ? appender.appendNull() : appender.appendVarchar(text)
  appender.endRow()
}
