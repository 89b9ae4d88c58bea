import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryEngine } from '../queries/engines/engine.js'
import { boundariesWith } from '../queries/verdict/erasures.js'
import { archiveBegan } from '../queries/verdict/state-at.js'
import { readableInstant } from '../transform/instant.js'
import { configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import {
  type Compared,
  type Comparison,
  compareTables,
  compareTold,
  compareWindow,
  type Disagreement,
  newest,
  windowOf,
} from './reconcile.js'
import type { ReconcileSource } from './reconcile-source.js'
import { type Comparability, isExplained, judgeItem, judgeLive, type ReconcileFinding } from './reconciliation.js'
import { StateStore } from './state-store.js'

/** What cannot be compared. */
export class ComparisonError extends Error {
  override readonly name = 'ComparisonError'
}

/** Time as whoever waits has it, in milliseconds: since 1970, and to be slept. */
export interface WaitingTime {
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
}

const CLOCK: WaitingTime = { now: Date.now, sleep }

/** An archive, and the states that it is compared with. */
export interface ComparedArchive {
  /** Opens it anew, with what has arrived by then. */
  readonly open: () => Promise<QueryEngine>
  readonly store: StateStore
  /** Opens one for what is looked at again, which is removed after. @default - one in a folder of its own */
  readonly openStore?: () => Promise<StateStore>
  /** How long items of a live table that differ are looked at again, in milliseconds. */
  readonly waitMs: number
  /** Between two of these looks, in milliseconds. @default - 2 s */
  readonly roundMs?: number | undefined
  /** By which it waits. @default - the clock */
  readonly time?: WaitingTime
  /** Told before what takes long. */
  readonly onComparing: () => void
}

/** A finding, and for an incremental export which end of its window it is of. */
export interface SidedFinding {
  readonly finding: ReconcileFinding
  readonly side: 'from' | 'to'
}

/**
 * What is not shown to be equal; `onCompared` is told before how many items there are, and `onEnd` is given the archive
 * when all was told. It is opened only now, so that it has what arrived while the table was read.
 */
export async function* findingsOf(
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
  onCompared: (items: number) => void,
  onEnd: (engine: QueryEngine) => Promise<void> = async () => {},
): AsyncGenerator<SidedFinding> {
  const compared = await openWith(archived, archived.store, table, source)
  const { engine } = compared
  try {
    await checkBegan(engine, source, table)
    archived.onComparing()
    const comparisons = await compare(compared, source)
    onCompared(comparisons.reduce((most, { items }) => Math.max(most, items), 0))
    const known = await comparability(engine, table)
    for (const { disagreements, side } of comparisons) {
      const findings =
        source.kind === 'scan'
          ? liveFindings(disagreements, source, table, archived, known)
          : judged(disagreements, known)
      for await (const finding of findings) yield { finding, side }
    }
    await onEnd(engine)
  } finally {
    engine.close()
  }
}

/** How what is told of a table can be compared with its archive. */
export async function comparability(engine: QueryEngine, table: TableConfiguration): Promise<Comparability> {
  return { boundaries: await boundariesWith(engine, table), toldConfigId: configurationId(table) }
}

async function openWith(
  { open }: ComparedArchive,
  store: StateStore,
  table: TableConfiguration,
  { source }: ReconcileSource,
): Promise<Compared> {
  const twice = await store.countRepeated()
  if (twice > 0) throw new ComparisonError(`${source} has ${twice} items more than once, of which it can mean but one`)
  return { engine: await open(), table, store }
}

/** What was before the archive began it cannot know. */
async function checkBegan(
  engine: QueryEngine,
  { kind, source, toUs }: ReconcileSource,
  table: TableConfiguration,
): Promise<void> {
  const began = await archiveBegan(engine, table)
  if (kind !== 'scan' && began >= toUs())
    throw new ComparisonError(
      `archive of ${table.table} begins at ${readableInstant(began)}, later than ${source}, which tells of ${readableInstant(toUs())}`,
    )
}

interface SidedComparison extends Comparison {
  readonly side: 'from' | 'to'
}

async function compare(
  compared: Compared,
  { kind, fromUs, toUs, tellsBefore }: ReconcileSource,
): Promise<readonly SidedComparison[]> {
  if (kind === 'incremental export') {
    const moments = [windowOf(fromUs, true), windowOf(toUs(), true)] as const
    const { before, after } = await compareWindow(compared, moments)
    return [...(tellsBefore ? [{ ...before, side: 'from' as const }] : []), { ...after, side: 'to' as const }]
  }
  const moment = kind === 'scan' ? newest(fromUs, toUs()) : windowOf(toUs(), false)
  return [{ ...(await compareTables(compared, moment)), side: 'to' }]
}

async function* judged(
  disagreements: AsyncIterable<Disagreement>,
  known: Comparability,
): AsyncGenerator<ReconcileFinding> {
  for await (const disagreement of disagreements) yield judgeItem(disagreement, known)
}

/** So many items are looked at again and again; where more differ, it is not for a change that is late. */
const MOST_LATE = 10_000

/** What differs in a live table, as long as it is waited for; where nothing is waited for, at the second look. */
async function* liveFindings(
  disagreements: AsyncIterable<Disagreement>,
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
  known: Comparability,
): AsyncGenerator<ReconcileFinding> {
  const { waitMs, roundMs = 2000, time = CLOCK } = archived
  const deadline = time.now() + waitMs
  let late: ReconcileFinding[] = []
  for await (const finding of lookAgain(disagreements, source, table, known)) {
    // no change that arrives makes comparable what was erased
    if (waitMs > 0 && late.length < MOST_LATE && !isExplained(finding)) late.push(finding)
    else yield finding
  }
  for (let left = waitMs; late.length > 0 && left > 0; left = deadline - time.now()) {
    await time.sleep(Math.min(roundMs, left))
    late = await compareLate(late, source, table, archived)
  }
  yield* late
}

/** Looks at some items once more, and at what the archive has by now. */
async function compareLate(
  late: readonly ReconcileFinding[],
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
): Promise<ReconcileFinding[]> {
  const store = await (archived.openStore ?? StateStore.open)()
  try {
    for (const { itemKey, told } of late) store.add({ itemKey, hash: told?.hash ?? null, image: told?.image ?? null })
    store.seal()
    const compared = await openWith(archived, store, table, source)
    try {
      const moment = newest(source.fromUs, (archived.time ?? CLOCK).now() * 1000)
      const { disagreements } = await compareTold(compared, moment)
      const findings: ReconcileFinding[] = []
      const known = await comparability(compared.engine, table)
      for await (const finding of lookAgain(disagreements, source, table, known)) findings.push(finding)
      return findings
    } finally {
      compared.engine.close()
    }
  } finally {
    store.remove()
  }
}

/** Second looks under way at once. */
const LOOKS = 16

async function* lookAgain(
  disagreements: AsyncIterable<Disagreement>,
  { lookAgain: look, fromUs }: ReconcileSource,
  table: TableConfiguration,
  known: Comparability,
): AsyncGenerator<ReconcileFinding> {
  const lookAt = async (disagreement: Disagreement) => judgeLive(disagreement, await again(disagreement), fromUs, known)
  // no table has an item under a token, so what the scan told is what there is to say
  const again = async ({ itemKey, told }: Disagreement) =>
    table.keyIsPersonal === undefined ? ((await look?.(itemKey, table)) ?? null) : told
  let waiting: Promise<ReconcileFinding | undefined>[] = []
  const settle = async () => {
    const findings = await Promise.all(waiting)
    waiting = []
    return findings.filter(finding => finding !== undefined)
  }
  for await (const disagreement of disagreements) {
    waiting.push(lookAt(disagreement))
    if (waiting.length === LOOKS) yield* await settle()
  }
  yield* await settle()
}
