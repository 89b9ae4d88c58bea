import { describe, expect, it } from 'vitest'
import { runScenario } from '../../simulation/run.js'
import { type Scenario, scenarioOf } from '../../simulation/scenario.js'

describe('a world', () => {
  it.each([1, 2, 3, 4, 5])('has one story for its seed, byte for byte (seed %i)', async seed => {
    const [first, second] = [await runScenario(scenarioOf(seed, 12)), await runScenario(scenarioOf(seed, 12), true)]
    expect(second.digest).toBe(first.digest)
    expect(second.alarms).toEqual(first.alarms)
    const third = await runScenario(scenarioOf(seed, 12), true)
    expect(third.story).toEqual(second.story)
  })

  it('kills a tail on a desk again and again, and every version is there once', async () => {
    const fault = { kind: 'function-killed', fromMs: 0, toMs: 86_400_000, rate: 0.05 } as const
    const world = { ...scenarioOf(1, 24), path: 'desk', isIngested: false, isSealed: false } as const
    const outcome = await runScenario({ ...world, faults: [fault] })
    expect(outcome.struck.get('function-killed')).toBeGreaterThan(10)
    expect(outcome.versions).toBeGreaterThan(10)
    expect(outcome).toMatchObject({ problems: [], archived: outcome.versions, kept: 0, lost: 0 })
  })

  it('locks each version of an object, or an alarm tells of it', async () => {
    const quiet = { items: 3, perHour: 1, bursts: 0, oversize: 0 }
    const lock = { mode: 'COMPLIANCE', days: 30 } as const
    const world = { ...scenarioOf(1, 28), path: 'aws', isSealed: false, load: quiet, lock } as const
    const unheard = { kind: 'queue-refuses', fromMs: 0, toMs: 27 * 3_600_000, rate: 1 } as const
    expect(await runScenario({ ...world, faults: [unheard] })).toMatchObject({
      problems: [],
      alarms: ['lock-event-lost'],
    })
    const twice = (['event-twice', 'message-twice'] as const).map(kind => ({ ...unheard, kind, rate: 0.5 }))
    expect(await runScenario({ ...world, faults: twice })).toMatchObject({ problems: [], alarms: [] })
  })

  it('by Kinesis archives each change once, though they come twice, late and of one time', async () => {
    const kinds = ['same-tick', 'replication-slow', 'replication-twice', 'kinesis-throttles'] as const
    const faults = kinds.map(kind => ({ kind, fromMs: 0, toMs: 43_200_000, rate: 0.3 }))
    const load = { items: 2, perHour: 10, bursts: 0.5, oversize: 0.02 }
    const world = openWorld(3, 12, 'kinesis')
    const outcome = await runScenario({ ...world, load, faults })
    expect([...outcome.struck.keys()].sort()).toEqual([...kinds].sort())
    expect(outcome.problems).toEqual([])
    // what is larger than a record of Kinesis is skipped for good
    expect(outcome.lost).toBeGreaterThan(0)
    expect(outcome.archived + outcome.lost).toBe(outcome.versions)
    expect(outcome.alarms).toContain('change-skipped')
  })

  it('sends again what was refused, while faults go on, and all of it is archived at last', async () => {
    const fault = { kind: 'transform-fails', fromMs: 0, toMs: 28_800_000, rate: 0.8 } as const
    const faults = [
      fault,
      { ...fault, kind: 'put-partial', rate: 0.5 },
      { ...fault, kind: 's3-refuses', rate: 0.2 },
    ] as const
    const load = { items: 5, perHour: 10, bursts: 0.5, oversize: 0 }
    const world = openWorld(1, 12, 'streams')
    const refused = await runScenario({ ...world, isOperated: false, load, faults })
    expect(refused.archived).toBeLessThan(refused.versions)
    const sentAgain = await runScenario({ ...world, isOperated: true, load, faults })
    expect(sentAgain).toMatchObject({ problems: [], archived: sentAgain.versions, lost: 0 })
    expect(sentAgain.kept).toBeGreaterThan(10)
  })

  it('is reconciled at rest: exactly the items are found whose last version is lost', async () => {
    const load = { items: 12, perHour: 6, bursts: 0.5, oversize: 0.2 }
    const world = openWorld(3, 12, 'kinesis')
    const outcome = await runScenario({ ...world, precision: 'MICROSECOND', isReadAtLast: true, load, faults: [] })
    expect(outcome.problems).toEqual([])
    expect(outcome.lost).toBeGreaterThan(5)
  })

  it('is compared with the live table while both go on: nothing is said of it that cannot be so', async () => {
    const hours = { fromMs: 0, toMs: 120_000_000 }
    const faults = [
      { ...hours, kind: 'table-throttled', rate: 0.2 },
      { ...hours, kind: 'transform-fails', rate: 0.5 },
      { ...hours, kind: 'function-killed', rate: 0.01 },
      { ...hours, kind: 'clock-behind', rate: 0.5 },
    ] as const
    const load = { items: 10, perHour: 30, bursts: 0.5, oversize: 0 }
    const operated = { isOperated: true, hasBaselines: true, isReconciled: true, isRestored: false } as const
    const parts = { ...operated, isCompacted: false, isReadAtLast: false }
    const world = { ...openWorld(4, 24, 'streams'), ...parts, load, faults }
    const first = await runScenario(world, true)
    expect(first.problems).toEqual([])
    const told = first.story.filter(line => line.includes('operator: reconcile')).join('\n')
    for (const said of [/ different/, / missing-in-/]) expect(told).toMatch(said)
    expect((await runScenario(world)).digest).toBe(first.digest)
  })

  it('takes baselines of a table that is written to: what a complete one says was so', async () => {
    const hours = { fromMs: 0, toMs: 216_000_000 }
    const faults = [
      { ...hours, kind: 'table-throttled', rate: 0.4 },
      { ...hours, kind: 'function-killed', rate: 0.02 },
      { ...hours, kind: 'transform-fails', toMs: 43_200_000, rate: 0.6 },
    ] as const
    const load = { items: 15, perHour: 10, bursts: 0.5, oversize: 0 }
    const operated = { isOperated: true, hasBaselines: true, isReadAtLast: true } as const
    const world = openWorld(3, 20, 'streams')
    const outcome = await runScenario({ ...world, ...operated, load, faults }, true)
    expect(outcome.problems).toEqual([])
    const ended = outcome.story.filter(line => line.includes('operator: baseline'))
    expect(ended.some(line => line.endsWith('is complete: true'))).toBe(true)
    expect(ended.some(line => line.endsWith('was killed'))).toBe(true)
  })

  it('is restored while others write: nothing is overwritten that is not told', async () => {
    const hours = { fromMs: 0, toMs: 72_000_000 }
    const faults = [
      { ...hours, kind: 'table-unheard', rate: 0.3 },
      { ...hours, kind: 'function-killed', rate: 0.02 },
    ] as const
    const load = { items: 10, perHour: 30, bursts: 0.5, oversize: 0 }
    const parts = { isOperated: false, isRestored: true, isReadAtLast: false } as const
    const world = openWorld(1, 20, 'streams')
    const first = await runScenario({ ...world, ...parts, load, faults }, true)
    expect(first.problems).toEqual([])
    expect(first.story.some(line => /restorer: restore .*[1-9]\d* done/.test(line))).toBe(true)
    expect((await runScenario({ ...world, ...parts, load, faults })).digest).toBe(first.digest)
  })

  it('is brought files, twice and two at once, by what is killed: every version is there once', async () => {
    const hours = { fromMs: 0, toMs: 216_000_000 }
    const faults = [
      { ...hours, kind: 'function-killed', rate: 0.15 },
      { ...hours, kind: 'clock-jumps', rate: 0.1 },
    ] as const
    const load = { items: 10, perHour: 10, bursts: 0.5, oversize: 0 }
    const world = { ...scenarioOf(1, 12), path: 'desk', isIngested: true, isRestored: false, load, faults } as const
    const outcome = await runScenario(world, true)
    expect(outcome).toMatchObject({ problems: [], archived: outcome.versions, kept: 0, lost: 0 })
    expect(outcome.struck.get('function-killed')).toBeGreaterThan(10)
    expect(outcome.story.some(line => / has all of .* [1-9]\d* rows$/.test(line))).toBe(true)
    expect((await runScenario(world)).digest).toBe(outcome.digest)
  })

  it('has other columns while both versions run: rows hold what their configuration gives', async () => {
    const load = { items: 10, perHour: 30, bursts: 0.5, oversize: 0 }
    const deployed = { isOperated: true, hasBaselines: true, isRestored: false, isReadAtLast: false } as const
    const world = { ...openWorld(5, 20, 'streams'), ...deployed, isRedeployed: true, load, faults: [] }
    const { problems, story } = await runScenario(world, true)
    expect(problems).toEqual([])
    expect(new Set(story.filter(line => line.includes('has columns'))).size).toBeGreaterThan(1)
    expect(story.some(line => line.includes('keeps archive/config/'))).toBe(true)
  })

  it('tells of a stranger who signs, and of hours in which nothing is sealed, and of nothing else', async () => {
    const quiet = { items: 3, perHour: 2, bursts: 0, oversize: 0 }
    const world = { ...openWorld(1, 12, 'streams'), isSealed: true, isReadAtLast: false, load: quiet } as const
    const parts = { isOperated: false, hasBaselines: false, isRestored: false } as const
    const misused = { kind: 'key-misused', fromMs: 18_000_000, toMs: 19_000_000, rate: 1 } as const
    const stranger = await runScenario({ ...world, ...parts, faults: [misused] }, true)
    expect(stranger).toMatchObject({ problems: [], alarms: ['key-used'] })
    expect(stranger.story.join('\n')).toMatch(
      /kms: signs for a stranger[\s\S]*alarm key-used: goes off, \w+ is 1, above 0/,
    )
    const asleep = { kind: 'function-throttled', fromMs: 10_000_000, toMs: 32_000_000, rate: 1 } as const
    const { problems, alarms } = await runScenario({ ...world, ...parts, faults: [asleep] })
    expect(problems).toEqual([])
    expect(alarms).toContain('seal-late')
  })

  it('has another story for another seed', async () => {
    const digests = await Promise.all([1, 2].map(async seed => (await runScenario(scenarioOf(seed, 12))).digest))
    expect(new Set(digests).size).toBe(2)
  })

  it('without a fault archives every version, once, and no alarm goes off', async () => {
    const load = { items: 10, perHour: 30, bursts: 0.1, oversize: 0 }
    const world = { ...scenarioOf(9, 24), path: 'aws', capture: 'streams', isRestored: false } as const
    const outcome = await runScenario({ ...world, load, faults: [] })
    expect(outcome.versions).toBeGreaterThan(10)
    expect(outcome).toMatchObject({ problems: [], archived: outcome.versions, lost: 0 })
    expect(outcome.alarms.filter(name => name !== 'record-oversize')).toEqual([])
  })
})

/** On AWS, neither sealed nor locked; all else is as its seed has it. */
function openWorld(seed: number, hours: number, capture: Scenario['capture']): Scenario {
  return { ...scenarioOf(seed, hours), path: 'aws', capture, isSealed: false, lock: undefined }
}
