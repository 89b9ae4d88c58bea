import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { writeMetrics } from '../capture/write-metrics.js'
import { createJournalCheck } from './check-journal.js'
import { checkpointMail } from './checkpoint-mail.js'
import { readEnvironment } from './environment.js'
import { parseDays } from './watch-refused.js'

const environment = readEnvironment(process.env, [
  'ITEMTRAIL_ARCHIVE',
  'ITEMTRAIL_ARCHIVE_BUCKET',
  'ITEMTRAIL_CHECKPOINT_TOPIC',
  'ITEMTRAIL_ORIGIN',
  'ITEMTRAIL_REFUSED_DAYS',
  'ITEMTRAIL_SEAL_KEY',
])
const sns = new SNSClient({})
const check = createJournalCheck({
  s3: new S3Client({}),
  kms: new KMSClient({}),
  bucket: environment.ITEMTRAIL_ARCHIVE_BUCKET,
  origin: environment.ITEMTRAIL_ORIGIN,
  sealKey: environment.ITEMTRAIL_SEAL_KEY,
  refusedDays: parseDays(environment.ITEMTRAIL_REFUSED_DAYS),
  writeMetrics: counts => writeMetrics({ Archive: environment.ITEMTRAIL_ARCHIVE }, counts, Date.now()),
  report: finding => console.error(JSON.stringify({ level: 'ERROR', ...finding })),
  tell: message => console.error(JSON.stringify({ level: 'ERROR', message })),
  publish: async head => {
    const mail = checkpointMail(head, environment.ITEMTRAIL_ORIGIN)
    await sns.send(new PublishCommand({ TopicArn: environment.ITEMTRAIL_CHECKPOINT_TOPIC, ...mail }))
  },
})

/** Entry point of the function that holds an archive against its journal. */
export async function handler(_: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
  const checked = await check({ remaining: () => context.getRemainingTimeInMillis() })
  console.log(JSON.stringify({ message: 'checked', ...checked }))
}
