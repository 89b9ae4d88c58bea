import { formatInstant } from '../transform/instant.js'
import type { Anchor, ArchiveFacts, LostStretch } from './archive-facts.js'
import { type Confidence, confidenceOf, type ItemFinding } from './findings.js'
import type { Absence } from './step.js'

/** What an answer is about, in microseconds since 1970, both ends included. */
export interface Period {
  /** Findings count that concern the time after this. */
  readonly afterUs: number
  /** An anchor must stand here or before, one at `toUs` or after, so that the answer is complete. */
  readonly fromUs: number
  readonly toUs: number
  /** Up to here lost stretches of the stream and new streams are remarked. */
  readonly untilUs: number
}

/** How far an answer about one item can be believed. */
export interface Verdict {
  readonly confidence: Confidence
  /** What counts in the period. */
  readonly findings: readonly ItemFinding[]
  /** The anchors on both sides of the period; null where there is none. */
  readonly start: Anchor | null
  readonly end: Anchor | null
  /** What else a reader should know, for people. */
  readonly remarks: readonly string[]
}

/** All that an item's changes tell; what the stream lost after the last of them may have been another. */
export function periodOver(timesUs: readonly number[]): Period {
  const [fromUs, toUs] = [Math.min(...timesUs), Math.max(...timesUs)]
  return { afterUs: fromUs - 1, fromUs, toUs, untilUs: Number.POSITIVE_INFINITY }
}

/** What an item was at a moment follows from the last baseline before it, or else from everything before it. */
export function momentOf(facts: ArchiveFacts, us: number): Period {
  return { afterUs: startOf(facts, us)?.us ?? Number.NEGATIVE_INFINITY, fromUs: us, toUs: us, untilUs: us }
}

/** The complete baselines that lack an item, from the sources of the baseline rows that it has. */
export function absencesOf(facts: ArchiveFacts, seenBy: ReadonlySet<string>): readonly Absence[] {
  return facts.baselines
    .filter(({ source }) => !seenBy.has(source))
    .map(({ source, us, untilUs }) => ({ source, rowTimeUs: us, untilUs }))
}

/**
 * The verdict about one item: the worst finding that concerns the period; without any, COMPLETE where complete baselines
 * (or at the end a comparison with the table) stand on both sides and nothing is missing between them, else UNBROKEN.
 */
export function judge(itemKey: string, all: readonly ItemFinding[], facts: ArchiveFacts, period: Period): Verdict {
  const findings = all.filter(finding => concerns(finding, period.afterUs, period.toUs))
  const [start, end] = [startOf(facts, period.fromUs), endOf(facts, period.toUs, itemKey)]
  const confidence = confidenceOf(findings)
  const complete =
    confidence === 'UNBROKEN' &&
    facts.unreadable.length === 0 &&
    start !== null &&
    end !== null &&
    confidenceOf(all.filter(finding => concerns(finding, start.us, end.us))) === 'UNBROKEN' &&
    lostIn(facts, start.us, end.us).every(({ fromUs, toUs }) => fromUs !== null && start.us <= fromUs && toUs <= end.us)
  return {
    confidence: complete ? 'COMPLETE' : confidence,
    findings,
    start,
    end,
    remarks: [...factRemarks(facts, period), ...differenceRemark(facts, itemKey, period)],
  }
}

function startOf({ baselines }: ArchiveFacts, us: number): Anchor | null {
  return baselines.findLast(anchor => anchor.us <= us) ?? null
}

function endOf({ baselines, reconciliations }: ArchiveFacts, us: number, itemKey: string): Anchor | null {
  const agreeing = [...baselines, ...reconciliations].filter(
    anchor => anchor.us >= us && !anchor.differing.has(itemKey),
  )
  return agreeing.reduce<Anchor | null>(
    (least, anchor) => (least === null || anchor.us < least.us ? anchor : least),
    null,
  )
}

function concerns({ sinceUs, untilUs }: ItemFinding, afterUs: number, toUs: number): boolean {
  return untilUs > afterUs && (sinceUs ?? Number.NEGATIVE_INFINITY) <= toUs
}

function lostIn({ lost }: ArchiveFacts, afterUs: number, untilUs: number): readonly LostStretch[] {
  return lost.filter(({ fromUs, toUs }) => toUs > afterUs && (fromUs ?? Number.NEGATIVE_INFINITY) <= untilUs)
}

function factRemarks(facts: ArchiveFacts, { afterUs, untilUs }: Period): readonly string[] {
  const stretches = lostIn(facts, afterUs, untilUs).map(
    ({ fact }) =>
      `records of the stream ${fact.from === null ? '' : `from ${fact.from} `}to ${fact.to} were lost (${fact.reason}): what an item's last change was, or a change and its way back, may be among them`,
  )
  const streams = facts.streams
    .filter(({ us }) => us > afterUs && us <= untilUs)
    .map(
      ({ fact }) =>
        `the table's stream was made anew before ${fact.recorded}: what changed while there was none is in no stream`,
    )
  const unknown = facts.unreadable.map(message => `${message}; what it tells of the archive is not known`)
  return [...stretches, ...streams, ...unknown]
}

/** The newest comparison with the table in which the item differed, unless a later one found it equal. */
function differenceRemark(facts: ArchiveFacts, itemKey: string, { toUs }: Period): readonly string[] {
  const last = facts.reconciliations.at(-1)
  if (last === undefined || !last.differing.has(itemKey) || endOf(facts, Math.max(toUs, last.us), itemKey)) return []
  return [
    `the table held something else when it was compared at ${formatInstant(last.us, 0)}: later changes are missing, or had not arrived yet`,
  ]
}
