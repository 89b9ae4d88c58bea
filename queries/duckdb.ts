import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import { AUDIT_COLUMNS, type Column, columnsOf, duckDbType } from '../transform/audit-row.js'
import type { FactStore } from '../transform/fact.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import type { toArrowTable } from './arrow.js'
import {
  type BoundValue,
  type EngineDescription,
  type QueryEngine,
  QueryError,
  type RunOptions,
  stoppedError,
} from './engine.js'
import { TRINO_MACROS } from './trino-macros.js'

/** Answers questions over an archive in a folder: one view a table, in the SQL that Trino and Athena speak too. */
export class DuckDbEngine implements QueryEngine {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly toTable: typeof toArrowTable,
    private readonly root: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Opens the archive in `root` for reading. `configured` adds the columns of tables whose rows have yet to fill them,
   * and tables without any rows. A signal ends every statement.
   */
  static async open(
    root: string,
    configured: Iterable<TableConfiguration> = [],
    { signal }: RunOptions = {},
  ): Promise<DuckDbEngine> {
    // loaded when an archive is opened: DuckDB and Arrow take longer to load than most commands to run
    const [{ DuckDBInstance }, { toArrowTable }] = await Promise.all([import('@duckdb/node-api'), import('./arrow.js')])
    const instance = await DuckDBInstance.create(':memory:')
    const engine = new DuckDbEngine(instance, await instance.connect(), toArrowTable, root, signal)
    for (const statement of TRINO_MACROS) await engine.connection.run(statement)
    const current = new Map([...configured].map(table => [table.table, [table]]))
    for (const table of new Set([...current.keys(), ...tablesOf(root)])) {
      const versions = [...(current.get(table) ?? []), ...keptConfigurations(root, table)]
      await engine.createView(root, table, mergeColumns(versions))
    }
    return engine
  }

  async run(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): Promise<Table> {
    const signal = this.signalOf(options)
    const interrupt = () => this.connection.interrupt()
    signal.addEventListener('abort', interrupt)
    try {
      signal.throwIfAborted()
      const result = await this.connection.run(sql, [...values])
      const chunks = await result.fetchAllChunks()
      return this.toTable(result.deduplicatedColumnNames(), result.columnTypes(), chunks)
    } catch (error) {
      if (signal.aborted) throw stoppedError(signal)
      throw new QueryError((error as Error).message, { cause: error })
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }

  /** On a connection of its own, because the next statement on a connection ends what is streaming there. */
  async *stream(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): AsyncGenerator<Table> {
    const signal = this.signalOf(options)
    const connection = await this.instance.connect()
    const interrupt = () => connection.interrupt()
    signal.addEventListener('abort', interrupt)
    try {
      signal.throwIfAborted()
      for (const setting of TRINO_MACROS.filter(isSetting)) await connection.run(setting)
      const result = await connection.stream(sql, [...values])
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        yield this.toTable(result.deduplicatedColumnNames(), result.columnTypes(), [chunk])
      }
    } catch (error) {
      if (signal.aborted) throw stoppedError(signal)
      throw new QueryError((error as Error).message, { cause: error })
    } finally {
      signal.removeEventListener('abort', interrupt)
      connection.closeSync()
    }
  }

  async describe(): Promise<EngineDescription> {
    const result = await this.connection.runAndReadAll('select version() as version')
    return { name: 'duckdb', version: String(result.getRows()[0]?.[0]), archive: { root: this.root } }
  }

  /** The folder's own. */
  get facts(): FactStore {
    const pathOf = (key: string) => join(this.root, ...key.split('/'))
    return {
      list: async prefix =>
        existsSync(pathOf(prefix)) ? readdirSync(pathOf(prefix)).map(name => `${prefix}${name}`) : [],
      open: async key => readFileSync(pathOf(key)),
    }
  }

  close(): void {
    this.connection.closeSync()
    this.instance.closeSync()
  }

  private signalOf({ signal }: RunOptions): AbortSignal {
    return AbortSignal.any([this.signal, signal].filter(one => one !== undefined))
  }

  private async createView(root: string, table: string, columns: readonly Column[]): Promise<void> {
    const view = `"${tableIdentifier(table)}"`
    const typed = [
      ...columns.map(({ name, type }) => `null::${duckDbType(type)} as "${name}"`),
      'null::varchar as event_date',
    ]
    const template = `select ${typed.join(', ')} where false`
    const files = parquetFiles(root, table)
    if (files.length === 0) {
      await this.connection.run(`create view ${view} as ${template}`)
      return
    }
    const list = files.map(file => `'${literalPath(file).replaceAll("'", "''")}'`).join(', ')
    const rows = `select * exclude (filename), ${DATE_OF_FILE} as event_date
      from read_parquet([${list}], union_by_name = true, hive_partitioning = false, filename = true)`
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

/**
 * A change without a time of its own may lie in several partitions, once for each arrival. Only its earliest row counts,
 * and a question about a period could not see that one; so here, where all partitions are at hand, the others are left out.
 */
function earliestArrivals(rows: string): string {
  // materialized, it would be read whole before a question's days could narrow it
  return `with every as not materialized (${rows})
    select * from every where time_precision <> 'arrival'
    union all by name
    select * from every where time_precision = 'arrival'
    qualify row_number() over (partition by event_id order by event_time_us, row_hash, arrived_at) = 1`
}

/** The DynamoDB tables that an archive holds rows of. */
export function tablesOf(root: string): readonly string[] {
  return foldersIn(join(root, 'data'))
}

function foldersIn(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { withFileTypes: true })
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

/** The paths of a table's objects, by partition and name. */
export function parquetFiles(root: string, table: string): readonly string[] {
  const folder = join(root, 'data', table)
  return foldersIn(folder).flatMap(partition =>
    readdirSync(join(folder, partition))
      .filter(isObject)
      .sort()
      .map(name => join(folder, partition, name)),
  )
}

/**
 * DuckDB reads a path as a pattern, which an archive called `st*r` would share with its neighbours. Beside a backslash it
 * knows no way to escape; that pattern still finds the file itself.
 */
function literalPath(path: string): string {
  return path.includes('\\') ? path : path.replaceAll(/[*?[]/g, '[$&]')
}

/** Athena passes over names that begin with "_" or ".", so we do. */
function isObject(name: string): boolean {
  return name.endsWith('.parquet') && !name.startsWith('_') && !name.startsWith('.')
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
function mergeColumns(versions: readonly TableConfiguration[]): readonly Column[] {
  const columns = new Map<string, Column>()
  for (const column of versions.flatMap(columnsOf)) if (!columns.has(column.name)) columns.set(column.name, column)
  return columns.size === 0 ? AUDIT_COLUMNS : [...columns.values()]
}
