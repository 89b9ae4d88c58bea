/**
 * Speaks to a table in DynamoDB's own JSON: numbers are text, binary is base64, names are data. The SDK signs, finds
 * the endpoint and tells errors apart; items do not pass through its decoder, which reads an attribute `__proto__` as
 * undefined and then fails on it (seen in 3.1164.0), and would decode binary only for us to encode it again.
 */
import { buffer } from 'node:stream/consumers'
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { type JsonObject, tryParseObject } from '../transform/json.js'

const COMMANDS = {
  BatchGetItem: BatchGetItemCommand,
  BatchWriteItem: BatchWriteItemCommand,
  DeleteItem: DeleteItemCommand,
  DescribeTable: DescribeTableCommand,
  GetItem: GetItemCommand,
  PutItem: PutItemCommand,
  Query: QueryCommand,
  Scan: ScanCommand,
  TransactWriteItems: TransactWriteItemsCommand,
  UpdateItem: UpdateItemCommand,
} as const

export type WireOperation = keyof typeof COMMANDS

/** What came back, and when by the server's own clock. */
export interface WireAnswer {
  readonly body: JsonObject
  /** The `Date` header in milliseconds since 1970; undefined where the server sent none. */
  readonly date: number | undefined
}

/** An error of DynamoDB with the very body that it came with, `Item` being the one that a condition failed on. */
export interface WireError extends Error {
  readonly wire?: JsonObject
}

/**
 * Asks DynamoDB with a request exactly as given. Throws the SDK's own errors, which have the answer's body as `wire`.
 */
export async function callDynamoDb(
  client: DynamoDBClient,
  operation: WireOperation,
  request: JsonObject,
  signal?: AbortSignal,
): Promise<WireAnswer> {
  // the SDK sees the table's name only: what it would encode is put in its place below
  const Command = COMMANDS[operation] as unknown as new (input: object) => PutItemCommand
  const command = new Command({ TableName: request.TableName })
  let wire: JsonObject | undefined
  let date: string | undefined
  sendInstead(command, request)
  takeAnswer(command, (body, sent) => {
    wire = body
    date = sent
  })
  try {
    await client.send(command, signal === undefined ? {} : { abortSignal: signal })
  } catch (error) {
    throw error instanceof Error && wire !== undefined ? Object.assign(error, { wire }) : error
  }
  if (wire === undefined) throw new Error(`DynamoDB answered ${operation} with something that is no JSON object`)
  const time = date === undefined ? Number.NaN : Date.parse(date)
  return { body: wire, date: Number.isNaN(time) ? undefined : time }
}

function sendInstead(command: PutItemCommand, request: JsonObject): void {
  command.middlewareStack.add(
    next => args => {
      Object.assign(args.request as object, { body: JSON.stringify(request) })
      return next(args)
    },
    // after the encoder, and before the length is counted and the request signed
    { step: 'build', priority: 'high' },
  )
}

/** `take` is given undefined for what is no object of JSON, such as a proxy's page of HTML. */
function takeAnswer(
  command: PutItemCommand,
  take: (body: JsonObject | undefined, date: string | undefined) => void,
): void {
  command.middlewareStack.add(
    next => async args => {
      const result = await next(args)
      const response = result.response as Response
      const body = await buffer(response.body)
      const wire = tryParseObject(body.toString())
      take(wire, response.headers.date)
      Object.assign(response, { body: wire === undefined ? body : withoutItems(wire) })
      return result
    },
    // between the SDK's decoder, which is left nothing to decode, and the network
    { step: 'deserialize', priority: 'low' },
  )
}

interface Response {
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

/** What the SDK tells errors apart by; the item of a failed condition, decoded, would end in a TypeError of its own. */
function withoutItems({ __type, code, message, Message, CancellationReasons }: JsonObject): Buffer {
  const reasons = Array.isArray(CancellationReasons)
    ? { CancellationReasons: CancellationReasons.map(({ Code, Message }: JsonObject) => ({ Code, Message })) }
    : {}
  return Buffer.from(JSON.stringify({ __type, code, message: message ?? Message, ...reasons }))
}
