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
    digest: world.story.digest(),
    story: world.story.lines,
  }
}

/** A problem without its names and numbers: what two runs have in common that fail for one reason. */
export function kindOf(problem: string): string {
  return problem.replace(/\S*\d\S*/g, '#')
}

/**
 * Of a story that was told, what concerns the version, the object or the item that the first problem names, with the
 * faults around it; at its end the last that was seen of it.
 */
export function storyOf({ problems: [problem = ''], story }: Outcome): readonly string[] {
  const subject = SUBJECTS.map(pattern => pattern.exec(problem)?.[0]).find(found => found !== undefined)
  if (subject === undefined) return []
  const concerned = story.flatMap((line, i) => (line.includes(subject) ? [i] : []))
  const near = new Set(concerned.flatMap(i => [i - 2, i - 1, i, i + 1, i + 2]))
  const last = concerned.map(i => story[i] as string).findLast(line => !line.includes(' judge: '))
  return [...story.filter((_, i) => near.has(i)), ...(last === undefined ? [] : [`last seen of ${subject}: ${last}`])]
}

/** A version, an object, an item. */
const SUBJECTS = [/\d{19,}/, /\b(data|refused|facts|config|log)\/\S+/, /ORD-\d+/]

/** A world that cannot even be judged has a problem. */
function judged(remains: Remains): Judgement {
  try {
    return judge(remains)
  } catch (error) {
    const nothing = { versions: 0, archived: 0, kept: 0, lost: 0, alarms: [] }
    return { ...nothing, problems: [(error as Error).message] }
  }
}
