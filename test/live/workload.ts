/**
 * A seeded workload on DynamoDB Local that knows what its tables went through, because it asks them: after each
 * operation it reads every item that may have been touched, in the form of the wire, and notes those that are not what
 * they were.
 */

import { type Random, randomOf } from '../random.js'
import { canonicalForm } from '../transform/second-implementation.js'

/** An item or a value in DynamoDB JSON as it is on the wire. */
export type Wire = { readonly [name: string]: unknown }

/** A table of the workload: how it is made, and an item's key from a number. */
export interface WorkloadTable {
  readonly name: string
  readonly keys: readonly (readonly [attribute: string, type: 'S' | 'N' | 'B'])[]
  readonly keyOf: (number: number) => Wire
}

/** What an item became: a change that a stream must have. */
export interface Version {
  readonly table: string
  /** Canonical DynamoDB JSON, as are the images. */
  readonly itemKey: string
  readonly before: string | null
  readonly after: string | null
  /** The operation that made it, from 0. */
  readonly operation: number
  /** `now` of the workload once the operation had returned, in microseconds since 1970. */
  readonly at: number
}

export interface WorkloadOptions {
  readonly endpoint: string
  readonly tables: readonly WorkloadTable[]
  readonly seed: number
  /** Items of a table. @default - 12 */
  readonly items?: number
  /** Microseconds since 1970, asked after each operation. @default - the clock */
  readonly now?: () => number
}

/** Tables with a simple and with a composite key, of every type that a key may have. */
export const WORKLOAD_TABLES: readonly WorkloadTable[] = [
  { name: 'Orders', keys: [['order_id', 'S']], keyOf: number => ({ order_id: { S: `ORD "${number}" é🎁` } }) },
  {
    name: 'Events',
    keys: [
      ['device', 'B'],
      ['at', 'N'],
    ],
    keyOf: number => ({
      device: { B: Buffer.from([0, number % 3, 255]).toString('base64') },
      at: { N: `${number - 4}.5` },
    }),
  },
]

/** Calls an operation of DynamoDB Local with JSON as it is on the wire; a refusal is returned by its name. */
export async function callDynamoDb(endpoint: string, operation: string, input: object): Promise<Wire | string> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      // DynamoDB Local takes any signature, and tells tables apart by access key and region
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify(input),
  })
  const text = await answer.text()
  if (!text.startsWith('{')) throw new Error(text)
  const body = JSON.parse(text) as Wire
  return answer.ok ? body : (String(body.__type).split('#')[1] ?? '')
}

/** What was refused as it should be: the table is as it was. */
const REFUSALS = ['ConditionalCheckFailedException', 'TransactionCanceledException']

export class Workload {
  readonly versions: Version[] = []
  operations = 0
  private readonly random: Random
  private readonly states = new Map<string, string | null>()

  constructor(private readonly options: WorkloadOptions) {
    this.random = randomOf(options.seed)
  }

  async createTables(): Promise<void> {
    for (const { name, keys } of this.options.tables)
      await this.call('CreateTable', {
        TableName: name,
        AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
        KeySchema: keys.map(([AttributeName], i) => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      })
  }

  async run(operations: number): Promise<void> {
    for (let i = 0; i < operations; i++) await this.step()
  }

  /** One operation of some kind, and what became of the items that it named. */
  async step(): Promise<void> {
    const operation = this.operations++
    const touched = await this.operate()
    const at = (this.options.now ?? (() => Date.now() * 1000))()
    for (const { table, key } of touched) {
      const [itemKey, after] = [canonicalForm(key), await this.read(table, key)]
      const before = this.states.get(`${table.name} ${itemKey}`) ?? null
      if (after === before) continue
      this.states.set(`${table.name} ${itemKey}`, after)
      this.versions.push({ table: table.name, itemKey, before, after, operation, at })
    }
  }

  /** What a table held at a moment: canonical items by their canonical keys. */
  stateAt(table: string, us: number): ReadonlyMap<string, string> {
    const items = new Map<string, string>()
    for (const { itemKey, after } of this.versions.filter(one => one.table === table && one.at <= us)) {
      if (after === null) items.delete(itemKey)
      else items.set(itemKey, after)
    }
    return items
  }

  /** What a table holds, by a scan. */
  async scan(table: string): Promise<ReadonlyMap<string, string>> {
    const { keys } = this.options.tables.find(({ name }) => name === table) as WorkloadTable
    const { Items } = await this.call('Scan', { TableName: table, ConsistentRead: true })
    const keyOf = (item: Wire) => Object.fromEntries(keys.map(([name]) => [name, item[name]]))
    return new Map((Items as Wire[]).map(item => [canonicalForm(keyOf(item)), canonicalForm(item)]))
  }

  private async operate(): Promise<readonly Target[]> {
    const target = this.target()
    const { table, key } = target
    const TableName = table.name
    switch (this.below(12)) {
      case 0:
      case 1:
      case 2:
        await this.call('PutItem', { TableName, Item: this.item(key) })
        return [target]
      case 3:
        return this.putAgain(target)
      case 4:
      case 5:
      case 6:
        await this.call('UpdateItem', { TableName, Key: key, ...this.update() })
        return [target]
      case 7:
        await this.call('DeleteItem', { TableName, Key: key })
        return [target]
      case 8: {
        const ConditionExpression = this.random() < 0.5 ? 'attribute_exists(#n)' : 'attribute_not_exists(#n)'
        const names = { '#n': this.random() < 0.5 ? 'count' : 'nowhere' }
        const condition = { ConditionExpression, ExpressionAttributeNames: names }
        await this.call('PutItem', { TableName, Item: this.item(key), ...condition })
        return [target]
      }
      case 9:
        return this.batch()
      default:
        return this.transact()
    }
  }

  /** A write that changes nothing. */
  private async putAgain({ table, key }: Target): Promise<readonly Target[]> {
    const { Item } = await this.call('GetItem', { TableName: table.name, Key: key, ConsistentRead: true })
    if (Item !== undefined) await this.call('PutItem', { TableName: table.name, Item })
    return [{ table, key }]
  }

  private async batch(): Promise<readonly Target[]> {
    const targets = this.targets(5)
    const RequestItems: Record<string, object[]> = {}
    for (const { table, key } of targets) {
      const request = this.random() < 0.7 ? { PutRequest: { Item: this.item(key) } } : { DeleteRequest: { Key: key } }
      RequestItems[table.name] = [...(RequestItems[table.name] ?? []), request]
    }
    await this.call('BatchWriteItem', { RequestItems })
    return targets
  }

  /** Some transactions are cancelled by a condition that does not hold. */
  private async transact(): Promise<readonly Target[]> {
    const targets = this.targets(4)
    const TransactItems = targets.map(({ table: { name: TableName }, key: Key }) => {
      const kind = this.below(8)
      if (kind < 3) return { Put: { TableName, Item: this.item(Key) } }
      if (kind < 5) return { Delete: { TableName, Key } }
      if (kind < 7) return { Update: { TableName, Key, ...this.update() } }
      const ConditionExpression = 'attribute_exists(#n)'
      return { ConditionCheck: { TableName, Key, ConditionExpression, ExpressionAttributeNames: { '#n': 'count' } } }
    })
    await this.call('TransactWriteItems', { TransactItems })
    return targets
  }

  private update(): object {
    const names = { '#c': 'count', '#v': this.name(), '#l': 'list' }
    const { '#c': _, ...withoutCount } = names
    switch (this.below(4)) {
      case 0:
        return {
          UpdateExpression: 'ADD #c :n',
          ExpressionAttributeNames: { '#c': 'count' },
          ExpressionAttributeValues: { ':n': { N: String(this.below(3) - 1) } },
        }
      case 1:
        return {
          UpdateExpression: 'SET #v = :v, #l = list_append(if_not_exists(#l, :none), :more) ADD #c :n',
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: {
            ':v': this.value(2),
            ':none': { L: [] },
            ':more': { L: [this.value(1)] },
            ':n': { N: '1' },
          },
        }
      case 2:
        return { UpdateExpression: 'REMOVE #v, #l', ExpressionAttributeNames: withoutCount }
      default:
        return {
          UpdateExpression: 'SET #v = :v',
          ExpressionAttributeNames: { '#v': names['#v'] },
          ExpressionAttributeValues: { ':v': this.value(3) },
        }
    }
  }

  private item(key: Wire): Wire {
    const attributes = Array.from({ length: this.below(5) }, () => [this.name(), this.value(3)])
    const count = this.random() < 0.7 ? [['count', { N: String(this.below(4)) }]] : []
    return Object.fromEntries([...attributes, ...count, ...Object.entries(key)])
  }

  private name(): string {
    return this.pick(['status', 'total', 'a.b', '__proto__', 'Ünï "code"', '🎁', 'constructor', 'x'.repeat(60)])
  }

  /** A value of any type, maps and lists at most `depth` deep. */
  private value(depth: number): Wire {
    const some = <T>(one: () => T) => Array.from({ length: 1 + this.below(3) }, one)
    const bytes = () => Buffer.from(some(() => this.below(256))).toString('base64')
    switch (this.below(depth > 0 ? 11 : 8)) {
      case 0:
        return { S: this.pick(['', 'PENDING', 'é\u0000\u001b', '"\\/\n', '🎁'.repeat(3), '{"N":"1"}']) }
      case 1:
      case 2:
        return { N: this.number() }
      case 3:
        return { B: bytes() }
      case 4:
        return this.random() < 0.5 ? { BOOL: this.random() < 0.5 } : { NULL: true }
      case 5:
        return { SS: [...new Set(some(() => this.pick(['a', 'é', '🎁', '～', 'b'])))] }
      case 6:
        return { NS: [...new Set(some(() => String(this.below(5))))] }
      case 7:
        return { BS: [...new Set(some(bytes))] }
      case 8:
        return { L: Array.from({ length: this.below(4) }, () => this.value(depth - 1)) }
      default:
        return {
          M: Object.fromEntries(Array.from({ length: this.below(4) }, () => [this.name(), this.value(depth - 1)])),
        }
    }
  }

  /**
   * In the form that DynamoDB gives a number. DynamoDB Local keeps another form in some operations, and takes the item
   * that is put again, in the right form, for one that did not change: no stream can tell of that.
   */
  private number(): string {
    return this.pick([
      '0',
      '-1.5',
      '1000',
      '12345678901234567890123456789012345678',
      '-0.00000000000000000000000000000000000001',
      `${'9'.repeat(38)}${'0'.repeat(88)}`,
      String(this.below(1000) / 100),
    ])
  }

  /** Half of all operations are on one hot item of each table. */
  private target(): Target {
    const table = this.pick(this.options.tables)
    const number = this.random() < 0.5 ? 0 : this.below(this.options.items ?? 12)
    return { table, key: table.keyOf(number) }
  }

  /** Different items, as batches and transactions want them. */
  private targets(most: number): readonly Target[] {
    const byKey = new Map<string, Target>()
    for (let i = 0; i <= this.below(most); i++) {
      const target = this.target()
      byKey.set(`${target.table.name} ${canonicalForm(target.key)}`, target)
    }
    return [...byKey.values()]
  }

  private async read(table: WorkloadTable, Key: Wire): Promise<string | null> {
    const { Item } = await this.call('GetItem', { TableName: table.name, Key, ConsistentRead: true })
    return Item === undefined ? null : canonicalForm(Item as Wire)
  }

  private async call(operation: string, input: object): Promise<Wire> {
    const answer = await callDynamoDb(this.options.endpoint, operation, input)
    if (typeof answer === 'string' && !REFUSALS.includes(answer))
      throw new Error(`${operation} was refused with ${answer}: ${JSON.stringify(input)}`)
    return typeof answer === 'string' ? {} : answer
  }

  private below(n: number): number {
    return Math.floor(this.random() * n)
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }
}

interface Target {
  readonly table: WorkloadTable
  readonly key: Wire
}
