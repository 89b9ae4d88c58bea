import type { S3Client } from '@aws-sdk/client-s3'
import { type Outputs, outputsOf } from '../aws/stack-outputs.js'
import { readFact } from '../config/fact-file.js'
import { Bucket } from '../store/s3.js'
import { endsOf } from '../transform/ends.js'
import { factMicroseconds } from '../transform/fact.js'
import { formatDay } from '../transform/instant.js'
import { compareUtf8 } from '../transform/json.js'
import { factKey, factPrefix, partitionPrefix } from '../transform/layout.js'
import { attempt } from './attempt.js'
import type { Facts, StackFacts } from './deployed-facts.js'

const DAY_MS = 86_400_000

/** How old the newest object of the canary's rows of yesterday and today is; undefined where the stack has none. */
export async function readCanary(s3: S3Client, outputs: Outputs, now: number): Promise<Facts['canary']> {
  const [[bucket], [table]] = [outputsOf(outputs, 'ArchiveBucket'), outputsOf(outputs, 'CanaryTable')]
  if (bucket === undefined || table === undefined) return undefined
  return attempt(() => newestAge(new Bucket(s3, bucket), now, date => partitionPrefix({ table, date })))
}

/**
 * How old the newest digest file of yesterday and today is that the trail of callers delivered; undefined where the
 * stack has no trail.
 */
export async function readDigestAge(
  s3: S3Client,
  { arn, outputs }: Pick<StackFacts, 'arn' | 'outputs'>,
  now: number,
): Promise<Facts['callers']> {
  const [bucket] = outputsOf(outputs, 'CallersBucket')
  if (bucket === undefined) return undefined
  const [, , , region, account] = arn.split(':')
  const digests = `AWSLogs/${account}/CloudTrail-Digest/${region}/`
  return attempt(() => newestAge(new Bucket(s3, bucket), now, date => `${digests}${date.replaceAll('-', '/')}/`))
}

/** How old the newest object of yesterday and today is, each of which has a prefix; undefined where there is none. */
async function newestAge(bucket: Bucket, now: number, prefixOf: (day: string) => string): Promise<number | undefined> {
  const listed = await Promise.all([now - DAY_MS, now].map(ms => bucket.entries(prefixOf(formatDay(ms)))))
  const [, newest] = endsOf(listed.flat().map(({ modified }) => modified))
  return Number.isFinite(newest) ? now - newest : undefined
}

/**
 * How old is what the newest comparison of a table looked at last, of those that were kept in the last days; undefined
 * without one. One that catches up with nights that were missed is as old as they are.
 */
export async function readCompared(
  s3: S3Client,
  bucket: string,
  table: string,
  now: number,
): Promise<number | undefined> {
  const since = factKey({ table, recorded: new Date(now - KEPT_DAYS * DAY_MS).toISOString(), kind: '' })
  const facts = new Bucket(s3, bucket)
  const kept = (await facts.between(factPrefix(table), { after: since })).map(({ key }) => key)
  const newest = kept
    .filter(key => key.endsWith('-reconciliation.json'))
    .sort(compareUtf8)
    .at(-1)
  if (newest === undefined) return undefined
  const fact = readFact(Buffer.from(await facts.open(newest, MAX_BYTES)).toString(), newest)
  return fact.kind === 'reconciliation' ? now - factMicroseconds(fact.to) / 1000 : undefined
}

/** A fact has some kilobytes. */
const MAX_BYTES = 16 * 1024 * 1024

/** One that is older than this is late whatever its age. */
const KEPT_DAYS = 7
