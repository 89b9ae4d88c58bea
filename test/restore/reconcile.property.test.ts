import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import {
  type ArchivedChange,
  type ItemState,
  lastState,
  orderSteps,
  removeRepeats,
} from '../../queries/verdict/reconstruct.js'
import { itemsAt } from '../../queries/verdict/table-at.js'
import { attachStates, compareTables, type Disagreement, type Moment, newest } from '../../restore/reconcile.js'
import { judge } from '../../restore/reconciliation.js'
import { StateStore, type ToldState } from '../../restore/state-store.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { temporaryFolder, writeRows } from '../delivery/desk.js'
import { BEGIN, EARLIER, LATER, randomArchive } from '../queries/random-archive.js'
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
            judge({ itemKey, archived, told, ...rest }).kind,
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

  it('says of every item what as-of says, present or unknown, at any moment', async () => {
    const offsets = fc.array(fc.integer({ min: -1_000_000, max: 7_000_000 }), { minLength: 2, maxLength: 2 })
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), offsets, async ({ rows }, afters) => {
        const root = temporaryFolder()
        await writeRows(root, rows)
        for (const atUs of [...afters.map(after => BEGIN * 1_000_000 + after), LATE]) {
          const engine = await DuckDbEngine.open(root, [EARLIER, LATER])
          const asOf = new Map<string, string | null>()
          const older = new Set<string>()
          for await (const { itemKey, imageHash, last, confidence } of itemsAt(engine, EARLIER, { us: atUs })) {
            // what was there before its first change, the comparison knows from that: the table may be held against it
            if (last === undefined && confidence !== 'CONFLICT') older.add(itemKey)
            asOf.set(itemKey, imageHash)
          }
          engine.close()
          const found = await compareWith(root, [], { atUs, openFromUs: atUs + 1, openUntilUs: atUs + 1 })
          const saidOf = found.map(({ itemKey, archived }) => [itemKey, archived?.hash ?? null] as const)
          const known = (pairs: Iterable<readonly [string, string | null]>) =>
            [...pairs].filter(([itemKey]) => !older.has(itemKey)).sort(([a], [b]) => (a < b ? -1 : 1))
          expect(known(saidOf)).toEqual(known(asOf))
          for (const { itemKey, isUnknown, archived } of found)
            expect([itemKey, archived === null]).toEqual([itemKey, isUnknown])
        }
      }),
      { ...runs(ARCHIVES), endOnFailure: true },
    )
  })
})

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
  moment: Moment = newest(LATE, LATE),
): Promise<readonly Disagreement[]> {
  const store = await StateStore.open()
  const engine = await DuckDbEngine.open(root, [EARLIER, LATER], { files: true })
  try {
    for (const state of states) store.add(state)
    store.seal()
    expect(await attachStates(engine, store)).toBe(0)
    const found: Disagreement[] = []
    const { disagreements } = await compareTables(engine, EARLIER, moment)
    for await (const disagreement of disagreements) found.push(disagreement)
    return found
  } finally {
    engine.close()
    store.remove()
  }
}
