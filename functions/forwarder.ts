import { FirehoseClient } from '@aws-sdk/client-firehose'
import { S3Client } from '@aws-sdk/client-s3'
import { createForwarder } from '../capture/forwarder.js'
import { writeMetrics } from '../capture/write-metrics.js'
import { readEnvironment } from './environment.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_TABLE',
  'ITEMTRAIL_DELIVERY_STREAM',
  'ITEMTRAIL_REFUSED_BUCKET',
])
const table = environment.ITEMTRAIL_TABLE

/** Entry point of the forwarder on AWS. */
export const handler = createForwarder({
  table,
  deliveryStream: environment.ITEMTRAIL_DELIVERY_STREAM,
  refusedBucket: environment.ITEMTRAIL_REFUSED_BUCKET,
  firehose: new FirehoseClient({ maxAttempts: 1 }),
  s3: new S3Client({ maxAttempts: 1 }),
  writeMetrics: counts => writeMetrics({ Table: table }, counts, Date.now()),
  log: (message, details) => console.warn(JSON.stringify({ level: 'WARN', message, table, ...details })),
})
