import type { FaultKind } from './faults.js'
import { type Judgement, judge } from './judge.js'
import type { Scenario } from './scenario.js'
import { type Remains, runWorld } from './world.js'

/** What became of one scenario. */
export interface Outcome extends Judgement {
  readonly scenario: Scenario
  readonly struck: ReadonlyMap<FaultKind, number>
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
    digest: world.story.digest(),
    story: world.story.lines,
  }
}

/** Of a story that was told, what concerns the version that the first problem names, with the faults around it. */
export function storyOf({ problems: [problem = ''], story }: Outcome): readonly string[] {
  const sequence = /\d{19,}/.exec(problem)?.[0]
  if (sequence === undefined) return []
  const concerned = story.flatMap((line, i) => (line.includes(sequence) ? [i] : []))
  const near = new Set(concerned.flatMap(i => [i - 2, i - 1, i, i + 1, i + 2]))
  return story.filter((_, i) => near.has(i))
}

/** A world that cannot even be judged has a problem. */
function judged(remains: Remains): Judgement {
  try {
    return judge(remains)
  } catch (error) {
    const nothing = { versions: 0, archived: 0, kept: 0, lost: 0, alarms: [] }
    return { ...nothing, problems: [(error as Error).message] }
  }
}
