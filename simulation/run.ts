import { createHash } from 'node:crypto'
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
 * Of a story that was told, what concerns the version, the object or the item that the first problem names, with the
 * faults around it; at its end the last that was seen of it, and what whoever had it did next.
 */
export function storyOf({ problems: [problem = ''], story }: Outcome): readonly string[] {
  const subject = SUBJECTS.map(pattern => pattern.exec(problem)?.[0]).find(found => found !== undefined)
  if (subject === undefined) return []
  const concerned = story.flatMap((line, i) => (line.includes(subject) ? [i] : []))
  const near = new Set(concerned.flatMap(i => [i - 2, i - 1, i, i + 1, i + 2]))
  return [...story.filter((_, i) => near.has(i)), ...endOf(subject, concerned, story)]
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

/** A version, an object, an item. */
const SUBJECTS = [/\d{19,}/, /\b(data|refused|facts|config|log)\/\S+/, /ORD-\d+/, /person-\d+/]

/** A world that cannot even be judged has a problem. */
function judged(remains: Remains): Judgement {
  try {
    return judge(remains)
  } catch (error) {
    const nothing = { versions: 0, archived: 0, kept: 0, lost: 0, alarms: [] }
    return { ...nothing, problems: [(error as Error).message] }
  }
}
