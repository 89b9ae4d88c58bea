import { type ChildProcess, spawn } from 'node:child_process'
import { hash, randomUUID } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { checkCopy } from '../../derived/check.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { type Manifest, totalsOf } from '../../derived/manifest.js'
import { Workbench } from '../../derived/workbench.js'
import { openDesk } from '../../library/open-archive.js'
import { readHistory } from '../../queries/answers/read-history.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { bucketOf, bucketPrefix, manifestKey } from '../../transform/derived.js'
import { ingestRecords, rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { streamsRecord, tableConfiguration } from '../factories.js'
import { alterRows } from '../store/altering.js'
import { forgeManifest, keysOf, manifestIn, rewrite, rowFilesOf } from './manifest-in.js'

const TABLE = tableConfiguration()

/** Changes of twelve items, `round` telling one lot from another. */
function changes(round: number) {
  return Array.from({ length: 12 }, (_, i) => {
    const Keys = { order_id: { S: `ORD${i}` } }
    const image = (v: number) => ({ ...Keys, v: { N: String(v) } })
    const SequenceNumber = String(1000 * (round + 1) + i)
    const ApproximateCreationDateTime = Date.UTC(2026, 10, 10 + round) / 1000 + i
    const common = { Keys, SequenceNumber, ApproximateCreationDateTime, eventID: `${round}-${i}` }
    return streamsRecord({
      ...common,
      NewImage: image(round),
      ...(round > 0 && { OldImage: image(round - 1), eventName: 'MODIFY' as const }),
    })
  })
}

async function addRound(root: string, round: number): Promise<void> {
  await writeRows(
    root,
    changes(round).flatMap(record => rowsOfRecord(record)),
  )
}

const key = (i: number) => `{"order_id":{"S":"ORD${i}"}}`

async function versionsOf(engine: QueryEngine, i = 3): Promise<readonly string[]> {
  const { changes: found } = await readHistory(engine, TABLE, key(i))
  return found.map(({ new_image }) => (JSON.parse(String(new_image)) as { v: { N: string } }).v.N)
}

async function ask(
  root: string,
): Promise<{ readonly versions: readonly string[]; readonly remarks: readonly string[] }> {
  const engine = await openDesk(root, [TABLE])
  try {
    return { versions: await versionsOf(engine), remarks: engine.remarks() }
  } finally {
    engine.close()
  }
}

function filesUnder(root: string, folder: string): readonly string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}

function fingerprint(root: string, folder: string): readonly string[] {
  return filesUnder(root, folder).map(path => `${path} ${hash('sha256', readFileSync(path))}`)
}

describe('compaction', () => {
  let root: string
  beforeEach(async () => {
    root = temporaryFolder()
    await addRound(root, 0)
    await addRound(root, 1)
  })

  it('touches nothing of the archive, and writes only files that its manifest names', async () => {
    const before = [...fingerprint(root, 'data')]
    await compactTable(root, 'Orders')
    expect(fingerprint(root, 'data')).toEqual(before)
    expectOnlyNamed(root)
  })

  it('sorts each run by item and keeps statistics that tell the items of a row group', async () => {
    await compactTable(root, 'Orders')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    for (const key of rowFilesOf(manifestIn(root))) {
      const path = join(root, key)
      const keys = await connection.runAndReadAll(`select item_key from '${path}'`)
      const read = keys.getRows().map(([text]) => String(text))
      expect(read).toEqual(read.toSorted())
      const stats = await connection.runAndReadAll(
        `select stats_min, stats_max from parquet_metadata('${path}') where path_in_schema = 'item_key'`,
      )
      expect(stats.getRows()[0]).toEqual([read[0], read.at(-1)])
    }
    connection.closeSync()
  })

  it('writes only buckets that got new rows, of the days that are others, and merges runs so that they stay few', async () => {
    for (let round = 2; round < 6; round++) await addRound(root, round)
    await compactTable(root, 'Orders')
    const before = manifestIn(root)
    const [one] = changes(6)
    await writeRows(root, rowsOfRecord(one as object))
    expect(await compactTable(root, 'Orders')).toMatchObject({ filesWritten: 1, newObjects: 1, rebuilt: undefined })
    expect(manifestIn(root).runs.slice(0, -1)).toEqual(before.runs)
    expect(manifestIn(root).runs.at(-1)?.days).toEqual([['2026-11-16', '2026-11-16']])
    for (let round = 7; round < 13; round++) {
      await addRound(root, round)
      await compactTable(root, 'Orders')
    }
    expect(manifestIn(root).runs.length).toBeLessThanOrEqual(4)
    expect((await ask(root)).versions).toEqual(['0', '1', '2', '3', '4', '5', '7', '8', '9', '10', '11', '12'])
  })

  it('copies a day again that rows come to late, reads it once, and keeps the other days of its run', async () => {
    for (let round = 2; round < 9; round++) await addRound(root, round)
    await compactTable(root, 'Orders')
    const [run] = manifestIn(root).runs
    const late = streamsRecord({
      Keys: { order_id: { S: 'ORD3' } },
      NewImage: { order_id: { S: 'ORD3' }, v: { N: '99' } },
      OldImage: { order_id: { S: 'ORD3' }, v: { N: '2' } },
      eventName: 'MODIFY',
      SequenceNumber: '3999',
      ApproximateCreationDateTime: Date.UTC(2026, 10, 12, 12) / 1000,
      eventID: 'late',
    })
    await writeRows(root, rowsOfRecord(late))
    const versions = ['0', '1', '2', '99', '3', '4', '5', '6', '7', '8']
    expect(await ask(root)).toEqual({ versions, remarks: [] })
    expect(await compactTable(root, 'Orders')).toMatchObject({ newObjects: 1, rebuilt: undefined })
    const { runs } = manifestIn(root)
    expect(runs.map(({ days }) => days)).toEqual([
      [
        ['2026-11-10', '2026-11-11'],
        ['2026-11-13', '2026-11-18'],
      ],
      [['2026-11-12', '2026-11-12']],
    ])
    expect(runs[0]?.name).toBe(run?.name)
    expect(await ask(root)).toEqual({ versions, remarks: [] })
    expect((await checkCopy(root, 'Orders')).problems).toEqual([])
  })

  it('keeps no copy of a repeat but its count', async () => {
    await addRound(root, 0)
    await addRound(root, 0)
    const { manifest } = await compactTable(root, 'Orders')
    expect(totalsOf(manifest.runs)).toMatchObject({ deliveries: 48, rows: 24 })
  })

  it('stops for records of the table that wait under refused/, and names their object', async () => {
    await ingestRecords(root, [...changes(2), '{"dynamodb":{"Keys":{"order_id":{"S":"x"}}},"tableName":"Orders"}'])
    await expect(compactTable(root, 'Orders')).rejects.toMatchObject({
      details: [expect.stringMatching(/^refused\/processing-failed\/Orders\/.*: 1 record$/)],
    })
    expect(existsSync(join(root, manifestKey('Orders')))).toBe(false)
    expect((await compactTable(root, 'Orders', { despiteRefused: true })).changed).toBe(true)
  })

  it('names every object that cannot be read, and leaves the copy in use as it was', async () => {
    await compactTable(root, 'Orders')
    const before = manifestIn(root)
    await addRound(root, 2)
    const damaged = ['2026-11-10', '2026-11-11'].map(date => `data/Orders/event_date=${date}/damaged.parquet`)
    writeFileSync(join(root, damaged[0] as string), 'PAR1 is no object PAR1')
    // its footer is whole, its pages are not
    const [whole] = readdirSync(join(root, 'data/Orders/event_date=2026-11-11'))
    const bytes = readFileSync(join(root, 'data/Orders/event_date=2026-11-11', whole as string))
    writeFileSync(
      join(root, damaged[1] as string),
      Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(600, 7), bytes.subarray(604)]),
    )
    await expect(compactTable(root, 'Orders')).rejects.toMatchObject({
      message: expect.stringMatching(/objects? of Orders cannot be read$/),
      details: expect.arrayContaining([expect.stringContaining(damaged[0] as string)]),
    })
    rmSync(join(root, damaged[0] as string))
    await expect(compactTable(root, 'Orders')).rejects.toMatchObject({
      details: [expect.stringContaining(damaged[1] as string)],
    })
    expect(manifestIn(root)).toEqual(before)
  })

  it('refuses rows that have one row_hash and differ all the same', async () => {
    const [row] = rowsOfRecord(changes(0)[0] as object)
    await writeRows(root, [{ ...(row as object), new_image: '{"order_id":{"S":"ORD0"},"v":{"N":"9"}}' } as never])
    await expect(compactTable(root, 'Orders')).rejects.toThrow('differ all the same')
    expect(existsSync(join(root, manifestKey('Orders')))).toBe(false)
  })

  it('ends with a sentence, and is not done again for ever, where a row has a time that no change has', async () => {
    await addRound(root, 4)
    await alterRows(
      filesUnder(root, 'data/Orders/event_date=2026-11-14'),
      { event_time_us: '-9223372036854775808' },
      'true',
    )
    await expect(compactTable(root, 'Orders')).rejects.toMatchObject({
      message: expect.stringMatching(/^what would be kept of Orders could not be read back: .*beganUs/s),
      hint: expect.stringContaining('verify rows'),
    })
    expect(existsSync(join(root, manifestKey('Orders')))).toBe(false)
  })

  const COLUMNS = 'select * exclude (bucket)'
  it.each([
    ['fewer rows', COLUMNS, 'select distinct on (item_key) * exclude (bucket)'],
    ['another row', COLUMNS, 'select * exclude (bucket) replace (md5(row_hash) as row_hash)'],
    ['a row twice', COLUMNS, 'select * exclude (bucket) from lot_rows union all select * exclude (bucket)'],
    ['items in another order', /\) to '/, "order by item_key desc) to '"],
  ])('publishes nothing where it wrote %s than the archive holds', async (_, part, other) => {
    await compactTable(root, 'Orders')
    const before = manifestIn(root)
    for (const round of [2, 3]) await addRound(root, round)
    const { query } = Workbench.prototype
    vi.spyOn(Workbench.prototype, 'query').mockImplementation(function (this: Workbench, sql, values) {
      const isRows = sql.includes('to ') && sql.includes('rows.parquet')
      return query.call(this, isRows ? sql.replace(part, other) : sql, values)
    })
    await expect(compactTable(root, 'Orders')).rejects.toThrow(/deliveries of digest|Binder Error/)
    expect(manifestIn(root)).toEqual(before)
    vi.restoreAllMocks()
    expect((await compactTable(root, 'Orders')).changed).toBe(true)
    expect((await ask(root)).versions).toEqual(['0', '1', '2', '3'])
  })

  it('is found out by a check where a file of the copy holds other rows', async () => {
    await compactTable(root, 'Orders')
    expect(await checkCopy(root, 'Orders')).toMatchObject({ problems: [], covered: 2, uncovered: 0 })
    await addRound(root, 2)
    expect(await checkCopy(root, 'Orders')).toMatchObject({ problems: [], covered: 2, uncovered: 1 })
    const [key = '', other = ''] = rowFilesOf(manifestIn(root))
    const [first, second] = [join(root, key), join(root, other)]
    renameSync(second, `${second}.away`)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([expect.stringContaining('is gone')])
    renameSync(`${second}.away`, second)
    // the manifest agrees with the file, the archive does not
    await rewrite(first, 'select * replace (repeats + 1 as repeats) from old')
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      expect.stringMatching(/^derived.Orders.changes.* has (\d+ bytes instead of \d+|other files)/),
    ])
    forgeManifest(root, key)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      expect.stringMatching(/^bucket . stands for \d+ deliveries, the archive has \d+$/),
    ])
  })

  it('goes on from no file that is another than it was written, asks the archive meanwhile, and says both', async () => {
    await compactTable(root, 'Orders')
    const [run] = manifestIn(root).runs as [Manifest['runs'][number]]
    const path = join(root, bucketPrefix('Orders', run, bucketOf(key(3), 1)), 'rows.parquet')
    const bytes = readFileSync(path)
    bytes[Math.floor(bytes.length / 3)] = (bytes[Math.floor(bytes.length / 3)] as number) ^ 1
    writeFileSync(path, bytes)
    const { versions, remarks } = await ask(root)
    const other = expect.stringContaining('the digest of their bytes is another')
    expect([versions, remarks]).toEqual([['0', '1'], [other]])
    expect((await checkCopy(root, 'Orders')).problems).toEqual([other])
    await addRound(root, 2)
    const rebuilt = expect.stringContaining('others than its manifest names')
    expect(await compactTable(root, 'Orders')).toMatchObject({ changed: true, rebuilt })
    expect(await ask(root)).toEqual({ versions: ['0', '1', '2'], remarks: [] })
  })

  it('is found out by a check where an image of the copy is not what its hash says', async () => {
    await compactTable(root, 'Orders')
    const [file] = rowFilesOf(manifestIn(root)) as [string]
    await rewrite(join(root, file), `select * replace (replace(new_image, '"v"', '"w"') as new_image) from old`)
    forgeManifest(root, file)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      expect.stringMatching(/has \d+ images that are not what their hashes say/),
    ])
  })

  it('copies a day anew when an object that it covers is gone or another', async () => {
    await compactTable(root, 'Orders')
    const [object] = filesUnder(root, 'data').toSorted()
    rmSync(object as string)
    expect(await compactTable(root, 'Orders')).toMatchObject({
      changed: true,
      rebuilt: expect.stringMatching(/is gone/),
    })
    expect((await ask(root)).versions).toEqual(['1'])
  })

  it('is done by one process at a time', async () => {
    const held = await Workbench.take(root, 'Orders', '1GB')
    await expect(compactTable(root, 'Orders')).rejects.toThrow('running already, in this process')
    const child = start(root)
    expect(await endOf(child)).toEqual([1, expect.stringContaining(`running already, in process ${process.pid}`)])
    held.close()
    expect((await compactTable(root, 'Orders')).changed).toBe(true)
  }, 30_000)

  it('leaves a whole copy in use and the archive as it is, killed before or after whatever it does', async () => {
    await compactTable(root, 'Orders')
    for (const round of [2, 3]) await addRound(root, round)
    const archive = fingerprint(root, 'data')
    const copy = temporaryFolder()
    cpSync(root, copy, { recursive: true })
    const steps = await stepsOf(copy)
    // every other publication from the last on, before and after, and some steps; with KILLS every one, and so many steps
    const { KILLS } = process.env
    const publications = steps.flatMap((step, i) => (step.startsWith('replace') ? [i + 1] : []))
    expect(publications.length).toBeGreaterThan(10)
    const published = publications.filter((_, i) => KILLS !== undefined || (publications.length - 1 - i) % 4 < 2)
    const apart = Math.max(1, Math.floor(steps.length / Number(KILLS ?? 4)))
    const others = steps.map((_, i) => i + 1).filter(i => i % apart === 0)
    for (const at of [...new Set([...published, ...others])].sort((a, b) => a - b)) {
      const folder = temporaryFolder()
      cpSync(root, folder, { recursive: true })
      expect([at, steps[at - 1], await strike(folder, at)]).toEqual([at, steps[at - 1], 'SIGKILL'])
      const where = (found: unknown) => ({ at, step: steps[at - 1], found })
      expect(where(await ask(folder))).toEqual(where({ versions: ['0', '1', '2', '3'], remarks: [] }))
      expect(fingerprint(folder, 'data').map(line => line.slice(folder.length))).toEqual(
        archive.map(line => line.slice(root.length)),
      )
      // what it left is removed by the next, and what that replaced by the one after
      if (others.includes(at)) {
        for (let i = 0; i < 2; i++) await compactTable(folder, 'Orders')
        expectOnlyNamed(folder)
      }
      rmSync(folder, { recursive: true })
    }
  }, 600_000)
})

describe('an engine over a compacted archive', () => {
  let root: string
  beforeEach(async () => {
    root = temporaryFolder()
    await addRound(root, 0)
    await addRound(root, 1)
    await compactTable(root, 'Orders')
  })

  it('asks the archive, and says so, when an object that the copy covers changed its size', async () => {
    const [object] = filesUnder(root, 'data').toSorted()
    const { length } = readFileSync(object as string)
    writeFileSync(object as string, readFileSync(object as string).subarray(0, length - 1))
    await expect(ask(root)).rejects.toThrow(/Parquet|magic|footer/i)
    rmSync(object as string)
    expect(await ask(root)).toEqual({
      versions: ['1'],
      remarks: [expect.stringMatching(/is not used: object .* is gone/)],
    })
  })

  it.each([
    ['is gone', (path: string) => rmSync(path)],
    ['is cut', (path: string) => truncateSync(path, 100)],
    ['is damaged', (path: string) => writeFileSync(path, readFileSync(path).fill(7, 4, 600))],
  ])('asks the archive, and says so, when a file of the copy %s', async (_, damage) => {
    for (const file of rowFilesOf(manifestIn(root))) damage(join(root, file))
    expect(await ask(root)).toEqual({
      versions: ['0', '1'],
      remarks: [expect.stringContaining('the archive was asked instead')],
    })
  })

  it.each(['{', 'null', '[]', '{"version":"derived/v9"}'])(
    'asks the archive, and says so, when the manifest reads %j',
    async text => {
      writeFileSync(join(root, manifestKey('Orders')), text)
      expect(await ask(root)).toEqual({ versions: ['0', '1'], remarks: [expect.stringContaining('its manifest')] })
      expect((await compactTable(root, 'Orders')).rebuilt).toContain('its manifest')
    },
  )

  type Run = Manifest['runs'][number]

  it.each<[string, (run: Run) => object, string]>([
    [
      'a run elsewhere',
      run => ({ runs: [{ ...run, name: '../../..' }] }),
      'runs[0].name is "../../..", expected a UUID',
    ],
    ['a bucket elsewhere', run => ({ runs: [{ ...run, files: { '../..': run.files[0] } }] }), 'runs[0].files["../.."]'],
    [
      'no key',
      run => ({ runs: [{ ...run, sampleKey: '{' }] }),
      'runs[0].sampleKey is "{", expected the keys of an item in DynamoDB JSON',
    ],
    [
      'a number that is none',
      run => ({ runs: [{ ...run, beganUs: '0; drop' }] }),
      'runs[0].beganUs is "0; drop", expected microseconds since 1970',
    ],
    ['a day in two runs', run => ({ runs: [run, { ...run, name: randomUUID() }] }), 'is named twice'],
    ['another table', () => ({ table: 'Others' }), 'table is "Others", expected "Orders"'],
  ])('asks the archive, and says so, when the manifest names %s', async (_, change, message) => {
    const manifest = manifestIn(root)
    const changed = change(manifest.runs[0] as Run)
    writeFileSync(join(root, manifestKey('Orders')), JSON.stringify({ ...manifest, ...changed }))
    expect(await ask(root)).toEqual({ versions: ['0', '1'], remarks: [expect.stringContaining(message)] })
  })

  it('answers from the copy that it opened, and from the newest when compactions have removed that', async () => {
    const engine = await openDesk(root, [TABLE])
    for (const round of [2, 3, 4]) {
      await addRound(root, round)
      await compactTable(root, 'Orders', { rebuild: true })
      const versions = await versionsOf(engine)
      expect(versions.slice(0, 2)).toEqual(['0', '1'])
    }
    // the copy of the round before is still there
    expect(await versionsOf(engine)).toEqual(['0', '1', '2', '3'])
    await compactTable(root, 'Orders', { rebuild: true })
    expect(await versionsOf(engine)).toEqual(['0', '1', '2', '3', '4'])
    expect(engine.remarks()).toEqual([])
    engine.close()
  })

  it('answers without the folder of what is derived', async () => {
    rmSync(join(root, 'derived'), { recursive: true })
    expect(await ask(root)).toEqual({ versions: ['0', '1'], remarks: [] })
  })
})

/** Nothing lies below `derived/` but what the manifest names, and that is all there. */
function expectOnlyNamed(root: string): void {
  const there = filesUnder(root, 'derived').filter(path => !path.includes('.lock.duckdb'))
  expect(there.sort()).toEqual(
    keysOf(manifestIn(root))
      .map(name => join(root, name))
      .sort(),
  )
}

const COMMAND = join(import.meta.dirname, '../../dist/cli/itemtrail.js')

/** A compaction in a process of its own. Needs `npm run build`. */
function start(root: string): ChildProcess {
  return spawn(process.execPath, [COMMAND, 'compact', 'Orders', '--archive', root], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

function endOf(child: ChildProcess): Promise<readonly [code: number | null, err: string]> {
  let err = ''
  child.stderr?.on('data', chunk => {
    err += chunk
  })
  return new Promise(resolve => child.on('close', code => resolve([code, err])))
}

const STRUCK = join(import.meta.dirname, 'struck-compaction.mjs')

/** What a compaction does, step by step: a name for the time before each, and one for the time after. */
async function stepsOf(root: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [STRUCK, root, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  await new Promise(resolve => child.on('close', resolve))
  return JSON.parse(out)
}

/** A compaction in a process of its own that is killed at a step; the signal that ended it. */
function strike(root: string, at: number): Promise<string | null> {
  const child = spawn(process.execPath, [STRUCK, root, String(at)], { stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise(resolve => child.on('close', (_, signal) => resolve(signal)))
}
