import type { S3Client } from '@aws-sdk/client-s3'
import { type Outputs, outputsOf } from '../aws/stack-outputs.js'
import { Bucket } from '../store/s3.js'
import { formatDay } from '../transform/instant.js'
import { partitionPrefix } from '../transform/layout.js'
import { attempt } from './attempt.js'
import type { Facts } from './deployed-facts.js'

const DAY_MS = 86_400_000

/** How old the newest object of the canary's rows of yesterday and today is; undefined where the stack has none. */
export async function readCanary(s3: S3Client, outputs: Outputs, now: number): Promise<Facts['canary']> {
  const [[bucket], [table]] = [outputsOf(outputs, 'ArchiveBucket'), outputsOf(outputs, 'CanaryTable')]
  if (bucket === undefined || table === undefined) return undefined
  return attempt(async () => {
    const days = [formatDay(now - DAY_MS), formatDay(now)]
    const listed = await Promise.all(days.map(date => new Bucket(s3, bucket).entries(partitionPrefix({ table, date }))))
    const newest = Math.max(...listed.flat().map(({ modified }) => modified))
    return Number.isFinite(newest) ? now - newest : undefined
  })
}
