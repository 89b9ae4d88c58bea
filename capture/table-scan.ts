/** Reads a live table: every item as it is on the wire, with strongly consistent reads. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  isNetworkError,
  type Patience,
  type PatientOptions,
  passes,
  patiently,
  TABLE_PATIENCE,
} from '../aws/patience.js'
import type { JsonObject } from '../transform/json.js'
import type { FoundItem } from './baseline.js'
import { callDynamoDb } from './dynamodb-wire.js'
import { tableOfArn } from './export-layout.js'

/** A table as it was when it was described. */
export interface ScannedTable {
  readonly name: string
  readonly arn: string
  /** Its key attributes, the partition key first. */
  readonly keys: readonly string[]
  /** About how many items it has: DynamoDB counts them every six hours. */
  readonly itemCount: number
  /**
   * A moment no later than the server's when it answered: the earlier of its clock and ours, in microseconds since
   * 1970.
   */
  readonly askedUs: number
  /** Milliseconds that our clock is ahead of the server's, as far as whole seconds tell. */
  readonly clockAheadMs: number
}

/** Describes a table. Throws what the service refuses. */
export async function describeTable(
  client: DynamoDBClient,
  name: string,
  now: () => number = Date.now,
  patience: Patience = {},
): Promise<ScannedTable> {
  const describe = async (signal: AbortSignal) => {
    const asked = now()
    return { ...(await callDynamoDb(client, 'DescribeTable', { TableName: name }, signal)), asked }
  }
  // the first that is asked of a table: where nothing is, as under a wrong endpoint, nobody waits for it
  const answers = (error: unknown) => passes(error, 'dynamodb') && !isNetworkError(error)
  const { body, date, asked } = await sendPatiently(describe, patience, answers)
  const { TableArn = '', KeySchema = [], ItemCount = 0 } = (body as DescribeAnswer).Table ?? {}
  const schema = KeySchema.toSorted((a, b) => Number(a.KeyType === 'RANGE') - Number(b.KeyType === 'RANGE'))
  return {
    name: tableOfArn(TableArn) ?? name,
    arn: TableArn,
    keys: schema.map(({ AttributeName }) => AttributeName),
    itemCount: ItemCount,
    askedUs: Math.min(asked, date ?? asked) * 1000,
    clockAheadMs: date === undefined ? 0 : asked - date,
  }
}

interface DescribeAnswer {
  readonly Table?: {
    readonly TableArn?: string
    readonly KeySchema?: readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[]
    readonly ItemCount?: number
  }
}

/** A scan under way. */
export class TableScan {
  /** A moment no earlier than the server's at the last page that was read, in microseconds since 1970. */
  untilUs = 0

  /** The client must not retry by itself. `segments` pages are asked for at once, and so many are in memory at most. */
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: Pick<ScannedTable, 'name'>,
    private readonly segments = 1,
    private readonly now: () => number = Date.now,
    private readonly patience: Patience = {},
  ) {}

  /** Every item once. Waits and tries again where the table throttles; throws what it refuses. */
  async *items(): AsyncGenerator<FoundItem> {
    const pending = new Map<number, Promise<Page>>()
    const ask = (segment: number, start?: object) => {
      const page = this.readPage(segment, start)
      // if several fail one is told; the others, unhandled, would end the process
      page.catch(() => {})
      pending.set(segment, page)
    }
    for (let segment = 0; segment < this.segments; segment++) ask(segment)
    let pages = 0
    while (pending.size > 0) {
      const { segment, items, last } = await Promise.race(pending.values())
      pending.delete(segment)
      if (last !== undefined) ask(segment, last)
      pages++
      for (const [i, item] of items.entries())
        yield { text: JSON.stringify(item), where: `item ${i + 1} of page ${pages}` }
    }
  }

  private async readPage(segment: number, start: object | undefined): Promise<Page> {
    const request: JsonObject = {
      TableName: this.table.name,
      ConsistentRead: true,
      ...(start !== undefined && { ExclusiveStartKey: start }),
      ...(this.segments > 1 && { Segment: segment, TotalSegments: this.segments }),
    }
    const { body, date } = await sendPatiently(
      signal => callDynamoDb(this.client, 'Scan', request, signal),
      this.patience,
    )
    // a whole second more, because the header leaves its fraction out
    this.untilUs = Math.max(this.untilUs, this.now() * 1000, date === undefined ? 0 : (date + 1000) * 1000)
    const { Items = [], LastEvaluatedKey: last } = body as ScanAnswer
    return { segment, items: Items, last }
  }
}

interface Page {
  readonly segment: number
  readonly items: readonly object[]
  readonly last: object | undefined
}

/** A page as it is on the wire. */
interface ScanAnswer {
  readonly Items?: readonly object[]
  readonly LastEvaluatedKey?: object
}

/** Reads one item again, strongly consistent: its JSON text, or undefined where the table has none of this key. */
export async function readItem(
  client: DynamoDBClient,
  table: Pick<ScannedTable, 'name'>,
  itemKey: string,
  patience: Patience = {},
): Promise<string | undefined> {
  const request: JsonObject = { TableName: table.name, Key: JSON.parse(itemKey) as object, ConsistentRead: true }
  const { body } = await sendPatiently(signal => callDynamoDb(client, 'GetItem', request, signal), patience)
  const { Item: item } = body as { readonly Item?: object }
  return item === undefined ? undefined : JSON.stringify(item)
}

function sendPatiently<T>(
  send: (signal: AbortSignal) => Promise<T>,
  patience: Patience,
  passes?: PatientOptions['passes'],
): Promise<T> {
  return patiently(send, { ...TABLE_PATIENCE, ...patience, service: 'dynamodb', ...(passes && { passes }) })
}
