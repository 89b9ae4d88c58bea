/** What questions scan and cost on Athena, over the archive as Firehose leaves it. */

import { costOfAmount, GB } from '../aws/prices.js'
import { type SavedQuery, savedQuery } from '../queries/catalog.js'
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

/** The questions of a plan: each over so many of the latest days, or over the whole archive. */
const KINDS = [
  { question: "one item's history", query: 'item-history', days: 1 },
  { question: "one item's history", query: 'item-history', days: 30 },
  { question: "one item's history", query: 'item-history', days: undefined },
  { question: 'the table at an instant', query: 'table-as-of', days: undefined },
  { question: 'changes by day', query: 'activity-by-day', days: 30 },
  { question: 'changes by day', query: 'activity-by-day', days: undefined },
] as const

/** What the archive's objects are like. */
export interface Delivery {
  readonly objectsADay: number
  readonly objectBytes: number
}

/** What a question is asked of: an archive that is as old as it gets. */
export interface GrownArchive {
  readonly workload: Workload
  readonly traffic: Traffic
  readonly delivery: Delivery
}

/** The questions over the latest days, and over the whole archive when it is as old as it gets. */
export function questionsOf(asked: GrownArchive): readonly Question[] {
  const { retentionDays } = asked.workload
  return KINDS.filter(({ days }) => days === undefined || days <= retentionDays).map(({ question, query, days }) => ({
    ...questionOf(savedQuery(query), days ?? retentionDays, asked),
    question,
  }))
}

/** Days that are asked about where a question has a period. */
const PERIOD_DAYS = 30

/** Every saved query: over the latest days where it begins somewhere, else over the whole archive. */
export function everyQuestionOf(queries: Iterable<SavedQuery>, asked: GrownArchive): readonly Question[] {
  const { retentionDays } = asked.workload
  return [...queries].map(query =>
    questionOf(query, query.days.from === undefined ? retentionDays : Math.min(PERIOD_DAYS, retentionDays), asked),
  )
}

function questionOf(query: SavedQuery, days: number, { workload, traffic, delivery }: GrownArchive): Question {
  const bytesADay = workload.writesPerSecond * DAY_SECONDS * rowBytes(query, traffic)
  const kept = keptAfter(days, bytesADay + delivery.objectsADay * PARQUET.objectBytes, delivery.objectBytes)
  const bytes = kept.standard + kept.infrequentAccess + kept.instantRetrieval
  return {
    question: query.question,
    query: query.name,
    days,
    bytes,
    usd: costOf(bytes) + costOfReading(kept),
    cancelled: bytes > workload.scanCutoffGb * GB,
  }
}

/**
 * The columns that a question reads, by what is large: `images`, all of them; `hashes`, all but images; `narrow`, no
 * image's hash either. That each change counts once takes its ids and its row's hash in every question.
 */
export function columnsRead({ template }: Pick<SavedQuery, 'template'>): 'images' | 'hashes' | 'narrow' {
  if (/\b(old|new)_image\b/.test(template)) return 'images'
  return /\b(old|new)_hash\b/.test(template) ? 'hashes' : 'narrow'
}

function rowBytes(query: SavedQuery, { parquetBytes, withoutImagesBytes, narrowBytes }: Traffic): number {
  return { images: parquetBytes, hashes: withoutImagesBytes, narrow: narrowBytes }[columnsRead(query)]
}

function costOfReading({ infrequentAccess, instantRetrieval }: KeptBytes): number {
  return (
    costOfAmount('S3 Standard-IA, read', infrequentAccess / GB) +
    costOfAmount('S3 Glacier Instant Retrieval, read', instantRetrieval / GB)
  )
}
