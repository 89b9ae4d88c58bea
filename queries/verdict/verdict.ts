import { endsOf } from '../../transform/ends.js'
import { formatInstant } from '../../transform/instant.js'
import {
  type Anchor,
  type ArchiveFacts,
  type LostStretch,
  lostStretches,
  type TableComparison,
} from './archive-facts.js'
import { type Confidence, confidenceOf, type ItemFinding, worstOf } from './findings.js'
import { type SealedTable, sealedWithin, wordsOf } from './sealed.js'
import { sealedRemarks } from './sealed-told.js'
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
  /**
   * The last look at the table up to which the item is COMPLETE; what came later is UNBROKEN. Null where it is not
   * COMPLETE.
   */
  readonly completeUntil: Anchor | null
  /** What else a reader should know, for people. */
  readonly remarks: readonly string[]
}

/** Of a verdict what is told of each of many items. */
export type BriefVerdict = Pick<Verdict, 'confidence' | 'findings'>

/** All that an item's changes tell; what the stream lost after the last of them may have been another. */
export function periodOver(timesUs: readonly number[]): Period {
  const [fromUs, toUs] = endsOf(timesUs)
  return { afterUs: fromUs - 1, fromUs, toUs, untilUs: Number.POSITIVE_INFINITY }
}

/** What an item was at a moment follows from the last baseline before it, or else from everything before it. */
export function momentOf(facts: ArchiveFacts, us: number): Period {
  return { afterUs: startOf(facts, us)?.us ?? Number.NEGATIVE_INFINITY, fromUs: us, toUs: us, untilUs: us }
}

/**
 * Since when what is missing of a table can have made an item's state at a moment another: what came before its last
 * change until then cannot, since that tells the whole item. One of the same time may have come after it.
 */
export function stateSince(afterUs: number, lastUs: number | undefined, atUs: number): number {
  return lastUs === undefined || lastUs > atUs ? afterUs : Math.max(afterUs, lastUs - 1)
}

/** The complete baselines that lack an item, from the sources of the baseline rows that it has. */
export function absencesOf(facts: ArchiveFacts, seenBy: ReadonlySet<string>): readonly Absence[] {
  return facts.baselines
    .filter(({ source }) => !seenBy.has(source))
    .map(({ source, us, untilUs }) => ({ source, rowTimeUs: us, untilUs }))
}

/**
 * The verdict about one item: the worst finding that concerns the period; without any, COMPLETE where complete
 * baselines (or at the end a comparison with the table) stand on both sides and nothing is missing between them, else
 * UNBROKEN. What was sealed after `sealedAfterUs` and is missing or another may have been the item's, so it is never
 * better than that.
 */
export function judge(
  itemKey: string,
  all: readonly ItemFinding[],
  facts: ArchiveFacts,
  period: Period,
  sealedAfterUs = period.afterUs,
): Verdict {
  const { confidence, findings, start, end, ...more } = weigh(itemKey, all, facts, period, sealedAfterUs)
  const { anchors, sealed, isWhole } = more
  const before = (anchor: Anchor) => anchor.us < period.toUs && anchor.us > (start?.us ?? 0)
  const lastWhole = () => anchors.findLast(anchor => before(anchor) && isWhole(anchor)) ?? null
  return {
    confidence,
    findings,
    start,
    end,
    completeUntil: confidence === 'COMPLETE' ? end : lastWhole(),
    remarks: [...factRemarks(facts, period), ...(sealed === null ? [] : sealedRemarks(sealed))],
  }
}

/** The same, of one of many items. */
export function judgeBriefly(
  itemKey: string,
  all: readonly ItemFinding[],
  facts: ArchiveFacts,
  period: Period,
  sealedAfterUs = period.afterUs,
): BriefVerdict {
  const { confidence, findings } = weigh(itemKey, all, facts, period, sealedAfterUs)
  return { confidence, findings }
}

/** A verdict with what else it takes to tell of it. */
interface Weighed extends Omit<Verdict, 'completeUntil' | 'remarks'> {
  /** Looks at the table that saw the item as the archive has it. */
  readonly anchors: readonly Anchor[]
  /** What of the journal concerns it. */
  readonly sealed: SealedTable | null
  /** Whether the item is known to be complete from `start` to another look at the table. */
  readonly isWhole: (until: Anchor) => boolean
}

function weigh(
  itemKey: string,
  all: readonly ItemFinding[],
  facts: ArchiveFacts,
  period: Period,
  sealedAfterUs: number,
): Weighed {
  const concerning = all.filter(finding => concerns(finding, period.afterUs, period.toUs))
  const findings = [...concerning, ...differenceOf(facts, itemKey, period)]
  const start = startOf(facts, period.fromUs)
  const anchors = agreeingAnchors(facts, itemKey)
  const end = anchors.find(({ us }) => us >= period.toUs) ?? null
  const span = { afterUs: sealedAfterUs, toUs: period.untilUs }
  const sealed = facts.sealed && sealedWithin(facts.sealed, span, itemKey)
  const confidence = worstOf([confidenceOf(findings), ...(sealed === null ? [] : wordsOf(sealed, span, itemKey))])
  const isWhole = (until: Anchor) =>
    confidence === 'UNBROKEN' &&
    facts.unreadable.length === 0 &&
    (sealed === null || sealed.problems.length === 0) &&
    start !== null &&
    isWholeUntil(start, until, all, facts)
  // rows from before an altered comparison are missing, or others: of what came after `end` it would have told
  const doubted = end !== null && end.us < period.untilUs && facts.altered.some(({ us }) => us > end.us)
  const complete = end !== null && isWhole(end) && !doubted
  return { confidence: complete ? 'COMPLETE' : confidence, findings, start, end, anchors, sealed, isWhole }
}

function isWholeUntil(start: Anchor, until: Anchor, all: readonly ItemFinding[], facts: ArchiveFacts): boolean {
  const between = all.filter(finding => concerns(finding, start.us, until.us))
  return (
    confidenceOf(between) === 'UNBROKEN' &&
    touching(lostStretches(facts), start.us, until.us).every(
      ({ fromUs, toUs }) => fromUs !== null && start.us <= fromUs && toUs <= until.us,
    )
  )
}

function startOf({ baselines }: ArchiveFacts, us: number): Anchor | null {
  return baselines.findLast(anchor => anchor.us <= us) ?? null
}

/** Looks at the table that saw the item as the archive has it; a baseline's own rows say what it saw. */
function agreeingAnchors({ baselines, compared }: ArchiveFacts, itemKey: string): readonly Anchor[] {
  const agreeing = compared !== null && agrees(compared, itemKey) ? [compared] : []
  return [...baselines, ...agreeing].sort((a, b) => a.us - b.us)
}

function agrees({ isWhole, differing, unsettled }: TableComparison, itemKey: string): boolean {
  return isWhole && !differing.has(itemKey) && !unsettled.has(itemKey)
}

/** That the table held something else than the archive says, unless a later look found the item as it is here. */
function differenceOf(facts: ArchiveFacts, itemKey: string, { untilUs }: Period): readonly ItemFinding[] {
  const { comparisons, baselines, altered } = facts
  const last = comparisons.findLast(({ differing }) => differing.has(itemKey))
  if (last === undefined) return []
  const later = comparisons.filter(comparison => comparison.us > last.us && !altered.includes(comparison))
  if (later.some(comparison => agrees(comparison, itemKey)) || baselines.some(({ us }) => us > last.us)) return []
  // what is missing came after the last change that the archive had, and after the last look that agreed
  const known = [last.differing.get(itemKey) ?? null, startOf(facts, last.us)?.us ?? null].filter(us => us !== null)
  const sinceUs = known.length === 0 ? null : Math.max(...known)
  if (sinceUs !== null && sinceUs > untilUs) return []
  const about = {
    eventId: null,
    eventTimeUs: last.us,
    changes: 1,
    sinceUs,
    untilUs: last.us,
    absence: null,
    erasures: [],
  }
  return [{ finding: 'DIFFERS', ...about }]
}

/** True where a finding is about the time after one moment, up to another. */
export function concerns({ sinceUs, untilUs }: ItemFinding, afterUs: number, toUs: number): boolean {
  return untilUs > afterUs && (sinceUs ?? Number.NEGATIVE_INFINITY) <= toUs
}

/** The stretches that are partly after one moment and begin by another. */
export function touching<F, L extends LostStretch<F>>(
  stretches: readonly L[],
  afterUs: number,
  untilUs: number,
): readonly L[] {
  return stretches.filter(({ fromUs, toUs }) => toUs > afterUs && (fromUs ?? Number.NEGATIVE_INFINITY) <= untilUs)
}

function factRemarks(facts: ArchiveFacts, { afterUs, untilUs }: Period): readonly string[] {
  const stretches = touching(facts.lost, afterUs, untilUs).map(
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
  return [...stretches, ...streams, ...unknown, ...alteredRemarks(facts)]
}

/** What was to be concluded from looks at the table, had the archive stayed as it was then. */
function alteredRemarks({ altered, broken }: ArchiveFacts): readonly string[] {
  const comparisons = altered.map(
    ({ us }) =>
      `of the time up to its comparison with the table at ${formatInstant(us, 0)} the archive says something else by now: rows of the table were removed, altered or added since, and nothing is concluded from that comparison`,
  )
  const baselines = broken.map(
    ({ us }) =>
      `the rows of the baseline at ${formatInstant(us, 0)} are not those that it wrote, and nothing is concluded from it`,
  )
  return [...comparisons, ...baselines]
}
