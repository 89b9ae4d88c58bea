/** What must be true of the columns of rows: they are what the images and a configuration that is kept give. */
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { checkRow } from '../queries/verdict/row-check.js'
import type { StoredRow } from '../queries/verdict/stored-rows.js'
import { type Column, columnsOf } from '../transform/audit-row.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import { configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import type { Contents } from './contents.js'
import type { Row } from './judge-versions.js'
import { MINUTE_MS } from './times.js'

/** Firehose sees another schema, and both versions of a function run, for no longer. */
const DEPLOYING_MS = 20 * MINUTE_MS

/** Each a sentence. In the minutes of a deployment a flat column may be left empty, and never holds another value. */
export function wrongColumns(rows: readonly Row[], kept: Contents, deployedMs: readonly number[]): readonly string[] {
  const known = new Map(
    kept.map(([key, bytes]) => readKeptConfiguration(bytes, key)).map(table => [configurationId(table), table]),
  )
  // the same row may have been delivered a thousand times
  const distinct = new Map(rows.map(row => [`${row.event_id} ${row.config_id} ${JSON.stringify(row)}`, row]))
  return [...distinct.values()].flatMap(row => {
    const table = known.get(row.config_id)
    if (table === undefined) return [`row ${row.event_id} is of configuration ${row.config_id}, which is not kept`]
    const { altered } = checkRow(asStored(row, table), `${PARTITION_COLUMN}=${row.event_time.slice(0, 10)}`, known)
    const arrivalMs = Date.parse(`${row.arrived_at.replace(' ', 'T')}Z`)
    const mayLack = deployedMs.some(ms => Math.abs(arrivalMs - ms) < DEPLOYING_MS)
    return altered
      .filter(({ held }) => held !== null || !mayLack)
      .map(({ column, held, found }) => `row ${row.event_id} holds ${held} in ${column}, expected ${found}`)
  })
}

/** Row lines leave nulls out, and have numbers where Parquet has whole numbers of 64 bits. */
function asStored(row: Row, table: TableConfiguration): StoredRow {
  const values = row as unknown as Readonly<Record<string, StoredRow[string]>>
  const columns = columnsOf(table).map(({ name, type }: Column) => {
    const value = values[name] ?? null
    return [name, type === 'bigint' && value !== null ? BigInt(value as number) : value] as const
  })
  return { ...values, ...Object.fromEntries(columns) }
}
