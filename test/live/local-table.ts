/** Tables on DynamoDB Local for tests, and the command line beside them. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  type ScalarAttributeType,
} from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, vi } from 'vitest'
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'

export type SdkItem = Record<string, AttributeValue>

/** Anything will do for DynamoDB Local. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' }

/** A DynamoDB Local for the tests of a file. The SDK's usual credentials are set for it. */
export function useDynamoDbLocal() {
  const state: { local?: DynamoDbLocal; client?: DynamoDBClient } = {}
  beforeAll(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey)
    vi.stubEnv('AWS_REGION', 'us-east-1')
    state.local = await startDynamoDbLocal()
    state.client = new DynamoDBClient({ endpoint: state.local.endpoint, region: 'us-east-1', credentials: CREDENTIALS })
  }, 180_000)
  afterAll(async () => {
    vi.unstubAllEnvs()
    await state.local?.stop()
  })
  return {
    get client() {
      return state.client as DynamoDBClient
    },
    get endpoint() {
      return (state.local as DynamoDbLocal).endpoint
    },
  }
}

/** Makes a table with a stream. Key attributes with their types, the partition key first. */
export async function makeTable(
  client: DynamoDBClient,
  TableName: string,
  keys: Readonly<Record<string, ScalarAttributeType>> = { id: 'S' },
): Promise<string> {
  const names = Object.keys(keys)
  const { TableDescription } = await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: names.map(name => ({ AttributeName: name, AttributeType: keys[name] })),
      KeySchema: names.map((name, i) => ({ AttributeName: name, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  )
  return TableDescription?.LatestStreamArn as string
}

/** Writes items in batches until the table has taken all. */
export async function putItems(client: DynamoDBClient, table: string, items: readonly SdkItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += 25) {
    let left: { PutRequest: { Item: SdkItem } }[] = items.slice(from, from + 25).map(Item => ({ PutRequest: { Item } }))
    while (left.length > 0) {
      const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }))
      left = (UnprocessedItems?.[table] ?? []) as typeof left
      if (left.length > 0) await sleep(50)
    }
  }
}
