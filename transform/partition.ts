import { formatDay } from './instant.js'
import { configurationId, type TableConfiguration } from './table-configuration.js'

/** Where an audit row lives: one table's changes of one UTC day. */
export interface Partition {
  readonly table: string
  /** `YYYY-MM-DD`, the change's own date in UTC. */
  readonly date: string
}

/** The partition of a row. It depends on the change alone, so a repeat or a late change lands where it belongs. */
export function partitionOf(row: { readonly table_name: string; readonly event_time_us: number }): Partition {
  return { table: row.table_name, date: dateOf(row.event_time_us) }
}

/** The UTC day, `YYYY-MM-DD`, of microseconds since 1970. */
export function dateOf(us: number): string {
  return formatDay(us / 1000)
}

/** The key prefix of a partition's objects, relative to the archive. */
export function partitionPrefix({ table, date }: Partition): string {
  return `${tablePrefix(table)}${PARTITION_COLUMN}=${date}/`
}

/** The key prefix of all objects of a table. */
export function tablePrefix(table: string): string {
  return `data/${table}/`
}

/** The partition that an object's key or a prefix belongs to. Throws for anything that no partition has. */
export function parsePartition(prefix: string): Partition {
  const match = /^data\/([^/]+)\/event_date=(\d{4}-(\d{2})-(\d{2}))(\/|$)/.exec(prefix)
  if (match === null)
    throw new Error(`partition prefix ${JSON.stringify(prefix)} is none, expected data/<table>/event_date=YYYY-MM-DD/`)
  const date = match[2] as string
  const day = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) {
    const wrong = Number(match[3]) < 1 || Number(match[3]) > 12 ? 'month' : 'day'
    throw new Error(`partition prefix ${JSON.stringify(prefix)} has no such ${wrong}, expected event_date=YYYY-MM-DD/`)
  }
  // times count from 1970, so no row is of a day before, and no question looks there
  if (date < '1970-01-01')
    throw new Error(`partition prefix ${JSON.stringify(prefix)} is of no change's day, expected 1970-01-01 or later`)
  return { table: match[1] as string, date }
}

/** The key of the configuration that rows were made under. */
export function configurationKey(table: TableConfiguration): string {
  return `config/${table.table}/${configurationId(table)}.json`
}

/** The partition column. Its values are projected: Athena works partitions out, no crawler and no repair is ever needed. */
export const PARTITION_COLUMN = 'event_date'

/**
 * The table properties that make Athena (and Trino) project a table's partitions, from its first day to tomorrow.
 * `location` is where the table's objects are, ending in "/"; `since` is `YYYY-MM-DD`.
 */
export function partitionProjection(since: string, location: string): Readonly<Record<string, string>> {
  return {
    'projection.enabled': 'true',
    [`projection.${PARTITION_COLUMN}.type`]: 'date',
    [`projection.${PARTITION_COLUMN}.range`]: `${since},NOW+1DAYS`,
    [`projection.${PARTITION_COLUMN}.format`]: 'yyyy-MM-dd',
    [`projection.${PARTITION_COLUMN}.interval`]: '1',
    [`projection.${PARTITION_COLUMN}.interval.unit`]: 'DAYS',
    'storage.location.template': `${location}${PARTITION_COLUMN}=\${${PARTITION_COLUMN}}/`,
  }
}
