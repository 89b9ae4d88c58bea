/**
 * The real `reconcile` with the live table, scanned while others write it, of an archive that has by then what has
 * arrived: read as Parquet, by the real engine. The world stands still while that is at work; the table is not.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describeTable, readItem, TableScan } from '../capture/table-scan.js'
import { lookedAt, toldItem } from '../capture/told-states.js'
import { DuckDbEngine } from '../queries/engines/duckdb.js'
import { compareAll, comparisonFact } from '../restore/comparison.js'
import type { ReconcileSource } from '../restore/reconcile-source.js'
import type { FindingKind } from '../restore/reconciliation.js'
import { StateStore } from '../restore/state-store.js'
import { DiskArchive } from '../store/folder.js'
import { keepFact } from '../store/kept-facts.js'
import { Bucket } from '../store/s3.js'
import { factInstant } from '../transform/fact.js'
import { DATA_PREFIX, FACTS_PREFIX } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { SimulatedBucket } from './bucket.js'
import type { Contents } from './contents.js'
import { dynamoDbClientOf } from './dynamodb-client.js'
import { fillAtRest } from './last-look.js'
import { type Process, timeOf } from './process.js'
import { s3ClientOf } from './s3-client.js'
import type { SimulatedTable } from './table.js'

/** Longer than a stack's own, as each look opens the archive anew. */
export const ROUND_MS = 5 * 60_000

/** What is compared with what. */
export interface ReconciledArchive {
  readonly table: SimulatedTable
  readonly configurationOf: () => TableConfiguration
  readonly archive: SimulatedBucket
  /** How long it waits for what has not arrived, in milliseconds. */
  readonly waitMs: number
  /** A folder for it, which whoever gives it removes. */
  readonly folder: string
  /** Closes what is open: a process that died closes nothing. */
  readonly open: Set<() => void>
}

/** What an archive had at a moment. */
export interface Look {
  readonly rows: Contents
  readonly facts: Contents
}

/** What a comparison said, and what it could know. */
export interface Reconciliation {
  /** When it began, and when its last finding was told, in milliseconds of the world. */
  readonly fromMs: number
  readonly untilMs: number
  /** Since when a change may explain what differs, by the clock of whoever compared, which may be behind. */
  readonly sinceMs: number
  /** What the archive had at each look, the first of which is at all items. */
  readonly looks: readonly Look[]
  /** By the item's key. */
  readonly findings: ReadonlyMap<string, FindingKind>
}

/** Compares once, and keeps the fact of it; undefined where the archive has nothing yet. Throws what the table refuses. */
export async function reconcileBy(process: Process, place: ReconciledArchive): Promise<Reconciliation | undefined> {
  const { scheduler } = process.world
  const configuration = place.configurationOf()
  const fromMs = scheduler.now
  const source = await scanSource(process, place.table, configuration.table)
  const openStore = async () => {
    const stored = await process.work(StateStore.open())
    place.open.add(() => stored.remove())
    return standingStill(process, stored)
  }
  const store = await openStore()
  const looks: Look[] = []
  let isCompared = false
  let filled = { root: '', size: -1 }
  const open = async () => {
    const root = join(place.folder, String(process.world.numbers.next()))
    const look = { rows: place.archive.contents(DATA_PREFIX), facts: place.archive.contents(FACTS_PREFIX) }
    if (!isCompared) looks.push(look)
    // nothing in it is ever another: as many objects are the same
    const size = look.rows.length + look.facts.length
    if (size !== filled.size) await process.work(fillAnew(root, configuration, look))
    filled = size === filled.size ? filled : { root, size }
    const engine = await process.work(DuckDbEngine.open(filled.root, [configuration]))
    place.open.add(() => engine.close())
    return standingStill(process, engine)
  }
  try {
    await source.fill(store, configuration)
    store.seal()
    if (place.archive.contents(DATA_PREFIX).length === 0) return undefined
    const { waitMs } = place
    const time = { now: process.now, sleep: process.sleep }
    const archived = { open, store, openStore, waitMs, roundMs: ROUND_MS, time, onComparing: () => {} }
    const findings = new Map<string, FindingKind>()
    const unequal = await compareAll(source, configuration, archived, {
      onCompared: () => {},
      onFinding: ({ finding: { itemKey, kind } }) => findings.set(itemKey, kind),
      isKept: true,
    })
    isCompared = true
    const untilMs = scheduler.now
    const fact = await comparisonFact(source, configuration, archived, unequal, process.now())
    await keepFact(new Bucket(s3ClientOf(process, [place.archive]), place.archive.name), fact)
    return { fromMs, untilMs, sinceMs: source.fromUs / 1000, looks, findings }
  } finally {
    store.remove()
  }
}

async function fillAnew(root: string, table: TableConfiguration, look: Look): Promise<void> {
  mkdirSync(root)
  await fillAtRest(new DiskArchive(root), { table, ...look })
}

/** As the command opens it. */
async function scanSource(process: Process, table: SimulatedTable, name: string): Promise<ReconcileSource> {
  const client = dynamoDbClientOf(process, table)
  const time = timeOf(process)
  const live = await describeTable(client, name, process.now, time)
  const scan = new TableScan(client, live, 2, process.now, time)
  const fromUs = live.askedUs
  return {
    kind: 'scan',
    source: `${live.arn}/scan/${factInstant(fromUs)}`,
    fromUs,
    toUs: () => Math.max(scan.untilUs, fromUs),
    keys: live.keys,
    tellsBefore: false,
    fill: async (store, configuration) => {
      for await (const item of scan.items()) store.add(toldItem(item, configuration))
    },
    lookAgain: async (itemKey, configuration) =>
      lookedAt(await readItem(client, live, itemKey, time), itemKey, configuration),
  }
}

/** The same, where time stands still while something that it was asked is being done in the background. */
function standingStill<T extends object>(process: Process, target: T): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]) => {
        const answer: unknown = Reflect.apply(value, target, args)
        if (answer instanceof Promise) return process.work(answer)
        return isStream(answer) ? eachStandingStill(process, answer) : answer
      }
    },
  })
}

function isStream(answer: unknown): answer is AsyncGenerator {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer
}

async function* eachStandingStill<T>(process: Process, stream: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    for (;;) {
      const { value, done } = await process.work(stream.next())
      if (done === true) return
      yield value
    }
  } finally {
    await stream.return(undefined)
  }
}
