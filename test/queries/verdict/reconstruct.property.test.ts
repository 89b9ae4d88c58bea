import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { askQuery } from '../../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../../queries/catalog.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import type { QueryEngine } from '../../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../../queries/engines/rows.js'
import { findProblems } from '../../../queries/verdict/findings.js'
import type { ItemChange } from '../../../queries/verdict/item-change.js'
import {
  AHEAD_US,
  type ArchivedChange,
  orderSteps,
  removeRepeats,
  stateAsOf,
  stepsUntil,
} from '../../../queries/verdict/reconstruct.js'
import { isBlind, stateAfter, stateBefore } from '../../../queries/verdict/step.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { formatInstant } from '../../../transform/instant.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { runs } from '../../transform/arbitraries.js'
import { BEGIN, EARLIER, LATER, randomArchive } from '../random-archive.js'

/** Items in an archive and archives in a run: many items at once, because opening an archive is what takes time. */
const ITEMS = 100
const ARCHIVES = Number(process.env.ITEMTRAIL_SEEDS ?? 4)

describe('SQL and the fold', () => {
  it('tell the same of every item: its history, its states, and what does not fit together', async () => {
    const instants = fc.array(fc.integer({ min: -1000, max: 9_000_000 }), { minLength: 1, maxLength: 1 })
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), instants, async ({ rows }, offsets) => {
        const root = temporaryFolder()
        await writeRows(root, rows)
        const engine = await DuckDbEngine.open(root, [EARLIER, LATER])
        try {
          const folded = fold(rows)
          await compareHistories(engine, folded)
          await compareFindings(engine, folded)
          await compareBalances(engine, folded)
          for (const second of [0, 1, 3])
            await compareAnchors(engine, folded, BEGIN * 1_000_000 + second * 1_000_000 - 2)
          for (const at of momentsOf(rows, offsets)) await compareStates(engine, folded, at)
        } finally {
          engine.close()
        }
      }),
      // the difference names the item; shrinking a whole archive would only take time
      { ...runs(ARCHIVES), endOnFailure: true },
    )
  }, 120_000)
})

/** Each item's changes, repeats removed. */
function fold(rows: readonly AuditRow[]): ReadonlyMap<string, readonly ItemChange[]> {
  const items = new Map<string, AuditRow[]>()
  for (const row of rows) items.set(row.item_key, [...(items.get(row.item_key) ?? []), row])
  return new Map([...items].map(([key, ofItem]) => [key, removeRepeats(ofItem satisfies readonly ArchivedChange[])]))
}

/** A change's own moment, or the microsecond before it, and a random one. */
function momentsOf(rows: readonly AuditRow[], offsets: readonly number[]): readonly number[] {
  const some = rows[0]?.event_time_us ?? BEGIN * 1_000_000
  const [offset = 0] = offsets
  return [offset % 2 === 0 ? some : some - 1, BEGIN * 1_000_000 + offset]
}

async function compareHistories(engine: QueryEngine, folded: ReadonlyMap<string, readonly ItemChange[]>) {
  const expected = [...folded].flatMap(([key, changes]) =>
    orderSteps(changes).flatMap((step, i) =>
      [...step.changes]
        .sort((a, b) => (a.event_id < b.event_id ? -1 : 1))
        .map(change => ({
          step: i + 1,
          event_id: change.event_id,
          // of a change without a time the engine shows only the earliest arrival
          repeats: change.time_precision === 'arrival' ? 0 : change.repeats,
          conflict: change.conflict,
          key,
        })),
    ),
  )
  const answer = await askOfAll(engine, 'item-history', {})
  const seen = answer.map(row => ({
    step: Number(row.step),
    event_id: row.event_id,
    repeats: Number(row.repeats),
    conflict: row.conflict,
    key: keyOf(row, folded),
  }))
  expect(byKey(seen)).toEqual(byKey(expected))
}

async function compareStates(
  engine: QueryEngine,
  folded: ReadonlyMap<string, readonly ItemChange[]>,
  atUs: number,
): Promise<void> {
  const expected = [...folded].flatMap(([key, repeated]) => {
    const changes = repeated.map(withoutArrivals)
    const state = stateAsOf(changes, atUs)
    if (state.kind === 'never seen') return []
    const present = state.kind === 'present' ? state : { image: null, hash: null }
    const near = orderSteps(changes.filter(change => change.event_time_us <= atUs + AHEAD_US))
    const until = stepsUntil(near, atUs)
    const last = until.findLast(step => !step.ahead) ?? until.at(-1)
    const unresolved = last?.unresolved === true
    return [{ key, state: state.kind, image: present.image, hash: present.hash, unresolved }]
  })
  const at = formatInstant(atUs, 6)
  const answer = (rows: readonly Row[]) =>
    byKey(
      rows.map(row => ({
        key: row.item_key as string,
        state: row.state,
        image: row.image,
        hash: row.image_hash,
        unresolved: row.unresolved,
      })),
    )
  expect(answer(await askOfAll(engine, 'item-as-of', { at }))).toEqual(byKey(expected))
  expect(answer(await ask(engine, 'table-as-of', { at }))).toEqual(
    byKey(expected.filter(({ state }) => state !== 'deleted')),
  )
  const { key, ...state } = expected.find(({ state }) => state === 'present') ?? { key: 'none' }
  const alone = await ask(engine, 'item-as-of', { at, item_key: key })
  expect(answer(alone)).toEqual(key === 'none' ? [] : [{ key, ...state }])
}

async function compareFindings(engine: QueryEngine, folded: ReadonlyMap<string, readonly ItemChange[]>) {
  const expected = [...folded].flatMap(([key, changes]) =>
    findProblems(orderSteps(changes.map(withoutArrivals))).map(
      ({ finding, eventId, eventTimeUs, sinceUs, untilUs, changes: concerned }) => ({
        key,
        finding,
        sinceUs,
        untilUs,
        event_id: eventId,
        event_time_us: eventTimeUs,
        changes: concerned,
      }),
    ),
  )
  const answer = await ask(engine, 'continuity', {})
  const seen = answer.map(row => ({
    key: row.item_key as string,
    finding: row.finding,
    sinceUs: row.since_us === null ? null : Number(row.since_us),
    untilUs: Number(row.until_us),
    event_id: row.event_id,
    event_time_us: Number(row.event_time_us),
    changes: Number(row.changes),
  }))
  expect(byKey(seen)).toEqual(byKey(expected))
}

/**
 * A baseline is one of the archive's scans, said to be complete at a moment: items without a row of it were absent
 * there.
 */
async function compareAnchors(engine: QueryEngine, folded: ReadonlyMap<string, readonly ItemChange[]>, us: number) {
  const expected = [...folded].flatMap(([key, changes]) => {
    const own = changes.filter(change => change.event_name === 'BASELINE' && change.source === SCAN)
    const absences = own.length > 0 ? [] : [{ source: SCAN, rowTimeUs: us, untilUs: us + SCAN_US }]
    const findings = findProblems(orderSteps(changes.map(withoutArrivals), absences))
    const lacking = findings.flatMap(({ absence, eventId, eventTimeUs }) =>
      absence === null ? [] : [{ key, missing: absence.missing, event_id: eventId, event_time_us: eventTimeUs }],
    )
    const broken = findings
      .filter(({ finding, eventId }) => finding === 'GAP' && own.some(change => change.event_id === eventId))
      .map(({ eventId, eventTimeUs }) => ({ key, missing: 'change', event_id: eventId, event_time_us: eventTimeUs }))
    return [...lacking, ...broken.slice(-1)]
  })
  const answer = await ask(engine, 'anchors', {
    source: SCAN,
    time: formatInstant(us, 6),
    until: formatInstant(us + SCAN_US, 6),
  })
  const seen = answer.map(row => ({
    key: row.item_key as string,
    missing: row.missing,
    event_id: row.event_id,
    event_time_us: Number(row.event_time_us),
  }))
  // of a baseline that saw an item several times, which none does, the last row is told
  expect(byKey(seen.filter(({ missing }) => missing !== 'change'))).toEqual(
    byKey(expected.filter(({ missing }) => missing !== 'change')),
  )
  const keys = (rows: readonly { readonly key: string; readonly missing: unknown }[]) =>
    rows.filter(({ missing }) => missing === 'change').map(({ key }) => key)
  expect(keys(seen).sort()).toEqual(keys(expected).sort())
}

/** How long it takes. */
const SCAN_US = 3_000_000

const SCAN = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/1'

/** Item by item, each state counted; what the chain calls unbroken balances. */
async function compareBalances(engine: QueryEngine, folded: ReadonlyMap<string, readonly ItemChange[]>) {
  const expected = [...folded].flatMap(([key, all]) => {
    const changes = all.filter(change => change.event_name !== 'BASELINE')
    if (changes.some(isBlind)) return []
    const states = [...new Set(changes.flatMap(change => [stateBefore(change), stateAfter(change)]))]
    const counts = states.map(state => ({
      state,
      entered: changes.filter(change => stateAfter(change) === state).length,
      departed: changes.filter(change => stateBefore(change) === state).length,
    }))
    const ends = counts.reduce((sum, { entered, departed }) => sum + Math.max(0, entered - departed), 0)
    if (ends <= 1) return []
    const unequal = counts.filter(({ entered, departed }) => entered !== departed)
    return unequal.map(count => ({ key, missing: ends - 1, ...count }))
  })
  const seen = (await ask(engine, 'balance', {})).map(row => ({
    key: row.item_key as string,
    missing: Number(row.missing),
    state: row.state as string,
    entered: Number(row.entered),
    departed: Number(row.departed),
  }))
  expect(byKey(seen)).toEqual(byKey(expected))
  const broken = new Set(
    (await ask(engine, 'continuity', {})).filter(row => row.finding === 'GAP').map(row => row.item_key),
  )
  expect(seen.filter(({ key }) => !broken.has(key))).toEqual([])
}

/** Further arrivals of a change without a time are no repeats to the engine, which shows the earliest alone. */
function withoutArrivals(change: ItemChange): ItemChange {
  return change.time_precision === 'arrival' ? { ...change, repeats: 0, renamed: false } : change
}

function keyOf(row: Row, folded: ReadonlyMap<string, readonly ItemChange[]>): string | undefined {
  return [...folded].find(([, changes]) => changes.some(change => change.event_id === row.event_id))?.[0]
}

function byKey<T extends object>(rows: readonly T[]): readonly T[] {
  return rows
    .map(row => ({ row, text: JSON.stringify(Object.entries(row).sort()) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row)
}

async function ask(engine: QueryEngine, name: string, parameters: Readonly<Record<string, string>>) {
  return [...rowsOf(await askQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, EARLIER, parameters))]
}

/** A question about one item, put to all at once: the same text, but for the one comparison that picks the item. */
async function askOfAll(engine: QueryEngine, name: string, parameters: Readonly<Record<string, string>>) {
  const ofAll: QueryEngine = {
    run: (sql, values) => engine.run(sql.replace('item_key = ?', 'item_key <> ?'), values),
    close: () => {},
  }
  return ask(ofAll, name, { ...parameters, item_key: 'none' })
}
