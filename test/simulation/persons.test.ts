import { describe, expect, it } from 'vitest'
import { runScenario } from '../../simulation/run.js'
import { type Scenario, scenarioOf } from '../../simulation/scenario.js'

const HOURS = { fromMs: 0, toMs: 72_000_000 }
const LOAD = { items: 6, perHour: 12, bursts: 0.3, oversize: 0.02, persons: 3 }

/** Persons in an archive on AWS that is compacted, too. */
const WORLD: Scenario = {
  ...scenarioOf(1, 20),
  path: 'aws',
  capture: 'streams',
  isSealed: false,
  lock: undefined,
  isOperated: true,
  hasBaselines: false,
  isRestored: false,
  isReadAtLast: false,
  isCompacted: true,
  load: LOAD,
}

describe('a world with values of persons', () => {
  it('erases them while keys are lost, KMS fails and processes die: what is left is told, and nobody else loses', async () => {
    const faults = [
      { ...HOURS, kind: 'keys-lost', rate: 0.5 },
      { ...HOURS, kind: 'kms-refuses', rate: 0.2 },
      { ...HOURS, kind: 'table-throttled', rate: 0.2 },
      { ...HOURS, kind: 'table-unheard', rate: 0.2 },
      { ...HOURS, kind: 'function-killed', rate: 0.02 },
    ] as const
    const first = await runScenario({ ...WORLD, faults }, true)
    expect(first.problems).toEqual([])
    expect([...first.struck.keys()].sort()).toEqual(faults.map(({ kind }) => kind).sort())
    const told = first.story.join('\n')
    for (const act of [/erase person-\d erased/, /renew gives/, /adopt keys-2, after [1-9]/, /cannot seal/])
      expect(told).toMatch(act)
    // keys are drawn from the seed like everything else
    expect((await runScenario({ ...WORLD, faults })).digest).toBe(first.digest)
  })

  it('has other values sealed by a deployment: each row is sealed as its configuration says, and the copy goes on', async () => {
    const faults = [
      { ...HOURS, kind: 'taken-twice', rate: 0.3 },
      { ...HOURS, kind: 'transform-times-out', rate: 0.2 },
      { ...HOURS, kind: 'compacted-twice', rate: 0.8 },
    ] as const
    const scenario = { ...WORLD, isRedeployed: true, faults }
    const outcome = await runScenario(scenario, true)
    expect(outcome.problems).toEqual([])
    const erasable = outcome.story.flatMap(line => /deployment: has erasable (.*)/.exec(line)?.[1] ?? [])
    expect(new Set(erasable).size).toBeGreaterThan(1)
    const told = outcome.story.join('\n')
    for (const act of [/erase person-\d erased/, /published \{/]) expect(told).toMatch(act)
    expect((await runScenario(scenario)).digest).toBe(outcome.digest)
  })

  it('compacts what comes late, twice at once and with statements that fail: every answer is the archive’s own', async () => {
    const faults = [
      { ...HOURS, kind: 'compacted-twice', rate: 0.8 },
      { ...HOURS, kind: 'athena-fails', rate: 0.1 },
      { ...HOURS, kind: 'athena-slow', rate: 0.2 },
      { ...HOURS, kind: 'transform-fails', rate: 0.7 },
    ] as const
    const outcome = await runScenario({ ...WORLD, faults }, true)
    expect(outcome.problems).toEqual([])
    const published = outcome.story.filter(line => line.includes('published {'))
    for (const kind of ['"run"', '"answer"', '"checkpoint"'])
      expect(
        published.some(line => line.includes(kind)),
        kind,
      ).toBe(true)
    expect([...outcome.struck.keys()].sort()).toEqual(faults.map(({ kind }) => kind).sort())
    expect((await runScenario({ ...WORLD, faults })).digest).toBe(outcome.digest)
  })
})
