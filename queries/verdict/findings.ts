import { endsOf } from '../../transform/ends.js'
import { type Boundary, type BrokenSide, boundaryBetween } from './boundary.js'
import { type Boundaries, type KnownErasure, NO_BOUNDARIES } from './erasures.js'
import type { HistoryChange, ItemChange } from './item-change.js'
import { compareText, isBlind, type State, type Step, stateAfter, stateBefore } from './step.js'

export type Finding =
  | 'ALTERED'
  | 'UNCHECKED'
  | 'CONFLICT'
  | 'GAP'
  | 'DIFFERS'
  | 'KEYS-ONLY'
  | 'PRE-ARCHIVE'
  | Boundary['finding']
  | 'UNRESOLVED-ORDER'
  | 'DUPLICATE'

/** One thing that `continuity` finds about an item, or that a comparison with its table found. */
export interface ItemFinding {
  readonly finding: Finding
  /** The change at which it shows; null of DIFFERS, which shows beside all of them. */
  readonly eventId: string | null
  readonly eventTimeUs: number
  readonly changes: number
  /**
   * The time that it concerns, in microseconds since 1970: of a GAP that in which what is missing was made. Null: no
   * beginning.
   */
  readonly sinceUs: number | null
  readonly untilUs: number
  /** Of a GAP that shows because a complete baseline lacks the item: that baseline's source, and what is missing. */
  readonly absence: { readonly source: string; readonly missing: Missing } | null
  /** Of an ERASED: the erasures that keep the change from being linked to the one before. */
  readonly erasures: readonly KnownErasure[]
}

/** A REMOVE after the change that the finding names, or an INSERT before it. */
export type Missing = 'INSERT' | 'REMOVE'

/** Everything that does not fit together in an item's history, in the order of its steps. */
export function findProblems(steps: readonly Step[], known: Boundaries = NO_BOUNDARIES): readonly ItemFinding[] {
  const findings: ItemFinding[] = []
  let before: Before = { step: null, changed: null, timeUs: null, left: null }
  for (const [i, step] of steps.entries()) {
    findings.push(...stepFindings(step, i === 0, before, known))
    for (const change of step.changes) findings.push(...changeFindings(change))
    if (step.ahead) continue
    const timeUs = Math.max(before.timeUs ?? step.timeUs, step.timeUs)
    const left = step.imbalance === 0 ? before.left : step
    before = { step, changed: step.changes.length > 0 ? step : before.changed, timeUs, left }
  }
  const blind = steps.map(step => step.changes.filter(isBlind)).filter(changes => changes.length > 0)
  const [first] = blind
  return first === undefined ? findings : [...findings, keysOnly(first, blind.flat())]
}

/**
 * The changes that are not what their own hashes say, and those of a row version that is not known here, of which
 * nobody can say that. `shown` tells of which steps the images are part of the answer;
 * of a row that was altered nobody knows what it was or when, so it concerns all time.
 */
export function findAlterations(
  steps: readonly Step<HistoryChange>[],
  shown: (step: Step<HistoryChange>) => boolean = () => true,
): readonly ItemFinding[] {
  return steps.flatMap(step =>
    step.changes
      .filter(({ altered }) => altered.some(({ part }) => !PARTS_OF_STATE.includes(part) || shown(step)))
      .map(change => ({
        ...findingOf(isUnchecked(change) ? 'UNCHECKED' : 'ALTERED', [change]),
        sinceUs: null,
        untilUs: Number.POSITIVE_INFINITY,
      })),
  )
}

/** What else than a row as a whole may be another. */
const PARTS_OF_STATE: readonly string[] = ['old_image', 'new_image', 'changed']

function isUnchecked({ altered }: HistoryChange): boolean {
  return altered.some(({ part }) => part === 'unknown_version')
}

/** What came before a step: the last step, the last with changes, the latest time, and what led into its state. */
interface Before {
  readonly step: Step | null
  readonly changed: Step | null
  readonly timeUs: number | null
  readonly left: Step | null
}

function stepFindings(step: Step, first: boolean, before: Before, known: Boundaries): readonly ItemFinding[] {
  const findings: ItemFinding[] = []
  if (isGap(step, first)) findings.push(explained(gapAt(step, before), boundaryAt(step, before, known)))
  if (step.changes.length === 0) return findings
  const { entry, imbalance, changes, unresolved } = step
  if (first && entry !== 'absent' && entry !== 'unknown' && firstById(changes).event_name !== 'BASELINE') {
    findings.push({ ...findingOf('PRE-ARCHIVE', changes), sinceUs: null })
  }
  if (unresolved || (first && imbalance === 0)) {
    findings.push({ ...findingOf('UNRESOLVED-ORDER', changes), changes: changes.length })
  }
  return findings
}

function isGap({ previous, entry, imbalance, changes }: Step, first: boolean): boolean {
  const known = (state: State) => state !== 'unknown'
  // no way leads through all changes of one time, so one or more between them are missing
  if (imbalance > 1 && !changes.some(isBlind)) return true
  return !first && previous !== null && previous !== entry && known(previous) && known(entry)
}

/** A break that has a reason is no gap: nothing need be missing. */
export function explained<F extends ItemFinding>(gap: F, boundary: Boundary | undefined): F {
  return boundary === undefined ? gap : { ...gap, ...boundary }
}

function boundaryAt(step: Step, { left }: Before, known: Boundaries): Boundary | undefined {
  const [change, ...others] = step.changes
  if (change === undefined || others.length > 0) return undefined
  const leaving = left?.changes.find(each => stateAfter(each) === step.previous)
  const before = leaving && sideOf(leaving.new_image, stateAfter(leaving), leaving)
  const after = sideOf(change.old_image ?? change.new_image, stateBefore(change), change)
  return before && after && boundaryBetween(before, after, known)
}

function sideOf(image: string | null, hash: State, { config_id: configId }: ItemChange): BrokenSide | undefined {
  return image === null ? undefined : { image, hash, configId }
}

/** What a complete baseline lacks was removed after the change before; what it lacked was inserted before this one. */
function gapAt(step: Step, before: Before): ItemFinding {
  if (step.absence !== null) {
    const last = findingOf('GAP', before.changed?.changes ?? [])
    const { source, rowTimeUs } = step.absence
    return { ...last, sinceUs: last.eventTimeUs, untilUs: rowTimeUs, absence: { source, missing: 'REMOVE' } }
  }
  const source = step.entry === step.previous ? undefined : before.step?.absence?.source
  const absence = source === undefined ? null : ({ source, missing: 'INSERT' } as const)
  const gap = findingOf('GAP', step.changes)
  // where the clock ran back, what is missing is of the time that it ran again
  const sinceUs = before.timeUs === null ? null : Math.min(before.timeUs, gap.untilUs)
  return { ...gap, sinceUs, absence }
}

function keysOnly(first: readonly ItemChange[], all: readonly ItemChange[]): ItemFinding {
  const [, untilUs] = endsOf(all.map(change => change.event_time_us))
  return { ...findingOf('KEYS-ONLY', first), changes: all.length, untilUs }
}

function changeFindings(change: ItemChange): readonly ItemFinding[] {
  if (change.conflict) return [{ ...findingOf('CONFLICT', [change]), changes: change.repeats + 1 }]
  return change.repeats === 0 ? [] : [{ ...findingOf('DUPLICATE', [change]), changes: change.repeats }]
}

function findingOf(finding: Finding, changes: readonly ItemChange[]): ItemFinding {
  const { event_id: eventId, event_time_us: us } = firstById(changes)
  return { finding, eventId, eventTimeUs: us, changes: 1, sinceUs: us, untilUs: us, absence: null, erasures: [] }
}

function firstById(changes: readonly ItemChange[]): ItemChange {
  return [...changes].sort((a, b) => compareText(a.event_id, b.event_id))[0] as ItemChange
}

/** What makes an answer doubtful, worst first. */
const DOUBTS = ['ALTERED', 'UNCHECKED', 'CONFLICT', 'GAP', 'DIFFERS', 'KEYS-ONLY', 'PRE-ARCHIVE'] as const

/** What breaks a chain for a reason that the archive knows: worth telling, and no doubt. */
const REASONS = ['ERASED', 'CONFIG-BOUNDARY'] as const

/** How far an answer about one item can be believed, worst first. */
export const CONFIDENCES = [...DOUBTS, ...REASONS, 'UNBROKEN', 'COMPLETE'] as const

export type Confidence = (typeof CONFIDENCES)[number]

/** True for a confidence, or a finding, that makes an answer doubtful. */
export function isDoubtful(word: string): boolean {
  return DOUBTS.some(doubt => doubt === word)
}

/** The worst finding decides; an item without any is `UNBROKEN`: from its first change on, every link is there. */
export function confidenceOf(findings: readonly Pick<ItemFinding, 'finding'>[]): Exclude<Confidence, 'COMPLETE'> {
  return [...DOUBTS, ...REASONS].find(word => findings.some(({ finding }) => finding === word)) ?? 'UNBROKEN'
}

/** The worst of some; of none `UNBROKEN`, because nothing contradicts. */
export function worstOf(confidences: readonly Confidence[]): Confidence {
  return CONFIDENCES.find(confidence => confidences.includes(confidence)) ?? 'UNBROKEN'
}
