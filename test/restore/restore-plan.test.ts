import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Anchor, NO_FACTS } from '../../queries/verdict/archive-facts.js'
import { foldHistory } from '../../queries/verdict/fold-history.js'
import { stateAt } from '../../queries/verdict/state-at.js'
import { comparableHash } from '../../restore/comparable.js'
import {
  type Keyed,
  type Now,
  type PlannedChange,
  type PlanOptions,
  pairItems,
  planItem,
  planTable,
  type Then,
  thenOf,
} from '../../restore/restore-plan.js'
import { compareUtf8 } from '../../transform/json.js'
import { runs } from '../transform/arbitraries.js'

const KEY = '{"pk":{"S":"a"}}'
const [OLD, NEW] = ['{"pk":{"S":"a"},"v":{"N":"1"}}', '{"pk":{"S":"a"},"v":{"N":"2"}}']

function was(image: string | null, more: Partial<Then> = {}): Then {
  const state = image === null ? 'absent' : 'present'
  return { state, image, confidence: 'UNBROKEN', unresolved: false, lost: false, withinSecond: false, ...more }
}

const CAREFUL: PlanOptions = { deletes: false, accepted: new Set(), late: false, actorAttribute: null }

function actionOf(then: Then, now: Now, options: Partial<PlanOptions> = {}) {
  return planItem(KEY, then, now, { ...CAREFUL, ...options })?.action
}

describe('planItem', () => {
  it('puts, updates and deletes what differs, and lists nothing that does not', () => {
    expect(actionOf(was(OLD), null)).toBe('put')
    expect(actionOf(was(OLD), NEW)).toBe('update')
    expect(actionOf(was(null), NEW, { deletes: true })).toBe('delete')
    expect(actionOf(was(OLD), OLD)).toBeUndefined()
    expect(actionOf(was(null), null)).toBeUndefined()
  })

  it('leaves what was not there, unless deletes were asked for', () => {
    expect(planItem(KEY, was(null), NEW, CAREFUL)).toEqual({
      key: KEY,
      action: 'leave',
      wanted: null,
      expected: comparableHash(NEW),
      confidence: 'UNBROKEN',
      reason: 'it was not there: --delete deletes it',
      now: NEW,
    })
  })

  it('says what it expects to find: a hash, or that it is absent', () => {
    expect(planItem(KEY, was(OLD), NEW, CAREFUL)?.expected).toBe(comparableHash(NEW))
    expect(planItem(KEY, was(OLD), null, CAREFUL)?.expected).toBe('absent')
  })

  it('takes numbers that are written otherwise for the same', () => {
    expect(actionOf(was('{"pk":{"S":"a"},"v":{"N":"1.0"}}'), OLD)).toBeUndefined()
  })

  it.each(['PRE-ARCHIVE', 'KEYS-ONLY', 'GAP', 'CONFLICT', 'A WORD OF LATER'])(
    'skips what is %s, until that is accepted',
    confidence => {
      for (const [then, now] of [
        [was(OLD, { confidence }), NEW],
        [was(OLD, { confidence }), null],
        [was(null, { confidence }), NEW],
      ] as const) {
        const planned = planItem(KEY, then, now, { ...CAREFUL, deletes: true })
        expect([planned?.action, planned?.reason]).toEqual(['skip', expect.stringContaining(`--accept ${confidence}`)])
        expect(actionOf(then, now, { deletes: true, accepted: new Set(['UNRESOLVED-ORDER']) })).toBe('skip')
        expect(actionOf(then, now, { deletes: true, accepted: new Set([confidence]) })).not.toBe('skip')
      }
    },
  )

  it('acts on what is anchored at both ends, as on what is unbroken', () => {
    expect(actionOf(was(OLD, { confidence: 'COMPLETE' }), NEW)).toBe('update')
  })

  it('skips one of several states, until that is accepted', () => {
    const then = was(OLD, { unresolved: true })
    expect(actionOf(then, NEW)).toBe('skip')
    expect(actionOf(then, NEW, { accepted: new Set(['UNRESOLVED-ORDER']) })).toBe('update')
  })

  it('skips what something lost may concern, until that is accepted or a complete baseline confirms it', () => {
    for (const [then, now] of [
      [was(OLD, { lost: true }), NEW],
      [was(null, { lost: true }), NEW],
    ] as const) {
      expect(planItem(KEY, then, now, { ...CAREFUL, deletes: true })?.reason).toMatch(/^LOST: /)
      expect(actionOf(then, now, { deletes: true, accepted: new Set(['LOST']) })).not.toBe('skip')
      expect(actionOf({ ...then, confidence: 'COMPLETE' }, now, { deletes: true })).not.toBe('skip')
    }
    expect(actionOf(was(OLD, { lost: true }), OLD)).toBeUndefined()
  })

  it('skips what changed without the archive knowing when, until that is accepted', () => {
    for (const then of [was(OLD), was(null), was(OLD, { confidence: 'COMPLETE' })]) {
      expect(planItem(KEY, then, NEW, { ...CAREFUL, deletes: true, late: true })?.reason).toMatch(/^LATE: /)
      expect(actionOf(then, NEW, { deletes: true, late: true, accepted: new Set(['LATE']) })).not.toBe('skip')
    }
    expect(actionOf(was(OLD), OLD, { late: true })).toBeUndefined()
  })

  it('skips what is unknown, whatever is accepted', () => {
    const accepted = new Set(['KEYS-ONLY', 'PRE-ARCHIVE', 'GAP', 'CONFLICT', 'UNRESOLVED-ORDER'])
    const then = was(null, { state: 'unknown', confidence: 'KEYS-ONLY' })
    for (const now of [OLD, null]) {
      const planned = planItem(KEY, then, now, { ...CAREFUL, deletes: true, accepted })
      expect([planned?.action, planned?.wanted]).toEqual(['skip', null])
    }
    expect(actionOf(was(OLD), undefined, { accepted })).toBe('skip')
  })
})

describe('thenOf', () => {
  const anchor = { kind: 'baseline', source: 'scan', us: 20, untilUs: 21, differing: new Set<string>() } as const
  const lostOf = (baselines: readonly Anchor[], toUs: number) => {
    const all = foldHistory(KEY, [], { ...NO_FACTS, baselines })
    return thenOf(stateAt(all, { us: 30 }, 1), { us: 30 }, [{ fromUs: 5, toUs }]).lost
  }

  it('knows from a complete baseline what was lost before it, of an item that it lacks, too', () => {
    expect(lostOf([], 10)).toBe(true)
    expect(lostOf([anchor], 10)).toBe(false)
    expect(lostOf([anchor], 25)).toBe(true)
  })
})

async function* keyed<T>(values: ReadonlyMap<string, T>): AsyncGenerator<Keyed<T>> {
  for (const key of [...values.keys()].sort(compareUtf8)) yield { key, value: values.get(key) as T }
}

async function planOf(then: ReadonlyMap<string, Then>, now: ReadonlyMap<string, Now>, options: PlanOptions) {
  const planned: PlannedChange[] = []
  let same = 0
  const listed = new Map([...then].filter(([, { state }]) => state !== 'absent'))
  const look = async (keys: readonly string[]) =>
    new Map(keys.map(key => [key, then.get(key) ?? was(null, { confidence: 'PRE-ARCHIVE' })]))
  const listener = { onSame: () => same++, onWithinSecond: () => {} }
  for await (const item of planTable(pairItems(keyed(listed), keyed(now), compareUtf8), look, options, listener)) {
    planned.push(item)
  }
  return { planned, same }
}

/** What a table holds once a plan was performed. */
function perform(planned: readonly PlannedChange[], now: ReadonlyMap<string, Now>): ReadonlyMap<string, Now> {
  const table = new Map(now)
  for (const { key, action, wanted } of planned) {
    if (action === 'put' || action === 'update') table.set(key, wanted)
    if (action === 'delete') table.delete(key)
  }
  return table
}

const keys = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.constantFrom('～', '😀', '', '__proto__'))
const image = fc.constantFrom('{"v":{"N":"1"}}', '{"v":{"N":"2"}}', '{"v":{"N":"1"},"w":{"S":""}}')
const then = fc.record({
  image: fc.option(image),
  confidence: fc.constantFrom('UNBROKEN', 'UNBROKEN', 'COMPLETE', 'GAP', 'PRE-ARCHIVE'),
  unresolved: fc.integer({ min: 0, max: 5 }).map(dice => dice === 0),
  unknown: fc.integer({ min: 0, max: 5 }).map(dice => dice === 0),
})
const tables = fc.record({
  before: fc.array(fc.tuple(keys, then), { maxLength: 120 }),
  now: fc.array(fc.tuple(keys, image), { maxLength: 120 }),
})

function stateOf({
  image,
  confidence,
  unresolved,
  unknown,
}: typeof then extends fc.Arbitrary<infer T> ? T : never): Then {
  return unknown ? was(null, { state: 'unknown', confidence }) : was(image, { confidence, unresolved })
}

describe('planTable', () => {
  it('makes the table what it was, where that is known and everything is accepted', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async given => {
        const before = new Map(given.before.map(([key, state]) => [key, stateOf(state)]))
        const now = new Map<string, Now>(given.now)
        const accepted = new Set(['GAP', 'PRE-ARCHIVE', 'UNRESOLVED-ORDER'])
        const { planned, same } = await planOf(before, now, { ...CAREFUL, deletes: true, accepted })
        const after = perform(planned, now)
        for (const key of new Set([...before.keys(), ...now.keys()])) {
          const state = before.get(key)
          const isKnown = state?.state !== 'unknown'
          expect([key, after.get(key)]).toEqual([key, isKnown ? (state?.image ?? undefined) : now.get(key)])
        }
        const listed = [...before].filter(([key, { state }]) => state !== 'absent' || now.has(key))
        const unseen = [...now.keys()].filter(key => !before.has(key))
        expect(planned.length + same).toBe(listed.length + unseen.length)
        expect(planned.map(item => item.key)).toEqual(planned.map(item => item.key).sort(compareUtf8))
      }),
      runs(100),
    )
  })

  it('touches nothing that is doubted or came later, where nothing is accepted and no delete was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async given => {
        const before = new Map(given.before.map(([key, state]) => [key, stateOf(state)]))
        const now = new Map<string, Now>(given.now)
        const after = perform((await planOf(before, now, CAREFUL)).planned, now)
        for (const [key, item] of now) {
          const state = before.get(key)
          const isCertain =
            state?.state === 'present' && /UNBROKEN|COMPLETE/.test(state.confidence) && !state.unresolved
          expect([key, after.get(key)]).toEqual([key, isCertain ? state.image : item])
        }
      }),
      runs(100),
    )
  })
})
