/**
 * Compares a table with its archive night by night: an incremental export of each day, in UTC, against the rows of that
 * day. Called again and again it does what is next, a step a call: asks for an export, looks whether it is there,
 * compares. What it remembers lies beside the exports, so any call may die. Each window begins where the one before it
 * ended, so what was compared has no holes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ExportError } from '../capture/export-layout.js'
import { readExport, type TableExport } from '../capture/export-reader.js'
import { type ExportTarget, exportId, lookAtExport, startExport } from '../capture/table-exports.js'
import { toldChange } from '../capture/told-states.js'
import type { Counts } from '../capture/write-metrics.js'
import {
  firstNightlyState,
  type NightlyState,
  nightlyKey,
  RECONCILE_METRICS,
  readNightlyState,
} from '../config/nightly.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { keepFact } from '../store/kept-facts.js'
import type { Objects, ReplaceableObjects, TaggedText } from '../store/objects.js'
import { factMicroseconds } from '../transform/fact.js'
import { formatInstant } from '../transform/instant.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { copyExport, type ExportBounds, LargeExportError } from './copied-export.js'
import { compareNetChanges, type NetComparison, NO_ITEM, type ToldChanges, withLastChanges } from './net-changes.js'
import { nameUnequal, reconciliationFact } from './reconciliation-fact.js'

export interface NightlyOptions {
  readonly dynamoDb: DynamoDBClient
  /** Where exports go, and what is remembered. */
  readonly exports: Omit<ReplaceableObjects, 'remove'>
  readonly target: ExportTarget
  /** Where the fact is kept. */
  readonly archive: Pick<Objects, 'put'>
  readonly table: TableConfiguration
  readonly writeMetrics: (counts: Counts) => void
  /** Told what was done. */
  readonly report: (message: string) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
  /** What is compared at once. @default - what a function of 15 minutes and 2 GB compares */
  readonly bounds?: ExportBounds
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** So long after a window's end its export is asked for: Firehose gathers for up to half an hour. */
const SETTLED_MS = HOUR_MS

/** So long after a window's end what differs is looked at again: it may be on its way. */
const PATIENCE_MS = 12 * HOUR_MS

/** DynamoDB exports what changed within 35 days (developer guide, "Point-in-time recovery"). */
const EXPORTABLE_MS = 34 * DAY_MS

/** Athena hands out some thousand rows a second. */
const BOUNDS: ExportBounds = { items: 1_000_000, bytes: 2 * 1024 ** 3 }

type Window = NonNullable<NightlyState['running']>

/** Does the next step each time it is called. It throws where that cannot be done, and then counts nothing. */
export function createNightly(options: NightlyOptions): (engine: QueryEngine) => Promise<void> {
  const { exports, table, writeMetrics, now = Date.now } = options
  const key = nightlyKey(table.table)
  return async engine => {
    const opened = await exports.openTagged(key)
    const state = opened ? readNightlyState(opened.text, key) : firstNightlyState(instantText(now()))
    const after = state.running === null ? await begin(options, state) : await goOn(options, engine, state, opened)
    if (after !== state || opened === undefined) await exports.replace(key, JSON.stringify(after), opened)
    const since = after.comparedUntil === null ? firstDay(after) : milliseconds(after.comparedUntil)
    writeMetrics({ [RECONCILE_METRICS.age]: Math.max(0, now() - since) / HOUR_MS })
  }
}

/** Asks for the export of the next day, once that is over. */
async function begin(options: NightlyOptions, state: NightlyState): Promise<NightlyState> {
  const { dynamoDb, target, report, now = Date.now } = options
  const next = state.comparedUntil === null ? firstDay(state) : milliseconds(state.comparedUntil)
  const oldest = midnight(now() - EXPORTABLE_MS)
  const from = Math.max(next, oldest)
  // none goes over midnight, so that a day is one window again once it may be
  const to = Math.min(from + state.hours * HOUR_MS, midnight(from) + DAY_MS)
  if (now() < to + SETTLED_MS) return state
  if (from > next) report(`what changed from ${instantText(next)} to ${instantText(from)} is exported no more`)
  const exportArn = await startExport(dynamoDb, target, [from, to], state.attempt)
  report(`export ${exportArn} of what changed from ${instantText(from)} to ${instantText(to)} was asked for`)
  return { ...state, running: { from: instantText(from), to: instantText(to), exportArn } }
}

/** Looks at the export, and compares once it is there. */
async function goOn(
  options: NightlyOptions,
  engine: QueryEngine,
  state: NightlyState,
  opened: TaggedText | undefined,
): Promise<NightlyState> {
  const { dynamoDb, exports, table, report, now = Date.now } = options
  const running = state.running as Window
  const progress = await lookAtExport(dynamoDb, running.exportArn)
  if (progress.kind === 'running') return state
  if (progress.kind === 'failed') {
    const again = { ...state, attempt: state.attempt + 1, running: null }
    await exports.replace(nightlyKey(table.table), JSON.stringify(again), opened)
    throw new ExportError(`export ${running.exportArn} failed, ${progress.why}`)
  }
  let compared: NightComparison
  try {
    compared = await compareNight(options, engine, running)
  } catch (error) {
    // more changed than can be compared at once
    if (!(error instanceof LargeExportError) || state.hours === 1) throw error
    const hours = Math.max(1, Math.floor(state.hours / 2))
    report(`${error.message}; the next has ${hours} hours`)
    return { ...state, hours, running: null }
  }
  if (compared.differing.length > 0 && now() < milliseconds(running.to) + PATIENCE_MS) {
    report(`${compared.differing.length} of ${compared.items} items differ, and may be on their way: looked at again`)
    return state
  }
  await settle(options, engine, running, compared)
  return { ...state, hours: grownHours(state, running, compared), comparedUntil: running.to, attempt: 0, running: null }
}

/** What was compared, and how much of what can be compared at once it was: 1 is all. */
interface NightComparison extends NetComparison {
  readonly fullness: number
}

/** Twice the hours of a window that was shortened, once twice as many would take two thirds of the bounds at most. */
function grownHours({ hours }: NightlyState, { from, to }: Window, { fullness }: NightComparison): number {
  const compared = (milliseconds(to) - milliseconds(from)) / HOUR_MS
  const grown = Math.min(hours * 2, 24)
  return (fullness / compared) * grown * 3 <= 2 ? grown : hours
}

async function compareNight(options: NightlyOptions, engine: QueryEngine, running: Window): Promise<NightComparison> {
  const { exports, target, table, bounds = BOUNDS } = options
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-export-'))
  try {
    const { source, fullness } = await copyExport(exports, target.prefix, exportId(running.exportArn), folder, bounds)
    checkExport(source, target, running)
    const told = await readChanges(source, table)
    const window = { fromUs: factMicroseconds(running.from), toUs: factMicroseconds(running.to) }
    return { ...(await compareNetChanges(engine, table, window, told)), fullness }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What was written is to be what was asked for: of another table or window it would say nothing. */
function checkExport({ summary }: TableExport, { tableArn }: ExportTarget, running: Window): void {
  const told = summary.exportType === 'INCREMENTAL_EXPORT' ? [summary.exportFromTime, summary.exportToTime] : []
  const isIt =
    summary.tableArn === tableArn &&
    told.length === 2 &&
    told.every((time, i) => Date.parse(time) === milliseconds(i === 0 ? running.from : running.to))
  if (isIt) return
  throw new ExportError(
    `export ${running.exportArn} is of ${summary.tableArn} from ${told.join(' to ')}, expected of ${tableArn} from ${running.from} to ${running.to}`,
  )
}

async function readChanges(source: TableExport, table: TableConfiguration): Promise<ToldChanges> {
  const told: ToldChanges = new Map()
  for await (const line of readExport(source)) {
    const { before, after } = toldChange(line, table)
    if (told.has(after.itemKey)) throw new ExportError(`${line.where} tells of ${after.itemKey} a second time`)
    told.set(after.itemKey, { before: before.hash ?? NO_ITEM, after: after.hash ?? NO_ITEM })
  }
  return told
}

/** Keeps what was found as a fact, and counts it. */
async function settle(
  options: NightlyOptions,
  engine: QueryEngine,
  running: Window,
  compared: NetComparison,
): Promise<void> {
  const { archive, table, report, now = Date.now } = options
  const { items, differing, unsettled } = compared
  const source = {
    table: table.table,
    method: 'export',
    source: running.exportArn,
    fromUs: factMicroseconds(running.from),
    toUs: factMicroseconds(running.to),
  } as const
  const named = nameUnequal(new Map(differing.map(one => [one.itemKey, one])), unsettled)
  const some = { ...compared, ...named, differing: [...named.differing.values()] }
  const kept = await keepFact(
    archive,
    reconciliationFact(source, await withLastChanges(engine, table, source, some), now()),
  )
  report(`${items} items compared, ${differing.length} differ, ${unsettled.size} unsettled, kept as ${kept}`)
  for (const { itemKey } of differing.slice(0, TOLD)) report(`item ${itemKey} differs`)
  count(options, compared)
}

function count({ writeMetrics }: NightlyOptions, { items, differing, unsettled }: NetComparison): void {
  writeMetrics({
    [RECONCILE_METRICS.differences]: differing.length,
    [RECONCILE_METRICS.unsettled]: unsettled.size,
    [RECONCILE_METRICS.items]: items,
  })
}

/** So many items that differ are named in the log; the fact has more. */
const TOLD = 20

/** The first whole day that is compared. */
function firstDay({ began }: NightlyState): number {
  return midnight(milliseconds(began) + DAY_MS - 1)
}

function midnight(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS
}

function milliseconds(instant: string): number {
  return factMicroseconds(instant) / 1000
}

function instantText(ms: number): string {
  return formatInstant(ms * 1000, 6)
}
