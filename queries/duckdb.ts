import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import { AUDIT_COLUMNS, type Column, columnsOf, duckDbType } from '../transform/audit-row.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import { toArrowTable } from './arrow.js'
import { type DerivedCopy, findCopy, runFiles } from './derived-copy.js'
import {
  type BoundValue,
  type EngineDescription,
  type QueryEngine,
  QueryError,
  type RunOptions,
  type Scope,
  stoppedError,
  type TableOutline,
} from './engine.js'
import { fileList, parquetFiles, tablesOf } from './parquet-files.js'
import { TRINO_MACROS } from './trino-macros.js'

export { parquetFiles, tablesOf } from './parquet-files.js'

/**
 * Answers questions over an archive in a folder: one view a table, in the SQL that Trino and Athena speak too. Where a
 * table has a compacted copy, what is asked of one item reads that, and the objects that it does not cover.
 */
export class DuckDbEngine implements QueryEngine {
  private readonly copies = new Map<string, DerivedCopy>()
  private readonly columns = new Map<string, readonly Column[]>()
  /** Tables whose view over the archive is still to be made, which opens every object. */
  private readonly pending = new Map<string, Promise<void> | undefined>()
  private readonly remarked = new Set<string>()

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly root: string,
  ) {}

  /**
   * Opens the archive in `root` for reading. `configured` adds the columns of tables whose rows have yet to fill them,
   * and tables without any rows.
   */
  static async open(root: string, configured: Iterable<TableConfiguration> = []): Promise<DuckDbEngine> {
    const instance = await DuckDBInstance.create(':memory:')
    const engine = new DuckDbEngine(instance, await instance.connect(), root)
    for (const statement of TRINO_MACROS) await engine.connection.run(statement)
    const current = new Map([...configured].map(table => [table.table, [table]]))
    for (const table of new Set([...current.keys(), ...tablesOf(root)])) {
      const versions = [...(current.get(table) ?? []), ...keptConfigurations(root, table)]
      engine.columns.set(table, mergeColumns(versions))
      // a question about one item opens a few files of the copy; the archive's own are opened when something asks for them
      if (engine.lookForCopy(table)) engine.pending.set(table, undefined)
      else await engine.createView(table)
    }
    return engine
  }

  async run(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): Promise<Table> {
    const { scope, signal } = options
    if (scope !== undefined && this.copies.has(scope.table)) {
      const answer = await this.runOnCopy(sql, values, scope, signal)
      if (answer !== undefined) return answer
    }
    await this.createPendingViews()
    const interrupt = () => this.connection.interrupt()
    signal?.addEventListener('abort', interrupt)
    try {
      signal?.throwIfAborted()
      const result = await this.connection.run(sql, [...values])
      const chunks = await result.fetchAllChunks()
      return toArrowTable(result.deduplicatedColumnNames(), result.columnTypes(), chunks)
    } catch (error) {
      if (signal?.aborted) throw stoppedError(signal)
      throw new QueryError((error as Error).message, { cause: error })
    } finally {
      signal?.removeEventListener('abort', interrupt)
    }
  }

  /** On a connection of its own, because the next statement on a connection ends what is streaming there. */
  async *stream(sql: string, values: readonly BoundValue[] = [], { signal }: RunOptions = {}): AsyncGenerator<Table> {
    await this.createPendingViews()
    const connection = await this.connect()
    const interrupt = () => connection.interrupt()
    signal?.addEventListener('abort', interrupt)
    try {
      signal?.throwIfAborted()
      const result = await connection.stream(sql, [...values])
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        yield toArrowTable(result.deduplicatedColumnNames(), result.columnTypes(), [chunk])
      }
    } catch (error) {
      if (signal?.aborted) throw stoppedError(signal)
      throw new QueryError((error as Error).message, { cause: error })
    } finally {
      signal?.removeEventListener('abort', interrupt)
      connection.closeSync()
    }
  }

  async describe(): Promise<EngineDescription> {
    const result = await this.connection.runAndReadAll('select version() as version')
    return { name: 'duckdb', version: String(result.getRows()[0]?.[0]), archive: { root: this.root } }
  }

  async outline(table: string): Promise<TableOutline | undefined> {
    const copy = this.copies.get(table)
    if (copy === undefined) return undefined
    const { beganUs, sampleKey } = copy.manifest
    if (copy.uncovered.length === 0) return { beganUs, sampleKey }
    const began = `select min(event_time_us) from (${rowsOfObjects(copy.uncovered)})`
    const since = (await this.connection.runAndReadAll(began)).getRows()[0]?.[0] as bigint | null
    return { beganUs: since === null ? beganUs : Math.min(beganUs, Number(since)), sampleKey }
  }

  remarks(): readonly string[] {
    return [...this.remarked]
  }

  close(): void {
    this.connection.closeSync()
    this.instance.closeSync()
  }

  private async connect(): Promise<DuckDBConnection> {
    const connection = await this.instance.connect()
    for (const setting of TRINO_MACROS.filter(isSetting)) await connection.run(setting)
    return connection
  }

  /** True where a table has a copy that can be used. */
  private lookForCopy(table: string): boolean {
    const found = findCopy(this.root, table)
    if (found.kind === 'unusable') this.remarked.add(found.remark)
    if (found.kind === 'usable') this.copies.set(table, found.copy)
    else this.copies.delete(table)
    return found.kind === 'usable'
  }

  /**
   * Undefined where the copy cannot be read, so that the archive has to be asked. A copy may have been replaced since it
   * was found, and a later compaction removes what was replaced: then the new one is asked.
   */
  private async runOnCopy(
    sql: string,
    values: readonly BoundValue[],
    scope: Scope,
    signal: AbortSignal | undefined,
  ): Promise<Table | undefined> {
    for (;;) {
      const copy = this.copies.get(scope.table)
      if (copy === undefined) return undefined
      try {
        return await this.runOnFiles(sql, values, scope, runFiles(copy, scope.itemKey), copy.uncovered, signal)
      } catch (error) {
        if (signal?.aborted) throw stoppedError(signal)
        if (
          this.lookForCopy(scope.table) &&
          this.copies.get(scope.table)?.manifest.generation !== copy.manifest.generation
        )
          continue
        this.copies.delete(scope.table)
        const [reason] = (error as Error).message.split('\n')
        this.remarked.add(
          `compacted copy of ${scope.table} cannot be read, the archive was asked instead: ${reason}; itemtrail compact ${scope.table} --rebuild makes a new one`,
        )
      }
    }
  }

  /** The very statement, with the view of its table hidden by one of the same name on a connection of its own. */
  private async runOnFiles(
    sql: string,
    values: readonly BoundValue[],
    { table }: Scope,
    runs: readonly string[],
    uncovered: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Table> {
    const connection = await this.connect()
    const interrupt = () => connection.interrupt()
    signal?.addEventListener('abort', interrupt)
    try {
      signal?.throwIfAborted()
      const parts = [
        emptyRows(this.columns.get(table) ?? AUDIT_COLUMNS),
        ...(runs.length > 0 ? [rowsOfRuns(runs)] : []),
        ...(uncovered.length > 0 ? [rowsOfObjects(uncovered)] : []),
      ]
      const all = earliestArrivals(parts.join(' union all by name '))
      await connection.run(`create temp view "${tableIdentifier(table)}" as ${all}`)
      const result = await connection.run(sql, [...values])
      return toArrowTable(result.deduplicatedColumnNames(), result.columnTypes(), await result.fetchAllChunks())
    } finally {
      signal?.removeEventListener('abort', interrupt)
      connection.closeSync()
    }
  }

  private async createPendingViews(): Promise<void> {
    for (const [table, begun] of this.pending) {
      const creating = begun ?? this.createView(table)
      this.pending.set(table, creating)
      try {
        await creating
        this.pending.delete(table)
      } catch (error) {
        this.pending.set(table, undefined)
        throw new QueryError((error as Error).message, { cause: error })
      }
    }
  }

  private async createView(table: string): Promise<void> {
    const view = `"${tableIdentifier(table)}"`
    const template = emptyRows(this.columns.get(table) ?? AUDIT_COLUMNS)
    const files = parquetFiles(this.root, table)
    if (files.length === 0) {
      await this.connection.run(`create view ${view} as ${template}`)
      return
    }
    const rows = rowsOfObjects(files)
    const all = `${template} union all by name ${rows}`
    await this.connection.run(
      `create view ${view} as ${(await this.hasArrivalTimes(rows)) ? earliestArrivals(all) : all}`,
    )
  }

  private async hasArrivalTimes(rows: string): Promise<boolean> {
    const result = await this.connection.runAndReadAll(
      `select 1 from (${rows}) where time_precision = 'arrival' limit 1`,
    )
    return result.currentRowCount > 0
  }
}

/** What holds for one connection only, unlike macros and views. */
function isSetting(statement: string): boolean {
  return statement.startsWith('set ')
}

/**
 * The partition's date, from the end of the path. DuckDB's own hive partitioning takes every `name=value` in it, so that
 * a folder above the archive could stand in for a column. Either way it opens no file that a question's days leave out.
 */
const DATE_OF_FILE = String.raw`regexp_extract(filename, 'event_date=([^/\\]*)[/\\][^/\\]*$', 1)`

/** No rows, of the columns that are known although no row may have filled them yet. */
export function emptyRows(columns: readonly Column[]): string {
  const typed = columns.map(({ name, type }) => `null::${duckDbType(type)} as "${name}"`)
  return `select ${[...typed, 'null::varchar as event_date'].join(', ')} where false`
}

/** The rows of some of the archive's objects. */
export function rowsOfObjects(files: readonly string[]): string {
  return `select * exclude (filename), ${DATE_OF_FILE} as event_date
      from read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false, filename = true)`
}

/** The rows that some of a copy's files stand for: each as often as it was delivered. */
function rowsOfRuns(files: readonly string[]): string {
  return `select runs.* exclude (repeats)
      from read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false) as runs
      cross join unnest(range(runs.repeats + 1))`
}

/**
 * A change without a time of its own may lie in several partitions, once for each arrival. Only its earliest row counts,
 * and a question about a period could not see that one; so here, where all partitions are at hand, the others are left out.
 * One id is of one item; that the item is named lets a question about one look at no other.
 */
function earliestArrivals(rows: string): string {
  // materialized, it would be read whole before a question's days could narrow it
  return `with every as not materialized (${rows})
    select * from every where time_precision <> 'arrival'
    union all by name
    select * from every where time_precision = 'arrival'
    qualify row_number() over (partition by item_key, event_id order by event_time_us, row_hash, arrived_at) = 1`
}

/** The configurations that rows of a table were made under, as the archive keeps them. */
export function keptConfigurations(root: string, table: string): readonly TableConfiguration[] {
  const folder = join(root, 'config', table)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as TableConfiguration)
}

/** The columns of all configurations, those of the first in the order that Glue has them too. */
export function mergeColumns(versions: readonly TableConfiguration[]): readonly Column[] {
  const columns = new Map<string, Column>()
  for (const column of versions.flatMap(columnsOf)) if (!columns.has(column.name)) columns.set(column.name, column)
  return columns.size === 0 ? AUDIT_COLUMNS : [...columns.values()]
}
