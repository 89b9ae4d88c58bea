import type { DuckDBBlobVector, DuckDBDataChunk } from '@duckdb/node-api'
import { duckDbType, ROW_VERSION } from '../../transform/audit-row.js'
import type { ActorSource } from '../../transform/change.js'
import { STORED_FIELDS, type StoredBytes, storedRowCheck } from '../../transform/fast/fast-path.js'
import { ROW_VERSIONS } from '../../transform/row-versions.js'
import type { EventName } from '../../transform/stream-record.js'
import { configurationId, type TableConfiguration } from '../../transform/table-configuration.js'
import { ACTOR_SOURCES, BYTES_AT, dayUs, EVENT_NAMES, outsideRows, sievedRows } from './certain-rows-sql.js'
import type { StoredFile, StoredRows } from './stored-rows.js'

/** What of an object's rows is certain. */
export interface SiftedRows {
  /** The rows that are what they were made, and of these those without an image. */
  certain: number
  blind: number
  /** Those outside of the period. */
  outside: number
  /** The numbers of the others in their object. */
  readonly others: number[]
}

/** Objects that are sifted at once: each by itself would take longer to ask for than to read. */
export const SIFTED_AT_ONCE = 100

/**
 * Most rows are what they were made, and that shows by their bytes: DuckDB puts together what their hashes are taken
 * over, and the rest is derived without parsing. Of what is not certain here `checkRow` makes each row again, and only
 * that finds anything.
 */
export class CertainRows {
  private readonly ids: readonly string[]
  private readonly checks: readonly ((row: StoredBytes) => boolean)[]

  /** Rows that were made under other configurations than these are not certain. */
  constructor(
    private readonly reader: StoredRows,
    configurations: readonly TableConfiguration[],
    /** SQL that tells a row outside of the period. */
    private readonly outside: string,
  ) {
    this.ids = configurations.map(configurationId)
    this.checks = configurations.flatMap(table => storedRowCheck(table) ?? [])
  }

  /** Sifts the rows of objects; those that cannot be sifted, or not be read, are left out. */
  async sift(
    files: readonly StoredFile[],
    onRows: (rows: number) => void,
  ): Promise<ReadonlyMap<StoredFile, SiftedRows>> {
    const possible = files.filter(({ folder, passedOver }) => passedOver === null && dayUs(folder) !== undefined)
    if (this.checks.length === 0) return new Map()
    // one that is left out is looked at row by row, as far as that goes
    return this.reader.eachAlike(possible, alike => this.siftAlike(alike, onRows))
  }

  /** Objects of one schema. */
  private async siftAlike(
    files: readonly StoredFile[],
    onRows: (rows: number) => void,
  ): Promise<readonly [StoredFile, SiftedRows][]> {
    const columns = await this.reader.columnsOf(files[0] as StoredFile)
    if (!areOurs(columns)) return []
    const sifted = files.map((): SiftedRows => ({ certain: 0, blind: 0, outside: 0, others: [] }))
    const source = this.reader.numbered(files)
    const { outside, ids: configIds } = this
    const sieve = { source, outside, days: files.map(({ folder }) => dayUs(folder) as number), configIds, columns }
    if (outside !== 'false')
      for await (const chunk of this.reader.chunks(outsideRows(sieve)))
        for (const [file, rows] of chunk.getRows()) (sifted[file as number] as SiftedRows).outside = Number(rows)
    for await (const chunk of this.reader.chunks(sievedRows(sieve))) {
      this.siftChunk(chunk, sifted)
      onRows(chunk.rowCount)
    }
    for (const { others } of sifted) others.sort((a, b) => a - b)
    return files.map((file, i) => [file, sifted[i] as SiftedRows])
  }

  private siftChunk(chunk: DuckDBDataChunk, sifted: readonly SiftedRows[]): void {
    const columns = Array.from({ length: BYTES_AT }, (_, i) => chunk.getColumnValues(i) as number[])
    const [files, numbers, events, sources, configs, ...lengths] = columns as [number[], ...Numbers]
    const bytes = chunk.getColumnVector(BYTES_AT) as DuckDBBlobVector
    for (let i = 0; i < chunk.rowCount; i++) {
      const check = this.checks[configs[i] as number]
      const into = sifted[files[i] as number] as SiftedRows
      const row = {
        bytes: bufferOf(bytes.getItemBytes(i) as Uint8Array),
        lengths,
        at: i,
        eventName: EVENT_NAMES[events[i] as number] as EventName,
        actorSource: ACTOR_SOURCES[sources[i] as number] as ActorSource,
      }
      if (check === undefined || !check(row)) into.others.push(numbers[i] as number)
      else {
        into.certain++
        if (IMAGES.every(image => (lengths[image]?.[i] as number) < 0)) into.blind++
      }
    }
  }
}

type Numbers = [number[], number[], number[], number[], ...number[][]]

const IMAGES = [STORED_FIELDS.indexOf('old_image'), STORED_FIELDS.indexOf('new_image')]

/** True where an object's columns have the types that our rows have, and no name is that of a row's place. */
function areOurs(columns: ReadonlyMap<string, string>): boolean {
  const wanted = ROW_VERSIONS.get(ROW_VERSION)?.columns ?? []
  const isOurs = wanted.every(({ name, type }) => isStoredAs(columns.get(name), duckDbType(type)))
  return isOurs && !columns.has('file_row_number') && !columns.has('file_index')
}

/** Firehose's times are as fine as microseconds. */
function isStoredAs(type: string | undefined, wanted: string): boolean {
  return type === wanted || (wanted === 'TIMESTAMP_MS' && type === 'TIMESTAMP')
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
