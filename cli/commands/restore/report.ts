import type { Difference } from '../../../queries/difference.js'
import type { PlanCounts } from '../../../restore/plan-file.js'
import type { PlanHeader } from '../../../restore/plan-schema.js'
import type { ItemOutcome } from '../../../restore/progress-file.js'
import type { PlannedChange } from '../../../restore/restore-plan.js'
import type { Io } from '../../io.js'
import { describePast } from '../../show/change.js'
import type { Telling, TextFormat } from '../../show/output-format.js'
import { paint } from '../../show/terminal.js'
import { printable } from '../../show/text.js'
import {
  describeOutcome,
  describePlanned,
  type OutcomeCounts,
  showCounts,
  showOutcome,
  showOutcomeCounts,
  showPlanned,
} from './items.js'

/** What is known before the first item. */
export type AnswerHead = Pick<PlanHeader, 'table' | 'as_of' | 'before' | 'undo' | 'key' | 'against'> & {
  readonly target: string | null
  /** What the plan may lack, for all that the archive knows. */
  readonly remarks: readonly string[]
}

/** What a restore says, piece by piece as it is found: the items of the plan, then what became of each. */
export class RestoreAnswer {
  private readonly telling: Telling
  private counts: OutcomeCounts | null = null

  /** `isBrief` shows people only what needs them: filling a table puts every item. */
  constructor(
    format: TextFormat,
    private readonly io: Io,
    private readonly isBrief: boolean,
  ) {
    this.telling = format.tell(io)
  }

  begin(head: AnswerHead): void {
    const { table, as_of, before = null, undo, key, against, target, remarks } = head
    const undone = undo === undefined ? null : { actor: undo.actor, from: undo.from, to: undo.to }
    const item_key = key === null ? null : (JSON.parse(key) as object)
    this.telling.members({ table, as_of, before, undo: undone, item_key, against, target, remarks })
    this.telling.page(() => this.io.out(`${titleOf(head, this.io)}\n`))
    for (const remark of remarks) this.io.err(`${printable(remark)}\n`)
    this.telling.list('items')
  }

  /** `differences` is asked only where the item is told of. */
  planned(item: PlannedChange, differences: () => readonly Difference[]): void {
    const isShown = !this.isBrief || item.action === 'skip'
    this.telling.piece(
      () => describePlanned(item, differences()),
      () => isShown && this.io.out(`${showPlanned(item, differences(), this.io)}\n`),
    )
  }

  /** Ends the plan's items, `inPart` of which keep what somebody else made since; `path` is where the plan is kept. */
  counted(counts: PlanCounts, inPart: number, path: string | null): void {
    this.telling.members({ counts: { ...counts, in_part: inPart }, plan: path })
    this.telling.summary(io => io.out(`${showCounts(counts, inPart)}\n`))
    this.telling.list('outcomes')
  }

  outcome(outcome: ItemOutcome): void {
    const isAsWanted = outcome.outcome === 'done' || outcome.outcome === 'already'
    this.telling.piece(
      () => describeOutcome(outcome),
      () => !isAsWanted && this.io.out(`${showOutcome(outcome, this.io)}\n`),
    )
  }

  applied(counts: OutcomeCounts): void {
    this.counts = { ...counts }
    this.telling.summary(io => io.out(`${showOutcomeCounts(counts)}\n`))
  }

  end(output: string | null): void {
    this.telling.members({ applied: this.counts, output })
    this.telling.end()
  }
}

function titleOf(head: AnswerHead, io: Io): string {
  const { table, against, target } = head
  const beside = against === 'archive' ? ['beside the newest states in the archive'] : []
  const now = against === 'archive' ? [] : [target === null ? 'as an export' : `beside table ${target} now`]
  const into = target === null || (target === table && against === 'table') ? [] : [`into table ${target}`]
  const title = [describePast(head), ...into, ...beside, ...now].join(', ')
  return `${paint(io, 'bold', printable(table))}  ${printable(title)}`
}
