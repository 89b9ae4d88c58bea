import type { Difference } from '../../../queries/difference.js'
import { isActing } from '../../../restore/apply.js'
import { itemOf } from '../../../restore/conditional-write.js'
import type { PlanCounts } from '../../../restore/plan-file.js'
import type { ItemOutcome, Outcome } from '../../../restore/progress-file.js'
import type { PlannedAction, PlannedChange } from '../../../restore/restore-plan.js'
import type { Io } from '../../io.js'
import { showDifferences, showPath } from '../../show/item.js'
import { showItemKey } from '../../show/item-key.js'
import { grouped } from '../../show/progress.js'
import { paint } from '../../show/terminal.js'
import { printable } from '../../show/text.js'

const MARKS = { put: '+', update: '~', delete: '-', leave: '·', skip: '?' } as const
const COLOURS = { put: 'green', update: 'yellow', delete: 'red', leave: 'cyan', skip: 'magenta' } as const

/** A planned item as people read it: what is done, and how that differs from what is there now. */
export function showPlanned(planned: PlannedChange, differences: readonly Difference[], io: Io): string {
  const { key, action, reason } = planned
  const head = `${MARKS[action]} ${showItemKey(key)}  ${action}${reason === null ? '' : `: ${printable(reason)}`}`
  const lines = isActing(planned) ? showDifferences(differences, io, '    ') : []
  return [paint(io, COLOURS[action], head), ...lines].join('\n')
}

/** The same as an object of the contract. */
export function describePlanned(
  { key, action, confidence, reason, expected, wanted, now }: PlannedChange,
  differences: readonly Difference[],
): object {
  const isKnown = action !== 'skip'
  return {
    item_key: JSON.parse(key) as object,
    action,
    confidence,
    reason,
    expected,
    wanted: itemOf(wanted),
    now: itemOf(now),
    differences: (isKnown ? differences : []).map(({ kind, path, before, after }) => ({
      kind,
      path: showPath(path),
      before: before ?? null,
      after: after ?? null,
    })),
  }
}

/** How many of what, on one line. */
export function showCounts({ put, update, delete: deletes, leave, skip, same }: PlanCounts, inPart = 0): string {
  const updates = `${grouped(update)} to update${inPart > 0 ? ` (${grouped(inPart)} of them in part)` : ''}`
  const parts = [`${grouped(put)} to put`, updates, `${grouped(deletes)} to delete`]
  const rest = [
    `${grouped(same)} as ${same === 1 ? 'it is' : 'they are'}`,
    ...(leave > 0 ? [`${grouped(leave)} left`] : []),
    ...(skip > 0 ? [`${grouped(skip)} skipped`] : []),
  ]
  return `${parts.join(', ')}; ${rest.join(', ')}`
}

/** How many items of a plan change the table. */
export function actionsIn(counts: PlanCounts): number {
  return (['put', 'update', 'delete'] as const).reduce((sum, action) => sum + counts[action], 0)
}

export const NO_COUNTS: Record<PlannedAction | 'same', number> = {
  put: 0,
  update: 0,
  delete: 0,
  leave: 0,
  skip: 0,
  same: 0,
}

/** What became of an item, where it is not what was wanted. */
export function showOutcome({ key, outcome, reason }: ItemOutcome, io: Io): string {
  return paint(io, 'red', `! ${showItemKey(key)}  ${outcome}: ${printable(reason ?? '')}`)
}

/** The same, of any item, as an object of the contract. */
export function describeOutcome({ key, outcome, reason, lost }: ItemOutcome): object {
  return { item_key: JSON.parse(key) as object, outcome, reason, lost: itemOf(lost ?? null) }
}

export type OutcomeCounts = Record<Outcome, number>

/** How many ended how, on one line. */
export function showOutcomeCounts({ done, already, refused, failed, altered }: OutcomeCounts): string {
  const parts = [
    `${grouped(done)} restored`,
    ...(already > 0 ? [`${grouped(already)} already as wanted`] : []),
    ...(refused > 0 ? [`${grouped(refused)} refused`] : []),
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
    ...(altered > 0 ? [`${grouped(altered)} written by somebody else at the same moment`] : []),
  ]
  return parts.join(', ')
}
