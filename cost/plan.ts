/** A capacity and cost plan: what a workload takes of each service, what that costs, and which limit it meets first. */
import { type Assumption, assumptionsOf } from './assumptions.js'
import { type AddedBill, type Bill, billOf } from './bill.js'
import { callersBillOf } from './callers.js'
import { canaryBillOf } from './canary.js'
import { kinesisShards, kinesisShardsOf2023, MIB, MONTH_DAYS, streamShards } from './capacity.js'
import { CAPTURES, deliveryOf, directPutOf, type Flow, flowOf, packingAt, type Subject } from './flow.js'
import type { Limit } from './limit.js'
import { limitsOf } from './limits.js'
import { personsBillOf } from './persons.js'
import { type Question, questionsOf } from './questions.js'
import { reconciliationBillOf } from './reconciliation.js'
import { journalBillOf, type SealingBill } from './sealing.js'
import { costOfKept, costOfMoves, keptAfter } from './storage.js'
import type { Traffic } from './traffic.js'
import type { Workload } from './workload.js'

export interface CostPlan {
  readonly workload: Workload
  readonly traffic: Traffic
  readonly streams: {
    readonly shards: number
    /** Changes that come together, on average and at the peak. */
    readonly together: number
    readonly togetherAtPeak: number
    readonly directPut: { readonly mib: number; readonly records: number; readonly requests: number }
  }
  readonly kinesis: {
    readonly shards: number
    readonly exact: number
    readonly exactOf2023: number
    readonly mib: number
  }
  readonly delivery: { readonly partitions: number; readonly objectsADay: number; readonly objectBytes: number }
  readonly storage: {
    readonly bytesAMonth: number
    readonly bytesAtEnd: number
    /** For the month after the first, and for one at the end of retention. */
    readonly usdFirstMonth: number
    readonly usdAMonthAtEnd: number
  }
  readonly flows: readonly Flow[]
  readonly bills: readonly Bill[]
  /** What a signed journal adds, where one is kept. */
  readonly sealing: SealingBill
  /** What it adds that persons can be erased, where values of the table are erasable. */
  readonly persons: AddedBill
  /** What it adds at most that the archive keeps who called, where it does. */
  readonly callers: AddedBill
  /** What it adds at most that a table is compared each night, where one is. */
  readonly reconciliation: AddedBill
  /** What the canary of an archive adds, where there is one. */
  readonly canary: AddedBill
  readonly questions: readonly Question[]
  readonly limits: readonly Limit[]
  readonly assumptions: readonly Assumption[]
}

/** The plan of a workload whose changes are like those of the sample. */
export function planOf(subject: Subject): CostPlan {
  const { workload, traffic } = subject
  const { peakWritesPerSecond, retentionDays } = workload
  const flows = CAPTURES.map(capture => flowOf(capture, subject))
  const { objectsADay, objectBytes } = deliveryOf(subject)
  const bytesADay = objectsADay * objectBytes
  const exact = kinesisShards(peakWritesPerSecond, traffic.itemBytes, traffic.updates)
  return {
    workload,
    traffic,
    streams: {
      shards: streamShards(peakWritesPerSecond, traffic.units),
      together: packingAt(workload.writesPerSecond, subject).changes,
      togetherAtPeak: packingAt(peakWritesPerSecond, subject).changes,
      directPut: directPutOf(subject),
    },
    kinesis: {
      shards: Math.max(1, Math.ceil(exact)),
      exact,
      exactOf2023: kinesisShardsOf2023(peakWritesPerSecond, traffic.itemBytes, traffic.updates),
      mib: (peakWritesPerSecond * traffic.kinesisBytes) / MIB,
    },
    delivery: { partitions: 1, objectsADay, objectBytes },
    storage: {
      bytesAMonth: bytesADay * MONTH_DAYS,
      bytesAtEnd: bytesADay * retentionDays,
      usdFirstMonth: costOfKept(keptAfter(Math.min(MONTH_DAYS, retentionDays), bytesADay, objectBytes)),
      usdAMonthAtEnd:
        costOfKept(keptAfter(retentionDays, bytesADay, objectBytes)) +
        costOfMoves(objectsADay, objectBytes, retentionDays),
    },
    flows,
    bills: flows.map(flow => billOf(flow, traffic)),
    sealing: journalBillOf(objectsADay, objectBytes, retentionDays),
    persons: personsBillOf(flows[0] as Flow, traffic),
    callers: callersBillOf(flows[0] as Flow),
    reconciliation: reconciliationBillOf(flows[0] as Flow, traffic),
    canary: canaryBillOf(),
    questions: questionsOf({ workload, traffic, delivery: { objectsADay, objectBytes } }),
    limits: limitsOf(subject),
    assumptions: assumptionsOf({ peakGiven: workload.peakGiven, parquetMeasured: traffic.parquetMeasured }),
  }
}
