/** A copy beside a journal, which says nothing of it: forged whole, with every hash right. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { filesOfRun } from '../../derived/coverage.js'
import { DerivedFolder } from '../../derived/derived-folder.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { plain } from '../../queries/verdict/stored-rows.js'
import { type HashedColumns, rowHash } from '../../transform/audit-row.js'
import { archiveOf, makeFolder, run } from '../cli/command-line.js'
import { sealFolder } from '../journal/desk-journal.js'
import { change } from '../queries/story.js'
import { parquetUnder } from '../store/altering.js'

const v = (n: string) => ({ v: { N: n } })
const RECORDS = [
  change('one', '20T10:00:00', undefined, v('1')),
  change('one', '20T11:00:00', v('1'), v('2')),
  change('two', '20T12:00:00', undefined, v('3')),
]
const NOT_OURS = 'compacted copy of Orders was not used, the archive was asked instead: it was not made on this machine'

/** Says of each row of the copy that Eve did it, and makes all hashes right: the row's, the file's, the manifest's. */
async function forge(root: string): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  for (const file of parquetUnder(join(root, 'derived/Orders/changes'))) {
    const from = `read_parquet('${file}', hive_partitioning = false)`
    const rows = (await connection.runAndReadAll(`select * from ${from}`)).getRowObjects()
    const hashes = rows.map(row => {
      const whole = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
      return `when '${row.event_id}' then '${rowHash({ ...whole, actor: 'eve' } as unknown as HashedColumns)}'`
    })
    const columns = `'eve' as actor, case event_id ${hashes.join(' ')} end as row_hash`
    await connection.run(`copy (select * replace (${columns}) from ${from}) to '${file}.x' (format parquet)`)
    renameSync(`${file}.x`, file)
  }
  const path = join(root, 'derived/Orders/manifest.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  const folder = new DerivedFolder(root)
  for (const one of manifest.runs)
    one.files = filesOfRun(one.name, await folder.entries(`derived/Orders/changes/folder=${one.name}`))
  writeFileSync(path, JSON.stringify({ ...manifest, answers: [], checkpoints: [] }))
}

describe('a compacted copy of an archive that is sealed', () => {
  let root: string
  beforeEach(async () => {
    const before = process.env.XDG_STATE_HOME
    process.env.XDG_STATE_HOME = makeFolder()
    onTestFinished(() => {
      process.env.XDG_STATE_HOME = before
    })
    root = await archiveOf(RECORDS)
    await compactTable(root, 'Orders')
    await sealFolder(root)
  })

  const history = () => run(['history', 'Orders', 'one', '--archive', root])

  it('is read where it was made, and brought up to date', async () => {
    expect(await history()).toMatchObject({ exit: 0, err: '' })
    expect(await compactTable(root, 'Orders')).toMatchObject({ changed: false, rebuilt: undefined })
    await run(['ingest', '-', '--archive', root], {
      stdin: `${JSON.stringify(change('one', '21T10:00:00', v('2'), v('4')))}\n`,
    })
    expect(await compactTable(root, 'Orders')).toMatchObject({ changed: true, rebuilt: undefined, newObjects: 1 })
    expect((await history()).err).toBe('')
  })

  it('is not read where somebody forged it whole, and is made anew', async () => {
    await forge(root)
    const { exit, out, err } = await history()
    expect({ exit, out, err }).toMatchObject({ exit: 0, err: expect.stringContaining(NOT_OURS) })
    expect(out).not.toContain('eve')
    expect(await compactTable(root, 'Orders')).toMatchObject({
      changed: true,
      rebuilt: expect.stringMatching(/not made/),
    })
    const again = await history()
    expect(again).toMatchObject({ exit: 0, err: '' })
    expect(again.out).not.toContain('eve')
  })

  it('of another machine is not read, and nothing else is said of an archive that is not sealed', async () => {
    await forge(root)
    process.env.XDG_STATE_HOME = makeFolder()
    expect((await history()).err).toContain(NOT_OURS)
    rmSync(join(root, 'log'), { recursive: true })
    const { out, err } = await history()
    expect([err, out]).toEqual(['', expect.stringContaining('eve')])
  })
})
