import { describe, expect, it } from 'vitest'
import { foldHistory } from '../../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../../queries/verdict/item-change.js'
import { lastState, stepsUntil } from '../../../queries/verdict/reconstruct.js'
import { historySince } from '../../../queries/verdict/state-after.js'
import { endsOf } from '../../../transform/ends.js'

/** More than a call of a function may have arguments. */
const MANY = 200_000

/** Where a change is missing. */
const LOST = 150_000

const BEGAN_US = Date.UTC(2026, 0, 1) * 1000

/** The `i`th change of an item that changes all the time: each leaves the state that the next one enters. */
function change(i: number): HistoryChange {
  return {
    event_id: `event-${i}`,
    event_name: i === 0 ? 'INSERT' : 'MODIFY',
    event_time_us: BEGAN_US + i * 1000,
    time_precision: 'us',
    sequence: String(1e9 + i),
    source: 'streams:a',
    old_hash: i === 0 ? null : `state-${i - 1}`,
    new_hash: `state-${i}`,
    old_image: null,
    new_image: `{"v":{"N":"${i}"}}`,
    config_id: 'c',
    repeats: i === 7 ? 2 : 0,
    renamed: false,
    conflict: false,
    view_type: 'NEW_AND_OLD_IMAGES',
    changed: null,
    actor: null,
    actor_source: 'none',
    last_writer: null,
    user_identity: null,
    altered: [],
  }
}

describe('an item that changed 200,000 times', () => {
  const changes = Array.from({ length: MANY }, (_, i) => change(i)).filter((_, i) => i !== LOST)
  const history = foldHistory('key', changes.toReversed())

  it('is put in order, and what is missing and repeated in it is found', () => {
    expect(history.changes).toEqual(changes)
    expect(history.findings.map(({ finding, eventId, changes: n }) => [finding, eventId, n])).toEqual([
      ['DUPLICATE', 'event-7', 2],
      ['GAP', `event-${LOST + 1}`, 1],
    ])
    expect(history.confidence).toBe('GAP')
    expect(lastState(history.steps)).toMatchObject({ kind: 'present', hash: `state-${MANY - 1}` })
    expect(lastState(stepsUntil(history.steps, BEGAN_US + 1_500))).toMatchObject({ kind: 'present', hash: 'state-1' })
  })

  it('is believed from a step on, and up to one', () => {
    expect(historySince(history, 1, LOST).confidence).toBe('UNBROKEN')
    expect(historySince(history, 1, MANY - 2).findings.at(-1)).toMatchObject({ finding: 'GAP' })
  })
})

it('finds the least and the greatest of however many numbers', () => {
  expect(endsOf(Array.from({ length: MANY }, (_, i) => (i + 77) % MANY))).toEqual([0, MANY - 1])
  expect(endsOf([])).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
})
