/** What the archive grows to, and what keeping it costs. */

import { costOfAmount, GB } from '../aws/prices.js'
import { MONTH_DAYS } from './capacity.js'
import { DEPLOYED } from './deployed.js'

/** S3 moves no object below this to a cheaper class (user guide, "Transitioning objects using Amazon S3 Lifecycle"). */
const LEAST_MOVED_BYTES = 128 * 1024

/** Where a day's rows lie after so many days, in bytes by class. */
export interface KeptBytes {
  readonly standard: number
  readonly infrequentAccess: number
  readonly instantRetrieval: number
}

/** Bytes of each class in an archive that gets so many a day and is so many days old. */
export function keptAfter(days: number, bytesADay: number, objectBytes: number): KeptBytes {
  const { infrequentAccessDays, instantRetrievalDays } = DEPLOYED.lifecycle
  if (objectBytes < LEAST_MOVED_BYTES) {
    return { standard: days * bytesADay, infrequentAccess: 0, instantRetrieval: 0 }
  }
  const warm = Math.min(days, infrequentAccessDays)
  const cool = Math.min(Math.max(0, days - infrequentAccessDays), instantRetrievalDays - infrequentAccessDays)
  const cold = Math.max(0, days - instantRetrievalDays)
  return { standard: warm * bytesADay, infrequentAccess: cool * bytesADay, instantRetrieval: cold * bytesADay }
}

/** What a month costs in an archive of these classes. */
export function costOfKept({ standard, infrequentAccess, instantRetrieval }: KeptBytes): number {
  return (
    costOfAmount('S3 Standard', standard / GB) +
    costOfAmount('S3 Standard-IA', infrequentAccess / GB) +
    costOfAmount('S3 Glacier Instant Retrieval', instantRetrieval / GB)
  )
}

/** What moving a month's objects costs, once there are objects old enough for both moves. */
export function costOfMoves(objectsADay: number, objectBytes: number, retentionDays: number): number {
  if (objectBytes < LEAST_MOVED_BYTES) return 0
  const { infrequentAccessDays, instantRetrievalDays } = DEPLOYED.lifecycle
  const objects = objectsADay * MONTH_DAYS
  return (
    (retentionDays > infrequentAccessDays ? costOfAmount('S3, move to Standard-IA', objects) : 0) +
    (retentionDays > instantRetrievalDays ? costOfAmount('S3, move to Glacier Instant Retrieval', objects) : 0)
  )
}
