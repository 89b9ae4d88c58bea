import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import { readHistories } from '../../queries/verdict/histories.js'
import {
  type ArchivedChange,
  type ItemState,
  lastState,
  orderSteps,
  removeRepeats,
} from '../../queries/verdict/reconstruct.js'
import { archiveBegan, stateAt } from '../../queries/verdict/state-at.js'
import { digestOfStates } from '../../queries/verdict/states-digest.js'
import { type ComparedWindow, compareTables, type Disagreement, newest } from '../../restore/reconcile.js'
import { judgeItem } from '../../restore/reconciliation.js'
import { StateStore, type ToldState } from '../../restore/state-store.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { type BaselineFact, FACT_VERSION, factInstant, StatesDigest } from '../../transform/fact.js'
import { temporaryFolder, writeRows } from '../delivery/desk.js'
import { BEFORE_FIRST_CHANGE, MOMENT } from '../queries/before-first-change.js'
import { BEGIN, EARLIER, LATER, type RandomArchive, randomArchive } from '../queries/random-archive.js'
import { keepFacts } from '../queries/true-facts.js'
import { runs } from '../transform/arbitraries.js'

const ITEMS = 60
const ARCHIVES = 3

/** What the table says of an item beside what the archive does. */
type Told = 'the same' | 'another' | 'none'

const told = fc.oneof({ weight: 3, arbitrary: fc.constant<Told>('the same') }, fc.constantFrom<Told>('another', 'none'))

/** The scan began after the last change, so that none explains a difference. */
const LATE = (BEGIN + 10 * 86_400) * 1_000_000

describe('a comparison', () => {
  it('finds exactly the items of which the fold and the table say different things, and what each says', async () => {
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), fc.infiniteStream(told), async ({ rows }, tolds) => {
        const root = temporaryFolder()
        await writeRows(root, rows)
        const states = foldAll(rows)
        const table = new Map([...states].map(([key, state]) => [key, tellOf(key, state, tolds.next().value as Told)]))
        const found = await compareWith(
          root,
          [...table.values()].filter(told => told !== undefined),
        )
        const expected = [...states]
          .filter(([key, state]) => state.kind === 'unknown' || hashOf(state) !== (table.get(key)?.hash ?? null))
          .map(([key, state]) => [key, kindOf(state, table.get(key)), hashOf(state), table.get(key)?.image ?? null])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
        expect(
          found.map(({ itemKey, archived, told, ...rest }) => [
            itemKey,
            judgeItem({ itemKey, archived, told, ...rest }).kind,
            archived?.hash ?? null,
            told?.image ?? null,
          ]),
        ).toEqual(expected)
        for (const { archived, itemKey } of found) {
          const state = states.get(itemKey)
          if (archived !== null) expect(archived.image).toBe(state?.kind === 'present' ? state.image : undefined)
        }
      }),
      { ...runs(ARCHIVES), endOnFailure: true },
    )
  })

  it('has in its digest what the fold says of every item but those that are left out', async () => {
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), async ({ rows }) => {
        const root = temporaryFolder()
        await writeRows(root, rows)
        const states = foldAll(rows)
        const without = [...states.keys()].filter((_, i) => i % 2 === 0)
        const expected = new StatesDigest()
        for (const [key, state] of states)
          if (state.kind === 'present' && !without.includes(key)) expected.add(key, state.hash)
        expect(expected.hex()).not.toBe(new StatesDigest().hex())
        const engine = await DuckDbEngine.open(root, [EARLIER, LATER])
        expect(await digestOfStates(engine, EARLIER, LATE, without)).toBe(expected.hex())
        engine.close()
      }),
      { ...runs(ARCHIVES), endOnFailure: true },
    )
  })

  it('says of every item what as-of says of it alone, and of an older one what its first change left', async () => {
    const offsets = fc.array(fc.integer({ min: -1_000_000, max: 7_000_000 }), { minLength: 2, maxLength: 2 })
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), offsets, fc.boolean(), async ({ rows }, afters, hasBaseline) => {
        const root = temporaryFolder()
        await writeRows(root, rows)
        if (hasBaseline) await keepFacts(root, EARLIER, [scanOf(rows)])
        const engine = await DuckDbEngine.open(root, [EARLIER, LATER])
        const histories = await readHistories(engine, EARLIER, [...foldAll(rows).keys()])
        const began = await archiveBegan(engine, EARLIER)
        for (const atUs of [...afters.map(after => BEGIN * 1_000_000 + after), LATE]) {
          const said = [...histories]
            .map(([itemKey, all]) => [itemKey, saidOf(all, atUs, began)])
            .filter(([, words]) => words !== undefined)
          const found = await compareWith(root, [], { atUs, openFromUs: atUs + 1, openUntilUs: atUs + 1 })
          const compared = found.map(({ itemKey, isUnknown, archived }) => [
            itemKey,
            isUnknown ? 'unknown' : archived?.hash,
          ])
          // each item once: a list, because a map keeps the last of two answers
          expect(compared.sort()).toEqual(said.sort())
        }
        engine.close()
      }),
      { ...runs(ARCHIVES + 1), endOnFailure: true, examples: [[FOUND, [MOMENT - BEGIN * 1_000_000, 0], false]] },
    )
  })
})

/** What random archives showed: an item was told twice, once as what it was and once as unknown, or the reverse. */
const FOUND: RandomArchive & fc.WithToStringMethod = {
  rows: Object.values(BEFORE_FIRST_CHANGE).flat(),
  [fc.toStringMethod]: () => 'archive of what was found',
}

/** The hash of what an item was; where that is not known, `unknown`. */
type Said = string

/** What `as-of` says of an item alone, from its whole history; undefined where it says that there was none. */
function saidOf(all: ItemHistory, us: number, beganUs: number): Said | undefined {
  const { state, last, next } = stateAt(all, { us }, beganUs)
  if (state.kind === 'present') return state.hash
  if (state.kind !== 'unknown') return undefined
  const first = all.steps.find(step => !step.ahead && step.changes.length > 0)
  const isOlder = last === undefined && first !== undefined && next !== undefined && first.changes.includes(next)
  return isOlder && us >= beganUs && /^[0-9a-f]{64}$/.test(first.entry) ? first.entry : 'unknown'
}

/** A fact that says of one of the archive's scans that it was complete: it lacks every item that it has no row of. */
function scanOf(rows: readonly AuditRow[]): BaselineFact {
  const source = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/1'
  const time = factInstant(BEGIN * 1_000_000 + 1_999_998)
  return {
    version: FACT_VERSION,
    kind: 'baseline',
    table: EARLIER.table,
    recorded: time,
    method: 'scan',
    source,
    from: time,
    to: factInstant(BEGIN * 1_000_000 + 4_000_000),
    rowTime: time,
    items: new Set(rows.filter(row => row.source === source).map(row => `${row.item_key} ${row.new_hash}`)).size,
    digest: '',
  }
}

function foldAll(rows: readonly AuditRow[]): ReadonlyMap<string, ItemState> {
  const items = new Map<string, AuditRow[]>()
  for (const row of rows) items.set(row.item_key, [...(items.get(row.item_key) ?? []), row])
  return new Map(
    [...items].map(([key, ofItem]) => [
      key,
      lastState(orderSteps(removeRepeats(ofItem satisfies readonly ArchivedChange[]))),
    ]),
  )
}

function tellOf(itemKey: string, state: ItemState, what: Told): ToldState | undefined {
  if (what === 'another') return { itemKey, hash: 'f'.repeat(64), image: '{"v":{"S":"another"}}' }
  return what === 'the same' && state.kind === 'present' ? { itemKey, hash: state.hash, image: state.image } : undefined
}

function hashOf(state: ItemState): string | null {
  return state.kind === 'present' ? state.hash : null
}

function kindOf(state: ItemState, told: ToldState | undefined): string {
  if (state.kind === 'unknown') return 'unknown'
  if (state.kind !== 'present') return 'missing-in-archive'
  return told === undefined ? 'missing-in-table' : 'different'
}

async function compareWith(
  root: string,
  states: readonly ToldState[],
  moment: ComparedWindow = newest(LATE, LATE),
): Promise<readonly Disagreement[]> {
  const store = await StateStore.open()
  const engine = await DuckDbEngine.open(root, [EARLIER, LATER])
  try {
    for (const state of states) store.add(state)
    store.seal()
    expect(await store.countRepeated()).toBe(0)
    const found: Disagreement[] = []
    const { disagreements } = await compareTables({ engine, table: EARLIER, store }, moment)
    for await (const disagreement of disagreements) found.push(disagreement)
    return found
  } finally {
    engine.close()
    store.remove()
  }
}
