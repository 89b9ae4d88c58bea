import {
  AUDIT_COLUMNS,
  type AuditRow,
  type Column,
  type HashedColumns,
  ROW_VERSION,
  rowHash,
  toAuditRow,
} from './audit-row.js'
import type { DecodedChange } from './change.js'
import type { TableConfiguration } from './table-configuration.js'

/** What the rows of a version have, and how each is made again. */
export interface RowVersion {
  /** The columns that every one of its rows has, in their order, without those that a configuration adds. */
  readonly columns: readonly Column[]
  /** Those of them that nothing else in the archive tells: delivery adds them, or only the record had them. */
  readonly underived: readonly string[]
  /** Those of them that the table's configuration decides. */
  readonly configured: readonly string[]
  readonly make: (change: DecodedChange, table: TableConfiguration, arrival: number) => AuditRow
  readonly hash: (row: HashedColumns) => string
}

/**
 * Every version of the row that there has been, by its `row_version`. A write-once archive holds rows of each for good,
 * so a new one stands beside the others, and none is edited.
 */
export const ROW_VERSIONS: ReadonlyMap<string, RowVersion> = new Map([
  [
    ROW_VERSION,
    {
      columns: AUDIT_COLUMNS,
      underived: ['arrived_at', 'size_bytes'],
      configured: ['actor', 'actor_source', 'last_writer', 'subjects', 'config_id'],
      make: toAuditRow,
      hash: rowHash,
    },
  ],
])

/** True for a name that a later version may have. */
export function mayBeVersion(name: unknown): name is string {
  return typeof name === 'string' && /^audit-row\/v[1-9]\d{0,3}$/.test(name)
}
