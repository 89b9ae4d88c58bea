import { randomUUID } from 'node:crypto'
import { keptStatements, statementHash } from '../queries/each-item.js'
import { fileList } from '../queries/engines/file-list.js'
import { deliveriesOf, quoted } from '../queries/engines/literal.js'
import { earliestArrivals, emptyZonedRows, rowsOfRuns } from '../queries/engines/relations.js'
import type { Column } from '../transform/audit-row.js'
import { answersKey, runKey } from '../transform/derived.js'
import { unconfiguredTable } from '../transform/table-configuration.js'
import { checkedFile, type KeptAnswer, type Run } from './derived-copy.js'
import type { DerivedFolder } from './derived-folder.js'

/** Rows whose items are asked about in one statement. */
const ROWS_AT_ONCE = 400_000

/**
 * The answers that a copy keeps, after rows of the items in the temporary table `touched_items` were added: those of
 * other items stay as they are. `before` is empty where there is nothing to go on from; then all items are asked about.
 */
export async function keepAnswers(
  folder: DerivedFolder,
  before: readonly KeptAnswer[],
  runs: readonly Run[],
  touched: ReadonlySet<string>,
  columns: readonly Column[],
): Promise<readonly KeptAnswer[]> {
  const kept: KeptAnswer[] = []
  const { table, root } = folder
  const view = deliveriesOf({ table })
  for (const { sql, values } of keptStatements(unconfiguredTable(table))) {
    const statement = statementHash(sql, values, view)
    const old = before.find(answer => answer.statement === statement)
    await folder.query('drop table if exists answer')
    for (const some of groupRuns(runs, old === undefined ? undefined : touched)) {
      const files = some.map(run => checkedFile(root, runKey(table, run.bucket, run.name), run))
      const ofTouched = old === undefined ? '' : 'semi join touched_items using (item_key)'
      const parts = files.length === 0 ? [] : [`select * from (${rowsOfRuns(files)}) ${ofTouched}`]
      const all = earliestArrivals([emptyZonedRows(columns), ...parts].join(' union all by name '))
      await folder.query(`create or replace temp view ${view} as ${all}`)
      const exists = await folder.query(`select 1 from duckdb_tables() where table_name = 'answer'`)
      const target = exists.length > 0 ? 'insert into answer' : 'create temp table answer as'
      await folder.query(`${target} select * from (${sql})`, values)
    }
    const path = folder.workPath('answer.parquet')
    const rest =
      old === undefined
        ? ''
        : `union all by name
           select * from read_parquet(${fileList([checkedFile(root, answersKey(table, old.name), old)])}, hive_partitioning = false)
           anti join touched_items using (item_key)`
    await folder.query(`
      copy (select * from answer ${rest} order by item_key)
      to ${quoted(path)} (format parquet, parquet_version v2, compression zstd)`)
    const [row] = await folder.query(`select count(*)::varchar as n from read_parquet(${fileList([path])})`)
    const name = randomUUID()
    kept.push({ statement, name, rows: Number(row?.n), ...folder.keep(path, answersKey(table, name)) })
  }
  await folder.query(`drop view if exists ${view}`)
  return kept
}

/** Whole buckets, because all changes of an item are needed at once; of some buckets only, where that is enough. */
function* groupRuns(runs: readonly Run[], buckets: ReadonlySet<string> | undefined): Generator<readonly Run[]> {
  let group: Run[] = []
  let room = ROWS_AT_ONCE
  for (const [i, run] of runs.entries()) {
    if (buckets !== undefined && !buckets.has(run.bucket)) continue
    if (room <= 0 && runs[i - 1]?.bucket !== run.bucket) {
      yield group
      group = []
      room = ROWS_AT_ONCE
    }
    group.push(run)
    room -= run.rows
  }
  // nothing at all still has an answer with its columns
  yield group
}
