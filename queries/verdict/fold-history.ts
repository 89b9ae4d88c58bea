import type { Row } from '../engines/rows.js'
import { describeRegions, regionsOf } from '../regions.js'
import { alterationsOf, withoutUnreadable } from './alteration.js'
import { type ArchiveFacts, NO_FACTS } from './archive-facts.js'
import { findAlterations, findProblems } from './findings.js'
import type { HistoryChange } from './item-change.js'
import { orderSteps } from './reconstruct.js'
import type { Step } from './step.js'
import { allOfUnseen, judgeUnseen } from './unseen.js'
import { absencesOf, judge, periodOver, type Verdict } from './verdict.js'

/** A row with every column that its hashes are taken over, as the fold reads it. */
export function heldAgainstHashes(
  row: Row,
  hasTodaysActor = false,
): Row & Pick<HistoryChange, 'altered' | 'event_time_us'> {
  const altered = alterationsOf(row, hasTodaysActor)
  return { ...withoutUnreadable(row, altered), altered, event_time_us: Number(row.event_time_us) } as never
}

/** One item's changes in order, what does not fit together in them, and how far they can be believed. */
export interface ItemHistory extends Verdict {
  readonly itemKey: string
  readonly steps: readonly Step<HistoryChange>[]
  /** The changes of all steps, in order. */
  readonly changes: readonly HistoryChange[]
  readonly facts: ArchiveFacts
}

/** What is missing of the table may be older than the item's first change. */
const EVER = Number.NEGATIVE_INFINITY

/** The history that an item's changes and what is known of its archive make. */
export function foldHistory(
  itemKey: string,
  unordered: readonly HistoryChange[],
  facts: ArchiveFacts = NO_FACTS,
): ItemHistory {
  const absences = absencesOf(facts, new Set(unordered.map(change => change.source)))
  const steps = orderSteps(unordered, absences)
  const changes = steps.flatMap(step => step.changes)
  const period = periodOver(changes.map(change => change.event_time_us))
  const verdict =
    changes.length === 0
      ? judgeUnseen(itemKey, facts, allOfUnseen(facts), EVER)
      : judge(itemKey, [...findAlterations(steps), ...findProblems(steps, facts.boundaries)], facts, period, EVER)
  const regions = describeRegions(regionsOf(changes.map(change => change.source)))
  const remarks = regions === undefined ? verdict.remarks : [...verdict.remarks, `its ${regions}`]
  return { itemKey, steps, changes, facts, ...verdict, remarks }
}
