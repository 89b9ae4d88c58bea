import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { writeMetrics } from '../capture/write-metrics.js'
import { exportsPrefix } from '../config/nightly.js'
import { AthenaEngine } from '../queries/engines/athena.js'
import { createNightly } from '../restore/nightly.js'
import { Bucket } from '../store/s3.js'
import { bundledTable } from './bundled-table.js'
import { readEnvironment } from './environment.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_ARCHIVE_BUCKET',
  'ITEMTRAIL_ARCHIVE_KEY',
  'ITEMTRAIL_DATABASE',
  'ITEMTRAIL_EXPORTS_BUCKET',
  'ITEMTRAIL_IDENTIFIER',
  'ITEMTRAIL_TABLE_ARN',
  'ITEMTRAIL_WORKGROUP',
])
// its name in SQL depends on its neighbours
const configuration = { ...bundledTable(), identifier: environment.ITEMTRAIL_IDENTIFIER }
const { table } = configuration
const s3 = new S3Client({})
const goOn = createNightly({
  dynamoDb: new DynamoDBClient({}),
  exports: new Bucket(s3, environment.ITEMTRAIL_EXPORTS_BUCKET),
  target: {
    tableArn: environment.ITEMTRAIL_TABLE_ARN,
    bucket: environment.ITEMTRAIL_EXPORTS_BUCKET,
    prefix: exportsPrefix(table),
    keyArn: environment.ITEMTRAIL_ARCHIVE_KEY,
  },
  archive: new Bucket(s3, environment.ITEMTRAIL_ARCHIVE_BUCKET),
  table: configuration,
  writeMetrics: counts => writeMetrics({ Table: table }, counts, Date.now()),
  report: message => console.log(JSON.stringify({ message, table })),
})

const MINUTE_MS = 60_000

/** Entry point of the function that compares a table with its archive night by night. */
export async function handler(_: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
  // the rest is for stopping what runs in Athena
  const signal = AbortSignal.timeout(Math.max(context.getRemainingTimeInMillis() - MINUTE_MS, 0))
  const { ITEMTRAIL_WORKGROUP: workgroup, ITEMTRAIL_DATABASE: database } = environment
  const engine = AthenaEngine.open({ workgroup, database, signal })
  try {
    await goOn(engine)
  } catch (error) {
    console.error(JSON.stringify({ level: 'ERROR', message: (error as Error).message, table }))
    throw error
  } finally {
    engine.close()
  }
}
