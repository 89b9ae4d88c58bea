import { COMPRESSION } from '../queries/engines/duckdb-instance.js'
import { deliveriesOf, quoted } from '../queries/engines/literal.js'
import { earliestArrivals, emptyZonedRows } from '../queries/engines/relations.js'
import { answersFolderPrefix } from '../transform/derived.js'
import type { PlannedAnswer } from './compactor.js'
import { type RunInUse, runsInUse } from './coverage.js'
import { bucketInDuckDb } from './duckdb-statements.js'
import { type DuckDbTables, ROWS_FILE } from './duckdb-tables.js'
import type { BucketsMeant } from './reader.js'
import type { Desk } from './workbench.js'

/** Rows whose items are asked about in one statement. */
const ROWS_AT_ONCE = 400_000

/**
 * Writes what a statement answers of the days that are covered, from the clustered copy. Where an answer was kept
 * before, only items that have rows on days that it lacks are asked about; those of other items stay as they are.
 */
export async function writeAnswer(
  { bench, folder, columns }: Desk,
  tables: DuckDbTables,
  { name, found, statement, previous }: PlannedAnswer,
): Promise<{ readonly rows: number }> {
  const { columns: answered, narrowing } = statement
  const scope = { table: bench.table, eachItem: answered, narrowing }
  const view = deliveriesOf(bench)
  const runs = runsInUse(found.coverage)
  const digits = Math.min(...runs.map(({ run }) => run.digits))
  const touching = previous && itemsOfDays(tables, found, previous.lacks)
  const touched = touching === undefined ? undefined : await touchedBuckets(bench, touching, digits)
  const restriction = touched === undefined ? '' : 'semi join touched_items using (item_key)'
  const groups = groupBuckets(runs, digits, touched)
  for (const [i, some] of groups.entries()) {
    const parts = tables.ofRuns(some).map(rows => `select * from (${rows}) ${restriction}`)
    const all = earliestArrivals([emptyZonedRows(columns), ...parts].join(' union all by name '))
    await bench.query(`create or replace temp view ${view} as ${all}`)
    await bench.giveBack()
    const narrowed = bench.narrowedFor(`${all} ${touching}`, groups.length)
    const { sql, values } = await narrowed.statementOf(statement, scope, async text =>
      (await bench.query(text)).map(Object.values),
    )
    await bench.query(
      `${i === 0 ? 'create temp table answer as' : 'insert into answer'} select * from (${sql})`,
      values,
    )
  }
  const path = bench.path('answer.parquet')
  const rest =
    previous === undefined
      ? ''
      : `union all by name select * from (${tables.ofAnswer(previous.name, answered)}) anti join touched_items using (item_key)`
  await bench.query(`
    copy (select * from answer ${rest} order by item_key)
    to ${quoted(path)} (format parquet, parquet_version v2, ${COMPRESSION})`)
  const [row] = await bench.query(`select count(*)::varchar as n from read_parquet(${quoted(path)})`)
  for (const statement of [`drop view if exists ${view}`, 'drop table answer']) await bench.query(statement)
  await folder.put(`${answersFolderPrefix(bench.table, name)}${ROWS_FILE}`, path)
  return { rows: Number(row?.n) }
}

/** A SELECT of the items that have rows on these days. */
function itemsOfDays(tables: DuckDbTables, { listed }: PlannedAnswer['found'], days: readonly string[]): string {
  const lacking = new Set(days)
  const others = [...listed.keys()].filter(day => !lacking.has(day))
  const items = tables.ofArchive({ not: others }, listed).map(rows => `select distinct item_key from (${rows})`)
  return items.join(' union ') || 'select null as item_key limit 0'
}

/** The buckets of some items. The items themselves are left in the table `touched_items`. */
async function touchedBuckets(bench: Desk['bench'], items: string, digits: number): Promise<ReadonlySet<string>> {
  await bench.query(`create or replace temp table touched_items as ${items}`)
  const buckets = await bench.query(`select distinct ${bucketInDuckDb(digits)} as bucket from touched_items`)
  return new Set(buckets.map(({ bucket }) => String(bucket)))
}

/**
 * Whole buckets of all runs, of about so many rows at a time, because all changes of an item are needed at once; only
 * some buckets, where that is enough. At least one group: nothing at all still has an answer with its columns.
 */
function groupBuckets(
  runs: readonly RunInUse[],
  digits: number,
  wanted: ReadonlySet<string> | undefined,
): readonly (readonly BucketsMeant[])[] {
  const rows = runs.reduce((sum, { run }) => sum + run.rows, 0)
  const names = [...new Set(runs.flatMap(({ run }) => Object.keys(run.files).map(name => name.slice(0, digits))))]
  const meant = names.filter(name => wanted?.has(name) ?? true).sort()
  const atOnce = Math.max(1, Math.floor(ROWS_AT_ONCE / (rows / 16 ** digits)))
  const groups: BucketsMeant[][] = []
  for (let i = 0; i === 0 || i < meant.length; i += atOnce) {
    const some = new Set(meant.slice(i, i + atOnce))
    groups.push(
      runs.map(used => ({
        ...used,
        buckets: Object.keys(used.run.files).filter(name => some.has(name.slice(0, digits))),
      })),
    )
  }
  return groups
}
