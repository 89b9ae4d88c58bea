import { createHash } from 'node:crypto'
import { goingOff } from './alarms.js'
import type { FaultKind } from './faults.js'
import { type Judgement, judge } from './judge.js'
import type { Scenario } from './scenario.js'
import { type Remains, runWorld } from './world.js'

/** What became of one scenario. */
export interface Outcome extends Judgement {
  readonly scenario: Scenario
  readonly struck: ReadonlyMap<FaultKind, number>
  /** How much happened in it: what a service or a process of ours did, or waited for. */
  readonly events: number
  /** The same for each run of the scenario. */
  readonly digest: string
  /** What happened, in order; empty unless it was asked for. */
  readonly story: readonly string[]
}

/** Runs a world and judges what is left of it. What it throws is a problem of its own. */
export async function runScenario(scenario: Scenario, isTold = false): Promise<Outcome> {
  const remains = await runWorld(scenario, isTold)
  const { world } = remains
  const judgement = judged(remains)
  if (isTold)
    for (const { name, atMs, why } of goingOff(world.metrics, scenario))
      world.story.recall(atMs, `alarm ${name}`, `goes off, ${why}`)
  for (const problem of judgement.problems) world.story.tell('judge', problem)
  return {
    ...judgement,
    scenario,
    struck: world.faults.struck,
    events: world.scheduler.events,
    digest: digestOf(remains),
    story: world.story.lines,
  }
}

/** Over all that was told, all that happened in its order, and all that is left. */
function digestOf({ world, table, rows, refused, givenUp, facts }: Remains): string {
  const { events, trace } = world.scheduler
  const left = [rows, refused, givenUp, facts].flat().map(([key, bytes]) => [withoutUuid(key), sha256(bytes)].join(' '))
  return sha256(JSON.stringify([world.story.digest(), events, trace, table.versions, left.sort()]))
}

/** A desk names its objects as Firehose does, each by a UUID of its own. */
function withoutUuid(key: string): string {
  return key.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '#')
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** A problem without its names and numbers: what two runs have in common that fail for one reason. */
export function kindOf(problem: string): string {
  return problem.replace(/\S*\d\S*/g, '#')
}

/**
 * Of a story that was told, what concerns the version, the object or whatever the first problem names, with what was
 * around it; at its end the last that was seen of it, and what whoever had it did next. Where it names an alarm, or
 * nothing that the story knows: what went wrong before, the last of each kind.
 */
export function storyOf({ problems: [problem], story }: Outcome): readonly string[] {
  if (problem === undefined) return []
  const happened = story.filter(line => whoOf(line) !== 'judge')
  const subject = SUBJECTS.map(pattern => pattern.exec(problem)?.[0]).find(
    found => found !== undefined && happened.some(isAbout(found)),
  )
  const concerned = subject === undefined ? [] : indexesOf(story, isAbout(subject))
  const near = concerned.flatMap(i => [i - 2, i - 1, i, i + 1, i + 2])
  const isTraced = subject !== undefined && !subject.startsWith(ALARM)
  const before = isTraced ? [] : wentWrong(story.slice(0, concerned[0]))
  const told = new Set([...near, ...before])
  return [...story.filter((_, i) => told.has(i)), ...(isTraced ? endOf(subject, concerned, story) : [])]
}

function indexesOf(story: readonly string[], isWanted: (line: string) => boolean): readonly number[] {
  return story.flatMap((line, i) => (isWanted(line) ? [i] : []))
}

/** True of a line with this name, and not only with a longer one: ORD-1 is not ORD-11. */
function isAbout(subject: string): (line: string) => boolean {
  const name = new RegExp(`${subject.replaceAll(/[^\w\s]/g, '\\$&')}(?!\\d)`)
  return line => name.test(line)
}

const WRONG =
  /\b(fail(s|ed|ure)?|dies|killed|drops|loses|skips|refuses|cannot|forgotten|gives up|turns away|too large|not accepted|passed over|stranger|finds that|used by no sealing)\b/

/** Where faults struck, columns changed, and something went wrong: the last of each kind. */
function wentWrong(story: readonly string[]): readonly number[] {
  const wrong = indexesOf(story, line => {
    const who = whoOf(line)
    return who === 'fault' || who === 'deployment' || (who !== 'judge' && WRONG.test(line))
  })
  // however many it names
  const kind = (line: string) => kindOf(line).replaceAll(/(# )+/g, '')
  return [...new Map(wrong.map(i => [kind(story[i] as string), i])).values()]
}

function endOf(subject: string, concerned: readonly number[], story: readonly string[]): readonly string[] {
  const last = concerned.findLast(i => whoOf(story[i]) !== 'judge')
  if (last === undefined) return []
  const rest = story.slice(last + 1)
  const next = whoOf(story[last]) === 'table' ? untaken(rest) : afterwards(story[last] as string, rest)
  return [`last seen of ${subject}: ${story[last]}`, ...next.map(line => `then ${line}`)]
}

const MOST_NEXT = 4

/** What whoever had it did next, but for more of the same. */
function afterwards(last: string, rest: readonly string[]): readonly string[] {
  const [who, verb] = [whoOf(last), verbOf(last)]
  return rest.filter(line => whoOf(line) === who && verbOf(line) !== verb).slice(0, MOST_NEXT)
}

/** What others did when nobody took it from the table, and who noticed. */
function untaken(rest: readonly string[]): readonly string[] {
  const others = rest.filter(line => !['table', 'fault', 's3', 'judge'].includes(whoOf(line) as string))
  const noticed = others.filter(line => /\b(begins|gap|forgotten|gives up|drops)\b/.test(line))
  return [...new Set([...others.slice(0, MOST_NEXT), ...noticed.slice(0, MOST_NEXT)])]
}

function verbOf(line: string): string | undefined {
  return /^\S+ \S+ [^:]*: (\S+)/.exec(line)?.[1]
}

/** Whose a line is, which begins with a day and a time. */
function whoOf(line = ''): string | undefined {
  return /^\S+ \S+ ([^:]*):/.exec(line)?.[1]
}

const ALARM = 'alarm '

/** A version, an object, an item, a person; a moment, an answer of a copy, a day; an alarm. */
const SUBJECTS = [
  /(?<=version |had: )\d{19,}/,
  /\b(data|refused|facts|config|log)\/[^\s,]+/,
  /ORD-\d+/,
  /person-\d+/,
  /\d{4}-\d\d-\d\dT[\d:.]+Z/,
  /(?<=^answer )\S+/,
  /\d{4}-\d\d-\d\d/,
  /alarm [\w-]+/,
]

/** A world that cannot even be judged has a problem. */
function judged(remains: Remains): Judgement {
  try {
    return judge(remains)
  } catch (error) {
    const nothing = { versions: 0, archived: 0, kept: 0, lost: 0, alarms: [] }
    return { ...nothing, problems: [(error as Error).message] }
  }
}
