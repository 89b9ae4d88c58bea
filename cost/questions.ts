/** What questions scan and cost on Athena, over the archive as Firehose leaves it. */

import { costOfAmount, GB } from '../aws/prices.js'
import { costOf } from '../queries/engines/athena-cost.js'
import { PARQUET } from './assumptions.js'
import { DAY_SECONDS } from './capacity.js'
import { type KeptBytes, keptAfter } from './storage.js'
import type { Traffic } from './traffic.js'
import type { Workload } from './workload.js'

export interface Question {
  readonly question: string
  readonly query: string
  readonly days: number
  /** At most: a Parquet reader passes over row groups that cannot hold the item. */
  readonly bytes: number
  /** Athena's scan, and what S3 asks for reading from its cheaper classes. */
  readonly usd: number
  /** True where the workgroup's cut-off stops it. */
  readonly cancelled: boolean
}

/** Kinds of question by what they read: every column, or those that are neither image nor hash. */
const KINDS = [
  { question: "one item's history", query: 'item-history', columns: 'all', days: 1 },
  { question: "one item's history", query: 'item-history', columns: 'all', days: 30 },
  { question: "one item's history", query: 'item-history', columns: 'all', days: undefined },
  { question: 'the table at an instant', query: 'table-as-of', columns: 'all', days: undefined },
  { question: 'changes by day', query: 'activity-by-day', columns: 'narrow', days: 30 },
  { question: 'changes by day', query: 'activity-by-day', columns: 'narrow', days: undefined },
] as const

/** What the archive's objects are like. */
export interface Delivery {
  readonly objectsADay: number
  readonly objectBytes: number
}

/** The questions over the latest days, and over the whole archive when it is as old as it gets. */
export function questionsOf(workload: Workload, traffic: Traffic, delivery: Delivery): readonly Question[] {
  const { writesPerSecond, retentionDays, scanCutoffGb } = workload
  return KINDS.filter(({ days }) => days === undefined || days <= retentionDays).map(kind => {
    const days = kind.days ?? retentionDays
    const rowBytes = kind.columns === 'all' ? traffic.parquetBytes : traffic.narrowBytes
    const bytesADay = writesPerSecond * DAY_SECONDS * rowBytes + delivery.objectsADay * PARQUET.objectBytes
    const kept = keptAfter(days, bytesADay, delivery.objectBytes)
    const bytes = kept.standard + kept.infrequentAccess + kept.instantRetrieval
    const cancelled = bytes > scanCutoffGb * GB
    return {
      question: kind.question,
      query: kind.query,
      days,
      bytes,
      usd: costOf(bytes) + costOfReading(kept),
      cancelled,
    }
  })
}

function costOfReading({ infrequentAccess, instantRetrieval }: KeptBytes): number {
  return (
    costOfAmount('S3 Standard-IA, read', infrequentAccess / GB) +
    costOfAmount('S3 Glacier Instant Retrieval, read', instantRetrieval / GB)
  )
}
