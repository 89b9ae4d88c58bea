/** A table of DynamoDB Local, what a test does to it, and the archive of its stream. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { afterAll, beforeAll, expect } from 'vitest'
import { callDynamoDb, type WireOperation } from '../../capture/dynamodb-wire.js'
import { readStream } from '../../examples/orders/stream-reader.js'
import { canonicalAttributes, canonicalItem } from '../../transform/attribute-value.js'
import type { JsonObject } from '../../transform/json.js'
import { linesOf, run } from '../cli/command-line.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'

/** What keeps tests against a real DynamoDB from running here; undefined where nothing does. */
export const missing = missingForDynamoDbLocal()

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_REGION: 'us-east-1' }
const CONNECTION = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }

/**
 * The first change of a table is given this time, each further one a second more: DynamoDB Local cuts times to the
 * minute.
 */
export const BEGAN = Date.UTC(2026, 10, 19, 3) / 1000

/** The moment after so many changes of a table. */
export function after(changes: number): string {
  return new Date((BEGAN + changes - 1) * 1000).toISOString()
}

/** An item in canonical DynamoDB JSON. */
export function textOf(item: JsonObject): string {
  return canonicalItem(canonicalAttributes(item, 'item', 'once'), 'item')
}

export type Key = readonly (readonly [name: string, type: 'S' | 'N' | 'B'])[]

/** A DynamoDB and a folder for the tests of a file, gone when they are done. */
export class Place {
  private local: DynamoDbLocal | undefined
  private tables = 0
  folder = ''

  constructor() {
    beforeAll(async () => {
      if (missing !== undefined) return
      this.local = await startDynamoDbLocal()
      this.folder = mkdtempSync(join(tmpdir(), 'itemtrail-live-'))
      Object.assign(process.env, CREDENTIALS)
    })
    afterAll(async () => {
      await this.local?.stop()
      if (this.folder !== '') rmSync(this.folder, { recursive: true, force: true })
    })
  }

  get endpoint(): string {
    return (this.local as DynamoDbLocal).endpoint
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  async create(key: Key = [['pk', 'S']]): Promise<LiveTable> {
    const name = `Table${++this.tables}`
    const client = new DynamoDBClient({ ...CONNECTION, endpoint: this.endpoint })
    const { TableDescription } = await client.send(
      new CreateTableCommand({
        TableName: name,
        AttributeDefinitions: key.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
        KeySchema: key.map(
          ([AttributeName], i): KeySchemaElement => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' }),
        ),
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      }),
    )
    return new LiveTable(name, this.endpoint, TableDescription?.LatestStreamArn as string, this.path(`archive-${name}`))
  }
}

/** A table and the archive of its stream. */
export class LiveTable {
  private readonly client: DynamoDBClient

  constructor(
    readonly name: string,
    private readonly endpoint: string,
    readonly streamArn: string,
    readonly archive: string,
  ) {
    this.client = new DynamoDBClient({ ...CONNECTION, endpoint })
  }

  call(operation: WireOperation, request: JsonObject) {
    return callDynamoDb(this.client, operation, { TableName: this.name, ...request })
  }

  put(item: JsonObject | string) {
    return this.call('PutItem', { Item: typeof item === 'string' ? JSON.parse(item) : item })
  }

  delete(key: JsonObject) {
    return this.call('DeleteItem', { Key: key })
  }

  /** What the table holds, in canonical text, sorted. */
  async scan(): Promise<readonly string[]> {
    const items: JsonObject[] = []
    let from: unknown
    do {
      const more = from === undefined ? {} : { ExclusiveStartKey: from }
      const { body } = await this.call('Scan', { ConsistentRead: true, ...more })
      items.push(...(body.Items as readonly JsonObject[]))
      from = body.LastEvaluatedKey
    } while (from !== undefined)
    return items.map(textOf).sort()
  }

  /** Archives the stream as it is by now, the nth change at second n where nothing else is said. */
  async ingest(more: readonly string[] = [], timeOf = (change: number) => BEGAN + change): Promise<void> {
    const records: unknown[] = []
    for await (const record of readStream(
      new DynamoDBStreamsClient({ ...CONNECTION, endpoint: this.endpoint }),
      this.streamArn,
    ))
      records.push({ ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: timeOf(records.length) } })
    const { exit, err } = await run(['ingest', '-', '--archive', this.archive, ...more], { stdin: linesOf(records) })
    expect([exit, err]).toEqual([0, expect.anything()])
  }

  /** Runs `itemtrail restore` in this process, on this table or on what stands before it. */
  restore(argv: readonly string[], endpoint = this.endpoint) {
    return run(['restore', ...argv, '--endpoint', endpoint, '--archive', this.archive])
  }
}
