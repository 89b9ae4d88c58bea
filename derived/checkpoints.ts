import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { bindQuery } from '../queries/bind.js'
import { renderQuery, savedQuery } from '../queries/catalog.js'
import { fileList } from '../queries/engines/file-list.js'
import { deliveriesOf, quoted } from '../queries/engines/literal.js'
import { earliestArrivals, emptyRows, rowsOfObjects } from '../queries/engines/relations.js'
import type { Column } from '../transform/audit-row.js'
import { checkpointKey } from '../transform/derived.js'
import { formatInstant } from '../transform/instant.js'
import { parsePartition } from '../transform/layout.js'
import { unconfiguredTable } from '../transform/table-configuration.js'
import { CompactionError } from './compaction-error.js'
import { ROW_GROUP_BYTES, sizesSql } from './compaction-sql.js'
import { type Checkpoint, checkedFile, type ListedObject } from './derived-copy.js'
import type { DerivedFolder } from './derived-folder.js'
import { NEEDED_CHANGES } from './needed-changes.js'

/** Rows between two checkpoints, at least: below that, replaying is as fast. */
export const CHECKPOINT_ROWS = 50_000

export interface CheckpointOptions {
  readonly columns: readonly Column[]
  /** Rows after which the next checkpoint is due. */
  readonly everyRows: number
}

/**
 * The checkpoints that are due after some of a table's objects were added: those of days before the first of them stay,
 * later ones are made anew. One is due at the end of each day, but for the newest, after which as many rows
 * have come since the last as that has items.
 */
export async function makeCheckpoints(
  folder: DerivedFolder,
  before: readonly Checkpoint[],
  added: readonly ListedObject[],
  objects: readonly ListedObject[],
  options: CheckpointOptions,
): Promise<readonly Checkpoint[]> {
  const first = added.map(dayOf).sort()[0]
  const checkpoints = before.filter(({ day }) => first === undefined || day < first)
  const last = checkpoints.at(-1)?.day ?? ''
  const days = [...new Set(objects.map(dayOf))].filter(day => day > last).sort()
  let since: string[] = []
  for (const day of days.slice(0, -1)) {
    since.push(
      ...objects.filter(object => dayOf(object) === day).map(({ key }) => join(folder.root, ...key.split('/'))),
    )
    const previous = checkpoints.at(-1)
    if ((await countRows(folder, since)) < Math.max(options.everyRows, previous?.items ?? 0)) continue
    checkpoints.push(await makeCheckpoint(folder, day, previous, since, options.columns))
    since = []
  }
  return checkpoints
}

function dayOf({ key }: ListedObject): string {
  return parsePartition(key).date
}

async function countRows(folder: DerivedFolder, paths: readonly string[]): Promise<number> {
  const rows = await folder.query(sizesSql(paths))
  return rows.reduce((sum, { deliveries }) => sum + Number(deliveries), 0)
}

async function makeCheckpoint(
  folder: DerivedFolder,
  day: string,
  previous: Checkpoint | undefined,
  objects: readonly string[],
  columns: readonly Column[],
): Promise<Checkpoint> {
  const { table, root } = folder
  const view = deliveriesOf({ table })
  const older =
    previous === undefined
      ? []
      : [
          `select * from read_parquet(${fileList([checkedFile(root, checkpointKey(table, previous.day, previous.name), previous)])}, hive_partitioning = false)`,
        ]
  const rows = [emptyRows(columns), ...older, rowsOfObjects(objects)].join(' union all by name ')
  const hide = (text: string) => folder.query(`create or replace temp view ${view} as ${earliestArrivals(text)}`)
  await hide(hashedImages(rows))
  await folder.query(`create or replace temp table needed as ${renderQuery(NEEDED_CHANGES, { changes: view }).sql}`)
  const states = await keepStates(folder, day, 'states_before')
  const path = folder.workPath('checkpoint.parquet')
  // in no order: it is read as a whole, and DuckDB sorts whole images of a large table in no small memory
  await folder.query(`
    copy (
      select * replace (null::varchar as old_image)
      from (${rows})
      semi join needed using (item_key, event_id)
    ) to ${quoted(path)} (format parquet, parquet_version v2, compression zstd, row_group_size 20480, row_group_size_bytes '${ROW_GROUP_BYTES}')`)
  await hide(hashedImages(`select * from read_parquet(${fileList([path])}, hive_partitioning = false)`))
  await keepStates(folder, day, 'states_after')
  await compareStates(folder, day)
  const [counted] = await folder.query(
    `select count(*)::varchar as n from read_parquet(${fileList([path])}, hive_partitioning = false)`,
  )
  await folder.query(`drop view ${view}`)
  const name = randomUUID()
  const written = folder.keep(path, checkpointKey(table, day, name))
  return { day, name, rows: Number(counted?.n), items: states, ...written }
}

/** Rows with hashes in the place of images: a state is compared by its image's hash, and images are dear to sort. */
function hashedImages(rows: string): string {
  return `select * replace (md5_number(new_image) as new_image, null as old_image) from (${rows})`
}

/** The states at the end of a day, by the very question that will be asked, and how many there are. */
async function keepStates(folder: DerivedFolder, day: string, name: string): Promise<number> {
  const at = formatInstant(Date.parse(`${day}T00:00:00Z`) * 1000 + 86_400_000_000 - 1, 6)
  const { sql, values } = bindQuery(savedQuery('table-as-of'), unconfiguredTable(folder.table), {
    at,
  })
  const asked = `create or replace temp table ${name} as ${sql}`
  await folder.query(asked, values)
  const [row] = await folder.query(`select count(*)::varchar as n from ${name}`)
  return Number(row?.n)
}

async function compareStates(folder: DerivedFolder, day: string): Promise<void> {
  const differing = await folder.query(`
    select item_key
    from (
      select * exclude (side), sum(side) as surplus
      from (select *, 1 as side from states_before union all select *, -1 as side from states_after)
      group by all
    )
    where surplus <> 0
    limit 20`)
  if (differing.length > 0)
    throw new CompactionError(
      `checkpoint of ${folder.table} at the end of ${day} gives other states than the archive`,
      differing.map(row => String(row.item_key)),
      'nothing was published; this is a fault of Itemtrail, please report it with the history of these items',
    )
}
