/**
 * Makes `orders.jsonl.gz`: lets the story happen in DynamoDB Local, reads the table's stream and writes what it holds,
 * edited as README.md says. Two runs give the same bytes. Run it with `npx tsx examples/orders/generate.ts`.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import type { LambdaRecord } from '../../capture/lambda-record.js'
import { startDynamoDbLocal } from '../../test/dynamodb-local.js'
import { type Expected, type Step, TABLE } from './life.js'
import { tellStory } from './story.js'
import { readStream } from './stream-reader.js'

const SEED = 20261001
const STREAM_ARN = `arn:aws:dynamodb:us-east-1:123456789012:table/${TABLE}/stream/2026-10-01T00:00:00.000`

async function main(): Promise<void> {
  const story = tellStory(SEED)
  const recorded = await record(story)
  const expected = story.flatMap(step => step.records.map(one => ({ ...one, at: step.at })))
  if (recorded.length !== expected.length) {
    throw new Error(`stream has ${recorded.length} records, the story expects ${expected.length}`)
  }
  const records = expected.map((one, index) => editRecord(recorded[index] as LambdaRecord, one, index))
  await writeFile(new URL('orders.jsonl.gz', import.meta.url), compress(records))
  process.stderr.write(summarize(records))
}

/** Lets every step happen in a new table and returns what its stream recorded, oldest first. */
async function record(steps: readonly Step[]): Promise<LambdaRecord[]> {
  const local = await startDynamoDbLocal()
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const connection = { endpoint: local.endpoint, region: 'us-east-1', credentials }
  try {
    const table = new DynamoDBClient(connection)
    const streamArn = await createTable(table)
    for (const step of steps) await take(step, table)
    const records: LambdaRecord[] = []
    for await (const one of readStream(new DynamoDBStreamsClient(connection), streamArn)) records.push(one)
    return records
  } finally {
    await local.stop()
  }
}

async function createTable(table: DynamoDBClient): Promise<string> {
  const { TableDescription } = await table.send(
    new CreateTableCommand({
      TableName: TABLE,
      AttributeDefinitions: [{ AttributeName: 'order_id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  )
  if (TableDescription?.LatestStreamArn === undefined) throw new Error(`table ${TABLE} was created without a stream`)
  return TableDescription.LatestStreamArn
}

/** A step that should fail and does not, or fails in another way, ends the run. */
async function take(step: Step, table: DynamoDBClient): Promise<void> {
  const failure = await step.send(table).then(
    () => undefined,
    (error: Error) => error,
  )
  if (failure?.name !== step.fails) {
    const what = failure === undefined ? `succeeded, expected ${step.fails}` : `failed: ${failure.message}`
    throw new Error(`step of ${step.id} at ${new Date(step.at * 1000).toISOString()} ${what}`, { cause: failure })
  }
}

/** The last step: replaces what came from the machine and its clock, not from the story. README.md lists it. */
function editRecord(record: LambdaRecord, expected: Expected & { readonly at: number }, index: number): LambdaRecord {
  const key = (record.dynamodb.Keys as { readonly order_id?: unknown }).order_id
  if (JSON.stringify(key) !== JSON.stringify({ S: expected.id }) || record.eventName !== expected.eventName) {
    const found = `${record.eventName} of ${JSON.stringify(key)}`
    throw new Error(`record ${index} is ${found}, the story expects ${expected.eventName} of ${expected.id}`)
  }
  return {
    ...record,
    eventID: createHash('sha256').update(`${SEED}:${index}`).digest('hex').slice(0, 32),
    awsRegion: 'us-east-1',
    dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: expected.at },
    ...(expected.expired && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }),
    eventSourceARN: STREAM_ARN,
  }
}

/** One record a line. The gzip header says nothing of when (Node leaves the time out) and on what system. */
function compress(records: readonly LambdaRecord[]): Buffer {
  const packed = gzipSync(records.map(record => `${JSON.stringify(record)}\n`).join(''), { level: 9 })
  packed[9] = 255
  return packed
}

function summarize(records: readonly LambdaRecord[]): string {
  const count = (name: string) => records.filter(record => record.eventName === name).length
  const orders = new Set(records.map(record => JSON.stringify(record.dynamodb.Keys)))
  const time = (record?: LambdaRecord) =>
    new Date((record?.dynamodb.ApproximateCreationDateTime ?? 0) * 1000).toISOString()
  return [
    `${records.length} records: ${['INSERT', 'MODIFY', 'REMOVE'].map(name => `${count(name)} ${name}`).join(', ')}`,
    `${orders.size} orders, from ${time(records[0])} to ${time(records.at(-1))}`,
    '',
  ].join('\n')
}

await main()
