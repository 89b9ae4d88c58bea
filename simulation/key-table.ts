/**
 * The tables of DynamoDB that keep keys of persons, and the key of KMS that opens their secrets. API reference:
 * BatchGetItem (some keys are left unprocessed), Query, PutItem and UpdateItem with the conditions that our code
 * writes, DescribeTable; developer guide, "Point-in-time recovery" (what is restored is a new table). KMS API reference:
 * GenerateDataKey, Decrypt (the encryption context has to be the very one).
 */
import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { KEY_TABLE_KEYS, PURPOSE, type SecretPurpose } from '../config/key-store.js'
import type { FaultKind } from './faults.js'
import { operationOf, type Process, passingError, type Service, serviceError } from './process.js'
import type { World } from './world.js'

/** An item of a table of keys. */
export type KeyItem = Readonly<Record<string, AttributeValue>>

/** An item as it became, and when, in milliseconds since 1970. */
export interface KeyWrite {
  readonly atMs: number
  readonly name: string
  readonly item: KeyItem
}

/** The input of a command as far as the model understands it. */
interface Input {
  readonly TableName: string
  readonly Key: KeyItem
  readonly Item: KeyItem
  readonly ConditionExpression?: string
  readonly UpdateExpression: string
  readonly ExpressionAttributeValues?: KeyItem
  readonly ExclusiveStartKey?: KeyItem
  readonly RequestItems: Readonly<Record<string, { readonly Keys: readonly KeyItem[] }>>
}

interface BatchAnswer {
  readonly UnprocessedKeys?: object
}

interface Command {
  readonly constructor: { readonly name: string }
  readonly input: Input
}

const { partition, sort } = KEY_TABLE_KEYS

/** A table of keys, with all that was ever written to it. */
export class SimulatedKeyTable {
  readonly writes: KeyWrite[] = []
  /** Nobody finds it any more. */
  isGone = false
  private readonly items = new Map<string, KeyItem>()

  constructor(
    readonly name: string,
    private readonly now: () => number,
    private readonly madeMs = now(),
  ) {}

  /** Another table with what this one had at a moment. */
  restoredAs(name: string, atMs: number): SimulatedKeyTable {
    const restored = new SimulatedKeyTable(name, this.now)
    for (const write of this.writes) if (write.atMs <= atMs) restored.keep(write)
    return restored
  }

  /** What is there under a name. */
  read(name: string): KeyItem | undefined {
    return this.items.get(name)
  }

  /** What is there of a person's keys, by their generation, in order. */
  keysOf(token: string): ReadonlyMap<number, KeyItem> {
    const own = [...this.items].filter(([name]) => name.startsWith(`${token} key/`))
    const keys = own.map(([name, item]) => [Number(name.slice(`${token} key/`.length)), item] as const)
    return new Map(keys.sort(([a], [b]) => a - b))
  }

  private keep({ name, item, atMs }: KeyWrite): void {
    this.items.set(name, item)
    this.writes.push({ name, item, atMs })
  }

  /** Does what a command asks for. Throws where its condition does not hold. */
  serve(command: string, input: Input, dice: World['dice']): unknown {
    switch (command) {
      case 'DescribeTableCommand':
        return { Table: { TableArn: `arn:aws:dynamodb:::table/${this.name}`, CreationDateTime: new Date(this.madeMs) } }
      case 'BatchGetItemCommand':
        return this.batch(input.RequestItems[this.name]?.Keys ?? [], dice)
      case 'QueryCommand':
        return this.query(input)
      case 'PutItemCommand':
        return this.write(nameOf(input.Item), input, () => input.Item)
      case 'UpdateItemCommand':
        return this.write(nameOf(input.Key), input, before => updated(input, before))
      default:
        throw new Error(`${command} of a key table is not simulated`)
    }
  }

  private batch(keys: readonly KeyItem[], dice: World['dice']): unknown {
    const some = dice.chance(0.1) ? keys.slice(0, dice.between(0, keys.length + 1)) : keys
    const left = keys.slice(some.length)
    return {
      Responses: { [this.name]: some.map(key => this.items.get(nameOf(key))).filter(item => item !== undefined) },
      UnprocessedKeys: left.length > 0 ? { [this.name]: { Keys: left } } : {},
    }
  }

  /** An item a page. */
  private query({ ExpressionAttributeValues: values = {}, ExclusiveStartKey: start }: Input): unknown {
    const names = [...this.items.keys()].sort()
    const wanted = names.filter(name => name.startsWith(`${values[':subject']?.S} ${values[':prefix']?.S}`))
    const [first, ...rest] = wanted.filter(name => start === undefined || name > nameOf(start))
    const item = first === undefined ? undefined : (this.items.get(first) as KeyItem)
    return { Items: item === undefined ? [] : [item], ...(rest.length > 0 && { LastEvaluatedKey: keyOf(item) }) }
  }

  private write(name: string, input: Input, changed: (before: KeyItem | undefined) => KeyItem): object {
    const before = this.items.get(name)
    if (!holds(input.ConditionExpression, before)) throw serviceError('ConditionalCheckFailedException', 400)
    this.keep({ name, item: changed(before), atMs: this.now() })
    return {}
  }
}

function nameOf(item: KeyItem): string {
  return `${item[partition]?.S} ${item[sort]?.S}`
}

function thingOf({ TableName, Key, Item, ExclusiveStartKey, RequestItems, ExpressionAttributeValues }: Input): string {
  const name = Key ?? Item
  const query = name === undefined ? ExpressionAttributeValues : undefined
  return [
    TableName,
    name && nameOf(name),
    query && JSON.stringify(query),
    JSON.stringify(ExclusiveStartKey),
    JSON.stringify(RequestItems),
  ]
    .filter(Boolean)
    .join(' ')
}

function keyOf(item: KeyItem | undefined): KeyItem {
  return { [partition]: item?.[partition], [sort]: item?.[sort] } as KeyItem
}

/** Whether attributes are there or not, joined by `and`; the second of two such, in brackets, may hold instead. */
function holds(condition: string | undefined, item: KeyItem = {}): boolean {
  if (condition === undefined) return true
  return condition.split(' or ').some(part =>
    part
      .replace(/^\((.*)\)$/, '$1')
      .split(' and ')
      .every(term => {
        const [, not, name] = /^attribute_(not_)?exists\((\w+)\)$/.exec(term) ?? []
        if (name === undefined) throw new Error(`condition ${term} is not simulated`)
        return (item[name] === undefined) === (not !== undefined)
      }),
  )
}

function updated({ UpdateExpression, ExpressionAttributeValues: values = {}, Key }: Input, before?: KeyItem): KeyItem {
  const [, set = '', remove] = /^set (.*?)(?: remove (.*))?$/.exec(UpdateExpression) ?? []
  const item: Record<string, AttributeValue> = { ...Key, ...before }
  for (const [, name = '', , kept, value = ''] of set.matchAll(/(\w+) = (if_not_exists\((\w+), )?(:\w+)/g))
    item[name] = (kept === undefined ? undefined : item[kept]) ?? (values[value] as AttributeValue)
  for (const name of remove?.split(', ') ?? []) delete item[name]
  return item
}

/** All tables of keys that there ever were, and their secrets. */
export class KeyServices {
  readonly tables: SimulatedKeyTable[] = []
  /** By what KMS gave for them, in hex. */
  private readonly secrets = new Map<string, { readonly plaintext: Uint8Array; readonly context: string }>()

  constructor(private readonly world: World) {}

  /** DynamoDB as a process of ours is given it. Without one it answers at once, and without a fault. */
  dynamoDb(processOf?: () => Process): DynamoDBClient {
    const { dice } = this.world
    const [travel, strikes] = this.way(processOf)
    const send = ({ constructor: { name }, input }: Command) =>
      travel({
        operation: `keys ${operationOf(name)}`,
        about: thingOf(input),
        slowMs: strikes('table-slow') ? dice.between(1000, 20_000) : 0,
        serve: () => {
          if (strikes('table-throttled')) throw passingError('ProvisionedThroughputExceededException', 400)
          const named = input.TableName ?? Object.keys(input.RequestItems)[0]
          const table = this.tables.find(one => one.name === named && !one.isGone)
          if (table === undefined) throw serviceError('ResourceNotFoundException', 400)
          return table.serve(name, input, dice)
        },
        isPartial: answer => Object.keys((answer as BatchAnswer).UnprocessedKeys ?? {}).length > 0,
        isUnheard: () => /^(Put|Update)/.test(name) && strikes('table-unheard'),
      })
    return Object.assign(Object.create(DynamoDBClient.prototype) as DynamoDBClient, { send })
  }

  /** A secret of the store as nobody but KMS and who may open it knows it. */
  secret(purpose: SecretPurpose): Uint8Array {
    const [found] = [...this.secrets.values()].filter(({ context }) => JSON.parse(context)[PURPOSE] === purpose)
    if (found === undefined) throw new Error(`key store has no secret ${purpose}`)
    return found.plaintext
  }

  /** KMS in the same way. */
  kms(processOf?: () => Process): KMSClient {
    const [travel, strikes] = this.way(processOf)
    const send = ({ constructor: { name }, input }: { constructor: { name: string }; input: KmsInput }) =>
      travel({
        operation: `kms ${operationOf(name)}`,
        about: JSON.stringify(input.EncryptionContext),
        serve: () => {
          if (strikes('kms-refuses')) throw passingError('KMSInternalException', 500)
          return name === 'DecryptCommand' ? this.decrypt(input) : this.generate(input)
        },
      })
    return Object.assign(Object.create(KMSClient.prototype) as KMSClient, { send })
  }

  /** How a request travels, and what can go wrong with it. A container goes from one process to the next. */
  private way(processOf: (() => Process) | undefined): readonly [Travel, (kind: FaultKind) => boolean] {
    if (processOf === undefined) return [async service => service.serve(), () => false]
    return [service => processOf().call(service), kind => this.world.faults.strike(kind)]
  }

  private generate({ EncryptionContext: context }: KmsInput): unknown {
    const { dice } = this.world
    const [id, plaintext] = [dice.hex(16), Buffer.from(dice.hex(32), 'hex')]
    this.secrets.set(id, { plaintext, context: JSON.stringify(context) })
    return { CiphertextBlob: Buffer.from(id, 'hex'), Plaintext: plaintext }
  }

  private decrypt({ EncryptionContext: context, CiphertextBlob: blob = new Uint8Array() }: KmsInput): unknown {
    const secret = this.secrets.get(Buffer.from(blob).toString('hex'))
    if (secret?.context !== JSON.stringify(context)) throw serviceError('InvalidCiphertextException', 400)
    return { Plaintext: secret.plaintext }
  }
}

interface KmsInput {
  readonly EncryptionContext: Readonly<Record<string, string>>
  readonly CiphertextBlob?: Uint8Array
}

/** Without a way, and without a fault of its own. */
export const AT_ONCE: Travel = async service => service.serve()

type Travel = <T>(service: Service<T>) => Promise<T>
