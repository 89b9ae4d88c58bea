import { formatDay } from './instant.js'
import { PARTITION_COLUMN, type Partition } from './layout.js'

/** The partition of a row. It depends on the change alone, so a repeat or a late change lands where it belongs. */
export function partitionOf(row: { readonly table_name: string; readonly event_time_us: number }): Partition {
  return { table: row.table_name, date: dateOf(row.event_time_us) }
}

/** The UTC day, `YYYY-MM-DD`, of microseconds since 1970. */
export function dateOf(us: number): string {
  return formatDay(us / 1000)
}

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
