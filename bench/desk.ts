import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ExportWriter } from '../restore/export-files.js'
import { CHAINED_FROM, type ChainedOptions, writeChained } from './chained-orders.js'
import { type ProgramCost, runAlone, runProgram } from './child.js'
import { DESK_ROWS, type DeskRow, HISTORY_ROW, type Places } from './desk-rows.js'
import { CAN_PIN, measureThreads, THREADS_ROW } from './desk-threads.js'
import type { Attributes } from './orders.js'
import { type Finding, type Suite, type SuiteResult, showSpread, spreadOf } from './suite.js'
import { linkArchive, makeSyntheticArchive } from './synthetic-archive.js'

/** What the suite works on, and which rows of it are wanted; none means all. */
export interface DeskSize extends ChainedOptions {
  /** Changes of the archive that histories are asked of. */
  readonly historyChanges: number
  readonly rounds: number
  readonly rows: readonly string[]
}

const { env } = process

/**
 * The full size, or what `BENCH_CHANGES`, `BENCH_ITEMS`, `BENCH_DAYS`, `BENCH_HISTORY_CHANGES` and `BENCH_ROUNDS` say;
 * `BENCH_BREAKS`, `BENCH_REPEATS` and `BENCH_LATE` are shares of the changes; `BENCH_ROWS` names operations, by
 * semicolons because some have a comma.
 */
export const DESK_SIZE: DeskSize = {
  changes: Number(env.BENCH_CHANGES ?? 200_000),
  items: Number(env.BENCH_ITEMS ?? 25_000),
  days: Number(env.BENCH_DAYS ?? 30),
  historyChanges: Number(env.BENCH_HISTORY_CHANGES ?? 1_000_000),
  breaks: Number(env.BENCH_BREAKS ?? 0),
  repeats: Number(env.BENCH_REPEATS ?? 0),
  late: Number(env.BENCH_LATE ?? 0),
  rounds: Number(env.BENCH_ROUNDS ?? 3),
  rows: (env.BENCH_ROWS ?? '')
    .split(';')
    .map(name => name.trim())
    .filter(name => name !== ''),
}

export const suite: Suite = {
  name: 'desk',
  question: 'how far is each operation of a desk from the one plain statement of DuckDB over the same bytes?',
  run: note => measureDesk(DESK_SIZE, note),
}

const CLI = fileURLToPath(new URL('../dist/cli/itemtrail.js', import.meta.url))
const PEAK_MB = 1024
const NAMES: readonly string[] = [...DESK_ROWS.map(({ name }) => name), THREADS_ROW]

/** The suite at any size: a test runs it small. */
export async function measureDesk(size: DeskSize, note: (text: string) => void): Promise<SuiteResult> {
  if (!existsSync(CLI)) throw new Error(`${CLI} is not there: npm run build makes it`)
  const unknown = size.rows.find(name => !NAMES.includes(name))
  if (unknown !== undefined) throw new Error(`row "${unknown}" is unknown, expected ${NAMES.join(', ')}`)
  const isWanted = (name: string) => size.rows.length === 0 || size.rows.includes(name)
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-desk-'))
  try {
    const places = await makePlaces(folder, size, note)
    if (isWanted(HISTORY_ROW)) await makeLarge(places, size, note)
    const findings: Finding[] = []
    for (const row of DESK_ROWS.filter(({ name }) => isWanted(name))) {
      findings.push(...findingsOf(row, await measureRow(row, places, folder, { rounds: size.rounds, note })))
    }
    const leftOut = NAMES.filter(name => !isWanted(name)).map(name => `${name}: not asked for`)
    if (!CAN_PIN) leftOut.push(`${THREADS_ROW}: needs two cores, and taskset to keep to one`)
    else if (isWanted(THREADS_ROW)) {
      note(THREADS_ROW)
      findings.push(await measureThreads(CLI, places, folder, size.rounds))
    }
    return { findings, remarks: remarksOf(size), leftOut }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same work by our command and by its floor, the statement in a Node that does nothing else: whole processes. */
interface Pair {
  readonly ours: ProgramCost
  readonly floorMs: number
}

/** Short ones vary more than long ones, so they are measured until that has taken as long, but not for ever. */
const [LONG_MS, MOST_TIMES] = [20_000, 3]

interface Measuring {
  readonly rounds: number
  readonly note: (text: string) => void
}

async function measureRow(
  row: DeskRow,
  places: Places,
  folder: string,
  { rounds, note }: Measuring,
): Promise<readonly Pair[]> {
  const began = performance.now()
  const measured: Pair[] = []
  const isShort = () => performance.now() - began < LONG_MS && measured.length < MOST_TIMES * rounds
  while (measured.length < rounds || (rounds > 1 && isShort())) {
    note(`${row.name}, ${measured.length + 1} of ${rounds} or more`)
    measured.push(await measurePair(row, places, folder, measured.length % 2 === 0))
  }
  return measured
}

async function measurePair(row: DeskRow, places: Places, folder: string, floorFirst: boolean): Promise<Pair> {
  const before = floorFirst ? await floorOf(row, places, folder) : undefined
  const ours = await oursOf(row, places, folder)
  return { ours, floorMs: before ?? (await floorOf(row, places, folder)) }
}

async function oursOf({ command, addsTo }: DeskRow, places: Places, folder: string): Promise<ProgramCost> {
  const parent = mkdtempSync(join(folder, 'ours-'))
  const output = join(parent, 'archive')
  if (addsTo !== undefined) linkArchive(places[addsTo], output)
  try {
    // findings are an answer, too, where the archive has breaks
    return await runProgram(CLI, command(places, output), { exits: [0, 1] })
  } finally {
    rmSync(parent, { recursive: true })
  }
}

/** The CPU of a whole process, as ours is, that has DuckDB run the statement. */
async function floorOf({ floor }: DeskRow, places: Places, folder: string): Promise<number> {
  const parent = mkdtempSync(join(folder, 'floor-'))
  try {
    return (await runAlone(process.execPath, floorCode(floor(places, join(parent, 'output'))))).cpuMs
  } finally {
    rmSync(parent, { recursive: true })
  }
}

// required, because that takes less than to import it
const floorCode = (sql: string) => `
  const { createRequire } = await import('node:module')
  const { DuckDBInstance } = createRequire(${JSON.stringify(import.meta.url)})('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.runAndReadAll(${JSON.stringify(sql)})`

async function makePlaces(folder: string, size: DeskSize, note: (text: string) => void): Promise<Places> {
  const [records, plain, compacted] = ['records.jsonl', 'plain', 'compacted'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const configuration = join(folder, 'itemtrail.config.json')
  writeFileSync(configuration, JSON.stringify(CONFIGURATION))
  note(`writing ${size.changes} changes`)
  const table = await writeChained(records, size)
  const endUs = (CHAINED_FROM + size.days * 86_400) * 1_000_000
  const exported = await writeExport(join(folder, 'export'), table, new Date(endUs / 1000).toISOString())
  note('making archives')
  const flags = (archive: string) => ['--archive', archive, '--config', configuration]
  await runProgram(CLI, ['ingest', records, ...flags(plain)])
  linkArchive(plain, compacted)
  await runProgram(CLI, ['compact', 'Orders', ...flags(compacted)])
  return {
    ...{ records, plain, compacted, configuration, exported, large: join(folder, 'large') },
    moment: new Date(endUs / 1000 - 3_600_000).toISOString(),
  }
}

/** Changes of each item of the archive that histories are asked of. */
const VERSIONS = 10

/** Made by DuckDB: to take a million records in would take most of the suite's time. */
async function makeLarge({ large }: Places, size: DeskSize, note: (text: string) => void): Promise<void> {
  note(`making an archive of ${size.historyChanges} changes`)
  const items = Math.ceil(size.historyChanges / VERSIONS)
  await makeSyntheticArchive(large, { items, versions: VERSIONS, days: size.days, objectsPerDay: 8 })
  await runProgram(CLI, ['compact', 'Orders', '--archive', large])
}

/** How the table is configured: typed columns, so that rows are derived again with them. */
const CONFIGURATION = {
  tables: {
    Orders: {
      capture: 'streams',
      keys: ['order_id'],
      actor: 'updated_by',
      columns: {
        status: 'string',
        total: 'decimal(12,2)',
        revision: 'bigint',
        city: { attribute: 'shipping.city', type: 'string' },
        gift: 'boolean',
        customer_id: 'string',
      },
    },
  },
}

/** Exports the table as DynamoDB does, and gives the folder of the export. */
async function writeExport(root: string, table: ReadonlyMap<string, Attributes>, time: string): Promise<string> {
  const tableArn = 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders'
  const of = { tableArn, tableId: '12345a12-abcd-123a-ab12-1234abc12345', exportTime: time, startTime: time }
  const writer = ExportWriter.create(root, of)
  for (const item of table.values()) await writer.add(JSON.stringify(item))
  await writer.finish(time)
  const exports = join(root, 'AWSDynamoDB')
  return join(exports, readdirSync(exports)[0] as string)
}

function findingsOf({ name, goal }: DeskRow, pairs: readonly Pair[]): readonly Finding[] {
  const ratio = spreadOf(pairs.map(({ ours, floorMs }) => ours.cpuMs / floorMs))
  const [cpu, floor] = [spreadOf(pairs.map(({ ours }) => ours.cpuMs)), spreadOf(pairs.map(({ floorMs }) => floorMs))]
  const peakMb = Math.max(...pairs.map(({ ours }) => ours.peakMb))
  const seconds = ({ median }: { readonly median: number }) => `${(median / 1000).toFixed(2)} s`
  return [
    {
      what: `${name}: CPU`,
      against: `its floor, ${seconds(floor)}`,
      figure: `${seconds(cpu)}, ratio ${showSpread(ratio, 1)}`,
      target: `at most ${goal}`,
      reached: ratio.median <= goal,
    },
    {
      what: `${name}: peak memory`,
      against: '',
      figure: `${peakMb.toFixed(0)} MB`,
      target: `at most ${PEAK_MB} MB`,
      reached: peakMb <= PEAK_MB,
    },
  ]
}

function remarksOf({ changes, items, days, historyChanges, breaks, repeats, late }: DeskSize): readonly string[] {
  const share = (part: number) => `${(part * 100).toFixed(2)} %`
  return [
    `${changes} chained changes of ${items} items in ${days} days, images of about 0.7 KB; ${share(breaks)} are lost, ${share(repeats)} told twice, ${share(late)} told late. ${HISTORY_ROW}: ${historyChanges} changes, made in SQL, ${VERSIONS} of each item.`,
    'Both are the CPU of a whole process, its start included; the floor is one that loads DuckDB and runs the one statement, with all its threads.',
    'Times, unlike CPU, are of the whole machine: on one that others use they say little.',
    `${availableParallelism()} cores, other work beside: a load of ${loadavg()[0]?.toFixed(1)} at the end.`,
  ]
}
