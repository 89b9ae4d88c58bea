import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LambdaRecord } from '../../capture/lambda-record.js'
import { readStream } from '../../examples/orders/stream-reader.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'
import { connect, createTable, LOCAL_CONNECTION } from './live-table.js'
import { startTimeProxy, type TimeProxy } from './time-proxy.js'

const missing = missingForDynamoDbLocal()

describe.skipIf(missing !== undefined)(`the time proxy before DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  let proxy: TimeProxy
  let table: DynamoDBClient
  let clock = 1_800_000_000_000_000
  beforeAll(async () => {
    local = await startDynamoDbLocal()
    proxy = await startTimeProxy(local.endpoint, { now: () => clock })
    table = connect(proxy.endpoint)
  })
  afterAll(async () => {
    await proxy?.stop()
    await local?.stop()
  })

  const put = (TableName: string, id: string, value: string, client = table) =>
    client.send(new PutItemCommand({ TableName, Item: { order_id: { S: id }, value: { S: value } } }))

  async function read(arn: string): Promise<readonly LambdaRecord[]> {
    const streams = new DynamoDBStreamsClient({ ...LOCAL_CONNECTION, endpoint: proxy.endpoint })
    const records: LambdaRecord[] = []
    for await (const record of readStream(streams, arn)) records.push(record)
    return records
  }
  const timesOf = (records: readonly LambdaRecord[]) =>
    records.map(({ dynamodb }) => Math.round((dynamodb.ApproximateCreationDateTime ?? 0) * 1e6))

  it('gives each record the time at which its write returned, increasing where the clock stands still', async () => {
    const arn = await createTable(table, 'Orders')
    const returned: number[] = []
    for (const value of ['a', 'b', 'b', 'c']) {
      await put('Orders', 'ORD1', value)
      returned.push(proxy.time)
    }
    clock += 5_000_000
    await put('Orders', 'ORD1', 'd')
    returned.push(proxy.time)
    const records = await read(arn)
    // the third write changed nothing: it left no record and took no time
    expect(timesOf(records)).toEqual([returned[0], returned[1], returned[3], returned[4]])
    expect(returned.map(time => time - clock + 5_000_000)).toEqual([1, 2, 2, 3, 5_000_000])
    expect(proxy.timeOf(arn, records[3]?.dynamodb.SequenceNumber ?? '')).toBe(returned[4])
  })

  it('gives the records of one write times of their own, the last of them the time at which it returned', async () => {
    const arn = await createTable(table, 'Batches')
    await put('Batches', 'first', 'x')
    const before = proxy.time
    const items = ['1', '2', '3'].map(id => ({ order_id: { S: id } }))
    const TransactItems = items.map(Item => ({ Put: { TableName: 'Batches', Item } }))
    await table.send(new TransactWriteItemsCommand({ TransactItems }))
    const between = proxy.time
    const Batches = ['4', '5'].map(id => ({ PutRequest: { Item: { order_id: { S: id } } } }))
    await table.send(new BatchWriteItemCommand({ RequestItems: { Batches } }))
    const times = timesOf(await read(arn))
    expect(times).toEqual([before, between - 2, between - 1, between, proxy.time - 1, proxy.time])
    expect(new Set(times).size).toBe(6)
  })

  it('changes nothing else, whatever an item is called or holds', async () => {
    const arn = await createTable(table, 'Names')
    const Item = {
      order_id: { S: '"ApproximateCreationDateTime":12' },
      ApproximateCreationDateTime: { N: '34' },
      deep: { M: { ['__proto__']: { S: '\\"ApproximateCreationDateTime\\":56' } } },
    }
    await table.send(new PutItemCommand({ TableName: 'Names', Item }))
    const [record] = await read(arn)
    expect(JSON.parse(JSON.stringify(record?.dynamodb.NewImage))).toEqual(JSON.parse(JSON.stringify(Item)))
    expect(timesOf([record as LambdaRecord])).toEqual([proxy.time])
  })

  it('knows writes that went past it, and streams that replace others', async () => {
    const first = await createTable(table, 'Past')
    await put('Past', '1', 'a', connect(local.endpoint))
    await put('Past', '2', 'b')
    const change = (StreamSpecification: { StreamEnabled: boolean; StreamViewType?: 'NEW_AND_OLD_IMAGES' }) =>
      table.send(new UpdateTableCommand({ TableName: 'Past', StreamSpecification }))
    await change({ StreamEnabled: false })
    const { TableDescription } = await change({ StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' })
    await put('Past', '3', 'c')
    await put('Past', '4', 'd', connect(local.endpoint))
    const times = [...timesOf(await read(first)), ...timesOf(await read(TableDescription?.LatestStreamArn ?? ''))]
    expect(times).toEqual([...times].sort())
    expect(new Set(times).size).toBe(4)
    expect(times.at(-1)).toBe(proxy.time)
  })

  it('writes milliseconds where it is told to', async () => {
    const coarse = await startTimeProxy(local.endpoint, { precision: 'ms', now: () => 1_800_000_000_000_999 })
    const client = connect(coarse.endpoint)
    const arn = await createTable(client, 'Coarse')
    for (const value of ['a', 'b']) await put('Coarse', '1', value, client)
    const { dynamodb } = (await read(arn))[0] as LambdaRecord
    expect([coarse.time, coarse.timeOf(arn, dynamodb.SequenceNumber)]).toEqual([
      1_800_000_000_002_000, 1_800_000_000_001_000,
    ])
    await coarse.stop()
  })
})
