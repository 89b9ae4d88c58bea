import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { fileList } from '../queries/engines/file-list.js'
import { DiskArchive } from '../store/folder.js'
import { listTable } from '../store/table-objects.js'
import { SYNTHETIC_TABLE } from './synthetic-archive.js'

/** A stream record as DynamoDB sends it, from the row that was made of it. */
const RECORD = `'{"eventID":"' || source_event_id || '","eventName":"' || event_name || '","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"'
  || region || '","dynamodb":{"ApproximateCreationDateTime":' || (event_time_us // 1000000) || ',"Keys":' || item_key
  || coalesce(',"NewImage":' || new_image, '') || coalesce(',"OldImage":' || old_image, '') || ',"SequenceNumber":"' || ltrim(sequence, '0')
  || '","SizeBytes":' || size_bytes || ',"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"' || source || '"}'`

/**
 * Writes the records of a synthetic archive, in order of arrival, as gzip JSON lines; up to `most` of each object.
 * Returns how many.
 */
export async function writeJsonLines(root: string, path: string, most: number): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1GB', threads: '1' })
  const connection = await instance.connect()
  try {
    const archive = new DiskArchive(root)
    const { objects } = await listTable(archive, SYNTHETIC_TABLE.table)
    const files = objects.map(key => archive.pathOf(key))
    return await write(connection, files, path, most)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** Objects of about so many rows; the scale is per record, so not every object is needed. */
const OBJECTS = 24

async function write(
  connection: DuckDBConnection,
  files: readonly string[],
  path: string,
  most: number,
): Promise<number> {
  const some = most === Number.POSITIVE_INFINITY ? files : files.slice(0, OBJECTS)
  const limit = most === Number.POSITIVE_INFINITY ? '' : `where file_row_number < ${most}`
  const rows = await connection.runAndReadAll(`
    copy (select ${RECORD} as record from read_parquet(${fileList(some)}, file_row_number = true, hive_partitioning = false) ${limit})
    to '${path.replaceAll("'", "''")}' (format csv, header false, quote '', escape '', delimiter E'\\x01', compression gzip)`)
  return Number(rows.getRows()[0]?.[0])
}
