/** An archive of one table at a rate, at the end of its retention: what grows, and how far each part goes. */
import { BUFFER } from '../aws/firehose-buffer.js'
import { JOURNAL, PEAK_FACTOR } from './assumptions.js'
import { DEPLOYED, RETENTION_DAYS, SCAN_CUTOFF_GB } from './deployed.js'
import { deliveryOf, type Subject } from './flow.js'
import { entriesAtEnd, secondsAtEnd } from './own-limits.js'
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
    /** Of a call, at the end; the sealer's is the one of the day that lists everything. */
    readonly sealerSeconds: number
    readonly checkSeconds: number
    readonly checkBytes: number
    /** Days after which the daily check, and the sealer, is at its end; infinite where that is never. */
    readonly checkDays: number
    readonly sealerDays: number
    /** What each command that answers from a desk reads it in. */
    readonly deskSeconds: number
  }
}

/** Items of 1 KB, 70 % updates and 10 % deletes, kept for seven years, at a rate and three times that at the peak. */
export function subjectAt(writesPerSecond: number): Subject {
  const changes = madeUpChanges({ itemBytes: 1024, updates: 0.7, deletes: 0.1 })
  const workload = {
    writesPerSecond,
    peakWritesPerSecond: writesPerSecond * PEAK_FACTOR,
    peakGiven: false,
    retentionDays: RETENTION_DAYS,
    buffer: BUFFER,
    scanCutoffGb: SCAN_CUTOFF_GB,
  }
  return { workload, changes, traffic: weighTraffic(changes) }
}

/** A table of such items at a rate. */
export function scaleAt(writesPerSecond: number): Scale {
  const subject = subjectAt(writesPerSecond)
  const plan = planOf(subject)
  const { objectsADay, objectBytes } = deliveryOf(subject)
  const bytesADay = objectsADay * objectBytes
  return {
    writesPerSecond,
    plan,
    objects: objectsADay * RETENTION_DAYS,
    compaction: { bytesADay, bytesASecond: bytesADay / ((DEPLOYED.compaction.seconds - 60) / 2) },
    journal: journalOf(subject, plan),
  }
}

function journalOf(subject: Subject, plan: CostPlan): Scale['journal'] {
  const { seal, check } = DEPLOYED
  const entries = entriesAtEnd(subject)
  const { sealer, listing, check: checkSeconds } = secondsAtEnd(subject)
  const checkBytes = entries * JOURNAL.heldBytes
  const days = (share: (days: number) => boolean) => lastDay(share)
  const at = (retentionDays: number): Subject => ({ ...subject, workload: { ...subject.workload, retentionDays } })
  return {
    entries,
    bytes: (plan.sealing.month.bytes * RETENTION_DAYS * 12) / 365,
    sealerSeconds: sealer + listing,
    checkSeconds,
    checkBytes,
    checkDays: days(
      age =>
        secondsAtEnd(at(age)).check <= check.seconds &&
        entriesAtEnd(at(age)) * JOURNAL.heldBytes <= check.memoryMb * 1024 ** 2,
    ),
    sealerDays: days(age => {
      const { sealer: reading, listing: listed } = secondsAtEnd(at(age))
      return reading + listed <= seal.seconds - seal.keptSeconds
    }),
    deskSeconds: entries * JOURNAL.deskSeconds,
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
