import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { compactTable } from '../../derived/desk-compactor.js'
import { openArchive } from '../../library/open-archive.js'
import { streamsRecord } from '../factories.js'
import { archiveOf, run } from './command-line.js'
import { expectContract } from './contract.js'

const RECORDS = ['A', 'B', 'B'].map(order_id => streamsRecord({ Keys: { order_id: { S: order_id } } }))

const NOW = '2026-11-25T00:00:00Z'

describe('compact', () => {
  let root: string
  beforeAll(async () => {
    root = await archiveOf(RECORDS)
  })
  const compact = (...more: string[]) => run(['compact', '--archive', root, ...more])

  it('tells what it did, and what it did not have to do again', async () => {
    const first = await compact()
    expect([first.exit, first.err]).toEqual([0, ''])
    expect(first.out).toMatch(
      /^Orders: 1 objects, 1 of them new\n {2}2 rows, 1 repeats removed\n {2}\d+ kB in the archive, \d+ kB in the copy \(\d files, \d written\)\n$/,
    )
    expect((await compact('orders')).out).toContain('Orders: nothing new, the copy covers all 1 objects')
  })

  it('changes no answer', async () => {
    const ask = async () => [
      await run(['history', 'Orders', 'B', '--archive', root, '--format', 'json']),
      await run(['as-of', 'Orders', 'B', NOW, '--archive', root]),
      await run(['as-of', 'Orders', NOW, '--archive', root]),
      await run(['history', 'Orders', 'C', '--archive', root]),
    ]
    await compact()
    const compacted = await ask()
    rmSync(join(root, 'derived'), { recursive: true })
    expect(await ask()).toEqual(compacted)
  })

  it('says of every question that a copy was damaged and the archive was asked instead', async () => {
    await compact()
    const files = readdirSync(join(root, 'derived'), { recursive: true, withFileTypes: true })
    for (const { parentPath, name } of files.filter(file => file.name.endsWith('.parquet'))) {
      const path = join(parentPath, name)
      writeFileSync(path, Buffer.alloc(statSync(path).size))
    }
    for (const question of [
      ['history', 'Orders', 'B'],
      ['as-of', 'Orders', NOW],
      ['verify', 'continuity'],
    ])
      expect((await run([...question, '--archive', root])).err).toContain(
        'compacted copy of Orders was not used, the archive was asked instead',
      )
    rmSync(join(root, 'derived'), { recursive: true })
  })

  it('uses checkpoints whichever way the archive is named', async () => {
    const days = [1795341600, 1795428000].map(ApproximateCreationDateTime =>
      streamsRecord({ Keys: { order_id: { S: `${ApproximateCreationDateTime}` } }, ApproximateCreationDateTime }),
    )
    const folder = await archiveOf(days)
    const { manifest } = await compactTable(folder, 'Orders', { checkpointBytes: 1 })
    expect(manifest.checkpoints).not.toEqual([])
    for (const name of [
      folder,
      `${folder}/`,
      relative(process.cwd(), folder),
      `./${relative(process.cwd(), folder)}`,
    ]) {
      await using archive = await openArchive(name)
      expect((await archive.run('table-as-of', 'Orders', { at: NOW })).length).toBe(2)
      expect(archive.engine.remarks?.()).toEqual([])
    }
  })

  it('names the file of the archive that is damaged', async () => {
    const broken = await archiveOf(RECORDS)
    await run(['compact', '--archive', broken])
    const [object] = readdirSync(join(broken, 'data'), { recursive: true, withFileTypes: true }).filter(file =>
      file.isFile(),
    )
    const path = join(object?.parentPath ?? '', object?.name ?? '')
    writeFileSync(path, Buffer.alloc(statSync(path).size))
    const { exit, err } = await run(['query', 'deletions', 'Orders', '--archive', broken])
    expect([exit, err]).toEqual([
      3,
      expect.stringMatching(/table Orders cannot be read: .*\.parquet'\n {2}an object of the archive is damaged/),
    ])
    const [config] = readdirSync(join(broken, 'config', 'Orders'))
    writeFileSync(join(broken, 'config', 'Orders', String(config)), '{')
    expect((await run(['history', 'Orders', 'B', '--archive', broken])).err).toContain(
      `config/Orders/${config}: is no JSON: the file ends at line 1, column 2`,
    )
  })

  it('says as JSON what is documented', async () => {
    const answers = [await compact('--format', 'json'), await compact('--format', 'json', '--rebuild')]
    const described = answers.flatMap(({ out }) => JSON.parse(out) as readonly object[])
    // a checkpoint wants more rows than a test has, and nothing had to be made anew
    const checkpoint = ['day', 'items', 'rows', 'bytes'].map(name => `checkpoints[].${name}`)
    expectContract('compact', [...described, { ...described[0], rebuilt: 'why' }], checkpoint)
    const { out, exit } = await compact('--check', '--format', 'json')
    expect(exit).toBe(0)
    expectContract('compact --check', JSON.parse(out) as readonly object[])
    rmSync(join(root, 'derived'), { recursive: true })
    expect((await compact('--check')).exit).toBe(3)
  })

  it('names what stands in its way, and ends with 1', async () => {
    const damaged = await archiveOf(RECORDS)
    const refused = { stdin: JSON.stringify({ ...streamsRecord(), dynamodb: { Keys: {} } }) }
    expect((await run(['ingest', '-', '--archive', damaged], refused)).exit).toBe(1)
    const { exit, err } = await run(['compact', '--archive', damaged])
    expect(exit).toBe(1)
    expect(err).toMatch(
      /^itemtrail: records of Orders wait under refused\/.*\n {2}refused\/processing-failed\/Orders\/\S+: 1 record\n/,
    )
    expect((await run(['compact', '--archive', damaged, '--despite-refused'])).exit).toBe(0)
  })

  it('is used wrongly with a table that is not there', async () => {
    const { exit, err } = await compact('Ordres')
    expect([exit, err]).toEqual([2, expect.stringContaining('did you mean Orders?')])
    expect((await run(['compact', '--archive', join(root, 'none')])).exit).toBe(3)
  })

  it('is used wrongly with a memory that is no size', async () => {
    const { exit, err } = await compact('Orders', '--memory', 'much')
    expect([exit, err]).toEqual([2, 'itemtrail: --memory is "much", expected a size such as 512MB or 4GB\n'])
  })
})
