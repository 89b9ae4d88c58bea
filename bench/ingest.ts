import { once } from 'node:events'
import { createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runAlone } from './child.js'
import { ARRIVAL } from './events.js'
import { ORDERS, orderRecords } from './orders.js'
import { PAIRS, type Suite, type SuiteResult, showSpread, spreadOf } from './suite.js'

export interface IngestSize {
  /** Changes of the file, which each pair reads once. */
  readonly changes: number
  readonly rounds: number
  /** How often the file is read in the long run, which is made once. */
  readonly times: number
}

const FULL: IngestSize = { changes: 100_000, rounds: PAIRS, times: 10 }
const MOST_RATIO = 1.6
const MOST_MEMORY_MB = 600

const LIBRARY = fileURLToPath(new URL('../dist/', import.meta.url))

export const suite: Suite = {
  name: 'ingest',
  question: 'what does the desk take for a change, from a file to Parquet, and does its memory stay flat?',
  run: note => measureIngest(FULL, note),
}

/** The suite at any size: a test runs it small. */
export async function measureIngest(
  { changes, rounds, times }: IngestSize,
  note: (text: string) => void,
): Promise<SuiteResult> {
  if (!existsSync(LIBRARY)) throw new Error(`${LIBRARY} is not there: npm run build makes it`)
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-ingest-'))
  try {
    const file = join(folder, 'orders.jsonl')
    note(`writing ${changes} changes`)
    await writeOrders(file, changes)
    const ours = (repeats: number, env: NodeJS.ProcessEnv = {}) =>
      runAlone(process.execPath, ingestCode(file, mkdtempSync(join(folder, 'run-')), repeats), { env })
    const floor = async () => Number((await runAlone(process.execPath, identityCode(file))).output)
    const pairs: { readonly floorMs: number; readonly cpuMs: number; readonly peakMb: number }[] = []
    for (let round = 0; round < rounds; round++) {
      note(`pair ${round + 1} of ${rounds}`)
      const before = round % 2 === 0 ? await floor() : undefined
      const { cpuMs, peakMb } = await ours(1)
      pairs.push({ floorMs: before ?? (await floor()), cpuMs, peakMb })
    }
    note(`${changes * times} changes`)
    const [floorBefore, long, floorAfter] = [await floor(), await ours(times), await floor()]
    note('the same without the fast path')
    const plain = await ours(1, { ITEMTRAIL_PLAIN: '1' })
    const plainRatio = plain.cpuMs / (await floor())
    const longRatio = long.cpuMs / times / ((floorBefore + floorAfter) / 2)
    const ratios = pairs.map(({ cpuMs, floorMs }) => cpuMs / floorMs)
    const memories = pairs.map(({ peakMb }) => peakMb)
    const ratio = spreadOf(ratios)
    const memory = spreadOf(memories)
    return {
      findings: [
        {
          what: `ingest of ${changes} changes, file to Parquet`,
          against: 'identity: base64, JSON.parse, JSON.stringify, base64',
          figure: `${showSpread(ratio)} of its CPU`,
          target: `at most ${MOST_RATIO}`,
          reached: ratio.median <= MOST_RATIO,
        },
        {
          what: `ingest of ${changes * times} changes`,
          against: 'identity',
          figure: `${longRatio.toFixed(2)} of its CPU, ${((long.cpuMs * 1000) / changes / times).toFixed(0)} µs a change`,
          target: `at most ${MOST_RATIO}`,
          reached: longRatio <= MOST_RATIO,
        },
        {
          what: `ingest of ${changes} changes without the fast path`,
          against: 'identity',
          figure: `${plainRatio.toFixed(2)} of its CPU`,
        },
        {
          what: `memory of ingest, ${changes} and ${changes * times} changes`,
          against: '-',
          figure: `${memory.median.toFixed(0)} and ${long.peakMb.toFixed(0)} MB`,
          target: `at most ${MOST_MEMORY_MB} MB`,
          reached: Math.max(memory.p90, long.peakMb) <= MOST_MEMORY_MB,
        },
      ],
      remarks: [
        `each run is a process of its own, its start included; the long run reads the file ${times} times.`,
        'identity has its records in memory and writes nothing; ours reads a file, makes events of it, and is timed with the start of its process.',
      ],
      leftOut: [],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function writeOrders(path: string, count: number): Promise<void> {
  const file = createWriteStream(path)
  for (const record of orderRecords({ count })) {
    if (!file.write(`${record}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}

/** The records are read before, as in the suite `transform`: only the work on them counts. */
const identityCode = (file: string) => `
  import { readFileSync } from 'node:fs'
  const records = readFileSync(${JSON.stringify(file)}, 'utf8').split('\\n').filter(line => line !== '')
  const events = records.map(record => Buffer.from(record).toString('base64'))
  const identity = data => Buffer.from(JSON.stringify(JSON.parse(Buffer.from(data, 'base64').toString())) + '\\n').toString('base64')
  for (const data of events.slice(0, 5000)) identity(data)
  const before = process.cpuUsage()
  for (const data of events) identity(data)
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(String((user + system) / 1000))`

const ingestCode = (file: string, folder: string, times: number) => `
  const { DiskArchive } = await import(${JSON.stringify(join(LIBRARY, 'store/folder.js'))})
  const { ingest } = await import(${JSON.stringify(join(LIBRARY, 'delivery/ingest.js'))})
  const { openInput } = await import(${JSON.stringify(join(LIBRARY, 'capture/input.js'))})
  async function* input() {
    for (let i = 0; i < ${times}; i++) yield* (await openInput(${JSON.stringify(file)})).bytes
  }
  const summaries = await ingest(input(), ${ARRIVAL}, {
    archive: new DiskArchive(${JSON.stringify(folder)}),
    configurationOf: () => (${JSON.stringify(ORDERS)}),
    now: () => ${ARRIVAL},
  })
  if (summaries.some(summary => summary.rows !== summary.records)) throw new Error(JSON.stringify(summaries))`
