import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { writeMetrics } from '../capture/write-metrics.js'
import { readEnvironment } from './environment.js'
import { createArchiveSealer } from './seal-archive.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_ARCHIVE',
  'ITEMTRAIL_ARCHIVE_BUCKET',
  'ITEMTRAIL_ARCHIVE_KEY',
  'ITEMTRAIL_ORIGIN',
  'ITEMTRAIL_SEAL_KEY',
  'ITEMTRAIL_SEAL_KEY_OWNER',
])
const seal = createArchiveSealer({
  s3: new S3Client({}),
  kms: new KMSClient({}),
  bucket: environment.ITEMTRAIL_ARCHIVE_BUCKET,
  origin: environment.ITEMTRAIL_ORIGIN,
  sealKey: environment.ITEMTRAIL_SEAL_KEY,
  archiveKey: environment.ITEMTRAIL_ARCHIVE_KEY,
  isForeignKey: environment.ITEMTRAIL_SEAL_KEY_OWNER !== 'archive',
  name: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'seal-archive',
  report: message => console.error(JSON.stringify({ level: 'ERROR', message })),
  writeMetrics: counts => writeMetrics({ Archive: environment.ITEMTRAIL_ARCHIVE }, counts, Date.now()),
})

/** Entry point of the function that seals what is new. */
export async function handler(_: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
  const { head, objects, rows, left, vanished } = await seal({ remaining: () => context.getRemainingTimeInMillis() })
  console.log(JSON.stringify({ message: 'sealed', size: head.size, objects, rows, left, vanished: vanished.length }))
}
