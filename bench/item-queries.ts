import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { compactTable } from '../derived/desk-compactor.js'
import { openDesk } from '../library/open-archive.js'
import { askQuery } from '../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../queries/catalog.js'
import { formatInstant } from '../transform/instant.js'
import { bytesOf, COUNTS_BYTES, showBytes } from './bytes-read.js'
import { writeJsonLines } from './json-lines.js'
import { compareCpu, cpuMsOf, type Finding, type Suite, type SuiteResult, showSpread } from './suite.js'
import {
  linkArchive,
  makeSyntheticArchive,
  SYNTHETIC_BEGIN_US,
  SYNTHETIC_TABLE,
  type SyntheticSize,
  syntheticKey,
} from './synthetic-archive.js'

/** Archives of as many rows over few and over many days. */
export interface ItemQueriesSize {
  readonly items: number
  readonly versions: number
  readonly days: readonly number[]
  readonly objectsPerDay: number
  readonly rounds: number
}

/** `BENCH_ITEMS` items of ten changes each; 500,000 make five million rows. */
const SIZE: ItemQueriesSize = {
  items: Number(process.env.BENCH_ITEMS ?? 500_000),
  versions: 10,
  days: [30, 120],
  objectsPerDay: 24,
  rounds: 12,
}

export const suite: Suite = {
  name: 'item-queries',
  question: 'What does a question about one item read and cost, before and after compaction?',
  run: note => measureItemQueries(SIZE, note),
}

const END = formatInstant(SYNTHETIC_BEGIN_US + 366 * 86_400_000_000, 6)

/** The questions, for an item that is there and one that is not. */
function questionsOf(
  items: number,
): Readonly<Record<string, readonly [query: string, parameters: Readonly<Record<string, string>>]>> {
  const item_key = syntheticKey(Math.floor(items / 2))
  return {
    'history of one key': ['item-history', { item_key }],
    'item as of a moment': ['item-as-of', { item_key, at: END }],
    'absent key': ['item-history', { item_key: syntheticKey(999_999_999) }],
  }
}

/** Makes the archives, asks, compacts and asks again. */
export async function measureItemQueries(size: ItemQueriesSize, note: (text: string) => void): Promise<SuiteResult> {
  if (!COUNTS_BYTES)
    return { findings: [], remarks: [], leftOut: ['item-queries: this system does not count bytes read'] }
  const findings: Finding[] = []
  const fewBytes = new Map<string, number>()
  const rows = (size.items * size.versions).toLocaleString('en-US')
  for (const days of size.days) {
    const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
    try {
      const [plain, compacted] = await makeArchives(folder, { ...size, days }, note)
      for (const [name, [query, parameters]] of Object.entries(questionsOf(size.items))) {
        note(`${name}, ${days} days`)
        const ask = (root: string) => askOnce(root, query, parameters)
        const [before, after] = [await bytesOf(() => ask(plain)), await bytesOf(() => ask(compacted))]
        const cpu = await compareCpu({ arrival: () => ask(plain), compacted: () => ask(compacted) }, size.rounds)
        findings.push({
          what: `${name}, ${rows} rows in ${days} days: bytes`,
          against: `arrival order: ${showBytes(before)}`,
          figure: `${showBytes(after)}, 1/${(before / after).toFixed(0)}`,
          target: 'at most 1/20',
          reached: after <= before / 20,
        })
        findings.push({
          what: `${name}, ${rows} rows in ${days} days: CPU`,
          against: `arrival order: ${showSpread(cpu.arrival.cpuMs, 0)} ms`,
          figure: `${showSpread(cpu.compacted.cpuMs, 0)} ms, ratio ${showSpread(cpu.compacted.ratio, 3)}`,
        })
        const few = fewBytes.get(name)
        if (few === undefined) fewBytes.set(name, after)
        else
          findings.push({
            what: `${name}: bytes at ${days} days for those at ${size.days[0]}`,
            against: 'not growing with the days',
            figure: (after / few).toFixed(3),
            target: 'at most 1.05',
            reached: after / few <= 1.05,
          })
      }
      if (days === size.days[0]) findings.push(await measureScan(folder, plain, size, note))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return {
    findings,
    remarks: [
      'Bytes are what the process read from files (rchar), opening the archive included; CPU is user and system time of the process. Objects are snappy, 24 a day.',
      'The copy was made in one go. After many small compactions a bucket has several runs, about the logarithm of its rows, and each costs a footer and a row group more.',
    ],
    leftOut: [],
  }
}

async function makeArchives(folder: string, size: SyntheticSize, note: (text: string) => void) {
  const [plain, compacted] = [join(folder, 'plain'), join(folder, 'compacted')] as const
  note(`making ${size.items * size.versions} rows in ${size.days} days`)
  await makeSyntheticArchive(plain, size)
  // the same objects, with derived files beside them in one of the two only
  linkArchive(plain, compacted)
  note('compacting')
  let milliseconds = 0
  const cpu = await cpuMsOf(async () => {
    const began = Date.now()
    await compactTable(compacted, SYNTHETIC_TABLE.table)
    milliseconds = Date.now() - began
  })
  const memory = Math.round(process.resourceUsage().maxRSS / 1024)
  note(
    `compacted in ${Math.round(milliseconds / 1000)} s, ${Math.round(cpu / 1000)} s of CPU; the process has held ${memory} MB at most`,
  )
  return [plain, compacted] as const
}

async function askOnce(root: string, query: string, parameters: Readonly<Record<string, string>>): Promise<void> {
  const engine = await openDesk(root)
  try {
    await askQuery(engine, SAVED_QUERIES.get(query) as SavedQuery, SYNTHETIC_TABLE, parameters)
  } finally {
    engine.close()
  }
}

/** What somebody without an archive does: unzip everything and look for the key. */
async function measureScan(
  folder: string,
  root: string,
  size: ItemQueriesSize,
  note: (text: string) => void,
): Promise<Finding> {
  note('looking through JSON lines')
  const path = join(folder, 'records.jsonl.gz')
  const rows = await writeJsonLines(root, path, Math.ceil(200_000 / size.objectsPerDay))
  const key = syntheticKey(Math.floor(size.items / 2))
  let found = 0
  const cpu = await cpuMsOf(async () => {
    for await (const line of createInterface({ input: createReadStream(path).pipe(createGunzip()) }))
      if (line.includes(key)) found++
  })
  if (!existsSync(path)) throw new Error(`${path} is gone, ${found} lines had the key`)
  return {
    what: `the same key in gzip JSON lines, ${rows.toLocaleString('en-US')} records: CPU a million records`,
    against: 'gunzip, then look for the key in each line',
    figure: `${Math.round((cpu / rows) * 1000).toLocaleString('en-US')} s`,
  }
}
