/** Where Itemtrail's own functions end on AWS: a day that is too large for a run, a journal too long for one call. */
import { GB } from '../aws/prices.js'
import { lambdaGuide, OURS } from '../aws/sources.js'
import { MIB, MONTH_DAYS } from './capacity.js'
import { DEPLOYED } from './deployed.js'
import { deliveryOf, type Subject } from './flow.js'
import type { Limit } from './limit.js'
import { heldByCheck, type JournalCalls, journalMonth, secondsOfCalls } from './sealing.js'

/** Rates between which a limit is looked for: from a change a year to more than any table has. */
const [LEAST_RATE, MOST_RATE] = [1e-8, 1e9]

/** Seconds of a call in which the sealer reads: it keeps the others for what it writes. */
export const SEALER_SECONDS = DEPLOYED.seal.seconds - DEPLOYED.seal.keptSeconds

/**
 * What the archive's own functions can do at the end of its retention, by what they hold and read. None of them loses a
 * change where it ends: an alarm tells, and the remark says what is to be done.
 */
export function ownLimits(subject: Subject): readonly Limit[] {
  const { check, compaction } = DEPLOYED
  const years = `after ${subject.workload.retentionDays.toLocaleString('en-US')} days`
  return [
    limitOf(subject, bytesADay, compaction.runGb * GB, {
      limit: 'compaction, a day in one run',
      quota: `${compaction.runGb} GB a run; a day with more is tried whole`,
      remark: 'not known of more, and alarm compaction-fails tells; questions then read the archive',
      ...OURS,
    }),
    limitOf(subject, sealerSeconds, SEALER_SECONDS, {
      limit: 'sealer, a call',
      quota: `${SEALER_SECONDS} s: the 15 minutes of a function, less two in which it writes`,
      remark: `${years}; it hashes an hour of the archive, and lists some of all days; alarm seal-late tells`,
      ...lambdaGuide('Lambda quotas'),
    }),
    limitOf(subject, checkSeconds, check.seconds, {
      limit: 'daily check of the journal, a call',
      quota: `${check.seconds} s: the 15 minutes of a function`,
      remark: `${years}; it lists the journal, and holds the last days against it; alarm journal-unchecked tells`,
      ...lambdaGuide('Lambda quotas'),
    }),
    limitOf(subject, checkBytes, check.memoryMb * MIB, {
      limit: 'daily check of the journal, memory',
      quota: `${check.memoryMb.toLocaleString('en-US')} MB as deployed`,
      remark: `${years}; it holds the entries of the last days; alarm journal-unchecked tells`,
      ...OURS,
    }),
  ]
}

function limitOf(
  subject: Subject,
  amountAt: (subject: Subject) => number,
  most: number,
  described: Pick<Limit, 'limit' | 'quota' | 'remark' | 'source' | 'date'>,
): Limit {
  const rate = rateAt(subject, amountAt, most)
  const used = subject.workload.writesPerSecond / rate
  return { capture: 'both', of: 'table', onAverage: true, ...described, writesPerSecond: rate, used }
}

/** Changes a second at which an amount that grows with them comes to so much; halved until it is found to the digit. */
function rateAt(subject: Subject, amountAt: (subject: Subject) => number, most: number): number {
  let [low, high] = [LEAST_RATE, MOST_RATE]
  for (let i = 0; i < 100; i++) {
    const middle = Math.sqrt(low * high)
    if (amountAt(atRate(subject, middle)) > most) high = middle
    else low = middle
  }
  return low
}

function atRate({ workload, ...others }: Subject, writesPerSecond: number): Subject {
  return { ...others, workload: { ...workload, writesPerSecond } }
}

function bytesADay(subject: Subject): number {
  const { objectsADay, objectBytes } = deliveryOf(subject)
  return objectsADay * objectBytes
}

/** Of the sealer's longest call, where the archive is as old as it gets. */
export function sealerSeconds(subject: Subject): number {
  const { sealer, listing } = callsAtEnd(subject)
  return sealer + listing
}

/** Of what the daily check has to do each day, where the archive is as old as it gets. */
export function checkSeconds(subject: Subject): number {
  return callsAtEnd(subject).check
}

/** What the daily check holds, where the archive is as old as it gets. */
export function checkBytes(subject: Subject): number {
  return heldByCheck(journalMonth(deliveryOf(subject).objectsADay), monthsOf(subject))
}

/** Days in which what goes by turns comes round, where the archive is as old as it gets; infinite where never. */
export function turnsOf(subject: Subject): { readonly listed: number; readonly checked: number } {
  const { runs, check, again, days } = callsAtEnd(subject)
  const { seconds, againSeconds, daysSeconds } = DEPLOYED.check
  // what is done each day is done first
  const left = (most: number) => Math.max(0, Math.min(most, seconds - check))
  return {
    listed: 1 + (runs * DEPLOYED.seal.everyHours) / 24,
    checked: Math.max(1, Math.ceil(again / left(againSeconds)), Math.ceil(days / left(daysSeconds))),
  }
}

/** Seconds of the calls of the functions of a journal, where the archive is as old as it gets. */
function callsAtEnd(subject: Subject): JournalCalls {
  const { objectsADay, objectBytes } = deliveryOf(subject)
  return secondsOfCalls(journalMonth(objectsADay), objectBytes, monthsOf(subject))
}

/** Entries of a journal, where the archive is as old as it gets. */
export function entriesAtEnd(subject: Subject): number {
  return journalMonth(deliveryOf(subject).objectsADay).entries * monthsOf(subject)
}

function monthsOf({ workload }: Subject): number {
  return workload.retentionDays / MONTH_DAYS
}
