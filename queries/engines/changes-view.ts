import type { Column } from '../../transform/audit-row.js'
import { PARTITION_COLUMN } from '../../transform/layout.js'
import { quoted, quotedName } from './literal.js'

/**
 * The view that a table's name in SQL stands for, in the SQL that DuckDB, Trino and Athena share: each change once,
 * however often it was delivered. Of the rows of one change the one made under today's configuration counts, else the
 * least. A change is of one day, so that a question's days still choose the partitions that are read.
 */
export function changesView(deliveries: string, columns: readonly Column[], today: string | undefined): string {
  const preferred = today === undefined ? '' : `case when config_id = ${quoted(today)} then 0 else 1 end, `
  return `select ${viewColumns(columns).join(', ')}
from (
  select
    *,
    row_number() over (
      partition by ${PARTITION_COLUMN}, event_id
      order by ${preferred}event_time_us, row_hash, arrived_at
    ) as delivery
  from ${deliveries}
) as delivered
where delivery = 1`
}

/** What the view gives, in order. */
function viewColumns(columns: readonly Column[]): readonly string[] {
  return [...columns.map(({ name }) => name), PARTITION_COLUMN].map(quotedName)
}
