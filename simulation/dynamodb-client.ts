/**
 * The DynamoDB API as a process of ours sees it. API reference: Scan (pages, each as the table is at that moment),
 * GetItem, BatchGetItem (some keys unprocessed), PutItem, UpdateItem and DeleteItem with the conditions that our code
 * writes; developer guide, "Error handling" (throttling, answers that are lost after the write was done).
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { AttributeValue } from 'aws-lambda'
import { canonicalJson } from '../transform/json.js'
import { operationOf, type Process, passingError, serviceError } from './process.js'
import { type SimulatedTable, TABLE_ARN } from './table.js'
import type { Attributes } from './workload.js'

type Handler = (args: { readonly request: { body?: string } }) => Promise<unknown>

interface Command {
  readonly constructor: { readonly name: string }
  readonly middlewareStack: { resolve(handler: Handler, context: object): Handler }
}

/** A request on the wire, as far as the model understands it. */
interface Request {
  readonly Key?: Attributes
  readonly Item?: Attributes
  readonly ExclusiveStartKey?: Attributes
  readonly Segment?: number
  readonly TotalSegments?: number
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly Attributes[] }>>
  readonly ConditionExpression?: string
  readonly UpdateExpression?: string
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues?: Attributes
}

/** Told of each write by its process, once it is done: what the item was and what it became. */
export type WriteListener = (item: string, before: Attributes | undefined, after: Attributes | null) => void

const WRITES = ['PutItemCommand', 'UpdateItemCommand', 'DeleteItemCommand']

/** The client that a process is given. */
export function dynamoDbClientOf(
  process: Process,
  table: SimulatedTable,
  onWrite: WriteListener = () => {},
): DynamoDBClient {
  const { faults, dice } = process.world
  const service = new TableService(process, table, onWrite)
  const send = async (command: Command) => {
    const { name } = command.constructor
    const request = await process.work(requestOf(command))
    const { answer, error } = await process.call({
      operation: `table ${operationOf(name)}`,
      about: thingOf(request),
      slowMs: faults.strike('table-slow') ? dice.between(1000, 20_000) : 0,
      serve: () => service.serve(name, request),
      isPartial: ({ answer }) => Object.keys((answer as BatchAnswer).UnprocessedKeys ?? {}).length > 0,
      isUnheard: () => WRITES.includes(name) && faults.strike('table-unheard'),
    })
    const date = new Date(process.world.scheduler.now).toUTCString()
    const response = { statusCode: 200, headers: { date }, body: [Buffer.from(JSON.stringify(answer))] }
    // our code reads the wire itself, before the SDK's decoder, which makes an error of what it read
    await process.work(command.middlewareStack.resolve(async () => ({ output: {}, response }), {})({ request: {} }))
    if (error !== undefined) throw error
    return {}
  }
  return Object.assign(Object.create(DynamoDBClient.prototype) as DynamoDBClient, { send })
}

interface BatchAnswer {
  readonly UnprocessedKeys?: object
}

function thingOf({ Key, Item, Segment, ExclusiveStartKey, RequestItems }: Request): string {
  return JSON.stringify([nameOf(Key ?? Item), Segment, ExclusiveStartKey, RequestItems])
}

/** What our code puts in the place of what the SDK would have sent. */
async function requestOf(command: Command): Promise<Request> {
  let body = '{}'
  const look: Handler = async ({ request }) => {
    body = request.body ?? body
    return { output: {}, response: { statusCode: 200, headers: {}, body: [Buffer.from('{}')] } }
  }
  await command.middlewareStack.resolve(look, {})({ request: {} })
  return JSON.parse(body) as Request
}

interface Served {
  readonly answer: object
  readonly error?: Error
}

/** Items of a page; a scan of DynamoDB has a megabyte. */
export const PAGE_ITEMS = 3

class TableService {
  constructor(
    private readonly process: Process,
    private readonly table: SimulatedTable,
    private readonly onWrite: WriteListener,
  ) {}

  serve(command: string, request: Request): Served {
    const { faults, dice } = this.process.world
    if (faults.strike('table-throttled')) {
      const isBusy = dice.chance(0.7)
      throw passingError(isBusy ? 'ProvisionedThroughputExceededException' : 'InternalServerError', isBusy ? 400 : 500)
    }
    switch (command) {
      case 'DescribeTableCommand':
        return { answer: { Table: { TableArn: TABLE_ARN, TableStatus: 'ACTIVE', KeySchema: SCHEMA } } }
      case 'ScanCommand':
        return { answer: this.page(request) }
      case 'GetItemCommand':
        return { answer: { Item: this.table.read(nameOf(request.Key)) } }
      case 'BatchGetItemCommand':
        return { answer: this.batch(request) }
      default:
        return this.write(request)
    }
  }

  private page({ ExclusiveStartKey: start, Segment: segment = 0, TotalSegments: segments = 1 }: Request): object {
    const all = this.table.all.filter(item => nameOf(item).charCodeAt(4) % segments === segment)
    const rest = all.filter(item => start === undefined || nameOf(item) > nameOf(start))
    rest.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    const Items = rest.slice(0, PAGE_ITEMS)
    const last = Items.length < rest.length ? { LastEvaluatedKey: keyOf(Items.at(-1)) } : {}
    return { Items, ...last }
  }

  private batch({ RequestItems = {} }: Request): object {
    const [[table = '', { Keys = [] } = {}] = []] = Object.entries(RequestItems)
    const some = Keys.slice(0, this.process.world.dice.between(1, Keys.length + 1))
    const found = some.map(key => this.table.read(nameOf(key))).filter(item => item !== undefined)
    const left = Keys.slice(some.length)
    return {
      Responses: { [table]: found },
      UnprocessedKeys: left.length > 0 ? { [table]: { ConsistentRead: true, Keys: left } } : {},
    }
  }

  private write(request: Request): Served {
    const item = nameOf(request.Key ?? request.Item)
    const before = this.table.read(item)
    if (!holds(request, before)) {
      const error = serviceError('ConditionalCheckFailedException', 400)
      return { answer: before === undefined ? {} : { Item: before }, error }
    }
    const after = request.Item ?? (request.UpdateExpression === undefined ? null : updated(request, before))
    this.table.write([{ item, after }])
    this.onWrite(item, before, after)
    return { answer: before === undefined ? {} : { Attributes: before } }
  }
}

const SCHEMA = [{ AttributeName: 'order_id', KeyType: 'HASH' }]

function nameOf(item: Attributes | undefined): string {
  return item?.order_id?.S as string
}

function keyOf(item: Attributes | undefined): Attributes {
  return { order_id: { S: nameOf(item) } }
}

/** Terms joined by AND: that an attribute is there, that it is not, or that it equals a value. */
function holds({ ConditionExpression, ExpressionAttributeNames = {}, ...rest }: Request, item: Attributes = {}) {
  const { ExpressionAttributeValues = {} } = rest
  return (ConditionExpression?.split(' AND ') ?? []).every(term => {
    const [, not, there] = /^attribute_(not_)?exists\((#\w+)\)$/.exec(term) ?? []
    if (there !== undefined) return (item[ExpressionAttributeNames[there] as string] === undefined) === (not === 'not_')
    const [, name = '', value = ''] = /^(#\w+)=(:\w+)$/.exec(term) ?? []
    if (name === '') throw new Error(`condition ${term} is not simulated`)
    return isEqual(item[ExpressionAttributeNames[name] as string], ExpressionAttributeValues[value])
  })
}

/** DynamoDB compares numbers as numbers. */
function isEqual(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (a === undefined || b === undefined) return false
  return a.N !== undefined && b.N !== undefined ? Number(a.N) === Number(b.N) : canonicalJson(a) === canonicalJson(b)
}

function updated(request: Request, before: Attributes = {}): Attributes {
  const { UpdateExpression = '', ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = request
  const [, set = '', remove = ''] = /^(?:SET (.*?))?(?: ?REMOVE (.*))?$/.exec(UpdateExpression) ?? []
  const item: Attributes = { ...request.Key, ...before }
  for (const [name, value] of set.split(',').flatMap(part => (part === '' ? [] : [part.split('=')])))
    item[ExpressionAttributeNames[name as string] as string] = ExpressionAttributeValues[
      value as string
    ] as AttributeValue
  for (const name of remove.split(',')) delete item[ExpressionAttributeNames[name] as string]
  return item
}
