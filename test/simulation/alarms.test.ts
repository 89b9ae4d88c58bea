import { describe, expect, it } from 'vitest'
import { isOn, PERIODS, spansOf } from '../../simulation/alarms.js'
import { Faults } from '../../simulation/faults.js'
import { untold } from '../../simulation/judge-losses.js'
import { identityOf } from '../../simulation/judge-versions.js'
import type { Loss } from '../../simulation/losses.js'
import { Metrics } from '../../simulation/metrics.js'
import { RAISED_BY } from '../../simulation/raised-by.js'
import { scenarioOf } from '../../simulation/scenario.js'
import type { Version } from '../../simulation/table.js'
import { DAY_MS, HOUR_MS, START_MS } from '../../simulation/times.js'
import type { Remains } from '../../simulation/world.js'

const MINUTE_MS = 60_000
const SCENARIO = { ...scenarioOf(1, 48), path: 'aws', capture: 'streams', isSealed: false } as const

/** A world in which nothing happens but what is measured, and what strikes, each so long after its beginning. */
function createWorld() {
  let now = START_MS
  const paused = { kind: 'mapping-pauses', fromMs: 0, toMs: 2 * DAY_MS, rate: 1 } as const
  const dice = { fork: () => ({ chance: () => true }) } as unknown as ConstructorParameters<typeof Faults>[1]
  const metrics = new Metrics(() => now)
  const faults = new Faults(
    [paused],
    dice,
    () => now,
    START_MS,
    () => {},
  )
  const at = (ms: number, happen: () => void) => {
    now = START_MS + ms
    happen()
  }
  return {
    measure: (ms: number, name: string, value = 1) => at(ms, () => metrics.put(name, value)),
    pause: (ms: number) => at(ms, () => faults.strike('mapping-pauses')),
    metrics,
    faults,
  }
}

type Simulated = ReturnType<typeof createWorld>

/** What is said of a version that was made so long after the beginning, and what became of it. */
function saidOf({ metrics, faults }: Simulated, madeMs: number, ...losses: readonly Omit<Loss, 'texts'>[]) {
  const [sequence, item] = ['4421', 'ORD-1']
  const version: Version = { sequence, item, timeUs: (START_MS + madeMs) * 1000, before: null, after: '{}' }
  const texts = [JSON.stringify({ dynamodb: { SequenceNumber: sequence } })]
  const shifted = losses.map(({ kind, takenMs, lostMs }) => ({
    kind,
    texts,
    takenMs: START_MS + takenMs,
    lostMs: START_MS + lostMs,
  }))
  const remains = { world: { metrics, faults, losses: shifted }, scenario: SCENARIO, beganMs: START_MS }
  return untold(remains as unknown as Remains, [version], identityOf(SCENARIO), [], spansOf(metrics, SCENARIO))
}

const DROPPED = 'Lambda mapping DroppedEventCount'
const AGE = 'Lambda forwarder IteratorAge'
const WRITTEN = 'DynamoDB ConsumedWriteCapacityUnits'
const POLLED = 'Lambda mapping PolledEventCount'

describe('an alarm of a world', () => {
  it('has reasons, and each alarm that has is watched', () => {
    expect(Object.keys(RAISED_BY).sort()).toEqual([...PERIODS.keys()].sort())
  })

  it('is on from the end of the minute at which it goes off until too few of the last ones are over', () => {
    const world = createWorld()
    world.measure(10 * MINUTE_MS + 1, DROPPED)
    // in two hours that follow each other something was written and nothing read
    for (const hour of [2, 3]) world.measure(hour * HOUR_MS, WRITTEN)
    const spans = spansOf(world.metrics, SCENARIO)
    const ms = (name: string) => spans.get(name)?.map(({ fromMs, toMs }) => [fromMs - START_MS, toMs - START_MS])
    expect(ms('records-dropped')).toEqual([[11 * MINUTE_MS, 12 * MINUTE_MS]])
    expect(ms('stream-unread')).toEqual([[4 * HOUR_MS, 27 * HOUR_MS]])
    expect(isOn(spans, ['records-dropped'], START_MS + 12 * MINUTE_MS, START_MS + DAY_MS)).toBe(false)
  })
})

describe('a version that is lost', () => {
  const silent = [expect.stringMatching(/^version 4421 of ORD-1 is neither archived nor kept, and no alarm/)]

  it('is told by an alarm of its own loss, and by none of another, before or after', () => {
    const dropped = { kind: 'dropped', takenMs: HOUR_MS, lostMs: 25 * HOUR_MS } as const
    const world = createWorld()
    for (const hour of [24, 26]) world.measure(hour * HOUR_MS, DROPPED)
    expect(saidOf(world, HOUR_MS, dropped)).toEqual(silent)
    world.measure(25 * HOUR_MS, DROPPED)
    expect(saidOf(world, HOUR_MS, dropped)).toEqual([])
  })

  it('is told by no alarm where no service lost it', () => {
    const world = createWorld()
    world.measure(HOUR_MS, DROPPED)
    world.measure(13 * HOUR_MS, AGE, 13 * HOUR_MS)
    expect(saidOf(world, HOUR_MS)).toEqual(silent)
  })

  it('by the stream, is told in the day in which it was kept', () => {
    const forgotten = { kind: 'forgotten', takenMs: 2 * HOUR_MS, lostMs: 26 * HOUR_MS } as const
    const world = createWorld()
    for (const hour of [1, 30]) world.measure(hour * HOUR_MS, AGE, 13 * HOUR_MS)
    expect(saidOf(world, 2 * HOUR_MS, forgotten)).toEqual(silent)
    world.measure(15 * HOUR_MS, AGE, 13 * HOUR_MS)
    expect(saidOf(world, 2 * HOUR_MS, forgotten)).toEqual([])
  })

  it('by a mapping that was disabled then, is told unless the table was written to in one unread hour', () => {
    const forgotten = { kind: 'forgotten', takenMs: 2 * HOUR_MS, lostMs: 26 * HOUR_MS } as const
    const world = createWorld()
    world.measure(2 * HOUR_MS, WRITTEN)
    expect(saidOf(world, 2 * HOUR_MS, forgotten)).toEqual(silent)
    world.pause(2 * HOUR_MS - MINUTE_MS)
    expect(saidOf(world, 2 * HOUR_MS, forgotten)).toEqual([])
    // of those the one is read, the other is of another day
    for (const hour of [5, 26]) world.measure(hour * HOUR_MS, WRITTEN)
    world.measure(5 * HOUR_MS, POLLED)
    expect(saidOf(world, 2 * HOUR_MS, forgotten)).toEqual([])
  })
})
