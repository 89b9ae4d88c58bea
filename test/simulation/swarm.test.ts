import { describe, expect, it } from 'vitest'
import { FAULTS, type Fault, type FaultKind } from '../../simulation/faults.js'
import { type Scenario, scenarioOf } from '../../simulation/scenario.js'

const SCENARIOS = Array.from({ length: 4000 }, (_, i) => scenarioOf(i + 1, 24))

describe('the scenarios of many seeds', () => {
  it('have a few kinds of faults each, and some none', () => {
    const shares = [...countBy(SCENARIOS.map(scenario => String(kindsOf(scenario).length)))]
    const share = (count: number) => (new Map(shares).get(String(count)) ?? 0) / SCENARIOS.length
    expect(Math.max(...shares.map(([count]) => Number(count)))).toBeLessThanOrEqual(6)
    expect(share(0)).toBeGreaterThan(0.1)
    expect(share(0)).toBeLessThan(0.2)
    // what most worlds have is the second fault while the first is being repaired
    expect(share(2) + share(3)).toBeGreaterThan(0.4)
  })

  it('have each kind of fault in at least one of fifty', () => {
    const seen = countBy(SCENARIOS.flatMap(kindsOf))
    for (const kind of Object.keys(FAULTS)) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(SCENARIOS.length / 50)
  })

  it('have any two faults of one path at one moment, in some of them', () => {
    const met = new Set(SCENARIOS.flatMap(meetings))
    expect(possiblePairs().filter(pair => !met.has(pair))).toEqual([])
  })
})

function kindsOf({ faults }: Pick<Scenario, 'faults'>): readonly FaultKind[] {
  return [...new Set(faults.map(({ kind }) => kind))]
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** The pairs of faults that a scenario has at one moment, the path before them. */
function meetings({ path, faults }: Scenario): readonly string[] {
  const overlap = (a: Fault, b: Fault) => a.fromMs < b.toMs && b.fromMs < a.toMs
  return faults.flatMap(a =>
    faults.filter(b => a.kind < b.kind && overlap(a, b)).map(b => `${path} ${a.kind} ${b.kind}`),
  )
}

/** All pairs of the kinds that are seen on one path at all. */
function possiblePairs(): readonly string[] {
  return (['aws', 'desk'] as const).flatMap(path => {
    const kinds = [...new Set(SCENARIOS.filter(scenario => scenario.path === path).flatMap(kindsOf))].sort()
    return kinds.flatMap(a => kinds.filter(b => a < b).map(b => `${path} ${a} ${b}`))
  })
}
