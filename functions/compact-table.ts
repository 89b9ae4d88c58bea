import { S3Client } from '@aws-sdk/client-s3'
import { createStackCompactor } from '../derived/stack-compactor.js'
import { AthenaEngine } from '../queries/engines/athena.js'
import { Bucket } from '../store/s3.js'
import { bundledTable } from './bundled-table.js'
import { readEnvironment } from './environment.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_ARCHIVE_BUCKET',
  'ITEMTRAIL_DERIVED_BUCKET',
  'ITEMTRAIL_DATABASE',
  'ITEMTRAIL_IDENTIFIER',
  'ITEMTRAIL_WORKGROUP',
  'ITEMTRAIL_RUN_BYTES',
])
// its name in SQL depends on its neighbours
const configuration = { ...bundledTable(), identifier: environment.ITEMTRAIL_IDENTIFIER }
const s3 = new S3Client({})
const database = environment.ITEMTRAIL_DATABASE
const compact = createStackCompactor({
  engine: AthenaEngine.open({ workgroup: environment.ITEMTRAIL_WORKGROUP, database }),
  archive: new Bucket(s3, environment.ITEMTRAIL_ARCHIVE_BUCKET),
  derived: new Bucket(s3, environment.ITEMTRAIL_DERIVED_BUCKET),
  configuration,
  database,
  location: `s3://${environment.ITEMTRAIL_DERIVED_BUCKET}/`,
  runBytes: Number(environment.ITEMTRAIL_RUN_BYTES),
  onPublished: published =>
    console.log(JSON.stringify({ message: 'published', table: configuration.table, ...published })),
})

const MINUTE_MS = 60_000

/** Entry point of the function that compacts a table. What is left when its time is up is done the next time. */
export async function handler(_: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
  // the rest is for stopping what runs in Athena
  const left = () => context.getRemainingTimeInMillis() - MINUTE_MS
  try {
    await compact({ signal: AbortSignal.timeout(Math.max(left(), 0)), left })
  } catch (error) {
    const { message, details = [] } = error as Error & { readonly details?: readonly string[] }
    console.error(JSON.stringify({ level: 'ERROR', message, table: configuration.table, details }))
    throw error
  }
}
