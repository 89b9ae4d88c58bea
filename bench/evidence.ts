import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { main } from '../cli/main.js'
import { type ProvenEvent, proveEvent } from '../evidence/give-evidence.js'
import { parseVkey } from '../proof/note.js'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import {
  compareCpu,
  cpuMsOf,
  type Finding,
  type Spread,
  type Suite,
  type SuiteResult,
  showSpread,
  spreadOf,
} from './suite.js'
import { makeSyntheticArchive, SYNTHETIC_TABLE, type SyntheticSize } from './synthetic-archive.js'

export interface EvidenceSize extends SyntheticSize {
  /** Small objects of the archive that is verified a second time. */
  readonly smallObjects: number
  readonly rounds: number
}

/** A million rows. */
const SIZE: EvidenceSize = {
  items: 100_000,
  versions: 10,
  days: 30,
  objectsPerDay: 8,
  smallObjects: 10_000,
  rounds: 3,
}

export const suite: Suite = {
  name: 'evidence',
  question: 'What do sealing, verifying and proving take, beside hashing the same bytes?',
  run: note => measureEvidence(SIZE, note),
}

/** Seals, verifies and proves rows of an archive, and verifies one of many small objects again. */
export async function measureEvidence(size: EvidenceSize, note: (text: string) => void): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
  const state = process.env.XDG_STATE_HOME
  process.env.XDG_STATE_HOME = join(folder, 'state')
  try {
    const key = join(folder, 'seal.key')
    const vkey = (await itemtrail('seal', '--init', '--key', key, '--origin', 'bench.example/orders')).trim()
    const root = join(folder, 'archive')
    const rows = size.items * size.versions
    note(`making ${rows} rows`)
    await makeSyntheticArchive(root, size)
    const objects = await measureObjects(root, key, { rows, rounds: size.rounds }, note)
    const derived = await measureRows(join(folder, 'tenth'), size, note)
    const proofs = await measureProofs(root, vkey, rows, note)
    const again = await measureAgain(folder, key, size, note)
    return { findings: [...objects, ...derived, ...proofs, ...again], remarks: REMARKS, leftOut: [] }
  } finally {
    if (state === undefined) delete process.env.XDG_STATE_HOME
    else process.env.XDG_STATE_HOME = state
    rmSync(folder, { recursive: true, force: true })
  }
}

const REMARKS = [
  'Sealing reads every byte once, and of each row its hash and time; `verify objects --full` does the same. `sha256sum` reads the same files from the same cache.',
  'Of rows with sealed values, and of those whose configuration is not kept, `verify rows` parses every image, which takes some five times as long.',
  "DuckDB's own hashing is one statement that makes the SHA-256 of item_key, both images and the leaf of each row; `verify rows` derives every column again, and hashes the same and more.",
  'A proof is a call of the library in a running process: the archive and DuckDB are opened for it and closed, and the process is started before. The first reads the id of every row and keeps an index. Times, unlike CPU, are of the whole machine: on one that others use they say little.',
]

/** Both whole objects and rows, beside the tools that hash the same. */
async function measureObjects(
  root: string,
  key: string,
  { rows, rounds }: { readonly rows: number; readonly rounds: number },
  note: (text: string) => void,
): Promise<readonly Finding[]> {
  const what = `${rows.toLocaleString('en-US')} rows`
  note(`sealing and verifying ${what}`)
  const work = {
    seal: async () => {
      rmSync(join(root, 'log'), { recursive: true, force: true })
      // what this machine remembers of it
      rmSync(process.env.XDG_STATE_HOME as string, { recursive: true, force: true })
      await itemtrail('seal', '--archive', root, '--key', key)
    },
    objects: () => itemtrail('verify', 'objects', '--full', '--archive', root, '--key', key),
  }
  const times = { sums: [] as number[], seal: [] as number[], objects: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    times.sums.push(sumsOf(root))
    times.seal.push(await cpuMsOf(work.seal))
    times.objects.push(await cpuMsOf(work.objects))
  }
  const sums = `sha256sum of the same files: ${showMs(times.sums)} ms`
  return [
    within(`seal ${what}`, sums, times.seal, times.sums, 3),
    within(`verify objects, ${what}`, sums, times.objects, times.sums, 3),
  ]
}

/** What it takes to make every row again, of a tenth of the rows: it goes by the row. */
async function measureRows(
  root: string,
  size: EvidenceSize,
  note: (text: string) => void,
): Promise<readonly Finding[]> {
  const items = Math.ceil(size.items / 10)
  note(`making ${items * size.versions} rows again`)
  await makeSyntheticArchive(root, { ...size, items })
  const { duckDb, rows } = await compareCpu(
    { duckDb: () => hashInDuckDb(root), rows: () => itemtrail('verify', 'rows', '--archive', root) },
    size.rounds,
  )
  return [
    {
      what: `verify rows, ${(items * size.versions).toLocaleString('en-US')} rows: CPU`,
      against: `DuckDB's own hashing: ${showSpread(duckDb.cpuMs, 0)} ms`,
      figure: `${showSpread(rows.cpuMs, 0)} ms, ratio ${showSpread(rows.ratio, 1)}`,
      target: '≤ 2 ×',
      reached: rows.ratio.median <= 2,
    },
  ]
}

function within(
  what: string,
  against: string,
  ours: readonly number[],
  theirs: readonly number[],
  most: number,
): Finding {
  const ratio = spreadOf(ours.map((ms, round) => ms / (theirs[round] as number)))
  return {
    what: `${what}: CPU`,
    against,
    figure: `${showMs(ours)} ms, ratio ${showSpread(ratio)}`,
    target: `≤ ${most} ×`,
    reached: ratio.median <= most,
  }
}

function showMs(times: readonly number[]): string {
  return showSpread(spreadOf(times), 0)
}

/** CPU of `sha256sum` over every object, in milliseconds: a shell tells what its children took. */
function sumsOf(root: string): number {
  const script = `TIMEFORMAT='%U %S'; time find "$1" -type f -exec sha256sum {} + > /dev/null`
  const told = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`, 'bash', join(root, 'data')], { encoding: 'utf8' })
  const [user = 0, system = 0] = told.trim().split(' ').map(Number)
  return (user + system) * 1000
}

async function hashInDuckDb(root: string): Promise<void> {
  const instance = await openDuckDb()
  const connection = await instance.connect()
  try {
    const leaf = `concat_ws(chr(10), row_version, event_id, source_event_id, source, event_name, sequence, event_time_us, config_id, old_hash, new_hash, sha256(item_key))`
    await connection.run(
      `select count_if(sha256(coalesce(old_image, '')) = old_hash), count_if(sha256(coalesce(new_image, '')) = new_hash),
         count_if(sha256(${leaf}) = row_hash)
       from read_parquet('${join(root, 'data').replaceAll("'", "''")}/*/*/*.parquet')`,
    )
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** How long a proof is, and how long it takes. */
async function measureProofs(
  root: string,
  vkey: string,
  rows: number,
  note: (text: string) => void,
): Promise<readonly Finding[]> {
  note('proving')
  const what = `proof of one row of ${rows.toLocaleString('en-US')}`
  const identity = { origin: parseVkey(vkey).name, known: [parseVkey(vkey)] }
  const events = await someEvents(root)
  const times: number[] = []
  const cpu: number[] = []
  const floor: number[] = []
  const sizes: { readonly whole: number; readonly proof: number }[] = []
  for (const event of events) {
    floor.push(await msOf(openAlone))
    const began = performance.now()
    let proven: ProvenEvent | undefined
    cpu.push(
      await cpuMsOf(async () => {
        proven = await proveEvent(root, identity, SYNTHETIC_TABLE, event)
      }),
    )
    times.push(performance.now() - began)
    if (proven === undefined) throw new Error(`event ${event} has no row`)
    const leaf = proven.proof.split('\n').filter(line => line.startsWith('= '))
    const whole = Buffer.byteLength(proven.proof)
    sizes.push({ whole, proof: whole - Buffer.byteLength(`${leaf.join('\n')}\n`) })
  }
  const bytes = spreadOf(sizes.map(({ proof }) => proof))
  const whole = spreadOf(sizes.map(size => size.whole))
  // the first makes the index that the others find
  const [first, ...others] = times as [number]
  const time = spreadOf(others)
  return [
    {
      what: `${what}: bytes`,
      against: `with the row's own leaf: ${showSpread(whole, 0)}`,
      figure: showSpread(bytes, 0),
      target: '< 2 KB',
      reached: bytes.median < 2000,
    },
    {
      what: `${what}: time, the archive opened for it`,
      against: `DuckDB opened alone: ${showMs(floor.slice(1))} ms; CPU of a proof: ${showMs(cpu.slice(1))} ms; the first proof: ${first.toFixed(0)} ms`,
      figure: `${showSpread(time, 0)} ms`,
      target: '≤ 50 ms',
      reached: time.median <= 50,
    },
  ]
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function openAlone(): Promise<void> {
  const instance = await openDuckDb(':memory:', { memory_limit: '1GB' })
  const connection = await instance.connect()
  connection.closeSync()
  instance.closeSync()
}

/** Ids of events from everywhere in an archive, the same each time. */
async function someEvents(root: string): Promise<readonly string[]> {
  const instance = await openDuckDb()
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(
      `select event_id from read_parquet('${join(root, 'data').replaceAll("'", "''")}/*/*/*.parquet') order by event_id limit 21`,
    )
    return reader.getRows().map(([id]) => String(id))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** What it takes to verify again what is unchanged. */
async function measureAgain(
  folder: string,
  key: string,
  { smallObjects, rounds }: EvidenceSize,
  note: (text: string) => void,
): Promise<readonly Finding[]> {
  note(`making ${smallObjects} objects`)
  const root = join(folder, 'many')
  await makeSyntheticArchive(root, { items: 10, versions: 1, days: 1, objectsPerDay: 1 })
  repeat(root, smallObjects)
  const verify = () => itemtrail('verify', 'objects', '--archive', root, '--key', key)
  note('sealing and verifying them')
  const sealing = await msOf(() => itemtrail('seal', '--archive', root, '--key', key))
  const first = await msOf(verify)
  const again: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < rounds; round++) again.push(await msOf(async () => cpu.push(await cpuMsOf(verify))))
  const time: Spread = spreadOf(again.map(ms => (ms * 10_000) / smallObjects))
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  return [
    {
      what: `second verify objects, ${smallObjects.toLocaleString('en-US')} objects that are unchanged: time for 10,000`,
      against: `sealed in ${seconds(sealing)}, verified the first time in ${seconds(first)}; CPU of the second: ${showMs(cpu)} ms`,
      figure: `${showSpread(time, 0)} ms`,
      target: '≤ 1,000 ms',
      reached: time.median <= 1000,
    },
  ]
}

/** Gives the archive's only object so many more names: no link is followed, but these are names of their own. */
function repeat(root: string, count: number): void {
  const names = readdirSync(join(root, 'data'), { recursive: true, encoding: 'utf8' })
  const path = join(root, 'data', names.find(name => name.endsWith('.parquet')) as string)
  for (let i = 1; i < count; i++) {
    const day = new Date(Date.UTC(2026, 0, 1 + (i % 300))).toISOString().slice(0, 10)
    const target = join(root, 'data', 'Orders', `event_date=${day}`, `${i}.parquet`)
    mkdirSync(dirname(target), { recursive: true })
    linkSync(path, target)
  }
}

/** Runs a command in this process. Throws where it does not end well. */
async function itemtrail(...argv: readonly string[]): Promise<string> {
  let out = ''
  let err = ''
  const exit = await main(argv, {
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    stdin: process.stdin,
    columns: undefined,
    errIsTerminal: false,
    colour: false,
  })
  if (exit !== 0) throw new Error(`${argv.join(' ')} ended with ${exit}: ${err}`)
  return out
}
