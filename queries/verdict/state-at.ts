import type { Instant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { rowsOf } from '../engines/rows.js'
import { findAlterations, findProblems, type ItemFinding, isDoubtful, worstOf } from './findings.js'
import type { ItemHistory } from './fold-history.js'
import type { HistoryChange } from './item-change.js'
import { AHEAD_US, type ItemState, lastState, orderSteps, stepsUntil } from './reconstruct.js'
import type { Step } from './step.js'
import { judgeUnseen, ofUnknown } from './unseen.js'
import { judge, momentOf, stateSince } from './verdict.js'

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
    return first === undefined
      ? {
          ...found,
          state: NEVER_SEEN,
          until: { ...until, ...judgeUnseen(all.itemKey, all.facts, momentOf(all.facts, at.us)) },
        }
      : { ...found, ...stateBefore(first, found.beforeArchive, until) }
  }
  const gapAhead = until.findings.some(({ finding, untilUs }) => finding === 'GAP' && untilUs > at.us)
  const state = lastState(until.steps)
  return { ...found, state, until: state.kind === 'unknown' ? ofUnknownState(until) : until, gapAhead }
}

/**
 * The history up to the later of two moments, with the verdict about all of the time between them: never a better one
 * than the state at the earlier moment has, of which `before` tells.
 */
export function historyBetween(all: ItemHistory, [fromUs, before]: Told, [toUs, after]: Told): ItemHistory {
  const period = { ...momentOf(all.facts, fromUs), toUs, untilUs: toUs }
  const findings = [...alterationsAt(all, [fromUs, toUs]), ...findProblems(all.steps, all.facts.boundaries)]
  const between =
    after.last === undefined ? after.until : { ...after.until, ...judge(all.itemKey, findings, all.facts, period) }
  const { confidence, findings: found } = before.until
  if (!isDoubtful(confidence) || worstOf([confidence, between.confidence]) === between.confidence) return between
  return { ...between, confidence, findings: found, completeUntil: null }
}

/** A moment, in microseconds since 1970, and the state there. */
type Told = readonly [us: number, state: StateAt]

/**
 * The steps up to a moment, and the verdict about it. What is found is found in the whole history, as of a table: a
 * change counts that was missing before the next one, and where a clock ran back the steps by then are not all that
 * come before it.
 */
function historyUntil(all: ItemHistory, us: number): ItemHistory {
  const steps = stepsBy(all, us)
  const findings = [...alterationsAt(all, [us]), ...findProblems(all.steps, all.facts.boundaries)]
  const period = momentOf(all.facts, us)
  const last = steps.findLast(step => !step.ahead && step.changes.length > 0)
  const verdict = judge(all.itemKey, findings, all.facts, period, stateSince(period.afterUs, last?.timeUs, us))
  return { ...all, ...verdict, steps, changes: steps.flatMap(step => step.changes) }
}

/**
 * The steps up to a moment, in the order of the changes up to a day later, as SQL has them: a record that comes later
 * than that, and has the time of its arrival, puts none of them in another place.
 */
function stepsBy({ steps, changes }: ItemHistory, us: number): ItemHistory['steps'] {
  const absences = steps.flatMap(({ absence }) => absence ?? [])
  // a scan may last longer
  const seen = absences.filter(({ rowTimeUs }) => rowTimeUs <= us).map(({ untilUs }) => untilUs)
  const nearUs = Math.max(us + AHEAD_US, ...seen)
  const near = changes.filter(change => change.event_time_us <= nearUs)
  return stepsUntil(near.length === changes.length ? steps : orderSteps(near, absences), us)
}

/** What is altered of the images that tell what an item was at some moments, and of how its changes hang together. */
function alterationsAt(all: ItemHistory, moments: readonly number[]): readonly ItemFinding[] {
  const lastAt = (us: number) => stepsBy(all, us).findLast(step => !step.ahead && step.changes.length > 0)
  const shown = new Set(moments.flatMap(us => lastAt(us)?.changes ?? []))
  return findAlterations(all.steps, step => step.changes.some(change => shown.has(change)))
}

/**
 * Before a first step that leaves `absent` there was no item, as far back as the archive or a complete baseline goes;
 * before any other there was one, as `internal/older-items.sql` has it.
 */
function stateBefore(first: Step, beforeArchive: boolean, until: ItemHistory): Pick<StateAt, 'state' | 'until'> {
  const isAbsent = first.entry === 'absent'
  const isTold = isAbsent && (until.start !== null || !beforeArchive)
  const state = isAbsent ? NEVER_SEEN : ({ kind: 'unknown' } as const)
  return { state, until: isTold ? until : ofUnknownState(until) }
}

function ofUnknownState(until: ItemHistory): ItemHistory {
  return { ...until, confidence: ofUnknown(until.confidence) }
}

const NEVER_SEEN = { kind: 'never seen' } as const

/** When the archive's first change of a table was made, in microseconds since 1970; 0 where it has none. */
export async function archiveBegan(engine: QueryEngine, table: TableConfiguration): Promise<number> {
  const known = await engine.outline?.(table.table)
  if (known !== undefined) return known.beganUs
  const answer = await engine.run(`select min(event_time_us) as began from ${deliveriesOf(table)}`)
  const [row] = [...rowsOf(answer)]
  return Number(row?.began ?? 0)
}
