import { join, relative, sep } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { chunksOf } from '../queries/engines/duckdb-chunks.js'
import { fileList } from '../queries/engines/file-list.js'
import { quoted } from '../queries/engines/literal.js'
import { plain } from '../queries/verdict/stored-rows.js'
import { type EventStarts, INDEXED_CHARACTERS, objectsOfEvents } from './event-index.js'
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
  readonly table: string
  /** The objects that hold the table's rows. */
  readonly keys: readonly string[]
  /** Of several rows of one event the one made under this configuration counts, as in a table's view. */
  readonly configId?: string | undefined
}

/** The row that counts of each of these events, in no order; an event without a row is left out. */
export async function rowsOfEvents(source: RowSource, eventIds: readonly string[]): Promise<readonly FoundRow[]> {
  const found = await findRows(source, await indexed(source, eventIds), eventIds)
  const known = new Set(found.map(({ row }) => row.event_id))
  const others = eventIds.filter(id => !known.has(id))
  return others.length === 0 ? found : [...found, ...(await findRows(source, await searched(source, others), others))]
}

/** The objects that the index names. It may be behind, or damaged: of what it does not lead to nothing is said. */
function indexed(source: RowSource, ids: readonly string[]): Promise<readonly string[]> {
  return objectsOfEvents(source, ids, keys => startsIn(source, keys))
}

/** The objects that have rows of these events, by a look into each. */
async function searched(source: RowSource, ids: readonly string[]): Promise<readonly string[]> {
  const { root, keys } = source
  return keys.length === 0
    ? []
    : keysOf(source, `select distinct filename from ${objectsOf(root, keys)} where ${isOf(ids)}`)
}

async function keysOf({ connection, root }: RowSource, sql: string): Promise<readonly string[]> {
  return (await connection.runAndReadAll(sql)).getRows().map(([path]) => keyOf(root, path))
}

function isOf(ids: readonly string[]): string {
  return `event_id in (${ids.map(quoted).join(', ')})`
}

function objectsOf(root: string, keys: readonly string[]): string {
  const paths = fileList(keys.map(key => join(root, key)))
  return `read_parquet(${paths}, union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true)`
}

function keyOf(root: string, path: unknown): string {
  return relative(root, String(path)).split(sep).join('/')
}

/** Ids of events that begin so, at most `most` of them. */
export async function eventsOfPrefix(source: RowSource, prefix: string, most: number): Promise<readonly string[]> {
  const idsIn = async (keys: readonly string[]) => {
    if (keys.length === 0) return []
    const where = `starts_with(event_id, ${quoted(prefix)})`
    const reader = await source.connection.runAndReadAll(
      `select distinct event_id from ${objectsOf(source.root, keys)} where ${where} order by event_id limit ${most}`,
    )
    return reader.getRows().map(([id]) => String(id))
  }
  const found = await idsIn(await indexed(source, [prefix]))
  return found.length > 0 ? found : idsIn(source.keys)
}

/** Objects whose ids are read at once. */
const AT_ONCE = 200

/** The beginnings of the ids in objects, for the index. An object that cannot be read is left out. */
async function startsIn(source: RowSource, keys: readonly string[]): Promise<ReadonlyMap<string, EventStarts>> {
  const starts = new Map<string, EventStarts>()
  for (let at = 0; at < keys.length; at += AT_ONCE)
    for (const [key, of] of await readStarts(source, keys.slice(at, at + AT_ONCE))) starts.set(key, of)
  return starts
}

async function readStarts(source: RowSource, keys: readonly string[]): Promise<readonly [string, EventStarts][]> {
  const { connection, root } = source
  const starts = keys.map((): number[] => [])
  try {
    const result = await connection.stream(
      `select file_index::integer, coalesce(try_cast('0x' || event_id[1:${INDEXED_CHARACTERS}] as uinteger), 0)
       from read_parquet(${fileList(keys.map(key => join(root, key)))}, hive_partitioning = false)`,
    )
    for await (const chunk of chunksOf(result)) {
      const [files, of] = [chunk.getColumnValues(0), chunk.getColumnValues(1)] as [number[], number[]]
      for (let i = 0; i < chunk.rowCount; i++) starts[files[i] as number]?.push(of[i] as number)
    }
  } catch {
    if (keys.length === 1) return []
    const half = Math.floor(keys.length / 2)
    return [...(await readStarts(source, keys.slice(0, half))), ...(await readStarts(source, keys.slice(half)))]
  }
  return keys.map((key, i) => [key, Uint32Array.from(starts[i] as number[])])
}

async function findRows(
  source: RowSource,
  keys: readonly string[],
  ids: readonly string[],
): Promise<readonly FoundRow[]> {
  if (keys.length === 0 || ids.length === 0) return []
  const { connection, root, configId } = source
  const result = await connection.stream(`select * from ${objectsOf(root, keys)} where ${isOf(ids)}`)
  const names = result.columnNames()
  const found = new Map<unknown, FoundRow>()
  for await (const chunk of chunksOf(result)) {
    const columns = chunk.getColumns()
    for (let i = 0; i < chunk.rowCount; i++) {
      const row = Object.fromEntries(names.map((name, column) => [name, plain((columns[column] as unknown[])[i])]))
      const one = { row: evidenceRow(row), key: keyOf(root, row.filename), index: Number(row.file_row_number) }
      const known = found.get(row.event_id)
      if (known === undefined || counts(one, known, configId)) found.set(row.event_id, one)
    }
  }
  return [...found.values()]
}

/** Of two rows of one event, whether the first counts, as in a table's view. */
function counts(a: FoundRow, b: FoundRow, configId: string | undefined): boolean {
  const isOurs = ({ row }: FoundRow) => row.config_id === configId
  if (configId !== undefined && isOurs(a) !== isOurs(b)) return isOurs(a)
  for (const name of ['event_time_us', 'row_hash', 'arrived_at'] as const) {
    const [one, other] = [a.row[name] as string | undefined, b.row[name] as string | undefined]
    // what is null comes last
    if (one !== other) return one !== undefined && (other === undefined || one < other)
  }
  return a.key < b.key
}

const PLACE = ['filename', 'file_row_number'] as const

/** Without what is null, and without its place. */
function evidenceRow(row: EvidenceRow): EvidenceRow {
  const left = Object.entries(row).filter(([name, value]) => value !== null && !PLACE.includes(name as 'filename'))
  return Object.fromEntries(left)
}
