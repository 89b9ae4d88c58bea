import { readFileSync, statSync } from 'node:fs'
import type { DuckDBInstance } from '@duckdb/node-api'
import { streamOn } from '../queries/engines/duckdb-running.js'
import { fileList } from '../queries/engines/file-list.js'
import type { RowHashes } from './archive-objects.js'
import { rowHashesOfParquet } from './parquet-row-hashes.js'

/** What DuckDB says of a file that is no Parquet, is cut off, or lacks a column; other errors are not the file's. */
const UNREADABLE =
  /No magic bytes|too small|Binder Error|Invalid (Input )?Error|Conversion Error|Not implemented Error|Out of Range Error|Serialization Error|TProtocolException|corrupt/i

/** Up to this size a statement takes DuckDB longer than the reading. */
const SMALL_BYTES = 64 * 1024

/**
 * What `rowHashesOfFile` says, of small files without DuckDB's help: an archive of many objects has little else. What
 * the small reader cannot read DuckDB decides.
 */
export async function rowHashesAt(duckDb: DuckDBInstance, path: string): Promise<RowHashes | undefined> {
  return (statSync(path).size <= SMALL_BYTES && (await smallRowHashes(path))) || rowHashesOfFile(duckDb, path)
}

async function smallRowHashes(path: string): Promise<RowHashes | undefined> {
  const whole = readFileSync(path)
  const read = async (from: number, to: number) => whole.subarray(from, to)
  return rowHashesOfParquet({ bytes: whole.length, read }).catch(() => undefined)
}

/**
 * `row_hash` and the times of a Parquet file's rows, in the order of the file, read by DuckDB. Undefined where it
 * cannot be read, or has no such columns, or a hash that is none: such an object is sealed by its bytes alone.
 */
export async function rowHashesOfFile(duckDb: DuckDBInstance, path: string): Promise<RowHashes | undefined> {
  const hashes: Uint8Array[] = []
  let [minUs, maxUs]: [number | undefined, number | undefined] = [undefined, undefined]
  // one for each file: a statement that streams has its connection for itself
  const connection = await duckDb.connect()
  try {
    const from = `read_parquet(${fileList([path])}, file_row_number = true, hive_partitioning = false)`
    const sql = `select row_hash, event_time_us from ${from} order by file_row_number`
    // it tells why a file cannot be read further, too
    const pieces = streamOn(connection, { sql, values: [] }, (_names, _types, chunk) => chunk.getColumns())
    for await (const [column = [], times = []] of pieces) {
      for (const [i, text] of column.entries()) {
        if (typeof text !== 'string' || !/^[0-9a-f]{64}$/.test(text)) return undefined
        hashes.push(Buffer.from(text, 'hex'))
        const us = Number(times[i])
        if (minUs === undefined || us < minUs) minUs = us
        if (maxUs === undefined || us > maxUs) maxUs = us
      }
    }
  } catch (error) {
    if (UNREADABLE.test((error as Error).message)) return undefined
    throw error
  } finally {
    connection.closeSync()
  }
  return { hashes, minUs, maxUs }
}
