import { join } from 'node:path'
import type { Row, Value } from '../../queries/rows.js'
import { type Column, type ColumnType, columnsOf } from '../../transform/audit-row.js'
import { PARTITION_COLUMN, partitionProjection, tablePrefix } from '../../transform/partition.js'
import { type TableConfiguration, tableIdentifier } from '../../transform/table-configuration.js'
import type { TrinoAnswer, TrinoClient } from './client.js'

/** Makes the table that Glue would describe over an archive in a folder: same columns, same projection properties. */
export async function createAuditTable(
  trino: TrinoClient,
  root: string,
  table: TableConfiguration,
  since: string,
): Promise<void> {
  const location = `local://${join(root, tablePrefix(table.table))}/`.replace(/\/+$/, '/')
  const properties = Object.entries(partitionProjection(since, location))
  const texts = (values: readonly string[]) => `array[${values.map(value => `'${value}'`).join(', ')}]`
  await trino.run(`
    create table ${tableIdentifier(table.table)} (${declare(columnsOf(table))}, ${PARTITION_COLUMN} varchar)
    with (
      format = 'PARQUET',
      external_location = '${location}',
      partitioned_by = array['${PARTITION_COLUMN}'],
      extra_properties = map(${texts(properties.map(([name]) => name))}, ${texts(properties.map(([, value]) => value))})
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
