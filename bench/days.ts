/** As many rows over few days and over many: the same questions, whole processes in turn. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProgramCost, runProgram } from './child.js'
import { DESK_SIZE } from './desk.js'
import { type Finding, type Suite, type SuiteResult, showSpread, spreadOf } from './suite.js'
import { linkArchive, makeSyntheticArchive, SYNTHETIC_BEGIN_US, syntheticId } from './synthetic-archive.js'

/** Two archives of the same items, and how often each is asked. */
export interface DaysSize {
  readonly items: number
  /** Changes of each item. */
  readonly versions: number
  /** Few days and many. */
  readonly days: readonly [few: number, many: number]
  readonly objectsPerDay: number
  readonly rounds: number
  /** Which questions; none means all. */
  readonly rows: readonly string[]
}

const { env } = process

/**
 * `BENCH_ITEMS` items of five changes each, a million of them make five million rows; `BENCH_DAYS` are two numbers,
 * with a comma; `BENCH_ROWS` names questions, as in `desk`.
 */
const SIZE: DaysSize = {
  items: Number(env.BENCH_ITEMS ?? 40_000),
  versions: 5,
  days: (env.BENCH_DAYS ?? '30,120').split(',').map(Number) as [number, number],
  objectsPerDay: 8,
  rounds: Number(env.BENCH_ROUNDS ?? 3),
  rows: DESK_SIZE.rows,
}

export const suite: Suite = {
  name: 'days',
  question: 'What does the number of days cost each question, of as many rows?',
  run: note => measureDays(SIZE, note),
}

const CLI = fileURLToPath(new URL('../dist/cli/itemtrail.js', import.meta.url))

/** An archive, the same with a derived copy, and how many days it has. */
interface Archives {
  readonly plain: string
  readonly compacted: string
  readonly days: number
}

/** What is asked, and of which of the two. */
type Question = readonly [name: string, of: 'plain' | 'compacted', args: (days: number) => readonly string[]]

/** Noon of the last day. */
const lateIn = (days: number) => instantOf(days - 0.5)
const instantOf = (day: number) => new Date(SYNTHETIC_BEGIN_US / 1000 + Math.floor(day * 86_400_000)).toISOString()

const KEY = syntheticId(7)

const QUESTIONS: readonly Question[] = [
  ['status', 'plain', () => ['status']],
  ['history', 'plain', () => ['history', 'Orders', KEY]],
  ['history, compacted', 'compacted', () => ['history', 'Orders', KEY]],
  ['as-of of an item', 'plain', days => ['as-of', 'Orders', KEY, lateIn(days)]],
  ['as-of TABLE', 'plain', days => ['as-of', 'Orders', lateIn(days), '--format', 'ndjson']],
  ['as-of TABLE, compacted', 'compacted', days => ['as-of', 'Orders', lateIn(days), '--format', 'ndjson']],
  [
    'diff of the table',
    'plain',
    days => ['diff', 'Orders', '--from', instantOf(days * 0.66), '--to', lateIn(days), '--format', 'ndjson'],
  ],
  ['query attribute-catalogue', 'plain', () => ['query', 'attribute-catalogue', 'Orders']],
  ['query changes-by-actor', 'plain', () => ['query', 'changes-by-actor', 'Orders', 'user-7@ops.example']],
  ['verify continuity', 'plain', () => ['verify', 'continuity', 'Orders']],
  ['verify continuity, compacted', 'compacted', () => ['verify', 'continuity', 'Orders']],
  ['verify rows', 'plain', () => ['verify', 'rows', 'Orders']],
]

/** Makes both archives, compacts a copy of each, and asks each question of few days and of many in turn. */
export async function measureDays(size: DaysSize, note: (text: string) => void): Promise<SuiteResult> {
  if (!existsSync(CLI)) throw new Error(`${CLI} is not there: npm run build makes it`)
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-days-'))
  try {
    const [few, many] = [
      await makeArchives(folder, size, size.days[0], note),
      await makeArchives(folder, size, size.days[1], note),
    ]
    const findings: Finding[] = []
    // hours pass until all are measured: whoever ends it then has seen these
    const find = (finding: Finding) => {
      findings.push(finding)
      note(`${finding.what}, ${finding.against}: ${finding.figure}`)
    }
    find(findingOf('compact', size.days, [[few.compaction, many.compaction]]))
    const isWanted = (name: string) => size.rows.length === 0 || size.rows.includes(name)
    for (const [name, of, args] of QUESTIONS.filter(([name]) => isWanted(name))) {
      note(name)
      const ask = (archives: Archives) =>
        runProgram(CLI, [...args(archives.days), '--archive', archives[of]], { exits: [0, 1] })
      const pairs: Pair[] = []
      for (let round = 0; round < size.rounds; round++) {
        const [first, second] = round % 2 === 0 ? [few, many] : [many, few]
        const costs = [await ask(first), await ask(second)] as const
        pairs.push(first === few ? costs : [costs[1], costs[0]])
      }
      find(findingOf(name, size.days, pairs))
    }
    const leftOut = QUESTIONS.flatMap(([name]) => (isWanted(name) ? [] : [`${name}: not asked for`]))
    return { findings, remarks: remarksOf(size), leftOut }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of few days and of many. */
type Pair = readonly [few: ProgramCost, many: ProgramCost]

async function makeArchives(
  folder: string,
  size: DaysSize,
  days: number,
  note: (text: string) => void,
): Promise<Archives & { readonly compaction: ProgramCost }> {
  const [plain, compacted] = [join(folder, `plain-${days}`), join(folder, `compacted-${days}`)] as const
  note(`making ${size.items * size.versions} rows in ${days} days`)
  await makeSyntheticArchive(plain, { ...size, days })
  linkArchive(plain, compacted)
  note('compacting')
  return { plain, compacted, days, compaction: await runProgram(CLI, ['compact', 'Orders', '--archive', compacted]) }
}

function findingOf(name: string, [few, many]: DaysSize['days'], pairs: readonly Pair[]): Finding {
  const seconds = (costs: readonly ProgramCost[]) =>
    `${(spreadOf(costs.map(({ cpuMs }) => cpuMs)).median / 1000).toFixed(2)} s`
  const peak = (costs: readonly ProgramCost[]) => `${Math.max(...costs.map(({ peakMb }) => peakMb)).toFixed(0)} MB`
  const [ofFew, ofMany] = [pairs.map(([cost]) => cost), pairs.map(([, cost]) => cost)]
  return {
    what: `${name}, ${many} days: CPU`,
    against: `${few} days: ${seconds(ofFew)}, peak memory ${peak(ofFew)}`,
    figure: `${seconds(ofMany)}, ratio ${showSpread(spreadOf(pairs.map(([a, b]) => b.cpuMs / a.cpuMs)))}; ${peak(ofMany)}`,
  }
}

function remarksOf({ items, versions, days, objectsPerDay, rounds }: DaysSize): readonly string[] {
  return [
    `${(items * versions).toLocaleString('en-US')} rows of ${items.toLocaleString('en-US')} items, ${objectsPerDay} objects a day, so ${days[1] / days[0]} times as many objects; whole processes, their start included, ${rounds} pairs.`,
    'BENCH_ITEMS=1000000 makes it five million rows, and BENCH_DAYS two other numbers of days.',
    `Other work beside: a load of ${loadavg()[0]?.toFixed(1)} at the end.`,
  ]
}
