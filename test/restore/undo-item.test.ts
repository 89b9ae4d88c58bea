/** What one writer did to an item is taken back, and nothing else. */
import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldHistory, type ItemHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { PlanOptions } from '../../restore/restore-plan.js'
import { undoItem } from '../../restore/undo-item.js'
import { canonicalAttributes, canonicalItem } from '../../transform/attribute-value.js'
import { runs } from '../transform/arbitraries.js'

/** An item's attributes as numbers; null where there is no item. */
type State = Readonly<Record<string, number>> | null
/** What somebody left, and with `lost` what the archive has no change of. */
interface Write {
  readonly by: string | null
  readonly state: State
  readonly lost?: boolean
}

const KEY = '{"pk":{"S":"a"}}'
const OPTIONS: PlanOptions = { deletes: true, accepted: new Set(), late: false, actorAttribute: null }

function imageOf(state: State): string | null {
  if (state === null) return null
  const item = Object.fromEntries(Object.entries(state).map(([name, n]) => [name, { N: String(n) }]))
  return canonicalItem(canonicalAttributes({ pk: { S: 'a' }, ...item }, 'item', 'once'), 'item')
}

function historyOf(writes: readonly Write[], before: State = null): ItemHistory {
  const changes: HistoryChange[] = []
  let old = imageOf(before)
  for (const [i, { by, state, lost }] of writes.entries()) {
    const image = imageOf(state)
    if (image !== old && lost !== true) changes.push(changeOf(i, by, old, image))
    old = image
  }
  return foldHistory(KEY, changes)
}

function changeOf(i: number, actor: string | null, old: string | null, image: string | null): HistoryChange {
  const sha = (text: string | null) => (text === null ? null : hash('sha256', text))
  return {
    event_id: `${i}`.padStart(32, '0'),
    event_name: old === null ? 'INSERT' : image === null ? 'REMOVE' : 'MODIFY',
    event_time_us: 1_763_000_000_000_000 + i * 1_000_000,
    time_precision: 's',
    sequence: `${i}`.padStart(10, '0'),
    source: 'stream',
    old_hash: sha(old),
    new_hash: sha(image),
    old_image: old,
    new_image: image,
    config_id: 'c',
    repeats: 0,
    renamed: false,
    conflict: false,
    view_type: 'NEW_AND_OLD_IMAGES',
    changed: [],
    actor,
    actor_source: 'new_image',
    last_writer: null,
    user_identity: null,
    altered: [],
  }
}

/** Takes back what `job` did, beside what the item is now. */
function undo(
  writes: readonly Write[],
  {
    before = null,
    now = writes.at(-1)?.state ?? null,
    ...options
  }: Partial<PlanOptions> & { before?: State; now?: State } = {},
) {
  const all = historyOf(writes, before)
  const mine = all.changes.filter(({ actor }) => actor === 'job').map(({ event_id: id }) => id)
  return undoItem(all, new Set(mine), imageOf(now), { ...OPTIONS, ...options })
}

const job = (state: State): Write => ({ by: 'job', state })
const alice = (state: State): Write => ({ by: 'alice', state })
const lost = (state: State): Write => ({ by: 'alice', state, lost: true })

describe('undoItem', () => {
  it('puts back what the writer changed, and keeps what others changed after it', () => {
    const planned = undo([alice({ a: 1, b: 1 }), job({ a: 2, b: 1 }), alice({ a: 2, b: 2 })])
    expect(planned).toMatchObject({ action: 'update', wanted: imageOf({ a: 1, b: 2 }), reason: null })
  })

  it('says of an attribute that somebody changed since who did, and leaves it', () => {
    const planned = undo([alice({ a: 1, b: 1 }), job({ a: 2, b: 2 }), alice({ a: 3, b: 2 })])
    expect(planned).toMatchObject({
      action: 'update',
      wanted: imageOf({ a: 3, b: 1 }),
      reason: 'in part, changed since: "a" by alice at 2025-11-13 02:13:22Z',
    })
    expect(undo([alice({ a: 1 }), job({ a: 2 }), alice({ a: 3 })])).toMatchObject({
      action: 'skip',
      reason: 'changed since: "a" by alice at 2025-11-13 02:13:22Z',
    })
    expect(undo([alice({ a: 1 }), job({ a: 2 }), { by: null, state: { a: 3 } }])?.reason).toBe(
      'changed since: "a" by a change that names nobody at 2025-11-13 02:13:22Z',
    )
  })

  it('believes what the table holds: a value that the archive has not heard of was changed since', () => {
    const writes = [alice({ a: 1, b: 1 }), job({ a: 2, b: 2 })]
    expect(undo(writes, { now: { a: 7, b: 2 } })).toMatchObject({
      wanted: imageOf({ a: 7, b: 1 }),
      reason: 'in part, changed since: "a" by a change that the archive does not have',
    })
    expect(undo(writes, { now: { a: 1, b: 1 } })).toBeUndefined()
    expect(undo(writes, { now: null })).toMatchObject({
      action: 'skip',
      reason: 'changed since: the item was deleted by a change that the archive does not have',
    })
  })

  it('has nothing to do where somebody put it right before', () => {
    expect(undo([alice({ a: 1 }), job({ a: 2 }), alice({ a: 1 })])).toBeUndefined()
    expect(undo([alice({ a: 1 }), job({ a: 2 }), job({ a: 1 })])).toBeUndefined()
    expect(undo([job({ a: 1 }), alice(null)])).toBeUndefined()
  })

  it('goes back to what others wrote between changes of the writer', () => {
    const planned = undo([alice({ a: 1 }), job({ a: 2 }), alice({ a: 3 }), job({ a: 4 }), job({ a: 5 })])
    expect(planned).toMatchObject({ action: 'update', wanted: imageOf({ a: 3 }) })
  })

  it('takes attributes away that the writer added, and brings back those that the writer took', () => {
    expect(undo([alice({ a: 1 }), job({ b: 1 }), alice({ b: 1, c: 1 })])?.wanted).toBe(imageOf({ a: 1, c: 1 }))
  })

  it('deletes an item that the writer made only where nobody changed it, and only when told to', () => {
    const made = [job({ a: 1 }), job({ a: 2 })]
    expect(undo(made)).toMatchObject({ action: 'delete', wanted: null, reason: null })
    expect(undo(made, { deletes: false })).toMatchObject({
      action: 'leave',
      reason: 'it was made by these changes: --delete deletes it',
    })
    expect(undo([...made, alice({ a: 2, b: 1 })])).toMatchObject({
      action: 'skip',
      reason: 'changed since: "b" by alice at 2025-11-13 02:13:22Z',
    })
    expect(undo(made, { now: { a: 2, z: 1 } })).toMatchObject({
      action: 'skip',
      reason: 'changed since: "z" by a change that the archive does not have',
    })
  })

  it('puts an item that the writer removed, as it was before the writer touched it', () => {
    expect(undo([alice({ a: 1, b: 1 }), job({ a: 2, b: 1 }), job(null)])).toMatchObject({
      action: 'put',
      wanted: imageOf({ a: 1, b: 1 }),
      expected: 'absent',
    })
    expect(undo([alice({ a: 1 }), job({ a: 2 }), alice({ a: 2, b: 3 }), job(null)])?.wanted).toBe(
      imageOf({ a: 1, b: 3 }),
    )
    expect(undo([alice({ a: 1 }), job(null), job({ a: 2 })])).toMatchObject({
      action: 'update',
      wanted: imageOf({ a: 1 }),
    })
  })

  it('leaves an item that somebody made anew after the writer removed it', () => {
    expect(undo([alice({ a: 1, b: 1 }), job(null), alice({ a: 2 })])).toMatchObject({
      action: 'skip',
      reason: expect.stringContaining('changed since: "a" by alice'),
    })
    expect(undo([alice({ a: 1 }), job(null)], { now: { a: 9 } })).toMatchObject({
      action: 'skip',
      reason: 'changed since: the item was made by a change that the archive does not have',
    })
    expect(undo([alice({ a: 1 }), job({ a: 2 }), alice(null)])).toMatchObject({
      action: 'skip',
      reason: 'changed since: the item was deleted by alice at 2025-11-13 02:13:22Z',
    })
  })

  it('does not mind what came before the writer, and does not act where a change since is missing', () => {
    // older than the archive, or a gap before: the image that the writer found tells it
    expect(undo([job({ a: 2 })], { before: { a: 1 } })).toMatchObject({ action: 'update', wanted: imageOf({ a: 1 }) })
    expect(undo([alice({ a: 1 }), lost({ a: 5 }), job({ a: 2 })])?.wanted).toBe(imageOf({ a: 5 }))
    const gap = [alice({ a: 1, b: 1 }), job({ a: 2, b: 2 }), lost({ a: 3, b: 2 }), alice({ a: 3, b: 2, c: 1 })]
    expect(undo(gap)).toMatchObject({ action: 'skip', confidence: 'GAP', reason: expect.stringMatching(/^GAP: /) })
    expect(undo(gap, { accepted: new Set(['GAP']) })).toMatchObject({
      action: 'update',
      wanted: imageOf({ a: 3, b: 1, c: 1 }),
      reason: 'in part, changed since: "a" by a change that the archive does not have',
    })
  })

  it('leaves the name of the writer to who restores', () => {
    const [one, other] = [
      { a: 1, by: 1 },
      { a: 2, by: 2 },
    ]
    const planned = undo([alice(one), job(other), alice({ ...other, by: 1, b: 3 })], { actorAttribute: ['by'] })
    expect(planned).toMatchObject({ action: 'update', wanted: imageOf({ a: 1, by: 1, b: 3 }), reason: null })
    expect(undo([alice(one), job({ a: 1, by: 2 })], { actorAttribute: ['by'] })).toBeUndefined()
  })

  it('refuses to guess where changes of one time contradict one another', () => {
    const [first, ...rest] = historyOf([alice({ a: 1 }), job({ a: 2 }), alice({ a: 3 })]).changes
    const tied = rest.map(change => ({ ...change, event_time_us: first?.event_time_us as number, sequence: null }))
    const all = foldHistory(KEY, [first as HistoryChange, ...tied.map(change => ({ ...change, old_hash: 'x' }))])
    const mine = new Set(tied.slice(0, 1).map(({ event_id: id }) => id))
    expect(undoItem(all, mine, imageOf({ a: 3 }), OPTIONS)).toMatchObject({
      action: 'skip',
      reason: expect.stringMatching(/^UNRESOLVED-ORDER: /),
    })
  })
})

const state = (names: readonly string[]): fc.Arbitrary<NonNullable<State>> =>
  fc.dictionary(fc.constantFrom(...names), fc.nat(3), { noNullPrototype: true })
const write = fc.record({
  by: fc.constantFrom('job', 'alice'),
  state: fc.option(state(['a', 'b', 'c']), { freq: 5 }),
})

describe('laws of undoing', () => {
  it('is the fold without the writer, where nobody else touched the same attributes', () => {
    const names = { job: ['a', 'b'], alice: ['c', 'd'] } as const
    const turn = fc
      .constantFrom('job', 'alice')
      .chain(by => state(names[by as 'job']).map(attributes => ({ by: by as 'job' | 'alice', attributes })))
    fc.assert(
      fc.property(state(['a', 'b', 'c', 'd']), fc.array(turn, { maxLength: 12 }), (first, turns) => {
        const all = fold(first, turns)
        const without = fold(
          first,
          turns.filter(({ by }) => by === 'alice'),
        )
        const writes = turns.map(({ by }, i) => ({ by, state: all[i] as State }))
        const mine = historyOf([alice(first), ...writes]).changes.some(({ actor }) => actor === 'job')
        fc.pre(mine)
        const planned = undo([alice(first), ...writes])
        const last = (states: readonly State[]) => imageOf(states.at(-1) ?? first)
        expect(planned?.wanted ?? last(all)).toBe(last(without))
        expect(planned?.reason ?? null).toBeNull()
      }),
      runs(150),
    )
    /** What the item is after each turn, which replaces the attributes of its writer. */
    function fold(first: State, turns: readonly { by: 'job' | 'alice'; attributes: object }[]): readonly State[] {
      let current = { ...first }
      return turns.map(({ by, attributes }) => {
        const others = Object.entries(current).filter(([name]) => !(names[by] as readonly string[]).includes(name))
        current = { ...Object.fromEntries(others), ...(attributes as State) }
        return current
      })
    }
  })

  it('writes no value but what others left, and changes nothing that others wrote last', () => {
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 10 }), drawn => {
        const writes = drawn.map(({ by, state: to }) => ({ by, state: to as State }))
        const mine = historyOf(writes).changes.some(({ actor }) => actor === 'job')
        fc.pre(mine)
        const planned = undo(writes)
        const now = writes.at(-1)?.state ?? null
        const wanted = wantedOf(planned?.action, planned?.wanted ?? null, now)
        for (const name of ['a', 'b', 'c']) {
          const [before, after] = [now?.[name], wanted?.[name]]
          if (before === after) continue
          // the last to change it, or the whole item, was the writer
          expect(lastWriterOf(writes, name)).toBe('job')
          // and it is what it was before a change of the writer
          const found = writes.some(({ by }, i) => by === 'job' && (writes[i - 1]?.state ?? null)?.[name] === after)
          expect([name, found]).toEqual([name, true])
        }
      }),
      runs(400),
    )
  })

  it('is the state before the writer, where nobody wrote since', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 5 }), fc.array(write, { minLength: 1, maxLength: 5 }), (early, late) => {
        const before = early.map(({ state: to }) => alice(to as State))
        const writes = [...before, ...late.map(({ state: to }) => job(to as State))]
        const mine = historyOf(writes).changes.some(({ actor }) => actor === 'job')
        fc.pre(mine)
        const now = writes.at(-1)?.state ?? null
        const planned = undo(writes)
        const wanted = planned === undefined ? imageOf(now) : planned.wanted
        expect([planned?.action === 'skip', wanted]).toEqual([false, imageOf(before.at(-1)?.state ?? null)])
      }),
      runs(200),
    )
  })
})

function wantedOf(action: string | undefined, wanted: string | null, now: State): State {
  if (action === undefined || action === 'skip') return now
  if (wanted === null) return null
  const { pk: _, ...item } = JSON.parse(wanted) as Record<string, { readonly N: string }>
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, Number(value.N)]))
}

function lastWriterOf(writes: readonly Write[], name: string): string | null {
  let last: string | null = null
  let before: State = null
  for (const { by, state: to } of writes) {
    if ((before === null) !== (to === null) || before?.[name] !== to?.[name]) last = by
    before = to
  }
  return last
}
