import { relative, sep } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { chunksOf } from '../queries/engines/duckdb-chunks.js'
import { fileList } from '../queries/engines/file-list.js'
import { quoted } from '../queries/engines/literal.js'
import { plain } from '../queries/verdict/stored-rows.js'
import type { EvidenceRow } from './leaf.js'

/** Rows of a table as they lie, found by their events. */

/** A row, whole, and where it lies. */
export interface FoundRow {
  readonly row: EvidenceRow
  readonly key: string
  /** Its number in the object. */
  readonly index: number
}

/** Where rows are looked for. */
export interface RowSource {
  readonly connection: DuckDBConnection
  /** The archive's folder. */
  readonly root: string
  /** Paths of the objects that hold the table's rows. */
  readonly paths: readonly string[]
  /** Of several rows of one event the one made under this configuration counts, as in a table's view. */
  readonly configId?: string | undefined
}

const PLACE = ['filename', 'file_row_number'] as const

/** The row that counts of each of these events, in no order; an event without a row is left out. */
export async function rowsOfEvents(source: RowSource, eventIds: readonly string[]): Promise<readonly FoundRow[]> {
  if (eventIds.length === 0 || source.paths.length === 0) return []
  const which = `event_id in (${eventIds.map(quoted).join(', ')})`
  return findRows({ ...source, paths: await pathsWith(source, which) }, which)
}

/** The objects that hold such rows: their other columns are read of these alone. */
async function pathsWith({ connection, paths }: RowSource, which: string): Promise<readonly string[]> {
  const files = `read_parquet(${fileList(paths)}, hive_partitioning = false, filename = true)`
  const reader = await connection.runAndReadAll(`select distinct filename from ${files} where ${which}`)
  return reader.getRows().map(([path]) => String(path))
}

/** Ids of events that begin so, at most `most` of them. */
export async function eventsOfPrefix(
  { connection, paths }: RowSource,
  prefix: string,
  most: number,
): Promise<readonly string[]> {
  if (paths.length === 0) return []
  const files = `read_parquet(${fileList(paths)}, union_by_name = true, hive_partitioning = false)`
  const where = `starts_with(event_id, ${quoted(prefix)})`
  const reader = await connection.runAndReadAll(
    `select distinct event_id from ${files} where ${where} order by event_id limit ${most}`,
  )
  return reader.getRows().map(([id]) => String(id))
}

async function findRows({ connection, root, paths, configId }: RowSource, which: string): Promise<readonly FoundRow[]> {
  if (paths.length === 0) return []
  const files = `read_parquet(${fileList(paths)}, union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true)`
  const preferred = configId === undefined ? '' : `case when config_id = ${quoted(configId)} then 0 else 1 end, `
  const result = await connection.stream(
    `select * from ${files} where ${which}
     qualify row_number() over (partition by event_id order by ${preferred}event_time_us, row_hash, arrived_at, filename) = 1`,
  )
  const names = result.columnNames()
  const found: FoundRow[] = []
  for await (const chunk of chunksOf(result)) {
    const columns = chunk.getColumns()
    for (let i = 0; i < chunk.rowCount; i++) {
      const row = Object.fromEntries(names.map((name, column) => [name, plain((columns[column] as unknown[])[i])]))
      const key = relative(root, String(row.filename)).split(sep).join('/')
      found.push({ row: evidenceRow(row), key, index: Number(row.file_row_number) })
    }
  }
  return found
}

/** Without what is null, and without its place. */
function evidenceRow(row: EvidenceRow): EvidenceRow {
  const left = Object.entries(row).filter(([name, value]) => value !== null && !PLACE.includes(name as 'filename'))
  return Object.fromEntries(left)
}

/** A row as one JSON object and a line feed: numbers that are exact keep all their digits. */
export function evidenceLine(row: EvidenceRow): string {
  const fields = Object.entries(row).map(
    ([name, value]) => `${JSON.stringify(name)}:${typeof value === 'bigint' ? value : JSON.stringify(value)}`,
  )
  return `{${fields.join(',')}}\n`
}
