import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { linkArchive, makeSyntheticArchive, SYNTHETIC_TABLE } from '../../bench/synthetic-archive.js'
import { checkCopy } from '../../derived/check.js'
import { type CompactionOptions, compactTable } from '../../derived/desk-compactor.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { tablePrefix } from '../../transform/layout.js'
import { temporaryFolder } from '../delivery/desk.js'

const { table } = SYNTHETIC_TABLE

/** Few items, so that a bucket has many rows; the objects of one day came twice. */
let root: string
let expected: readonly string[]
beforeAll(async () => {
  root = temporaryFolder()
  await makeSyntheticArchive(root, { items: 20, versions: 300, days: 6, objectsPerDay: 4 })
  const day = join(root, tablePrefix(table), 'event_date=2026-01-03')
  for (const name of readdirSync(day)) copyFileSync(join(day, name), join(day, `again-${name}`))
  expected = await rowsCompacted({})
}, 120_000)

/** The rows of a copy that was made so, bucket by bucket, in the order in which they lie there. */
async function rowsCompacted(options: CompactionOptions): Promise<readonly string[]> {
  const copy = join(temporaryFolder(), 'archive')
  linkArchive(root, copy)
  await compactTable(copy, table, options)
  expect((await checkCopy(copy, table)).problems).toEqual([])
  const instance = await openDuckDb()
  const connection = await instance.connect()
  const files = `${copy}/derived/${table}/changes/**/rows.parquet`
  const answer = await connection.runAndReadAll(`
    select file_row_number || ' ' || hash(copied)
    from (select * exclude (filename) from read_parquet('${files}', filename = true, file_row_number = true,
      hive_partitioning = false)) as copied
    order by item_key, file_row_number`)
  connection.closeSync()
  instance.closeSync()
  rmSync(copy, { recursive: true })
  return answer.getRows().map(String)
}

it.each([
  ['buckets that are gathered a few at a time', { room: 4_000_000 }],
  ['rows that are staged, and of large buckets in slices', { room: 500_000 }],
  ['more rows at a time than fit in memory where they are staged', { room: 2_500_000, memory: '32MB' }],
  ['more rows at a time than fit in memory', { room: 1e12, memory: '32MB' }],
])('makes the same copy of %s', async (_, options) => {
  expect(expected).toHaveLength(6_000)
  expect(await rowsCompacted(options)).toEqual(expected)
})
