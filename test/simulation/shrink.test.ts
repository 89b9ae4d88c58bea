import { describe, expect, it } from 'vitest'
import { type Scenario, scenarioOf } from '../../simulation/scenario.js'
import { shrink } from '../../simulation/shrink.js'

/** A world that fails where two faults meet while two of its writes are made. */
const FAULTS = [
  { kind: 'put-hangs', fromMs: 0, toMs: 86_400_000, rate: 0.2 },
  { kind: 's3-slow', fromMs: 0, toMs: 86_400_000, rate: 0.2 },
  { kind: 'shard-splits', fromMs: 7_200_000, toMs: 43_200_000, rate: 1 },
  { kind: 'function-killed', fromMs: 0, toMs: 3_600_000, rate: 0.01 },
] as const
const LARGE: Scenario = {
  ...scenarioOf(1, 24),
  path: 'aws',
  isSealed: true,
  batchSize: 100,
  load: { items: 40, perHour: 30, bursts: 0.5, oversize: 0.05 },
  faults: FAULTS,
}

function fails({ faults, load: { only } }: Scenario): boolean {
  const strikes = (kind: string, atMs: number) =>
    faults.some(fault => fault.kind === kind && fault.fromMs <= atMs && atMs < fault.toMs)
  const isMade = (place: number) => only === undefined || only.includes(place)
  return strikes('put-hangs', 50_000_000) && strikes('shard-splits', 10_000_000) && isMade(3) && isMade(41)
}

describe('a failing scenario', () => {
  it('is made as small as it gets and still fails, the same each time', async () => {
    const versionsOf = async (scenario: Scenario) => (fails(scenario) ? 60 : undefined)
    const least = await shrink(LARGE, versionsOf)
    expect(least).toMatchObject({ seed: 1, hours: 1, batchSize: 1, isSealed: false })
    expect(least.load).toEqual({ items: 1, perHour: 1, bursts: 0, oversize: 0, only: [3, 41] })
    expect(least.faults.map(({ kind }) => kind)).toEqual(['put-hangs', 'shard-splits'])
    for (const { fromMs, toMs } of least.faults) expect(toMs - fromMs).toBeLessThan(200_000)
    expect(await shrink(LARGE, versionsOf)).toEqual(least)
  })

  it('stays as it is where it does not fail', async () => {
    expect(await shrink(LARGE, async () => undefined)).toBe(LARGE)
  })

  it('is run no more often than it may be', async () => {
    let runs = 0
    await shrink(LARGE, async () => ++runs, 5)
    expect(runs).toBe(5)
  })
})
