import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LambdaRecord } from '../../../capture/lambda-record.js'
import { readStream } from '../../../examples/orders/stream-reader.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../../dynamodb-local.js'
import { wireRecord } from '../../streams-wire.js'

const ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-11-22T00:00:00.000'
const CONNECTION = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }

async function collect(records: AsyncIterable<LambdaRecord>): Promise<LambdaRecord[]> {
  const all: LambdaRecord[] = []
  for await (const record of records) all.push(record)
  return all
}

describe('readStream', () => {
  /** A stream without a network: its shards as DescribeStream lists them, and the answers of GetRecords by iterator. */
  function openStream(pages: readonly object[], answers: Readonly<Record<string, object>>): DynamoDBStreamsClient {
    const asked = {
      DescribeStream: (input: Input) => pages[input.ExclusiveStartShardId === undefined ? 0 : 1],
      GetShardIterator: (input: Input) => ({ ShardIterator: `${input.ShardId}/${input.ShardIteratorType}` }),
      GetRecords: (input: Input) => answers[input.ShardIterator ?? ''] ?? { Records: [] },
    }
    const handle = async (request: { headers: Record<string, string>; body?: Uint8Array }) => {
      const operation = request.headers['x-amz-target']?.split('.')[1] as keyof typeof asked
      const answer = asked[operation](JSON.parse(new TextDecoder().decode(request.body)))
      return { response: { statusCode: 200, headers: {}, body: new Blob([JSON.stringify(answer)]).stream() } }
    }
    const requestHandler = { handle, updateHttpClientConfig() {}, httpHandlerConfigs: () => ({}) }
    return new DynamoDBStreamsClient({ ...CONNECTION, requestHandler })
  }
  type Input = { ExclusiveStartShardId?: string; ShardId?: string; ShardIteratorType?: string; ShardIterator?: string }

  const wire = (sequence: string, NewImage = '{}') =>
    wireRecord({ SequenceNumber: sequence, NewImage: JSON.parse(NewImage) })
  const sequences = (records: readonly LambdaRecord[]) => records.map(record => record.dynamodb.SequenceNumber)

  test('reads all pages of shards, parents before children, each to its end', async () => {
    const first = [
      { ShardId: 'grandchild', ParentShardId: 'child' },
      { ShardId: 'orphan', ParentShardId: 'trimmed' },
    ]
    const second = [{ ShardId: 'child', ParentShardId: 'parent' }, { ShardId: 'parent' }]
    const client = openStream(
      [
        { StreamDescription: { StreamStatus: 'ENABLED', Shards: first, LastEvaluatedShardId: 'orphan' } },
        { StreamDescription: { StreamStatus: 'ENABLED', Shards: second } },
      ],
      {
        'parent/TRIM_HORIZON': { Records: [wire('1')], NextShardIterator: 'more' },
        more: { Records: [], NextShardIterator: 'end' },
        end: { Records: [wire('2'), wire('3')] },
        'child/TRIM_HORIZON': { Records: [wire('4')] },
        'grandchild/TRIM_HORIZON': { Records: [wire('5')] },
        'orphan/TRIM_HORIZON': { Records: [wire('6')] },
      },
    )
    expect(sequences(await collect(readStream(client, ARN)))).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  test('ends at an open shard when it has caught up, not at its empty portions', async () => {
    const portions = Array.from({ length: 16 }, (_, i) => {
      const Records = i % 4 === 3 ? [wire(String(i))] : []
      return [i === 0 ? 'open/TRIM_HORIZON' : `portion ${i}`, { Records, NextShardIterator: `portion ${i + 1}` }]
    })
    const tip = { Records: [], NextShardIterator: 'portion 16' }
    const shards = [{ StreamDescription: { StreamStatus: 'ENABLED', Shards: [{ ShardId: 'open' }] } }]
    const client = openStream(shards, { ...Object.fromEntries(portions), 'portion 16': tip })
    expect(sequences(await collect(readStream(client, ARN)))).toEqual(['3', '7', '11', '15'])
  })

  test('keeps an attribute called __proto__, which the SDK loses', async () => {
    const image = '{"__proto__":{"M":{"a":{"L":[{"M":{"__proto__":{"B":"AQI="}}}]},"b":{"B":"AQI="}}}}'
    const client = openStream([{ StreamDescription: { StreamStatus: 'ENABLED', Shards: [{ ShardId: 'only' }] } }], {
      'only/TRIM_HORIZON': { Records: [wire('1', image), wire('2', `{"deep":{"M":${image}}}`)] },
    })
    const images = (await collect(readStream(client, ARN))).map(record => JSON.stringify(record.dynamodb.NewImage))
    expect(images).toEqual([image, `{"deep":{"M":${image}}}`])
  })
})

const missing = missingForDynamoDbLocal()

describe.skipIf(missing !== undefined)(`readStream on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  beforeAll(async () => {
    local = await startDynamoDbLocal()
  }, 180_000)
  afterAll(() => local?.stop())

  test('reads what a table went through, in order', async () => {
    const connection = { ...CONNECTION, endpoint: local.endpoint }
    const table = new DynamoDBClient(connection)
    const TableName = 'Orders'
    const Key = { order_id: { S: 'ORD1' } }
    const { TableDescription } = await table.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions: [{ AttributeName: 'order_id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      }),
    )
    const streamArn = TableDescription?.LatestStreamArn ?? ''
    const item = { ...Key, seals: { L: [{ BS: [Uint8Array.from([1]), Uint8Array.from([2])] }] }, note: { S: '' } }
    await table.send(new PutItemCommand({ TableName, Item: item }))
    await table.send(new PutItemCommand({ TableName, Item: item }))
    const set = { UpdateExpression: 'SET #n = :n', ExpressionAttributeNames: { '#n': 'note' } }
    await table.send(new UpdateItemCommand({ TableName, Key, ...set, ExpressionAttributeValues: { ':n': { N: '1' } } }))
    await table.send(new DeleteItemCommand({ TableName, Key }))

    const records = await collect(readStream(new DynamoDBStreamsClient(connection), streamArn))

    const before = { order_id: { S: 'ORD1' }, seals: { L: [{ BS: ['AQ==', 'Ag=='] }] }, note: { S: '' } }
    const after = { ...before, note: { N: '1' } }
    expect(records.map(({ eventName, dynamodb: { NewImage, OldImage } }) => [eventName, OldImage, NewImage])).toEqual([
      ['INSERT', undefined, before],
      ['MODIFY', before, after],
      ['REMOVE', after, undefined],
    ])
    for (const { dynamodb, eventID, ...record } of records) {
      expect(record).toMatchObject({ eventSource: 'aws:dynamodb', eventVersion: '1.1', eventSourceARN: streamArn })
      expect(dynamodb.Keys).toEqual(Key)
      expect(dynamodb.SequenceNumber).toMatch(/^\d+$/)
      expect(dynamodb.StreamViewType).toBe('NEW_AND_OLD_IMAGES')
      expect(Number.isInteger(dynamodb.ApproximateCreationDateTime)).toBe(true)
      expect(eventID).not.toBe('')
    }
  })
})
