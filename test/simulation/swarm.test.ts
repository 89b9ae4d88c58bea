import { describe, expect, it } from 'vitest'
import { FAULTS, type Fault, type FaultKind } from '../../simulation/faults.js'
import { PAIRS, type Scenario, scenarioOf } from '../../simulation/scenario.js'

const SCENARIOS = Array.from({ length: 2000 }, (_, i) => scenarioOf(i + 1, 24))

describe('the scenarios of many seeds', () => {
  it('have a few kinds of faults each, and some none', () => {
    const shares = [...countBy(SCENARIOS.map(scenario => String(kindsOf(scenario).length)))]
    const share = (count: number) => (new Map(shares).get(String(count)) ?? 0) / SCENARIOS.length
    expect(Math.max(...shares.map(([count]) => Number(count)))).toBeLessThanOrEqual(6)
    expect(share(0)).toBeGreaterThanOrEqual(0.1)
    expect(share(0)).toBeLessThan(0.2)
    // what most worlds have is the second fault while the first is being repaired
    expect(share(2) + share(3)).toBeGreaterThan(0.4)
  })

  it('have each kind of fault in at least one of eighty', () => {
    const seen = countBy(SCENARIOS.flatMap(kindsOf))
    for (const kind of Object.keys(FAULTS)) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(SCENARIOS.length / 80)
  })

  it('have any two faults of one way at one moment', () => {
    const met = new Set(SCENARIOS.flatMap(meetings))
    const due = PAIRS.map(({ kinds, ...way }) => `${wayOf(way)} ${[...kinds].sort().join(' ')}`)
    expect(due.length).toBeGreaterThan(900)
    expect(due.filter(pair => !met.has(pair))).toEqual([])
    // no world has two that no way has
    expect([...met].filter(pair => !due.includes(pair))).toEqual([])
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
function meetings(scenario: Scenario): readonly string[] {
  const { faults } = scenario
  const overlap = (a: Fault, b: Fault) => a.fromMs < b.toMs && b.fromMs < a.toMs
  return faults.flatMap(a =>
    faults.filter(b => a.kind < b.kind && overlap(a, b)).map(b => `${wayOf(scenario)} ${a.kind} ${b.kind}`),
  )
}

/** Which way changes take: no world has two. */
function wayOf({ path, capture }: Pick<Scenario, 'path' | 'capture'>): string {
  return `${path} ${capture}`
}
