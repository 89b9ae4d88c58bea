/** An archive of one table at a rate, at the end of its retention: what grows, and how far each part goes. */
import { BUFFER } from '../aws/firehose-buffer.js'
import { JOURNAL, PEAK_FACTOR } from './assumptions.js'
import { MIB } from './capacity.js'
import { DEPLOYED, RETENTION_DAYS, SCAN_CUTOFF_GB } from './deployed.js'
import type { Subject } from './flow.js'
import { checkBytes, checkSeconds, entriesAtEnd, SEALER_SECONDS, sealerSeconds, turnsOf } from './own-limits.js'
import { type CostPlan, planOf } from './plan.js'
import { madeUpChanges } from './sample-changes.js'
import { weighTraffic } from './traffic.js'

export interface Scale {
  readonly writesPerSecond: number
  readonly plan: CostPlan
  /** Objects at the end of the retention. */
  readonly objects: number
  /** What a compaction has to do: a day's bytes, within half of a call's time, its last minute left out. */
  readonly compaction: { readonly bytesADay: number; readonly bytesASecond: number }
  readonly journal: {
    readonly entries: number
    readonly bytes: number
    /** Of a call, at the end: the sealer's longest, and what the check does each day. */
    readonly sealerSeconds: number
    readonly checkSeconds: number
    readonly checkBytes: number
    /** Days after which the daily check, and the sealer, is at its end; infinite where that is never. */
    readonly checkDays: number
    readonly sealerDays: number
    /** Days until an object that comes late to an old day is sealed; until all is verified and held again. */
    readonly listedDays: number
    readonly checkedDays: number
    /** What a desk reads it in the first time; and each time for an answer about thirty days. */
    readonly deskSeconds: number
    readonly answerSeconds: number
  }
}

let sample: Pick<Subject, 'changes' | 'traffic'> | undefined

/** Items of 1 KB, 70 % updates and 10 % deletes: the same at each rate, so they are weighed and packed once. */
function madeUpSample(): Pick<Subject, 'changes' | 'traffic'> {
  const changes = madeUpChanges({ itemBytes: 1024, updates: 0.7, deletes: 0.1 })
  return { changes, traffic: weighTraffic(changes) }
}

/** Such items, kept for seven years, at a rate and three times that at the peak. */
export function subjectAt(writesPerSecond: number): Subject {
  sample ??= madeUpSample()
  const workload = {
    writesPerSecond,
    peakWritesPerSecond: writesPerSecond * PEAK_FACTOR,
    peakGiven: false,
    retentionDays: RETENTION_DAYS,
    buffer: BUFFER,
    scanCutoffGb: SCAN_CUTOFF_GB,
  }
  return { workload, ...sample }
}

/** A table of such items at a rate. */
export function scaleAt(writesPerSecond: number): Scale {
  const subject = subjectAt(writesPerSecond)
  const plan = planOf(subject)
  const { objectsADay, objectBytes } = plan.delivery
  const bytesADay = objectsADay * objectBytes
  return {
    writesPerSecond,
    plan,
    objects: objectsADay * RETENTION_DAYS,
    compaction: { bytesADay, bytesASecond: bytesADay / ((DEPLOYED.compaction.seconds - 60) / 2) },
    journal: journalOf(subject, plan),
  }
}

/** Days that an answer with a period is about. */
const ASKED_DAYS = 30

function journalOf(subject: Subject, plan: CostPlan): Scale['journal'] {
  const { check } = DEPLOYED
  const entries = entriesAtEnd(subject)
  const at = (retentionDays: number): Subject => ({ ...subject, workload: { ...subject.workload, retentionDays } })
  return {
    entries,
    bytes: (plan.sealing.month.bytes * RETENTION_DAYS * 12) / 365,
    sealerSeconds: sealerSeconds(subject),
    checkSeconds: checkSeconds(subject),
    checkBytes: checkBytes(subject),
    checkDays: lastDay(age => checkSeconds(at(age)) <= check.seconds && checkBytes(at(age)) <= check.memoryMb * MIB),
    sealerDays: lastDay(age => sealerSeconds(at(age)) <= SEALER_SECONDS),
    listedDays: turnsOf(subject).listed,
    checkedDays: turnsOf(subject).checked,
    deskSeconds: entries * JOURNAL.deskSeconds,
    answerSeconds: Math.min(1, ASKED_DAYS / RETENTION_DAYS) * entries * JOURNAL.deskSeconds,
  }
}

/** A hundred years, which are as good as for ever. */
const MOST_DAYS = 36_500

/** The last day on which something still holds that holds no more once it does not. */
function lastDay(holds: (days: number) => boolean): number {
  if (holds(MOST_DAYS)) return Number.POSITIVE_INFINITY
  let [low, high] = [0, MOST_DAYS]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle
  }
  return low
}
