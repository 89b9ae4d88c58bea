import { S3Client } from '@aws-sdk/client-s3'
import { writeMetrics } from '../capture/write-metrics.js'
import { readEnvironment } from './environment.js'
import { createRefusedWatch, parseDays } from './watch-refused.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_ARCHIVE',
  'ITEMTRAIL_ARCHIVE_BUCKET',
  'ITEMTRAIL_REFUSED_BUCKET',
  'ITEMTRAIL_REFUSED_DAYS',
])

/** Entry point of the function that counts refused objects before they expire. */
export const handler = createRefusedWatch({
  s3: new S3Client({}),
  buckets: [environment.ITEMTRAIL_ARCHIVE_BUCKET, environment.ITEMTRAIL_REFUSED_BUCKET],
  refusedDays: parseDays(environment.ITEMTRAIL_REFUSED_DAYS),
  writeMetrics: counts => writeMetrics({ Archive: environment.ITEMTRAIL_ARCHIVE }, counts, Date.now()),
})
