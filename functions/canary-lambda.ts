import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { writeMetrics } from '../capture/write-metrics.js'
import { Bucket } from '../store/s3.js'
import { createCanary } from './canary.js'
import { readEnvironment } from './environment.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_ARCHIVE',
  'ITEMTRAIL_ARCHIVE_BUCKET',
  'ITEMTRAIL_CANARY_TABLE',
])

/** Entry point of the function that writes the canary and looks for it in the archive. */
export const handler = createCanary({
  dynamoDb: new DynamoDBClient({}),
  archive: new Bucket(new S3Client({}), environment.ITEMTRAIL_ARCHIVE_BUCKET),
  table: environment.ITEMTRAIL_CANARY_TABLE,
  writeMetrics: counts => writeMetrics({ Archive: environment.ITEMTRAIL_ARCHIVE }, counts, Date.now()),
  report: message => console.error(JSON.stringify({ level: 'ERROR', message })),
})
