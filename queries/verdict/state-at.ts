import type { Instant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { rowsOf } from '../engines/rows.js'
import { CONFIDENCES, findAlterations, findProblems, type ItemFinding } from './findings.js'
import type { ItemHistory } from './fold-history.js'
import type { HistoryChange } from './item-change.js'
import { type ItemState, lastState, stepsUntil } from './reconstruct.js'
import type { Step } from './step.js'
import { judge, momentOf } from './verdict.js'

/** What an item was at a moment, and how far that can be believed. */
export interface StateAt {
  readonly state: ItemState
  /**
   * The changes up to the moment; its findings and confidence also count what the next change tells about the time
   * between.
   */
  readonly until: ItemHistory
  /** The change that led here; undefined before the first. */
  readonly last: HistoryChange | undefined
  /** The change that ended it. */
  readonly next: HistoryChange | undefined
  /** True where changes between `last` and `next` are missing, which may have been made before the moment. */
  readonly gapAhead: boolean
  /** True where the moment is before the first change of the whole table. */
  readonly beforeArchive: boolean
}

/** An item's state at a moment, changes at that moment included, from its whole history. */
export function stateAt(all: ItemHistory, at: Pick<Instant, 'us'>, beganUs: number): StateAt {
  const until = historyUntil(all, at.us)
  // what a baseline saw of later changes neither led here nor ended it
  const chain = (steps: ItemHistory['steps']) => steps.filter(step => !step.ahead).flatMap(step => step.changes)
  const last = chain(until.steps).at(-1)
  const next = chain(all.steps).find(change => !until.changes.includes(change))
  const found = { last, next, beforeArchive: at.us < beganUs, gapAhead: false }
  if (last === undefined) {
    const first = all.steps.find(step => !step.ahead && step.changes.length > 0)
    return { ...found, ...stateBefore(first, found.beforeArchive, until) }
  }
  const gapAhead = until.findings.some(({ finding, untilUs }) => finding === 'GAP' && untilUs > at.us)
  return { ...found, state: lastState(until.steps), until, gapAhead }
}

/**
 * The history up to `toUs` with the verdict about all of the time between two moments, of whose later one `after`
 * tells.
 */
export function historyBetween(all: ItemHistory, fromUs: number, toUs: number, after: StateAt): ItemHistory {
  if (after.last === undefined) return after.until
  const period = { ...momentOf(all.facts, fromUs), toUs, untilUs: toUs }
  const findings = [...alterationsAt(all, [fromUs, toUs]), ...findingsAt(all, after.until.steps, toUs)]
  return { ...after.until, ...judge(all.itemKey, findings, all.facts, period) }
}

/**
 * The steps up to a moment, and the verdict about it, for which a change counts that was missing before the next one,
 * too.
 */
function historyUntil(all: ItemHistory, us: number): ItemHistory {
  const steps = stepsUntil(all.steps, us)
  const findings = [...alterationsAt(all, [us]), ...findingsAt(all, steps, us)]
  const verdict = judge(all.itemKey, findings, all.facts, momentOf(all.facts, us))
  return { ...all, ...verdict, steps, changes: steps.flatMap(step => step.changes) }
}

/** What is altered of the images that tell what an item was at some moments, and of how its changes hang together. */
function alterationsAt({ steps }: ItemHistory, moments: readonly number[]): readonly ItemFinding[] {
  const lastAt = (us: number) => stepsUntil(steps, us).findLast(step => !step.ahead && step.changes.length > 0)
  const shown = new Set(moments.map(lastAt))
  return findAlterations(steps, step => shown.has(step))
}

/** What is found up to a moment, and what is missing before a later change. */
function findingsAt(all: ItemHistory, until: ItemHistory['steps'], us: number): readonly ItemFinding[] {
  const ahead = findProblems(all.steps).filter(({ finding, untilUs }) => finding === 'GAP' && untilUs > us)
  return [...findProblems(until), ...ahead]
}

/**
 * Before a first step that leaves `absent` there was no item, as far back as the archive goes; before any other there
 * was one, as `internal/older-items.sql` has it. An item without any change may be older than the archive, too,
 * unless a complete baseline says that it was not there.
 */
function stateBefore(first: Step | undefined, beforeArchive: boolean, until: ItemHistory) {
  const older = { ...until, confidence: 'PRE-ARCHIVE' as const }
  if (first !== undefined && first.entry !== 'absent')
    return { state: { kind: 'unknown' as const }, until: isWorse(until) ? until : older }
  const told = until.start !== null || (first !== undefined && !beforeArchive)
  return { state: { kind: 'never seen' as const }, until: told || isWorse(until) ? until : older }
}

function isWorse({ confidence }: ItemHistory): boolean {
  return CONFIDENCES.indexOf(confidence) < CONFIDENCES.indexOf('PRE-ARCHIVE')
}

/** When the archive's first change of a table was made, in microseconds since 1970; 0 where it has none. */
export async function archiveBegan(engine: QueryEngine, table: TableConfiguration): Promise<number> {
  const known = await engine.outline?.(table.table)
  if (known !== undefined) return known.beganUs
  const answer = await engine.run(`select min(event_time_us) as began from ${deliveriesOf(table)}`)
  const [row] = [...rowsOf(answer)]
  return Number(row?.began ?? 0)
}
