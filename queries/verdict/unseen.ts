/**
 * What is known of what no row tells. Before the archive's first row of an item nothing is known, unless a complete
 * baseline stood: what it lacks was not in the table at its moment, and if nothing is missing since, it never came.
 */

import { endsOf } from '../../transform/ends.js'
import { type ArchiveFacts, lostStretches } from './archive-facts.js'
import { CONFIDENCES, type Confidence, type ItemFinding } from './findings.js'
import { judge, type Period, touching, type Verdict } from './verdict.js'

/** How far it can be believed that a state is unknown, or that nothing is told of it: PRE-ARCHIVE, or what is worse. */
export function ofUnknown(confidence: Confidence): Confidence {
  return CONFIDENCES.indexOf(confidence) < CONFIDENCES.indexOf('PRE-ARCHIVE') ? confidence : 'PRE-ARCHIVE'
}

/** The verdict that an item of which the archive has no row was not there in a period, nor before it. */
export function judgeUnseen(itemKey: string, facts: ArchiveFacts, period: Period, sealedAfterUs?: number): Verdict {
  const verdict = judge(itemKey, [], facts, period, sealedAfterUs)
  const { confidence, start, end } = verdict
  // another look at the table found it otherwise
  if (confidence !== 'UNBROKEN' && confidence !== 'COMPLETE') return verdict
  if (start === null) return { ...verdict, confidence: 'PRE-ARCHIVE', completeUntil: null }
  const isComplete = confidence === 'COMPLETE'
  const missing = missingSince(facts, start.us, isComplete && end !== null ? end.us : start.us, period.untilUs)
  return missing === undefined ? verdict : { ...verdict, confidence: 'GAP', findings: [missing], completeUntil: null }
}

/** All time of an item without a row: from the first look at the table that lacked it to the last, if there are two. */
export function allOfUnseen({ baselines, compared }: ArchiveFacts): Period {
  const looks = [...baselines, ...(compared === null ? [] : [compared])].map(({ us }) => us).sort((a, b) => a - b)
  const [first = Number.POSITIVE_INFINITY] = looks
  const last = looks.at(-1) ?? first
  const untilUs = Number.POSITIVE_INFINITY
  return { afterUs: first - 1, fromUs: first, toUs: last > first ? last : untilUs, untilUs }
}

/**
 * What is known to be missing of the table, of which the item may have been: what the stream lost after the last look
 * that lacked the item, and rows that somebody removed or altered since the first. As a finding; undefined where
 * nothing is.
 */
function missingSince(facts: ArchiveFacts, firstUs: number, lastUs: number, untilUs: number): ItemFinding | undefined {
  const lost = touching(lostStretches(facts), lastUs, untilUs)
  // of rows that are gone since a look nobody knows when they were made
  const altered = [...facts.broken, ...facts.altered].filter(({ us }) => us > firstUs)
  const all = [...lost, ...altered.map(({ us }) => ({ fromUs: null, toUs: us }))]
  const [first] = all
  if (first === undefined) return undefined
  const [from] = endsOf(all.map(({ fromUs }) => fromUs ?? Number.NEGATIVE_INFINITY))
  const sinceUs = Math.max(from, firstUs)
  const [, last] = endsOf(all.map(({ toUs }) => toUs))
  const about = { eventId: null, eventTimeUs: last, changes: 1, sinceUs, untilUs: last, absence: null, erasures: [] }
  return { finding: 'GAP', ...about }
}
