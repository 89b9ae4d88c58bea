import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { EVENT_COLUMNS, EVENT_DAY } from '../../capture/cloudtrail-event.js'
import { changesView } from '../../queries/engines/changes-view.js'
import { deliveriesOf, quotedName } from '../../queries/engines/literal.js'
import type { Row, Value } from '../../queries/engines/rows.js'
import { type Column, type ColumnType, columnsOf } from '../../transform/audit-row.js'
import { answersTable, checkpointsTable, copyTable, injectedProjection } from '../../transform/derived.js'
import { PARTITION_COLUMN, tablePrefix } from '../../transform/layout.js'
import { partitionProjection } from '../../transform/partition.js'
import { configurationId, type TableConfiguration } from '../../transform/table-configuration.js'
import { CALLS_TABLE, deliveriesIdentifier, tableIdentifier } from '../../transform/table-names.js'
import type { TrinoAnswer, TrinoClient } from './client.js'

/** Makes the table that Glue would describe over an archive in a folder: same columns, same projection properties. */
export async function createAuditTable(
  trino: TrinoClient,
  root: string,
  table: TableConfiguration,
  since: string,
): Promise<void> {
  const location = localAddress(join(root, tablePrefix(table.table)))
  await createProjectedTable(trino, deliveriesIdentifier(table), location, {
    columns: declare(columnsOf(table)),
    partitions: [PARTITION_COLUMN],
    properties: partitionProjection(since, location),
  })
  const view = changesView(deliveriesOf(table), columnsOf(table), configurationId(table))
  await trino.run(`create view ${quotedName(tableIdentifier(table))} as ${view}`)
  await createEventsTable(trino, join(root, 'no-calls'), since)
}

/** Makes the tables that Glue would describe over what is derived from a table, whose derived files are in a folder. */
export async function createDerivedTables(trino: TrinoClient, root: string, table: TableConfiguration): Promise<void> {
  const location = localAddress(root)
  for (const about of [copyTable(table), checkpointsTable(table), answersTable(table)]) {
    await createProjectedTable(trino, about.identifier, `${location}${about.prefix}`, {
      columns: declare(about.columns),
      partitions: about.partitions.map(({ name }) => name),
      properties: injectedProjection(about, location),
    })
  }
}

/**
 * Makes the table of CloudTrail's events over a folder of days, each of which has records as JSON, one a line; the first
 * one that is made is it.
 */
export async function createEventsTable(trino: TrinoClient, folder: string, since: string): Promise<void> {
  const location = localAddress(folder)
  await createProjectedTable(trino, CALLS_TABLE, location, {
    columns: EVENT_COLUMNS.map(({ name, type }) => `"${name}" ${nestedType(type)}`).join(', '),
    partitions: [EVENT_DAY],
    properties: eventProjection(since, location),
    format: 'OPENX_JSON',
  })
}

/** Glue's structs and arrays as Trino's. */
function nestedType(type: string): string {
  return type
    .replaceAll('struct<', 'row(')
    .replaceAll('array<', 'array(')
    .replaceAll('>', ')')
    .replaceAll(/(\w+):/g, '"$1" ')
    .replaceAll('string', 'varchar')
}

/** A folder as Trino's catalog here takes it for a bucket, ending in "/". */
export function localAddress(folder: string): string {
  return `local://${folder}/`.replace(/\/+$/, '/')
}

async function createProjectedTable(
  trino: TrinoClient,
  name: string,
  location: string,
  about: {
    readonly columns: string
    readonly partitions: readonly string[]
    readonly properties: Readonly<Record<string, string>>
    readonly format?: string
  },
): Promise<void> {
  const { columns, partitions, properties, format = 'PARQUET' } = about
  const texts = (values: readonly string[]) => `array[${values.map(value => `'${value}'`).join(', ')}]`
  // unlike a prefix in S3, a folder has to be there
  mkdirSync(location.slice('local://'.length), { recursive: true })
  await trino.run(`
    create table if not exists ${quotedName(name)} (${columns}, ${partitions.map(partition => `${partition} varchar`).join(', ')})
    with (
      format = '${format}',
      external_location = '${location}',
      partitioned_by = ${texts(partitions)},
      extra_properties = map(${texts(Object.keys(properties))}, ${texts(Object.values(properties))})
    )`)
}

/** Makes a table over a folder of row lines, read by the SerDe that Firehose converts with. */
export async function createLinesTable(
  trino: TrinoClient,
  name: string,
  folder: string,
  columns: readonly Column[],
): Promise<void> {
  await trino.run(
    `create table ${name} (${declare(columns)}) with (format = 'OPENX_JSON', external_location = 'local://${folder}')`,
  )
}

function declare(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `"${name}" ${trinoType(type)}`).join(', ')
}

/** Glue's type names as Trino's. */
function trinoType(type: ColumnType): string {
  if (type === 'string') return 'varchar'
  if (type === 'timestamp') return 'timestamp(3)'
  return type === 'array<string>' ? 'array(varchar)' : type
}

/** An answer of Trino with its values as `rowsOf` gives DuckDB's, so that both compare. */
export function rowsOfTrino(answer: TrinoAnswer): readonly Row[] {
  return answer.rows.map(row =>
    Object.fromEntries(answer.names.map((name, i) => [name, readValue(row[i], answer.types[i] as string)])),
  )
}

function readValue(value: unknown, type: string): Value {
  if (value === null || value === undefined) return null
  if (type === 'bigint') return BigInt(value as number)
  if (type.startsWith('timestamp')) return `${(value as string).replace(' ', 'T')}Z`
  return value as Value
}

/** By which Athena works out the days of events below `location`, from the first of them (`YYYY-MM-DD`) on. */
function eventProjection(since: string, location: string): Readonly<Record<string, string>> {
  return {
    'projection.enabled': 'true',
    [`projection.${EVENT_DAY}.type`]: 'date',
    [`projection.${EVENT_DAY}.format`]: 'yyyy/MM/dd',
    [`projection.${EVENT_DAY}.range`]: `${since.replaceAll('-', '/')},NOW`,
    [`projection.${EVENT_DAY}.interval`]: '1',
    [`projection.${EVENT_DAY}.interval.unit`]: 'DAYS',
    'storage.location.template': `${location}\${${EVENT_DAY}}/`,
  }
}
