import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import { type EventProblems, readCallEvents } from '../../capture/cloudtrail-files.js'
import { DiskArchive } from '../../store/folder.js'
import { readKept } from '../../store/kept-configurations.js'
import type { ObjectEntry } from '../../store/objects.js'
import { listTable, listUnread, tablesOf } from '../../store/table-objects.js'
import { AUDIT_COLUMNS, type Column, columnsOf } from '../../transform/audit-row.js'
import { tablePrefix } from '../../transform/layout.js'
import { configurationId, type TableConfiguration } from '../../transform/table-configuration.js'
import { deliveriesIdentifier, identifiersOf, type NamedTable, tableIdentifier } from '../../transform/table-names.js'
import type { toArrowTable } from './arrow.js'
import { createCallsTable } from './calls-table.js'
import { changesView } from './changes-view.js'
import { type BoundStatement, readInstead } from './derivation.js'
import { DAMAGED, shortageOf } from './duckdb-error.js'
import { confinement, GIVE_BACK, LOCK_SETTINGS, MEMORY, openDuckDb, SpillFolder } from './duckdb-instance.js'
import { begun, interruptOn, runWhole, type Shape, streamOn } from './duckdb-running.js'
import {
  type BoundValue,
  type Derivation,
  type Derived,
  type EngineDescription,
  type KnownJournal,
  type QueryEngine,
  QueryError,
  type RunOptions,
  type Scope,
  stoppedError,
  type TableOutline,
  UnreadableTable,
} from './engine.js'
import { fileList } from './file-list.js'
import { checkForeign } from './foreign-statement.js'
import { deliveriesOf, quotedName } from './literal.js'
import { bytesOfSize } from './memory-size.js'
import { NarrowedTables } from './narrowed-tables.js'
import { earliestArrivals, emptyZonedRows, rowsOfObjects } from './relations.js'
import type { Row } from './rows.js'
import { TRINO_MACROS } from './trino-macros.js'

/** How an archive in a folder is opened. */
export interface DuckDbOptions {
  /** Ends every statement. */
  readonly signal?: AbortSignal | undefined
  /** Whether statements may reach other files, settings and extensions. @default false */
  readonly files?: boolean | undefined
  /** What was derived from its tables. @default - the archive alone is asked */
  readonly derived?: Derived | undefined
  /** What is known of the archive's journal. @default - nothing */
  readonly journal?: KnownJournal | undefined
  /** Where files of CloudTrail lie, with the calls that made changes. @default - nobody knows who called */
  readonly cloudtrail?: string | undefined
  /** What it may hold in memory, such as `2GB`: more goes to a temporary folder. @default - `448MB` */
  readonly memory?: string | undefined
}

/**
 * Answers questions over an archive in a folder, in the SQL that Trino and Athena speak too: of each table there is a
 * view of the rows as delivered, and one that counts each change once. Where something was derived from a table,
 * statements that say what they read are answered from that as far as it goes. A table that cannot be read costs no
 * other its answer.
 */
export class DuckDbEngine implements QueryEngine {
  readonly isFixed = true
  readonly takesLongText = true
  private readonly columns = new Map<string, readonly Column[]>()
  /** What was found beside the rows and is not believed. */
  private readonly noticed = new Set<string>()
  /** The objects behind each view: what comes later is in no answer of this engine. */
  private readonly viewed = new Map<string, readonly string[]>()
  /** Tables whose views over the archive are still to be made, which opens every object. */
  private readonly pending = new Map<string, Promise<void> | undefined>()
  /** What of the calls could not be read. */
  private readonly unreadCalls: EventProblems = { problems: [] }
  /** Which items statements need be asked of. */
  private readonly narrowed: NarrowedTables
  /** True while a statement runs on the connection that is shared. */
  private isBusy = false
  /** Once there, no setting can be changed any more. */
  private locked: Promise<unknown> | undefined
  /** Why there are no views of a table. */
  private readonly unreadable = new Map<string, UnreadableTable>()

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly toTable: typeof toArrowTable,
    private readonly toRows: Shape<Iterable<Row>>,
    /** The folder's own. */
    readonly facts: DiskArchive,
    private readonly signal: AbortSignal | undefined,
    private readonly files: boolean,
    private readonly derived: Derived | undefined,
    private readonly spill: SpillFolder,
    private readonly configured: ReadonlyMap<string, TableConfiguration>,
    private readonly identifiers: ReadonlyMap<string, string>,
    readonly journal: KnownJournal | undefined,
    private readonly cloudtrail: string | undefined,
    /** Bytes that DuckDB may hold. */
    private readonly memory: number,
  ) {
    this.narrowed = new NarrowedTables(memory, 'memory.main', () => this.giveBack())
  }

  /**
   * Opens the archive in `root` for reading. `configured` adds the columns of tables whose rows have yet to fill them,
   * and tables without any rows. A signal ends every statement. Unless `files` is said, no statement can reach
   * anything but the archive's rows, whatever it is; and SQL of others is held to one query.
   */
  static async open(
    root: string,
    configured: Iterable<TableConfiguration> = [],
    { signal, files = false, derived, journal, cloudtrail, memory = MEMORY }: DuckDbOptions = {},
  ): Promise<DuckDbEngine> {
    // loaded when an archive is opened: Arrow takes longer to load than most commands to run
    const [{ toArrowTable }, { rowsOfChunk }] = await Promise.all([import('./arrow.js'), import('./duckdb-rows.js')])
    const spill = new SpillFolder()
    try {
      const instance = await openDuckDb(':memory:', { temp_directory: spill.path, memory_limit: memory })
      const connection = await instance.connect()
      const current = new Map([...configured].map(table => [table.table, table]))
      const archive = new DiskArchive(root)
      const names = identifiersOf([...current.keys(), ...(await tablesOf(archive))])
      const engine = new DuckDbEngine(
        instance,
        connection,
        toArrowTable,
        rowsOfChunk,
        archive,
        signal,
        files,
        derived,
        spill,
        current,
        names,
        journal,
        cloudtrail,
        bytesOfSize(memory) ?? Number(bytesOfSize(MEMORY)),
      )
      await engine.begin()
      return engine
    } catch (error) {
      spill.remove()
      const shortage = shortageOf(error, spill.path)
      throw shortage === undefined ? error : new QueryError(shortage.message, { cause: error, hint: shortage.hint })
    }
  }

  private async begin(): Promise<void> {
    await this.connection.run(`${FOOTERS_KEPT};\n${TRINO_MACROS}`)
    // before the door is shut to other files
    const events = this.cloudtrail === undefined ? undefined : readCallEvents(this.cloudtrail, this.unreadCalls)
    await createCallsTable(this.connection, events, this.spill.path)
    for (const statement of this.files ? [] : confinement(this.facts.root)) await this.connection.run(statement)
    for (const table of this.identifiers.keys()) await this.look(table)
  }

  async run(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): Promise<Table> {
    const { scope } = options
    const signal = this.signalOf(options)
    if (options.foreign) await this.checkForeign(sql)
    const whole = (on: DuckDBConnection, some: BoundStatement) => runWhole(on, some, this.toTable)
    const ask = async (on: DuckDBConnection, found: Derivation) => {
      const narrowed = await this.narrowedFrom(found, scope as Scope, on)
      const narrow = await narrowed?.statementOf({ sql, values }, scope, rowsBy(on))
      return whole(on, narrow ?? this.readInstead({ sql, values }, scope as Scope, found))
    }
    const answer = scope && (await this.askDerived(scope, sql, values, signal, ask))
    if (answer !== undefined) return answer
    await this.createPendingViews()
    // an interrupt ends whatever runs on a connection, so a statement with a signal of its own has one of its own; so
    // has one that comes while another runs, for on one connection it would wait for that, however long it takes
    const isShared = options.signal === undefined && !this.isBusy
    const connection = isShared ? this.connection : await this.connect()
    if (isShared) this.isBusy = true
    const endInterrupts = interruptOn(signal, connection)
    try {
      signal.throwIfAborted()
      return await whole(connection, await this.narrowed.statementOf({ sql, values }, scope, rowsBy(connection)))
    } catch (error) {
      if (signal.aborted) throw stoppedError(signal)
      throw this.failureOf(sql, error)
    } finally {
      endInterrupts()
      if (isShared) this.isBusy = false
      else connection.closeSync()
    }
  }

  stream(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): AsyncGenerator<Table> {
    return this.pieces({ sql, values }, options, (names, types, chunk) => this.toTable(names, types, [chunk]))
  }

  rows(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): AsyncGenerator<Iterable<Row>> {
    return this.pieces({ sql, values }, options, this.toRows)
  }

  /** On a connection of its own, because the next statement on a connection ends what is streaming there. */
  private async *pieces<T>(statement: BoundStatement, options: RunOptions, shape: Shape<T>): AsyncGenerator<T> {
    const { sql, values } = statement
    const { scope } = options
    const signal = this.signalOf(options)
    if (options.foreign) await this.checkForeign(sql)
    let connection: DuckDBConnection | undefined
    const endInterrupts = interruptOn(signal, { interrupt: () => connection?.interrupt() })
    try {
      signal.throwIfAborted()
      const ask = async (on: DuckDBConnection, found: Derivation) => ({
        on,
        answers: await begun(this.answersFrom(found, statement, scope as Scope, on, shape)),
      })
      const derived = scope && (await this.askDerived(scope, sql, values, signal, ask, true))
      if (derived === undefined) await this.createPendingViews()
      connection = derived?.on ?? (await this.connect())
      const answers = derived?.answers ?? this.answersOn(connection, statement, scope, this.narrowed, shape)
      for await (const answer of answers)
        for await (const piece of answer) {
          yield piece
          signal.throwIfAborted()
        }
    } catch (error) {
      if (signal.aborted) throw stoppedError(signal)
      throw this.failureOf(sql, error)
    } finally {
      endInterrupts()
      connection?.closeSync()
    }
  }

  async describe(): Promise<EngineDescription> {
    const result = await this.connection.runAndReadAll('select version() as version')
    return { name: 'duckdb', version: String(result.getRows()[0]?.[0]), archive: { root: this.facts.root } }
  }

  async outline(table: string): Promise<TableOutline | undefined> {
    return this.derived?.outlineOf(table)
  }

  async objects(table: string): Promise<readonly ObjectEntry[]> {
    const read = new Set(this.viewed.get(table))
    const entries = await this.facts.entries(tablePrefix(table))
    return entries.filter(({ key }) => read.has(this.facts.pathOf(key)))
  }

  /** The objects are read apart from the table, whose views do not tell where a row lies. */
  async itemsIn(
    _table: NamedTable,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const items = new Map<string, ReadonlyMap<string, number>>()
    for (const key of keys) {
      const rows = `read_parquet(${fileList([this.facts.pathOf(key)])}, hive_partitioning = false)`
      const sql = `select item_key, min(event_time_us) from ${rows} group by item_key`
      const found = (await this.connection.runAndReadAll(sql)).getRows()
      items.set(key, new Map(found.map(([item, us]) => [String(item), Number(us)])))
    }
    return items
  }

  remarks(): readonly string[] {
    return [...this.noticed, ...(this.derived?.remarks ?? [])]
  }

  async unread(table?: string): Promise<readonly string[]> {
    const tables = table === undefined ? await tablesOf(this.facts) : [table]
    const found = await listUnread(this.facts, tables)
    // objects are never removed nor rewritten: what something was derived from and is not there is lost
    const lost = tables.flatMap(name => this.derived?.lost.get(name) ?? [])
    return [
      ...this.unreadCalls.problems,
      ...found
        .filter(({ mayHoldRows }) => mayHoldRows)
        .map(({ key, reason }) => `${key} ${reason}: it is in no answer, or not in every one`),
      ...lost.map(object => `${object}, though the compacted copy was made from it: what it held is in no answer`),
    ]
  }

  close(): void {
    this.connection.closeSync()
    this.instance.closeSync()
    this.spill.remove()
  }

  /**
   * What `GIVE_BACK` does, where the process holds as much as DuckDB alone may: less is sooner used again than taken
   * again. Nothing once somebody else's SQL has run, before which settings are locked.
   */
  private async giveBack(): Promise<void> {
    if (this.locked !== undefined || process.memoryUsage.rss() < this.memory) return
    // the shared one may be busy
    const connection = await this.connect()
    try {
      await connection.run(GIVE_BACK)
    } finally {
      connection.closeSync()
    }
  }

  private async checkForeign(sql: string): Promise<void> {
    try {
      if (!this.files) {
        this.locked ??= this.connection.run(LOCK_SETTINGS)
        await this.locked
      }
      await checkForeign(this.connection, sql, this.files)
    } catch (error) {
      throw error instanceof QueryError ? error : this.failureOf(sql, error)
    }
  }

  private signalOf({ signal }: RunOptions): AbortSignal {
    return AbortSignal.any([this.signal, signal].filter(one => one !== undefined))
  }

  private connect(): Promise<DuckDBConnection> {
    return this.instance.connect()
  }

  /**
   * Undefined where nothing derived does, or it cannot be read, so that the archive has to be asked. What was found may
   * have been replaced since, and a later compaction removes what was replaced: then the new one is asked.
   */
  private async askDerived<T>(
    scope: Scope,
    sql: string,
    values: readonly BoundValue[],
    signal: AbortSignal,
    ask: (connection: DuckDBConnection, found: Derivation) => Promise<T>,
    keepsConnection = false,
  ): Promise<T | undefined> {
    const { derived } = this
    while (derived !== undefined && this.identifiers.has(scope.table)) {
      const found = await derived.rowsFor(scope, sql, values)
      if (found === undefined) return undefined
      const connection = await this.connect()
      const endInterrupts = interruptOn(signal, connection)
      let kept = false
      try {
        signal.throwIfAborted()
        const missing = await found.whyNotWhole()
        if (missing !== undefined) throw new QueryError(missing)
        const answer = await ask(connection, found)
        kept = keepsConnection
        return answer
      } catch (error) {
        if (signal.aborted) throw stoppedError(signal)
        const [reason = ''] = (error as Error).message.split('\n')
        if (!(await derived.giveUp(scope.table, found, reason))) return undefined
        await this.look(scope.table)
      } finally {
        endInterrupts()
        if (!kept) connection.closeSync()
      }
    }
    return undefined
  }

  private readInstead(statement: BoundStatement, scope: Scope, found: Derivation): BoundStatement {
    // materialized, it would be read whole before a question could narrow it
    return readInstead(statement, scope, found, rows => `not materialized (${this.unite(scope, rows)})`)
  }

  private unite({ table }: Scope, rows: readonly string[]): string {
    const template = emptyZonedRows(this.columns.get(table) ?? [])
    return earliestArrivals([template, ...rows].join(' union all by name '))
  }

  /** The answer that derived rows give; of the states of all items narrow, then wide, as the archive's. */
  private async *answersFrom<T>(
    found: Derivation,
    statement: BoundStatement,
    scope: Scope,
    connection: DuckDBConnection,
    shape: Shape<T>,
  ): AsyncGenerator<AsyncGenerator<T>> {
    const narrowed = await this.narrowedFrom(found, scope, connection)
    const samples = found.sample === undefined ? [] : [found.sample]
    if (narrowed === undefined)
      yield await begun(streamOn(connection, this.readInstead(statement, scope, found), shape))
    else yield* this.answersOn(connection, statement, scope, narrowed, shape, samples)
  }

  /** What narrows a question about the states of all items, which derived rows answer; on their connection alone. */
  private async narrowedFrom(
    { rows }: Derivation,
    scope: Scope,
    connection: DuckDBConnection,
  ): Promise<NarrowedTables | undefined> {
    if (scope.states === undefined || scope.narrowing === undefined) return undefined
    await connection.run(`create temp view ${deliveriesOf(scope)} as ${this.unite(scope, rows)}`)
    return new NarrowedTables(this.memory, 'temp', () => this.giveBack())
  }

  /**
   * The answer to a statement, in slices of items where memory does not hold what it needs of all. By the footers of
   * some of the files that it reads it is told how large images are.
   */
  private answersOn<T>(
    connection: DuckDBConnection,
    statement: BoundStatement,
    scope: Scope | undefined,
    narrowed: NarrowedTables,
    shape: Shape<T>,
    files = this.viewed.get(scope?.table ?? '') ?? [],
  ): AsyncGenerator<AsyncGenerator<T>> {
    const room = { imageSize: () => imageSize(connection, files), room: this.memory / TIMES_HELD }
    const begin = (some: BoundStatement) => begun(streamOn(connection, some, shape))
    return narrowed.inSlices(statement, scope, rowsBy(connection), room, begin)
  }

  /**
   * A question about one item opens a few files of the copy; the archive's own are opened when something asks for
   * them.
   */
  private async look(table: string): Promise<void> {
    try {
      const configured = this.configured.get(table)
      const kept = await readKept(this.facts, table)
      for (const { message } of kept.problems) this.noticed.add(`${message}; it is not believed`)
      this.columns.set(table, mergeColumns([...(configured === undefined ? [] : [configured]), ...kept.versions]))
      const keys = await this.derived?.look(table)
      if (keys === undefined) return await this.createViews(table)
      this.viewed.set(
        table,
        keys.map(key => this.facts.pathOf(key)),
      )
      this.pending.set(table, undefined)
    } catch (error) {
      this.refuse(table, error)
    }
  }

  private refuse(table: string, error: unknown): void {
    const shortage = shortageOf(error, this.spill.path)
    const [reason] = (shortage?.message ?? (error as Error).message).split('\n')
    const hint = shortage?.hint ?? DAMAGED
    this.unreadable.set(table, new UnreadableTable(`table ${table} cannot be read: ${reason}`, { cause: error, hint }))
  }

  private async createPendingViews(): Promise<void> {
    for (const [table, begun] of this.pending) {
      const creating = begun ?? this.createViews(table).catch(error => this.refuse(table, error))
      this.pending.set(table, creating)
      await creating
      this.pending.delete(table)
    }
  }

  private async createViews(table: string): Promise<void> {
    const named = this.named(table)
    const columns = this.columns.get(table) ?? AUDIT_COLUMNS
    const template = emptyZonedRows(columns)
    const files = this.viewed.get(table) ?? (await this.filesOf(table))
    this.viewed.set(table, files)
    const rows = rowsOfObjects(files)
    const all = files.length === 0 ? template : `${template} union all by name ${rows}`
    const delivered = files.length > 0 && (await this.hasArrivalTimes(rows)) ? earliestArrivals(all) : all
    await this.connection.run(`create view ${deliveriesOf(named)} as ${delivered}`)
    const configured = this.configured.get(table)
    const today = configured === undefined ? undefined : configurationId(configured)
    const changes = changesView(deliveriesOf(named), columns, today)
    await this.connection.run(`create view ${quotedName(tableIdentifier(named))} as ${changes}`)
  }

  private async filesOf(table: string): Promise<readonly string[]> {
    return (await listTable(this.facts, table)).objects.map(key => this.facts.pathOf(key))
  }

  private named(table: string): NamedTable {
    return { table, identifier: this.identifiers.get(table) }
  }

  /** A statement that names a table without views fails by that, whatever the engine says. */
  private failureOf(sql: string, error: unknown): QueryError {
    const words = new Set(sql.toLowerCase().match(/[a-z0-9_]+/g))
    for (const [table, reason] of this.unreadable) {
      const named = this.named(table)
      if (words.has(tableIdentifier(named)) || words.has(deliveriesIdentifier(named))) return reason
    }
    const shortage = shortageOf(error, this.spill.path)
    return new QueryError(shortage?.message ?? (error as Error).message, { cause: error, hint: shortage?.hint })
  }

  private async hasArrivalTimes(rows: string): Promise<boolean> {
    const result = await this.connection.runAndReadAll(
      `select 1 from (${rows}) where time_precision = 'arrival' limit 1`,
    )
    return result.currentRowCount > 0
  }
}

/**
 * Objects are never rewritten, so what an object says of itself is read by the first statement only. It counts as the
 * engine's memory (46 kB an object), which lets it go before anything else.
 */
const FOOTERS_KEPT = 'set global parquet_metadata_cache = true'

/** Where images are found, compared and put in order, three steps of that hold them at a time, beside their keys. */
const TIMES_HELD = 4

function rowsBy(connection: DuckDBConnection): (sql: string) => Promise<readonly (readonly unknown[])[]> {
  return async sql => (await connection.runAndReadAll(sql)).getRows()
}

/** The columns of all configurations, those of the first in the order that Glue has them too. */
export function mergeColumns(versions: readonly TableConfiguration[]): readonly Column[] {
  const columns = new Map<string, Column>()
  for (const column of versions.flatMap(columnsOf)) if (!columns.has(column.name)) columns.set(column.name, column)
  return columns.size === 0 ? AUDIT_COLUMNS : [...columns.values()]
}

/** What the image that a row of some files leaves takes, uncompressed, on average. */
async function imageSize(connection: DuckDBConnection, files: readonly string[]): Promise<number> {
  if (files.length === 0) return 0
  const sql = `select sum(total_uncompressed_size) / sum(num_values) from parquet_metadata(${fileList(files)})
    where path_in_schema = 'new_image'`
  const [[size] = []] = await rowsBy(connection)(sql)
  return Number(size ?? 0)
}
