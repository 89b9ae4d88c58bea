import {
  type AttributeValue,
  BatchGetItemCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { type Patience, patiently } from '../aws/patience.js'
import { KEY_TABLE_KEYS } from '../config/key-store.js'
import { SealingError } from '../transform/sealed-field.js'
import { KEYS_VERSION } from './wrapping.js'

/** Attributes of an item, as DynamoDB has them. */
export type Attributes = Readonly<Record<string, AttributeValue>>

/** Which entry of whom. */
export interface EntryName {
  readonly subject: string
  readonly entry: string
}

/** What DynamoDB gives for one call at most. */
const MOST_READ = 100

const { partition, sort } = KEY_TABLE_KEYS

/**
 * The entries of a key store in a table of DynamoDB: every read is consistent, every write has its condition. Whatever
 * DynamoDB refuses for a time is waited for; what it refuses for longer is thrown.
 */
export class KeyTable {
  constructor(
    private readonly client: DynamoDBClient,
    readonly name: string,
    private readonly patience: Patience = {},
  ) {}

  /** Another one for every table that was ever made: one that was restored has its own name, or at least time. */
  async identity(): Promise<string> {
    const { Table } = await this.call(abortSignal =>
      this.client.send(new DescribeTableCommand({ TableName: this.name }), { abortSignal }),
    )
    const { TableArn: arn, CreationDateTime: created } = Table ?? {}
    if (arn !== undefined && created !== undefined) return `${arn} of ${created.toISOString()}`
    throw new SealingError(`key table ${JSON.stringify(this.name)} does not say when it was made`)
  }

  /** The entries of these names, in their order; undefined where there is none. */
  async read(names: readonly EntryName[]): Promise<readonly (Attributes | undefined)[]> {
    const found = new Map<string, Attributes>()
    for (let from = 0; from < names.length; from += MOST_READ)
      await this.readSome(names.slice(from, from + MOST_READ), found)
    return names.map(({ subject, entry }) => found.get(`${subject} ${entry}`))
  }

  /** What a call leaves unread, which happens under load, is asked for again after a wait. */
  private async readSome(names: readonly EntryName[], found: Map<string, Attributes>): Promise<void> {
    let Keys: Record<string, AttributeValue>[] | undefined = names.map(itemKey)
    await this.call(async abortSignal => {
      const RequestItems = { [this.name]: { Keys, ConsistentRead: true } }
      const answer = await this.client.send(new BatchGetItemCommand({ RequestItems }), { abortSignal })
      for (const item of answer.Responses?.[this.name] ?? []) found.set(`${item[partition]?.S} ${item[sort]?.S}`, item)
      Keys = answer.UnprocessedKeys?.[this.name]?.Keys
      if (Keys !== undefined && Keys.length > 0) throw new Unprocessed()
    })
  }

  /** What somebody has of entries that begin so, by their names. */
  async query(subject: string, prefix: string): Promise<ReadonlyMap<string, Attributes>> {
    const items = new Map<string, Attributes>()
    let ExclusiveStartKey: Record<string, AttributeValue> | undefined
    do {
      const command: QueryCommand = new QueryCommand({
        TableName: this.name,
        ConsistentRead: true,
        KeyConditionExpression: '#subject = :subject and begins_with(#entry, :prefix)',
        ExpressionAttributeNames: { '#subject': partition, '#entry': sort },
        ExpressionAttributeValues: { ':subject': { S: subject }, ':prefix': { S: prefix } },
        ExclusiveStartKey,
      })
      const page = await this.call(abortSignal => this.client.send(command, { abortSignal }))
      for (const item of page.Items ?? []) items.set(`${item[sort]?.S}`, item)
      ExclusiveStartKey = page.LastEvaluatedKey
    } while (ExclusiveStartKey !== undefined)
    return items
  }

  /** Adds an entry where there is none, or only one of which `unless` says that it may be replaced. False where not. */
  put(name: EntryName, attributes: Attributes, unless?: string): Promise<boolean> {
    const isNew = `attribute_not_exists(${partition})`
    const command = new PutItemCommand({
      TableName: this.name,
      Item: { ...itemKey(name), ...attributes, version: { S: KEYS_VERSION } },
      ConditionExpression: unless === undefined ? isNew : `${isNew} or (${unless})`,
    })
    return ifHolds(() => this.call(abortSignal => this.client.send(command, { abortSignal })))
  }

  /** Changes an entry, or makes it. False where the condition does not hold. */
  update(name: EntryName, expression: string, values: Attributes, condition?: string): Promise<boolean> {
    const command = new UpdateItemCommand({
      TableName: this.name,
      Key: itemKey(name),
      UpdateExpression: expression.replace(/^set /, 'set version = :version, '),
      ConditionExpression: condition,
      ExpressionAttributeValues: { ...values, ':version': { S: KEYS_VERSION } },
    })
    return ifHolds(() => this.call(abortSignal => this.client.send(command, { abortSignal })))
  }

  private call<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return patiently(send, { ...this.patience, service: 'dynamodb' })
  }
}

/** Keys that a call left unread, which is a throttling without an error. */
class Unprocessed extends Error {
  override readonly name = 'ProvisionedThroughputExceededException'
  override readonly message = 'keys were left unread'
}

function itemKey({ subject, entry }: EntryName): Record<string, AttributeValue> {
  return { [partition]: { S: subject }, [sort]: { S: entry } }
}

/** False where a condition does not hold: somebody was first. */
async function ifHolds(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if ((error as Error).name === 'ConditionalCheckFailedException') return false
    throw error
  }
}
