import type { Difference } from '../../../queries/difference.js'
import type { PlanCounts } from '../../../restore/plan-file.js'
import type { PlanHeader } from '../../../restore/plan-schema.js'
import type { ItemOutcome } from '../../../restore/progress-file.js'
import type { PlannedChange } from '../../../restore/restore-plan.js'
import type { Io } from '../../io.js'
import type { Format } from '../../show/formats.js'
import { toJson } from '../../show/json.js'
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
export type AnswerHead = Pick<PlanHeader, 'table' | 'as_of' | 'key' | 'against'> & { readonly target: string | null }

/** What a restore says, piece by piece as it is found: a table may have more items than fit into memory. */
export interface RestoreAnswer {
  begin(head: AnswerHead): void
  /** True where `planned` will write something. */
  shows(item: PlannedChange): boolean
  planned(item: PlannedChange, differences: readonly Difference[]): void
  /** Ends the plan's items; `path` is where the plan is kept. */
  counted(counts: PlanCounts, path: string | null): void
  outcome(outcome: ItemOutcome): void
  applied(counts: OutcomeCounts): void
  end(output: string | null): void
}

/** An answer in a format. `brief` shows people only what needs them: filling a table puts every item. */
export function openAnswer(format: Format, io: Io, brief: boolean): RestoreAnswer {
  if (format === 'json') return new JsonAnswer(io)
  return format === 'ndjson' ? new LinesAnswer(io) : new ShownAnswer(io, brief)
}

class ShownAnswer implements RestoreAnswer {
  constructor(
    private readonly io: Io,
    private readonly brief: boolean,
  ) {}

  begin({ table, as_of, against, target }: AnswerHead): void {
    const beside = against === 'archive' ? ['beside the newest states in the archive'] : []
    const now = against === 'archive' ? [] : [target === null ? 'as an export' : `beside table ${target} now`]
    const into = target === null || (target === table && against === 'table') ? [] : [`into table ${target}`]
    const moment = as_of.replace(/(\.0+)?Z$/, 'Z').replace('T', ' ')
    const title = [`as of ${moment}`, ...into, ...beside, ...now].join(', ')
    this.io.out(`${paint(this.io, 'bold', printable(table))}  ${printable(title)}\n`)
  }

  shows({ action }: PlannedChange): boolean {
    return !this.brief || action === 'skip'
  }

  planned(item: PlannedChange, differences: readonly Difference[]): void {
    if (this.shows(item)) this.io.out(`${showPlanned(item, differences, this.io)}\n`)
  }

  counted(counts: PlanCounts): void {
    this.io.out(`${showCounts(counts)}\n`)
  }

  outcome(outcome: ItemOutcome): void {
    if (outcome.outcome !== 'done' && outcome.outcome !== 'already') this.io.out(`${showOutcome(outcome, this.io)}\n`)
  }

  applied(counts: OutcomeCounts): void {
    this.io.out(`${showOutcomeCounts(counts)}\n`)
  }

  end(): void {}
}

/** The items of the plan, then what became of each. */
class LinesAnswer implements RestoreAnswer {
  constructor(private readonly io: Io) {}

  begin(): void {}

  shows(): boolean {
    return true
  }

  planned(item: PlannedChange, differences: readonly Difference[]): void {
    this.io.out(`${toJson(describePlanned(item, differences))}\n`)
  }

  counted(counts: PlanCounts): void {
    this.io.err(`${showCounts(counts)}\n`)
  }

  outcome(outcome: ItemOutcome): void {
    this.io.out(`${toJson(describeOutcome(outcome))}\n`)
  }

  applied(counts: OutcomeCounts): void {
    this.io.err(`${showOutcomeCounts(counts)}\n`)
  }

  end(): void {}
}

/** One object: its arrays are written as they come, in the order of its fields. */
class JsonAnswer implements RestoreAnswer {
  private items: 'none' | 'some' | 'ended' = 'none'
  private outcomes: 'none' | 'some' = 'none'
  private rest = { applied: null as OutcomeCounts | null }

  constructor(private readonly io: Io) {}

  begin({ table, as_of, key, against, target }: AnswerHead): void {
    const head = toJson({ table, as_of, item_key: key === null ? null : (JSON.parse(key) as object), against, target })
    this.io.out(`${head.slice(0, -1)},"items":[`)
  }

  shows(): boolean {
    return true
  }

  planned(item: PlannedChange, differences: readonly Difference[]): void {
    this.io.out(`${this.items === 'none' ? '\n' : ',\n '}${toJson(describePlanned(item, differences))}`)
    this.items = 'some'
  }

  counted(counts: PlanCounts, path: string | null): void {
    this.io.out(`],\n${toJson({ counts, plan: path }).slice(1, -1)},"outcomes":[`)
    this.items = 'ended'
  }

  outcome(outcome: ItemOutcome): void {
    this.io.out(`${this.outcomes === 'none' ? '\n' : ',\n '}${toJson(describeOutcome(outcome))}`)
    this.outcomes = 'some'
  }

  applied(counts: OutcomeCounts): void {
    this.rest = { applied: { ...counts } }
  }

  end(output: string | null): void {
    this.io.out(`],\n${toJson({ ...this.rest, output }).slice(1)}\n`)
  }
}
