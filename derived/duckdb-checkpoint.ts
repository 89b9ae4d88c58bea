import { createHash } from 'node:crypto'
import { bindQuery } from '../queries/bind.js'
import { renderQuery, savedQuery } from '../queries/catalog.js'
import { COMPRESSION } from '../queries/engines/duckdb-instance.js'
import { fileList } from '../queries/engines/file-list.js'
import { deliveriesOf, quoted } from '../queries/engines/literal.js'
import { earliestArrivals, emptyRows } from '../queries/engines/relations.js'
import { checkpointFolderPrefix } from '../transform/derived.js'
import { formatInstant } from '../transform/instant.js'
import { unconfiguredTable } from '../transform/table-configuration.js'
import type { PlannedCheckpoint } from './compactor.js'
import { digestSql, ROW_TEXT } from './digest.js'
import { alteredImagesSql, bucketInDuckDb, ROW_GROUP_BYTES } from './duckdb-statements.js'
import { type DuckDbTables, ROWS_FILE } from './duckdb-tables.js'
import { DerivedError } from './error.js'
import { NEEDED_CHANGES } from './needed-changes.js'
import type { Desk, Workbench } from './workbench.js'

/**
 * Writes a checkpoint, counts that it holds the changes that were chosen, and asks it and the rows that it was made
 * from the very question that will be asked; of many items, of a part of them.
 */
export async function writeCheckpointFile(
  { bench, folder, columns, room }: Desk & { readonly room: number },
  tables: DuckDbTables,
  { name, days, found, previous }: PlannedCheckpoint,
): Promise<{ readonly items: number; readonly rows: number }> {
  const day = days.at(-1) as string
  const changes = deliveriesOf(bench)
  const older = previous === undefined ? [] : [tables.ofCheckpoint(previous.name)]
  const later = tables.ofArchive({ after: previous?.day, upTo: day }, found.listed)
  const rows = [emptyRows(columns), ...older, ...later].join(' union all by name ')
  const { sql } = renderQuery(NEEDED_CHANGES, { changes })
  await bench.forgetItems()
  for (const [i, slice] of (await slicesOf(bench, rows, room)).entries()) {
    await bench.giveBack()
    await readRows(bench, slice)
    await bench.query(i === 0 ? `create temp table needed as ${sql}` : `insert into needed ${sql}`)
  }
  await bench.giveBack()
  const items = await countNeeded(bench)
  const part = partOf(items, day)
  await readRows(bench, `select * from (${rows}) where ${part}`)
  await keepStates(bench, day, 'states_before')
  const path = bench.path('checkpoint.parquet')
  // in no order: it is read as a whole, and DuckDB sorts whole images of a large table in no small memory
  await bench.query(`
    copy (
      select * replace (null::varchar as old_image)
      from (${rows})
      semi join needed using (item_key, event_id)
    ) to ${quoted(path)}
    (format parquet, parquet_version v2, ${COMPRESSION}, row_group_size 20480, row_group_size_bytes '${ROW_GROUP_BYTES}')`)
  const written = `read_parquet(${fileList([path])}, hive_partitioning = false)`
  const areAltered = (await bench.query(alteredImagesSql([path], ['new']))).length > 0
  const chosen = `(${rows}) semi join needed using (item_key, event_id)`
  const counted = await compareRows(bench, day, chosen, written, areAltered)
  await readRows(bench, `select * from ${written} where ${part}`)
  await keepStates(bench, day, 'states_after')
  await refuseOtherStates(bench, day)
  await bench.query(`drop view ${changes}`)
  for (const name of ['needed', 'states_before', 'states_after']) await bench.query(`drop table ${name}`)
  await folder.put(`${checkpointFolderPrefix(bench.table, name)}${ROWS_FILE}`, path)
  return { items, rows: counted }
}

/** What the windows over a row hold of it, measured: its key, ids and hashes. */
const ROW_IN_WINDOWS = 500

/** Some rows in slices of items whose changes fit in the room when they are put in order. */
async function slicesOf(bench: Workbench, rows: string, room: number): Promise<readonly string[]> {
  const [counted] = await bench.query(`select count(*)::varchar as n from (${rows})`)
  const slices = Math.max(1, Math.ceil((Number(counted?.n) * ROW_IN_WINDOWS) / room))
  return Array.from({ length: slices }, (_, i) => `select * from (${rows}) where hash(item_key) % ${slices} = ${i}`)
}

/** Of about so many items the states are compared, so that a larger table costs no more. */
const COMPARED_ITEMS = 20_000

/** How many digits name a part of so many items whose states are compared at once. */
export function digitsOfParts(items: number): number {
  return Math.max(0, Math.ceil(Math.log(items / COMPARED_ITEMS) / Math.log(16)))
}

/** True of items whose states are compared: all of a few, of more those of a bucket, each day those of another. */
function partOf(items: number, day: string): string {
  const digits = digitsOfParts(items)
  if (digits === 0) return 'true'
  const bucket = createHash('sha256').update(day).digest('hex').slice(0, digits)
  return `${bucketInDuckDb(digits)} = ${quoted(bucket)}`
}

async function countNeeded(bench: Workbench): Promise<number> {
  const [row] = await bench.query('select count(distinct item_key)::varchar as n from needed')
  return Number(row?.n)
}

/**
 * How many rows were written. Throws where they are not, row for row, those that were chosen; of images it is enough
 * that each is what its hash says, unless some are not.
 */
async function compareRows(
  bench: Workbench,
  day: string,
  chosen: string,
  written: string,
  areAltered: boolean,
): Promise<number> {
  const text = areAltered ? `${ROW_TEXT} || ' ' || coalesce(md5(new_image), '')` : ROW_TEXT
  const digestOf = (rows: string) =>
    bench.query(`select count(*)::varchar as n, ${digestSql(text, '1', 'duckdb')} as digest from ${rows}`)
  const [[before], [after]] = [await digestOf(chosen), await digestOf(written)]
  if (before?.n !== after?.n || before?.digest !== after?.digest)
    throw new DerivedError(
      `checkpoint of ${bench.table} at the end of ${day} was written with ${after?.n} rows of digest ${after?.digest}, expected ${before?.n} of ${before?.digest}`,
      [],
      'it was not published; an object of the archive changed meanwhile, or what was written is not what is read back',
    )
  return Number(after?.n)
}

/** A DuckDB, and the table that it is asked about. */
export type AskedTable = Pick<Workbench, 'table' | 'query'>

/** Has questions read some rows, with hashes for images, which are dear to read and to sort. */
async function readRows(asked: AskedTable, rows: string): Promise<void> {
  const hashes = `select * replace (new_hash as new_image, null as old_image) from (${rows})`
  await asked.query(`create or replace temp view ${deliveriesOf(asked)} as ${earliestArrivals(hashes)}`)
}

/** The states at the end of a day, by the very question that will be asked. */
async function keepStates(bench: AskedTable, day: string, name: string): Promise<void> {
  const { sql, values } = statesAt(bench, day)
  await bench.query(`create or replace temp table ${name} as ${sql}`, values)
}

function statesAt({ table }: AskedTable, day: string): ReturnType<typeof bindQuery> {
  const at = formatInstant(Date.parse(`${day}T00:00:00Z`) * 1000 + 86_400_000_000 - 1, 6)
  return bindQuery(savedQuery('table-as-of'), unconfiguredTable(table), { at })
}

/** Keys of items, some of them, that two kinds of rows give other states at the end of a day. */
export async function differingStates(
  asked: AskedTable,
  day: string,
  before: string,
  after: string,
): Promise<readonly string[]> {
  for (const [rows, name] of [
    [before, 'states_before'],
    [after, 'states_after'],
  ] as const) {
    await readRows(asked, rows)
    await keepStates(asked, day, name)
  }
  await asked.query(`drop view ${deliveriesOf(asked)}`)
  return surplusStates(asked)
}

/** Keys of items whose states before and after are not the same; at most 20. */
async function surplusStates(asked: AskedTable): Promise<readonly string[]> {
  const differing = await asked.query(`
    select distinct item_key
    from (
      select * exclude (side), sum(side) as surplus
      from (select *, 1 as side from states_before union all select *, -1 as side from states_after)
      group by all
    )
    where surplus <> 0
    order by item_key
    limit 20`)
  return differing.map(row => String(row.item_key))
}

async function refuseOtherStates(bench: AskedTable, day: string): Promise<void> {
  const differing = await surplusStates(bench)
  if (differing.length > 0)
    throw new DerivedError(
      `checkpoint of ${bench.table} at the end of ${day} gives other states than the archive`,
      differing,
      'it was not published; this is a fault of Itemtrail, please report it with the history of these items',
    )
}
