import { describe, expect, it } from 'vitest'
import type { Kept } from '../../simulation/kept.js'
import type { Scenario } from '../../simulation/scenario.js'
import { keep, keptOf, type Planted, type Simulator, type Told, tellOf, withBug } from './plant.js'
import { PLANTED } from './planted.js'

/** A bug that takes more seeds than these is as good as not found. */
const MOST_SEEDS = 2000
const MOST_VARIANTS = 50
const HOURS = 24
/** To search for one takes as long as all that are kept take together. */
const MOST_STALE = 3

/**
 * `ITEMTRAIL_PLANTED=keep` keeps the smallest scenario that finds a bug of which none is kept that does: of each, where
 * the files of `kept/` are removed before.
 */
const keeps = process.env.ITEMTRAIL_PLANTED === 'keep'

/** Bugs that no scenario which is kept finds: another world may, after a search. */
const stale: string[] = []

describe('the simulator', () => {
  it.each(PLANTED)('finds that $name, and tells why', { timeout: keeps ? 3_600_000 : 120_000 }, async planted => {
    const told = await withBug(planted, simulator => find(simulator, planted))
    expect(told?.text ?? 'no seed finds it').toMatch(planted.cause)
  })

  // it draws otherwise as soon as the product makes one call more
  it('finds all but a few of them in the very world that is kept of each', () => {
    expect(stale.length, `to be kept anew, with ITEMTRAIL_PLANTED=keep: ${stale.join('; ')}`).toBeLessThanOrEqual(
      MOST_STALE,
    )
  })
})

/** What is told by the scenario that is kept, or else by the first one that finds the bug and tells of its cause. */
async function find(simulator: Simulator, planted: Planted): Promise<Told | undefined> {
  const kept = keptOf(planted)
  let last = kept && (await tellOf(simulator, kept.scenario))
  if (last !== undefined && planted.cause.test(last.text)) return last
  if (!keeps) {
    stale.push(planted.name)
    console.warn(`STALE: nothing that is kept finds that ${planted.name}`)
  }
  for (const scenario of scenarios(simulator, planted, kept)) {
    // a story takes longer than the run that it is of
    if ((await simulator.runScenario(scenario)).problems.length === 0) continue
    const told = await tellOf(simulator, scenario)
    last = told ?? last
    if (told === undefined || !planted.cause.test(told.text)) continue
    console.log(`${JSON.stringify(scenario)} finds that ${planted.name}`)
    if (keeps) await keep(simulator, planted, scenario, told)
    return told
  }
  return last
}

/** The one that is kept with other seeds, because a world that was changed draws otherwise; then all seeds. */
function* scenarios(
  { scenarioOf }: Simulator,
  { worlds = () => true }: Planted,
  kept: Kept | undefined,
): Generator<Scenario> {
  if (kept !== undefined) {
    const { only: _, ...load } = kept.scenario.load
    for (let seed = 1; seed <= MOST_VARIANTS; seed++) yield { ...kept.scenario, load, seed }
  }
  for (let seed = 1; seed <= MOST_SEEDS; seed++) {
    const scenario = scenarioOf(seed, HOURS)
    if (worlds(scenario)) yield scenario
  }
}
