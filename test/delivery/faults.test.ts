import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parquetMetadata } from 'hyparquet'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeChained } from '../../bench/chained-orders.js'
import { readConfiguration } from '../../config/configuration.js'
import { askQuery } from '../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { DiskArchive } from '../../store/folder.js'
import { type AuditRow, rowLine } from '../../transform/audit-row.js'
import { partitionOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { shuffle } from '../queries/random-archive.js'
import { rowsOfRecord, temporaryFolder } from './desk.js'

const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname
const CONFIGURATION = join(ORDERS, 'itemtrail.config.json')
const CLI = new URL('../../dist/cli/itemtrail.js', import.meta.url).pathname

/** A week in place of seven, so that there are not too many objects to wait for. */
const SHRUNK = 7
const END = Date.UTC(2026, 10, 22) / 1000

/** The bundled stream in a shorter time. */
const RECORDS = gunzipSync(readFileSync(join(ORDERS, 'orders.jsonl.gz')))
  .toString()
  .trimEnd()
  .replaceAll(/"ApproximateCreationDateTime":(\d+)/g, (_, seconds) => {
    const time = END - Math.floor((END - Number(seconds)) / SHRUNK)
    return `"ApproximateCreationDateTime":${time}`
  })
  .split('\n')
const COUNT = RECORDS.length
const TABLE = readConfiguration(CONFIGURATION).tables.get('Orders') as TableConfiguration

let input: string
beforeAll(() => {
  expect(existsSync(CLI), `${CLI} is not there: npm run build makes it`).toBe(true)
  input = join(temporaryFolder(), 'orders.jsonl')
  writeFileSync(input, RECORDS.join('\n'))
})

/** `KILLS=30` for more of them. */
const THREADED_KILLS = Number(process.env.KILLS ?? 2)

/** Whole processes on a machine that may be busy. */
const TIMEOUT = 300_000

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function startIngest(
  root: string,
  file = input,
  ...more: readonly string[]
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  return start(['ingest', file, '--archive', root, '--config', CONFIGURATION, ...more])
}

function start(argv: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [CLI, ...argv])
  const text = { out: '', err: '' }
  child.stdout.on('data', chunk => (text.out += chunk))
  child.stderr.on('data', chunk => (text.err += chunk))
  return { child, ended: new Promise(resolve => child.on('close', code => resolve({ code, ...text }))) }
}

/** Every object is whole; the rows in all of them, repeats included. */
function countRows(root: string): number {
  const folder = join(root, 'data', 'Orders')
  if (!existsSync(folder)) return 0
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return files.reduce((sum, entry) => {
    expect(entry.name).toMatch(/\.parquet$/)
    const bytes = readFileSync(join(entry.parentPath, entry.name))
    const { num_rows: rows } = parquetMetadata(new Uint8Array(bytes).buffer)
    return sum + Number(rows)
  }, 0)
}

const stagedIn = (root: string) => new DiskArchive(root).list('.staging/')

/** Every change of the input is there, and each counts once. */
async function expectAllOnce(root: string, count = COUNT, ofExample = 11): Promise<void> {
  const engine = await DuckDbEngine.open(root, [TABLE])
  const ask = async (name: string, parameters: Readonly<Record<string, string>> = {}) => [
    ...rowsOf(await askQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, TABLE, parameters)),
  ]
  try {
    const days = await ask('activity-by-day')
    expect(days.reduce((sum, day) => sum + Number(day.changes), 0)).toBe(count)
    const findings = await ask('continuity')
    expect(findings.filter(({ finding }) => finding !== 'DUPLICATE')).toEqual([])
    const history = await ask('item-history', { item_key: '{"order_id":{"S":"ORD12345"}}' })
    expect(history).toHaveLength(ofExample)
  } finally {
    engine.close()
  }
}

describe('an ingest that is killed', () => {
  it(
    'leaves whole objects, and all that was missing comes with the next, each change counted once',
    async () => {
      const first = temporaryFolder()
      const began = performance.now()
      expect(await startIngest(first).ended).toMatchObject({ code: 0 })
      const duration = performance.now() - began
      expect(countRows(first)).toBe(COUNT)

      // killed at the beginning, at the end and in between; some right after another
      const moments = shuffle([0.4, 0.6, 0.72, 0.82, 0.9, 0.96], 20261122)
      const half = moments.length / 2
      await Promise.all([killAt(moments.slice(0, half)), killAt(moments.slice(half))])

      async function killAt(parts: readonly number[]): Promise<void> {
        const root = temporaryFolder()
        for (const part of parts) {
          const { child, ended } = startIngest(root)
          const timer = setTimeout(() => child.kill('SIGKILL'), part * duration)
          await ended
          clearTimeout(timer)
          countRows(root)
        }
        expect(await startIngest(root).ended).toMatchObject({ code: 0 })
        expect(countRows(root)).toBeGreaterThanOrEqual(COUNT)
        expect(await stagedIn(root)).toEqual([])
        expect(readdirSync(root).sort()).toEqual(['.staging', 'config', 'data'])
        await expectAllOnce(root)
      }
    },
    TIMEOUT,
  )
})

describe('an ingest with threads that is killed', () => {
  it(
    'loses nothing and counts nothing twice, whatever of its blocks was read, ahead, or written',
    async () => {
      const [root, count] = [temporaryFolder(), 6000]
      const file = join(temporaryFolder(), 'changes.jsonl')
      // some ten blocks, of which the first ones are read without threads
      await writeChained(file, { changes: count, items: 800, days: 3, breaks: 0, repeats: 0, late: 0 })
      const ingest = (into: string) => startIngest(into, file, '--threads', '2')
      const began = performance.now()
      expect(await ingest(temporaryFolder()).ended).toMatchObject({ code: 0 })
      const duration = performance.now() - began
      for (let kill = 0; kill < THREADED_KILLS; kill++) {
        const { child, ended } = ingest(root)
        const timer = setTimeout(() => child.kill('SIGKILL'), (0.4 + (0.6 * kill) / THREADED_KILLS) * duration)
        await ended
        clearTimeout(timer)
        countRows(root)
      }
      expect(await ingest(root).ended).toMatchObject({ code: 0 })
      expect(await stagedIn(root)).toEqual([])
      await expectAllOnce(root, count, 0)
    },
    TIMEOUT,
  )
})

describe('two ingests at once', () => {
  it(
    'of one file into one archive leave each change there, and counted once',
    async () => {
      const root = temporaryFolder()
      const both = await Promise.all([startIngest(root).ended, startIngest(root).ended])
      expect(both.map(({ code, err }) => [code, err])).toEqual([
        [0, expect.any(String)],
        [0, expect.any(String)],
      ])
      expect(countRows(root)).toBe(2 * COUNT)
      expect(await stagedIn(root)).toEqual([])
      await expectAllOnce(root)
    },
    TIMEOUT,
  )
})

/** A file system of its own, where this machine lets us make one. */
function mountDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
}

/** Leaves so much room on the disk, in bytes. */
function leaveRoom(disk: string, bytes: number): void {
  const { blocks, bfree, bsize } = statfsSync(disk)
  const size = Math.ceil(((blocks - bfree) * bsize + bytes) / 1024)
  execFileSync('mount', ['-o', `remount,size=${size}k`, disk])
}

function unmount(disk: string): void {
  execFileSync('umount', [disk])
  rmSync(disk, { recursive: true })
}

/** What the rows of all records take up while they are staged, a file a partition, in whole pages. */
function stagedBytes(): number {
  const sizes = new Map<string, number>()
  for (const record of RECORDS) {
    const [row] = rowsOfRecord(record, TABLE, END * 1000)
    const { date } = partitionOf(row as AuditRow)
    sizes.set(date, (sizes.get(date) ?? 0) + Buffer.byteLength(rowLine(row as AuditRow)))
  }
  return [...sizes.values()].reduce((sum, size) => sum + Math.ceil(size / 4096) * 4096, 0)
}

const probe = mountDisk()
if (probe !== undefined) unmount(probe)

describe.skipIf(probe === undefined)(
  `a full disk${probe === undefined ? ' (skipped: no tmpfs can be mounted)' : ''}`,
  () => {
    const rooms = [
      ['for half of the staged rows', () => stagedBytes() / 2],
      ['for all staged rows, but hardly for an object made of them', () => stagedBytes() + 8192],
    ] as const

    for (const [room, bytes] of rooms) {
      it.concurrent(
        `with room ${room} is told in one line, and leaves whole objects only`,
        async () => {
          const disk = mountDisk() as string
          try {
            const [root, few] = [join(disk, 'archive'), join(disk, 'few.jsonl')]
            writeFileSync(few, RECORDS.slice(0, 100).join('\n'))
            expect(await startIngest(root, few).ended).toMatchObject({ code: 0 })
            leaveRoom(disk, bytes())
            const { code, err } = await startIngest(root).ended
            expect(code).toBe(1)
            expect(err.match(/^itemtrail: .*$/gm)).toEqual([expect.stringMatching(/disk is full|No space left/)])
            expect(err).not.toMatch(/^\s+at /m)
            expect(countRows(root)).toBeGreaterThanOrEqual(100)
            expect(countRows(root)).toBeLessThan(COUNT)
            // room again: what the failed run left is swept, and the same records go in
            leaveRoom(disk, 64 * 1024 * 1024)
            expect(await startIngest(root, few).ended).toMatchObject({ code: 0 })
            expect(await stagedIn(root)).toEqual([])
          } finally {
            unmount(disk)
          }
        },
        TIMEOUT,
      )
    }

    it('that cannot be written is told as that, by everything that writes', async () => {
      const disk = mountDisk() as string
      try {
        const [root, few] = [join(disk, 'archive'), join(disk, 'few.jsonl')]
        writeFileSync(few, RECORDS.slice(0, 100).join('\n'))
        expect(await startIngest(root, few).ended).toMatchObject({ code: 0 })
        execFileSync('mount', ['-o', 'remount,ro', disk])
        for (const argv of [
          ['ingest', few, '--archive', root],
          ['ingest', few, '--archive', join(disk, 'none')],
          ['compact', '--archive', root],
        ]) {
          const { code, err } = await start(argv).ended
          expect([argv[0], code]).toEqual([argv[0], 1])
          expect(err).toMatch(/^itemtrail: (table Orders: )?\S+ is on a file system that cannot be written$/m)
          expect(err).not.toMatch(/^\s+at /m)
        }
      } finally {
        unmount(disk)
      }
    }, 60_000)
  },
)

describe.skipIf(!existsSync('/dev/full'))('standard output on a full disk', () => {
  it('is told in one line, and is exit 3', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `'${process.execPath}' '${CLI}' queries > /dev/full`])
    expect(status).toBe(3)
    expect(String(stderr)).toContain('itemtrail: standard output could not be written: the disk is full\n')
    expect(String(stderr)).not.toMatch(/^\s+at /m)
  })
})
