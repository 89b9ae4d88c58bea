/** An archive on a desk for one test: a folder of its own, filled by the real stations. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IngestOptions, ingest } from '../../delivery/ingest.js'
import { ParquetConverter } from '../../delivery/parquet-conversion.js'
import type { TableSummary } from '../../delivery/table-delivery.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { DiskArchive } from '../../store/folder.js'
import { objectName } from '../../store/refused-objects.js'
import { type AuditRow, columnsOf, rowLine } from '../../transform/audit-row.js'
import { partitionPrefix } from '../../transform/layout.js'
import { partitionOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { transformRecord } from '../../transform/transform.js'
import { ARRIVAL, type RecordContent, recordBytes, tableConfiguration } from '../factories.js'

/** A day after the built records' arrival, so that none of them is of the future. */
export const NOW = ARRIVAL + 24 * 60 * 60 * 1000

/** A new folder, removed when the test file is through. `name` may be what a user could call one. */
export function temporaryFolder(name = 'archive'): string {
  const parent = mkdtempSync(join(tmpdir(), 'itemtrail-'))
  mkdirSync(join(parent, name), { recursive: true })
  return join(parent, name)
}

/** Records as the bytes of an input, one a line. */
export async function* inputOf(records: readonly RecordContent[]): AsyncGenerator<Uint8Array> {
  for (const record of records) {
    yield recordBytes(record)
    yield Buffer.from('\n')
  }
}

/** Sends records through the whole local path into an archive. */
export function ingestRecords(
  root: string,
  records: readonly RecordContent[],
  options: Partial<Omit<IngestOptions, 'archive'>> & {
    readonly configuration?: TableConfiguration
    readonly modifiedAt?: number
  } = {},
): Promise<readonly TableSummary[]> {
  const { configuration = tableConfiguration(), modifiedAt = ARRIVAL, ...rest } = options
  return ingest(inputOf(records), modifiedAt, {
    archive: new DiskArchive(root),
    configurationOf: table => ({ ...configuration, table }),
    now: () => NOW,
    ...rest,
  })
}

/** The audit rows of one record. Throws where the transform refuses it. */
export function rowsOfRecord(
  record: RecordContent,
  table: TableConfiguration = tableConfiguration(),
  arrival = ARRIVAL,
): readonly AuditRow[] {
  const outcome = transformRecord(recordBytes(record), arrival, table)
  if (outcome.kind === 'refused') throw new Error(outcome.reason)
  return outcome.rows
}

/** Writes rows into an archive, an object a partition, with the converter that the delivery stream uses. */
export async function writeRows(
  root: string,
  rows: readonly AuditRow[],
  table: TableConfiguration = tableConfiguration(),
): Promise<void> {
  const archive = new DiskArchive(root)
  const converter = await ParquetConverter.create()
  const partitions = new Map<string, AuditRow[]>()
  for (const row of rows) {
    const prefix = partitionPrefix(partitionOf(row))
    partitions.set(prefix, [...(partitions.get(prefix) ?? []), row])
  }
  for (const [prefix, ofPartition] of partitions) {
    const [lines, parquet] = [archive.stage('.ndjson'), archive.stage('.parquet')]
    writeFileSync(lines.path, ofPartition.map(rowLine).join(''))
    await converter.convert(lines.path, parquet.path, columnsOf(table), ofPartition.length)
    await archive.put(`${prefix}${objectName('rows', NOW)}.parquet`, parquet)
    rmSync(lines.path)
  }
  converter.close()
}

/** The answer of one statement over an archive, as rows. */
export async function askSql(root: string, sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
  const engine = await DuckDbEngine.open(root, [tableConfiguration()])
  try {
    return [...rowsOf(await engine.run(sql, values))]
  } finally {
    engine.close()
  }
}
