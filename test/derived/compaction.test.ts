import { type ChildProcess, spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeEach, describe, expect, it } from 'vitest'
import { compactTable, namesOf } from '../../derived/compaction.js'
import { checkCopy } from '../../derived/compaction-check.js'
import { findCopy, type Manifest, readManifest } from '../../derived/derived-copy.js'
import { DerivedFolder } from '../../derived/derived-folder.js'
import { readHistory } from '../../queries/answers/history.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { bucketOf, manifestKey, runKey } from '../../transform/derived.js'
import { ingestRecords, rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { streamsRecord, tableConfiguration } from '../factories.js'

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

async function versionsOf(engine: DuckDbEngine, i = 3): Promise<readonly string[]> {
  const { changes: found } = await readHistory(engine, TABLE, key(i))
  return found.map(({ new_image }) => (JSON.parse(String(new_image)) as { v: { N: string } }).v.N)
}

async function ask(
  root: string,
): Promise<{ readonly versions: readonly string[]; readonly remarks: readonly string[] }> {
  const engine = await DuckDbEngine.open(root, [TABLE])
  try {
    return { versions: await versionsOf(engine), remarks: engine.remarks() }
  } finally {
    engine.close()
  }
}

function manifestOf(root: string): Manifest {
  return readManifest(root, 'Orders') as Manifest
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
    const names = [...namesOf(manifestOf(root))].map(name => join(root, name))
    const there = filesUnder(root, 'derived').filter(path => !path.includes('.lock.duckdb'))
    expect(there.sort()).toEqual(names.sort())
  })

  it('sorts each run by item and keeps statistics that tell the items of a row group', async () => {
    await compactTable(root, 'Orders')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    for (const { bucket, name } of manifestOf(root).runs) {
      const path = join(root, runKey('Orders', bucket, name))
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

  it('writes only the buckets that got new rows, and merges runs so that they stay few', async () => {
    await compactTable(root, 'Orders')
    const before = manifestOf(root)
    const [one] = changes(2)
    await writeRows(root, rowsOfRecord(one as object))
    const { filesWritten } = await compactTable(root, 'Orders')
    expect(filesWritten).toBe(1)
    const names = new Set(before.runs.map(({ name }) => name))
    expect(manifestOf(root).runs.filter(({ name }) => !names.has(name)).length).toBe(1)
    for (let round = 3; round < 8; round++) {
      await addRound(root, round)
      await compactTable(root, 'Orders')
    }
    const buckets = manifestOf(root).runs.map(({ bucket }) => bucket)
    expect(Math.max(...buckets.map(bucket => buckets.filter(other => other === bucket).length))).toBeLessThanOrEqual(3)
    expect((await ask(root)).versions).toEqual(['0', '1', '3', '4', '5', '6', '7'])
  })

  it('keeps no copy of a repeat but its count', async () => {
    await addRound(root, 0)
    await addRound(root, 0)
    const { manifest } = await compactTable(root, 'Orders')
    expect(manifest.deliveries).toBe(48)
    expect(manifest.runs.reduce((sum, { rows }) => sum + rows, 0)).toBe(24)
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
    const before = manifestOf(root)
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
    expect(manifestOf(root)).toEqual(before)
  })

  it('refuses rows that have one row_hash and differ all the same', async () => {
    const [row] = rowsOfRecord(changes(0)[0] as object)
    await writeRows(root, [{ ...(row as object), new_image: '{"order_id":{"S":"ORD0"},"v":{"N":"9"}}' } as never])
    await expect(compactTable(root, 'Orders')).rejects.toThrow('differ all the same')
    expect((await findCopy(root, 'Orders')).kind).toBe('none')
  })

  it('publishes nothing where what it wrote is not what the archive holds', async () => {
    await compactTable(root, 'Orders')
    const before = manifestOf(root)
    const [run] = before.runs.filter(({ rows }) => rows > 1)
    const path = join(root, runKey('Orders', String(run?.bucket), String(run?.name)))
    await rewrite(path, 'select * from old limit 1')
    const forged = forgeManifest(root, path)
    for (const round of [2, 3]) await addRound(root, round)
    await expect(compactTable(root, 'Orders')).rejects.toThrow(/deliveries of digest/)
    expect(manifestOf(root)).toEqual(forged)
    // another row in its place is found, too
    await rewrite(path, `select * replace (md5(row_hash) as row_hash) from old`)
    forgeManifest(root, path)
    await expect(compactTable(root, 'Orders')).rejects.toThrow(/deliveries of digest/)
    expect((await compactTable(root, 'Orders', { rebuild: true })).changed).toBe(true)
    expect((await ask(root)).versions).toEqual(['0', '1', '2', '3'])
  })

  it('is found out by a check where a file of the copy holds other rows', async () => {
    await compactTable(root, 'Orders')
    expect(await checkCopy(root, 'Orders')).toMatchObject({ problems: [], covered: 2, uncovered: 0 })
    await addRound(root, 2)
    expect(await checkCopy(root, 'Orders')).toMatchObject({ problems: [], covered: 2, uncovered: 1 })
    const { runs } = manifestOf(root)
    const [first, second] = runs.map(({ bucket, name }) => join(root, runKey('Orders', bucket, name))) as [
      string,
      string,
    ]
    renameSync(second, `${second}.away`)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([expect.stringContaining('is gone')])
    renameSync(`${second}.away`, second)
    // the manifest agrees with the file, the archive does not
    await rewrite(first, 'select * replace (repeats + 1 as repeats) from old')
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      expect.stringMatching(/^derived.Orders.changes.*\.parquet (has \d+ bytes instead of \d+|is not the file)/),
    ])
    forgeManifest(root, first)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      expect.stringMatching(/^bucket . stands for \d+ deliveries, the archive has \d+$/),
    ])
  })

  it('goes on from no file that is another than it was written, asks the archive meanwhile, and says both', async () => {
    await compactTable(root, 'Orders')
    const [run] = manifestOf(root).runs.filter(({ bucket }) => bucket === bucketOf(key(3), 1))
    const path = join(root, runKey('Orders', String(run?.bucket), String(run?.name)))
    const bytes = readFileSync(path)
    bytes[Math.floor(bytes.length / 3)] = (bytes[Math.floor(bytes.length / 3)] as number) ^ 1
    writeFileSync(path, bytes)
    const { versions, remarks } = await ask(root)
    expect([versions, remarks]).toEqual([['0', '1'], [expect.stringContaining('its SHA-256 is another')]])
    expect((await checkCopy(root, 'Orders')).problems).toEqual([expect.stringContaining('its SHA-256 is another')])
    await addRound(root, 2)
    const rebuilt = expect.stringContaining('its SHA-256 is another')
    expect(await compactTable(root, 'Orders')).toMatchObject({ changed: true, rebuilt })
    expect(await ask(root)).toEqual({ versions: ['0', '1', '2'], remarks: [] })
  })

  it('is found out by a check where an image of the copy is not what its hash says', async () => {
    await compactTable(root, 'Orders')
    const [first] = filesUnder(root, 'derived/Orders/changes') as [string]
    await rewrite(first, `select * replace (replace(new_image, '"v"', '"w"') as new_image) from old`)
    forgeManifest(root, first)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      expect.stringMatching(/has \d+ images that are not what their hashes say/),
    ])
  })

  it('makes a copy anew when an object that it covers is gone or another', async () => {
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
    const held = await DerivedFolder.take(root, 'Orders', '1GB')
    await expect(compactTable(root, 'Orders')).rejects.toThrow('running already, in this process')
    const child = start(root)
    expect(await endOf(child)).toEqual([1, expect.stringContaining(`running already, in process ${process.pid}`)])
    held.close()
    expect((await compactTable(root, 'Orders')).changed).toBe(true)
  }, 30_000)

  it('leaves the old copy in use and the archive whole, whenever it is killed', async () => {
    await compactTable(root, 'Orders')
    const rounds = Number(process.env.KILLS ?? 2)
    for (let i = 0; i < rounds; i++) {
      await addRound(root, 2 + i)
      const child = start(root)
      const ended = endOf(child)
      // anywhere from its first file to its last
      await new Promise(resolve => setTimeout(resolve, 350 + ((i * 211) % 900)))
      child.kill('SIGKILL')
      await ended
      expect((await findCopy(root, 'Orders')).kind).toBe('usable')
      expect(await ask(root)).toEqual({ versions: Array.from({ length: 3 + i }, (_, v) => String(v)), remarks: [] })
    }
    await compactTable(root, 'Orders')
    await compactTable(root, 'Orders')
    const names = [...namesOf(manifestOf(root))].map(name => join(root, name))
    const there = filesUnder(root, 'derived').filter(path => !path.includes('.lock.duckdb'))
    expect(there.sort()).toEqual(names.sort())
  }, 120_000)
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
    for (const { bucket, name } of manifestOf(root).runs) damage(join(root, runKey('Orders', bucket, name)))
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

  it.each([
    [
      'a run elsewhere',
      { runs: [{ bucket: '../../..', name: 'x' }] },
      'runs[0].bucket is "../../..", expected one to three',
    ],
    ['no key', { sampleKey: '{' }, 'sampleKey is "{", expected the keys of an item in DynamoDB JSON'],
    ['a number that is none', { beganUs: '0; drop' }, 'beganUs is "0; drop", expected microseconds since 1970'],
    ['another table', { table: 'Others' }, 'table is "Others", expected "Orders"'],
  ])('asks the archive, and says so, when the manifest names %s', async (_, changed, message) => {
    await compactTable(root, 'Orders')
    writeFileSync(join(root, manifestKey('Orders')), JSON.stringify({ ...manifestOf(root), ...changed }))
    expect(await ask(root)).toEqual({ versions: ['0', '1'], remarks: [expect.stringContaining(message)] })
  })

  it('answers from the copy that it opened, and from the newest when compactions have removed that', async () => {
    const engine = await DuckDbEngine.open(root, [TABLE])
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

async function rewrite(path: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`create table old as select * from '${path}'`)
  await connection.run(`copy (${sql}) to '${path}' (format parquet)`)
  connection.closeSync()
  instance.closeSync()
}

/** Makes the manifest agree with a run that was written over. */
function forgeManifest(root: string, path: string): Manifest {
  const manifest = manifestOf(root)
  const file = { bytes: readFileSync(path).length, sha256: hash('sha256', readFileSync(path)) }
  const forged = { ...manifest, runs: manifest.runs.map(run => (path.includes(run.name) ? { ...run, ...file } : run)) }
  writeFileSync(join(root, manifestKey('Orders')), JSON.stringify(forged))
  return forged
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
