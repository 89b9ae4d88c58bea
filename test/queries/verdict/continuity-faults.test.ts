import { afterAll, describe, expect, it } from 'vitest'
import { askQuery } from '../../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../../queries/catalog.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { type Row, rowsOf } from '../../../queries/engines/rows.js'
import { ContinuityCheck } from '../../../queries/verdict/verify-continuity.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { tableConfiguration } from '../../factories.js'
import { reportFigures } from '../../reliability/figures.js'
import {
  BASELINES,
  baselineSource,
  type Capture,
  type CleanItem,
  cleanItem,
  Dice,
  takeBaseline,
} from '../clean-history.js'
import { type Expected, FAULTS, type Fault, type Injected, rowsOf as rowsOfItem } from '../faults.js'
import { shuffle } from '../random-archive.js'

/** `npm run reliability` tries 30. */
const SEEDS = Number(process.env.ITEMTRAIL_SEEDS ?? 2)
const CAPTURES: readonly Capture[] = ['streams', 'kinesis', 'kinesis in ties']
const table = tableConfiguration()
const keyOf = (name: string) => `{"order_id":{"S":"${name}"}}`

interface Trial extends Injected {
  readonly fault: Fault | undefined
}

/** One item for each fault and capture, and items that nothing befell. */
function trialsOf(seed: number): readonly Trial[] {
  const dice = new Dice(seed)
  const faulty = FAULTS.flatMap((fault, i) =>
    CAPTURES.map((capture, j) => ({ ...fault.inject(`F${i}-${j}`, capture, dice), fault })),
  )
  const whole = CAPTURES.flatMap((capture, j) =>
    [0, 1, 2].map(i => {
      const item = cleanItem(`W${i}-${j}`, capture, dice)
      return { ...WHOLE, item, rows: rowsOfItem(item), fault: undefined }
    }),
  )
  return [...faulty, ...whole]
}

const WHOLE = { chain: [], hashes: [], anchors: [], late: [], refused: 0 } as const

/** What each check found, by item. */
interface Found {
  readonly chain: ReadonlyMap<string, readonly Expected[]>
  readonly hashes: ReadonlyMap<string, readonly Expected[]>
  readonly late: ReadonlyMap<string, readonly Expected[]>
  /** What comes to it with baselines, and everything that is found with them. */
  readonly anchors: ReadonlyMap<string, readonly Expected[]>
  readonly all: ReadonlyMap<string, readonly Expected[]>
}

describe('faults between a table and its archive', () => {
  const figures = new Map<string, { injected: number; chain: number; hashes: number; anchors: number }>()
  afterAll(() =>
    reportFigures('faults', {
      columns: ['hop', 'fault', 'injected', 'seen by chain', 'by hashes', 'by baselines'],
      rows: FAULTS.map(({ hop, name }) => {
        const { injected = 0, chain = 0, hashes = 0, anchors = 0 } = figures.get(name) ?? {}
        return [hop, name, ...[injected, chain, hashes, anchors].map(String)]
      }),
    }),
  )

  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'are each found, and named with item and event (seed %i)',
    async seed => {
      const trials = trialsOf(seed)
      const found = await lookFor(trials, seed)
      for (const trial of trials) {
        const where = `${trial.fault?.name ?? 'no fault'} in ${trial.item.name} (${trial.item.capture})`
        const of = (check: keyof Found) => found[check].get(keyOf(trial.item.name)) ?? []
        // an edited time takes a change out of its tick, which may leave a gap there
        const moved = trial.fault?.name === 'edit of the time' && trial.item.capture === 'kinesis in ties'
        compare(`chain: ${where}`, trial.chain, moved ? [] : of('chain'))
        for (const check of ['hashes', 'late'] as const) compare(`${check}: ${where}`, trial[check], of(check))
        // what the chain shows at the next change, a baseline may show before
        const sooner = trial.chain.some(({ finding }) => finding === 'GAP')
        compare(`anchors: ${where}`, trial.anchors, sooner || moved ? [] : of('anchors'))
        const doubts = (found: readonly Expected[]) =>
          found.some(({ finding }) => finding === 'GAP' || finding === 'CONFLICT')
        if (doubts(trial.chain)) expect(doubts(of('all')), where).toBe(true)
        if (trial.fault?.name === 'truncated record') expect(trial.refused, where).toBe(1)
        // compared above, so what was expected is what was found
        if (trial.fault !== undefined) count(trial.fault, trial)
      }
    },
  )

  /** Everything that is expected is found at one of its changes, and nothing else is. */
  function compare(where: string, expected: readonly Expected[], found: readonly Expected[]): void {
    const fits = (a: Expected, b: Expected) =>
      a.finding === b.finding && b.events.some(event => a.events.includes(event))
    const unseen = expected.filter(each => !found.some(seen => fits(each, seen)))
    const unasked = found.filter(seen => !expected.some(each => fits(each, seen)))
    expect({ where, unseen, unasked }).toEqual({ where, unseen: [], unasked: [] })
  }

  function count({ name }: Fault, { chain, hashes, anchors }: Pick<Trial, 'chain' | 'hashes' | 'anchors'>): void {
    const before = figures.get(name) ?? { injected: 0, chain: 0, hashes: 0, anchors: 0 }
    const one = (expected: readonly Expected[]) => (expected.length > 0 ? 1 : 0)
    figures.set(name, {
      injected: before.injected + 1,
      chain: before.chain + one(chain),
      hashes: before.hashes + one(hashes),
      anchors: before.anchors + one(anchors),
    })
  }
})

async function lookFor(trials: readonly Trial[], seed: number): Promise<Found> {
  const rows = shuffle(
    trials.flatMap(trial => trial.rows),
    seed,
  )
  const [bare, anchored] = [temporaryFolder(), temporaryFolder()]
  await writeRows(bare, rows)
  await writeRows(anchored, [
    ...rows,
    ...(await baselines(
      anchored,
      trials.map(({ item }) => item),
    )),
  ])
  const engine = await DuckDbEngine.open(bare, [table])
  const chain = await checked(bare)
  const all = await checked(anchored)
  const found = {
    chain,
    all,
    hashes: byItem(await ask(engine, 'altered-rows'), 'altered'),
    late: byItem(await ask(engine, 'late-arrivals'), undefined),
    anchors: new Map([...all].map(([key, ofItem]) => [key, beyond(ofItem, chain.get(key) ?? [])])),
  }
  engine.close()
  return found
}

/** What is found with baselines and not without. */
function beyond(all: readonly Expected[], known: readonly Expected[]): readonly Expected[] {
  return all.filter(
    ({ finding, events }) => !known.some(each => each.finding === finding && each.events[0] === events[0]),
  )
}

/** Complete baselines of the table as it truly was, rows and facts. */
async function baselines(root: string, items: readonly CleanItem[]): Promise<readonly AuditRow[]> {
  const all: AuditRow[] = []
  for (const second of Object.values(BASELINES)) all.push(...(await takeBaseline(root, items, second)))
  return all
}

/** The findings of `verify continuity`. */
async function checked(root: string): Promise<ReadonlyMap<string, readonly Expected[]>> {
  const engine = await DuckDbEngine.open(root, [table])
  const names = await baselineNames(engine)
  const found = new Map<string, readonly Expected[]>()
  const check = await ContinuityCheck.open(engine, table)
  for await (const { itemKey, findings } of check.verdicts())
    found.set(
      itemKey,
      // a remark, and what goes with a gap inside one tick
      findings
        .filter(({ finding }) => finding !== 'UNRESOLVED-ORDER')
        .map(({ finding, eventId }) => ({ finding, events: [names.get(eventId ?? '') ?? eventId ?? ''] })),
    )
  engine.close()
  return found
}

async function baselineNames(engine: DuckDbEngine): Promise<ReadonlyMap<string, string>> {
  const rows = rowsOf(await engine.run(`select event_id, source from orders where event_name = 'BASELINE'`))
  const nameOf = (source: string) =>
    Object.entries(BASELINES).find(([, second]) => baselineSource(second) === source)?.[0]
  return new Map([...rows].map(row => [row.event_id as string, `the ${nameOf(row.source as string)} baseline`]))
}

async function ask(engine: DuckDbEngine, name: string): Promise<readonly Row[]> {
  return [...rowsOf(await askQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, table, {}))]
}

function byItem(rows: readonly Row[], column: string | undefined): ReadonlyMap<string, readonly Expected[]> {
  const found = new Map<string, readonly Expected[]>()
  for (const row of rows) {
    const finding = column === undefined ? 'late' : (row[column] as string)
    found.set(row.item_key as string, [
      ...(found.get(row.item_key as string) ?? []),
      { finding, events: [row.event_id as string] },
    ])
  }
  return found
}
