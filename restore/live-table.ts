import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { callDynamoDb, type WireOperation } from '../capture/dynamodb-wire.js'
import { canonicalAttributes, canonicalItem } from '../transform/attribute-value.js'
import { isObject, type JsonObject } from '../transform/json.js'
import type { Pace } from './pace.js'

/** What a table says of itself. */
export interface TableDescription {
  readonly table: string
  readonly arn: string
  /** Another one when the table was deleted and made again; null where the server has none (DynamoDB Local). */
  readonly id: string | null
  /** Names of the key attributes, the partition key first. */
  readonly keys: readonly string[]
  readonly status: string
  /** As DynamoDB counts them now and then. */
  readonly items: number
}

/** An item of a live table, in canonical DynamoDB JSON. */
export interface LiveItem {
  readonly key: string
  readonly image: string
}

/** Segments of a table that are scanned side by side. */
const SEGMENTS = 4

/** Keys that BatchGetItem takes at once. */
const BATCH = 100

/** A table of DynamoDB, read consistently and written as its own JSON says. */
export class LiveTable {
  private constructor(
    private readonly client: DynamoDBClient,
    readonly pace: Pace,
    readonly description: TableDescription,
  ) {}

  /** Looks whether the table is there. Throws the SDK's own errors. */
  static async open(client: DynamoDBClient, table: string, pace: Pace): Promise<LiveTable> {
    const { body } = await callDynamoDb(client, 'DescribeTable', { TableName: table })
    const described = body.Table as JsonObject
    const schema = described.KeySchema as readonly { readonly AttributeName: string; readonly KeyType: string }[]
    return new LiveTable(client, pace, {
      table,
      arn: String(described.TableArn),
      id: typeof described.TableId === 'string' ? described.TableId : null,
      keys: [...schema].sort((a, b) => (a.KeyType < b.KeyType ? -1 : 1)).map(key => key.AttributeName),
      status: String(described.TableStatus),
      items: Number(described.ItemCount ?? 0),
    })
  }

  /** One request to this table, made again while DynamoDB asks for patience. */
  async call(operation: WireOperation, request: JsonObject): Promise<JsonObject> {
    const named = { TableName: this.description.table, ...request }
    const { body } = await this.pace.run(signal => callDynamoDb(this.client, operation, named, signal))
    return body
  }

  /** All items, in no order, each as it was at some moment during the scan. */
  async *scan(): AsyncGenerator<LiveItem> {
    const segments = Array.from({ length: SEGMENTS }, (_, segment) => this.scanSegment(segment))
    const coming = new Map(segments.map((segment, i) => [i, nextOf(segment, i)]))
    while (coming.size > 0) {
      const { page, i, segment } = await Promise.race(coming.values())
      if (page.done) coming.delete(i)
      else {
        coming.set(i, nextOf(segment, i))
        for (const item of page.value) yield this.toLiveItem(item)
      }
    }
  }

  private async *scanSegment(segment: number): AsyncGenerator<readonly unknown[]> {
    let from: unknown
    do {
      const page = await this.call('Scan', {
        ConsistentRead: true,
        Segment: segment,
        TotalSegments: SEGMENTS,
        ...(from !== undefined && { ExclusiveStartKey: from }),
      })
      yield page.Items as readonly unknown[]
      from = page.LastEvaluatedKey
    } while (from !== undefined)
  }

  /** True where the table has no item. A page may be empty before the last. */
  async isEmpty(): Promise<boolean> {
    let from: unknown
    do {
      const page = await this.call('Scan', {
        ConsistentRead: true,
        Limit: 1,
        ...(from !== undefined && { ExclusiveStartKey: from }),
      })
      if ((page.Items as readonly unknown[]).length > 0) return false
      from = page.LastEvaluatedKey
    } while (from !== undefined)
    return true
  }

  /** Some items by their canonical keys, read consistently; those that are not there are left out. */
  async read(keys: readonly string[]): Promise<ReadonlyMap<string, LiveItem>> {
    const found = new Map<string, LiveItem>()
    const { table } = this.description
    for (let i = 0; i < keys.length; i += BATCH) {
      let left: unknown = {
        [table]: { ConsistentRead: true, Keys: keys.slice(i, i + BATCH).map(key => JSON.parse(key) as object) },
      }
      while (isObject(left) && Object.keys(left).length > 0) {
        const request = { RequestItems: left }
        const body = await this.pace.run(signal => this.readBatch(request, signal))
        for (const item of itemsIn(body).map(answer => this.toLiveItem(answer))) found.set(item.key, item)
        left = body.UnprocessedKeys
      }
    }
    return found
  }

  /** An answer that holds nothing but keys that were not processed is a throttling by another name. */
  private async readBatch(request: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const { body } = await callDynamoDb(this.client, 'BatchGetItem', request, signal)
    if (itemsIn(body).length > 0 || Object.keys(body.UnprocessedKeys as object).length === 0) return body
    throw Object.assign(new Error('no key was processed'), { name: 'ThrottlingException' })
  }

  /** An item of an answer, in canonical form. */
  toLiveItem(item: unknown): LiveItem {
    const attributes = canonicalAttributes(item, 'item', 'once')
    const { keys } = this.description
    const key = new Map([...attributes].filter(([name]) => keys.includes(name)))
    return { key: canonicalItem(key, 'key'), image: canonicalItem(attributes, 'item') }
  }
}

/** The next page of a segment. One that fails after another did is nobody's concern any more. */
function nextOf(segment: AsyncGenerator<readonly unknown[]>, i: number) {
  const coming = segment.next().then(page => ({ page, i, segment }))
  coming.catch(() => {})
  return coming
}

/** The items in an answer to BatchGetItem about one table. */
function itemsIn({ Responses }: JsonObject): readonly unknown[] {
  return Object.values(Responses as Readonly<Record<string, readonly unknown[]>>).flat()
}
