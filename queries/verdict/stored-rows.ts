import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api'
import type { DiskArchive } from '../../store/folder.js'
import type { Objects } from '../../store/objects.js'
import { formatTimestamp } from '../../transform/instant.js'
import { tablePrefix } from '../../transform/layout.js'
import { chunksOf } from '../engines/duckdb-chunks.js'
import { openDuckDb } from '../engines/duckdb-instance.js'
import { fileList } from '../engines/file-list.js'
import { misledObjects } from './footer-bounds.js'

/**
 * A table's rows as they lie, object by object: whatever its folder is called, whatever its rows say of their time, and
 * without a view that would leave one out or make up a column.
 */

/** A value as it is compared: numbers that are exact as bigint, decimals and times as the text of the row line. */
export type StoredValue = string | number | bigint | boolean | readonly (string | null)[] | null
export type StoredRow = Readonly<Record<string, StoredValue>>

/** A file below a table's folder. */
export interface StoredFile {
  /** Its path in the archive. */
  readonly key: string
  /** The first folder below the table's; empty for a file beside them. */
  readonly folder: string
  /** Why no question reads it; null for an object. */
  readonly passedOver: string | null
}

/** Everything below a table's folder, by path; a link is not followed. */
export async function storedFiles(archive: Objects, table: string): Promise<readonly StoredFile[]> {
  const prefix = tablePrefix(table)
  const { keys, odd } = await archive.survey(prefix)
  const files = [
    ...keys.map(key => ({ key, passedOver: whyPassedOver(key) })),
    ...odd
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key }) => ({ key, passedOver: 'it is no file but a link' })),
  ]
  return files
    .map(file => ({ ...file, folder: file.key.slice(prefix.length).split('/').slice(0, -1)[0] ?? '' }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

function whyPassedOver(key: string): string | null {
  const name = key.slice(key.lastIndexOf('/') + 1)
  if (!name.endsWith('.parquet')) return 'its name does not end in ".parquet"'
  return /^[_.]/.test(name) ? `its name begins with "${name[0]}"` : null
}

/** Reads objects one by one. */
export class StoredRows {
  private constructor(
    private readonly archive: DiskArchive,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
  ) {}

  static async open(archive: DiskArchive): Promise<StoredRows> {
    // rows are looked at beside it, which takes longer than to read them
    const instance = await openDuckDb(':memory:', { memory_limit: '1GB', threads: '1' })
    return new StoredRows(archive, instance, await instance.connect())
  }

  /**
   * The rows of an object, some at a time; `only` those of these numbers. Throws what DuckDB says of one that it cannot
   * read.
   */
  async *rowsOf(file: StoredFile, only?: readonly number[]): AsyncGenerator<readonly StoredRow[]> {
    const rows = `select * from ${this.tableOf(file)}`
    const some = () => `select * exclude (file_row_number) from ${this.numbered([file])} where ${isAmong(only ?? [])}`
    const result = await this.connection.stream(only === undefined ? rows : some())
    const names = result.columnNames()
    for await (const chunk of chunksOf(result)) {
      const columns = chunk.getColumns()
      yield Array.from({ length: chunk.rowCount }, (_, i) =>
        Object.fromEntries(names.map((name, column) => [name, plain((columns[column] as unknown[])[i])])),
      )
    }
  }

  /** What a statement answers. */
  async *chunks(sql: string): AsyncGenerator<DuckDBDataChunk> {
    yield* chunksOf(await this.connection.stream(sql))
  }

  /**
   * What `look` finds of objects, which it is given together where they say the same of their columns. Those that
   * cannot be read, or change while they are, are left out, and cost no other.
   */
  async eachAlike<T>(
    files: readonly StoredFile[],
    look: (alike: readonly StoredFile[]) => Promise<Iterable<readonly [StoredFile, T]>>,
  ): Promise<ReadonlyMap<StoredFile, T>> {
    if (files.length === 0) return new Map()
    try {
      const found: (readonly [StoredFile, T])[] = []
      for (const alike of await this.groupBySchema(files)) for (const one of await look(alike)) found.push(one)
      return new Map(found)
    } catch {
      const half = Math.floor(files.length / 2)
      if (half === 0) return new Map()
      const first = await this.eachAlike(files.slice(0, half), look)
      return new Map([...first, ...(await this.eachAlike(files.slice(half), look))])
    }
  }

  /** Objects by what they say of their columns. */
  private async groupBySchema(files: readonly StoredFile[]): Promise<readonly (readonly StoredFile[])[]> {
    const result = await this.connection.runAndReadAll(
      `select file_name, string_agg(concat_ws(' ', name, type, type_length, repetition_type, num_children, converted_type,
         scale, precision, field_id, logical_type), ', ')
       from parquet_schema(${this.listOf(files)}) group by all`,
    )
    const byPath = new Map(files.map(file => [this.archive.pathOf(file.key), file]))
    const groups = new Map<string, StoredFile[]>()
    for (const [path, schema] of result.getRows()) {
      const file = byPath.get(String(path))
      if (file !== undefined) groups.set(String(schema), [...(groups.get(String(schema)) ?? []), file])
    }
    return [...groups.values()]
  }

  /** Objects of one schema with the names of the columns of which their footer has other bounds than their rows. */
  async misled(files: readonly StoredFile[]): Promise<ReadonlyMap<StoredFile, readonly string[]>> {
    const columns = await this.columnsOf(files[0] as StoredFile)
    const result = await this.connection.runAndReadAll(misledObjects(this.listOf(files), columns))
    const misled = new Map(result.getRows().map(([path, names]) => [String(path), plain(names) as readonly string[]]))
    return new Map(files.map(file => [file, misled.get(this.archive.pathOf(file.key)) ?? []]))
  }

  /** How many rows of which version an object has. */
  async versionsOf(file: StoredFile): Promise<ReadonlyMap<StoredValue, number>> {
    const result = await this.connection.runAndReadAll(
      `select row_version, count(*) from ${this.tableOf(file)} group by 1 order by 1`,
    )
    return new Map(result.getRows().map(([version, rows]) => [plain(version), Number(rows)]))
  }

  /** An object's columns with their types, in their order. */
  async columnsOf(file: StoredFile): Promise<ReadonlyMap<string, string>> {
    const result = await this.connection.runAndReadAll(`describe select * from ${this.tableOf(file)}`)
    return new Map(result.getRows().map(([name, type]) => [String(name), String(type)]))
  }

  /** How many rows an object has, by its footer. */
  async countRows(file: StoredFile): Promise<number> {
    const result = await this.connection.runAndReadAll(
      `select num_rows from parquet_file_metadata(${this.listOf([file])})`,
    )
    return Number(result.getRows()[0]?.[0] ?? 0)
  }

  /** Objects as a relation with the place of each as `file_index` and the numbers of rows as `file_row_number`. */
  numbered(files: readonly StoredFile[]): string {
    return `read_parquet(${this.listOf(files)}, hive_partitioning = false, file_row_number = true)`
  }

  private tableOf(file: StoredFile): string {
    return `read_parquet(${this.listOf([file])}, hive_partitioning = false)`
  }

  private listOf(files: readonly StoredFile[]): string {
    return fileList(files.map(({ key }) => this.archive.pathOf(key)))
  }

  close(): void {
    this.connection.closeSync()
    this.instance.closeSync()
  }
}

/** A list of many numbers takes longer to read than the rows in between. */
function isAmong(numbers: readonly number[]): string {
  const [first, last] = [numbers[0] ?? 0, numbers.at(-1) ?? -1]
  const between = `file_row_number between ${first} and ${last}`
  return last - first + 1 === numbers.length ? between : `${between} and file_row_number in (${numbers.join(', ')})`
}

/** What DuckDB's client gives as an object, as the row line has it. */
export function plain(value: unknown): StoredValue {
  if (typeof value !== 'object' || value === null) return value as StoredValue
  if ('millis' in value) return formatTimestamp(Number(value.millis))
  if ('micros' in value) return formatTimestamp(Number((value.micros as bigint) / 1000n))
  if ('items' in value) return value.items as readonly (string | null)[]
  return String(value)
}
