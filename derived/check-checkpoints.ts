import { emptyRows } from '../queries/engines/relations.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import { bucketSql } from '../transform/derived.js'
import type { RunInUse } from './coverage.js'
import { type AskedTable, differingStates, digitsOfParts } from './duckdb-checkpoint.js'
import type { DuckDbTables } from './duckdb-tables.js'
import type { StateCheckpoint } from './manifest.js'

/**
 * What is wrong with a checkpoint, whose rows and those of whose days are sound: items, every one of them, that it says
 * were something else at the end of its day than the clustered copy says. Part by part, so that memory is bounded; a
 * part of the copy is a few of its files.
 */
export async function checkStates(
  asked: AskedTable,
  tables: DuckDbTables,
  checkpoint: StateCheckpoint,
  runs: readonly RunInUse[],
): Promise<readonly string[]> {
  const { day, name, items } = checkpoint
  const digits = Math.min(digitsOfParts(items), ...runs.map(({ run }) => run.digits))
  const differing: string[] = []
  for (const part of partsOf(digits)) {
    const before = copyOf(tables, runs, part, day)
    const after = `${tables.ofCheckpoint(name)} where ${bucketSql('item_key', digits)} = '${part}'`
    differing.push(...(await differingStates(asked, day, before, after)))
  }
  const [first] = differing
  if (first === undefined) return []
  const others = differing.length === 1 ? '' : `, and of others`
  return [`checkpoint at the end of ${day} gives another state of ${first} than the copy${others}`]
}

function partsOf(digits: number): readonly string[] {
  return Array.from({ length: 16 ** digits }, (_, i) => (digits === 0 ? '' : i.toString(16).padStart(digits, '0')))
}

/** The rows that the copy has of a part of the items, up to the end of a day. */
function copyOf(tables: DuckDbTables, runs: readonly RunInUse[], part: string, day: string): string {
  const meant = runs.map(used => ({
    ...used,
    buckets: Object.keys(used.run.files).filter(bucket => bucket.startsWith(part)),
  }))
  const rows = [emptyRows(AUDIT_COLUMNS), ...tables.ofRuns(meant)].join(' union all by name ')
  return `select * from (${rows}) where event_date <= '${day}'`
}
