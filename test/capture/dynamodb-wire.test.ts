import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterEach, describe, expect, test } from 'vitest'
import { callDynamoDb } from '../../capture/dynamodb-wire.js'
import type { JsonObject } from '../../transform/json.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'

let server: Loopback | undefined
afterEach(() => server?.stop())

interface Seen {
  readonly target: string | undefined
  readonly length: string | undefined
  readonly body: string
}

/** A client of a server that gives every request the same answer and keeps what it was asked. */
async function clientOf(status: number, answer: string, date?: string) {
  const seen: Seen[] = []
  server = await startLoopback((request, body, response) => {
    const { 'x-amz-target': target, 'content-length': length } = request.headers
    seen.push({ target: target as string, length, body: body.toString() })
    response.sendDate = false
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...(date && { date }) })
    response.end(answer)
  })
  const client = new DynamoDBClient({ endpoint: server.endpoint, ...LOOPBACK_CONNECTION, maxAttempts: 1 })
  return { client, seen }
}

const ITEM =
  '{"pk":{"S":"a"},"__proto__":{"N":"1"},"m":{"M":{"__proto__":{"B":"AA=="},"constructor":{"SS":["b","a"]}}},"big":{"N":"12345678901234567890123456789012345678"}}'

describe('callDynamoDb', () => {
  test('sends the request as it is, an attribute __proto__ among it, signed for its length', async () => {
    const { client, seen } = await clientOf(200, '{}')
    await callDynamoDb(client, 'PutItem', JSON.parse(`{"TableName":"Orders","Item":${ITEM}}`) as JsonObject)
    const body = `{"TableName":"Orders","Item":${ITEM}}`
    expect(seen).toEqual([{ target: 'DynamoDB_20120810.PutItem', length: String(Buffer.byteLength(body)), body }])
  })

  test('gives back what came, byte for byte, and the time by the server', async () => {
    const { client } = await clientOf(200, `{"Item":${ITEM}}`, 'Sun, 22 Nov 2026 10:00:00 GMT')
    const answer = await callDynamoDb(client, 'GetItem', { TableName: 'Orders', Key: { pk: { S: 'a' } } })
    expect(JSON.stringify(answer.body)).toBe(`{"Item":${ITEM}}`)
    expect(answer.date).toBe(Date.UTC(2026, 10, 22, 10))
  })

  test('tells a failed condition apart and keeps the item that it failed on', async () => {
    const type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException'
    const { client } = await clientOf(
      400,
      `{"__type":"${type}","message":"The conditional request failed","Item":${ITEM}}`,
    )
    const error = await callDynamoDb(client, 'PutItem', { TableName: 'Orders' }).catch(error => error)
    expect(error).toMatchObject({
      name: 'ConditionalCheckFailedException',
      message: 'The conditional request failed',
      $metadata: { httpStatusCode: 400 },
    })
    expect(JSON.stringify(error.wire.Item)).toBe(ITEM)
  })

  test('keeps why a transaction was cancelled', async () => {
    const reasons = [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Message: 'no', Item: JSON.parse(ITEM) }]
    const body = { __type: 'x#TransactionCanceledException', Message: 'cancelled', CancellationReasons: reasons }
    const { client } = await clientOf(400, JSON.stringify(body))
    const error = await callDynamoDb(client, 'TransactWriteItems', { TransactItems: [] }).catch(error => error)
    expect(error).toMatchObject({ name: 'TransactionCanceledException', message: 'cancelled' })
    expect(error.wire.CancellationReasons).toEqual(reasons)
  })

  test('fails on an answer that is no JSON', async () => {
    const { client } = await clientOf(502, '<html>bad gateway</html>')
    const error = await callDynamoDb(client, 'Scan', { TableName: 'Orders' }).catch(error => error)
    expect(error).toBeInstanceOf(Error)
    expect(error.$metadata?.httpStatusCode).toBe(502)
    await server?.stop()
    const odd = await clientOf(200, '[]')
    await expect(callDynamoDb(odd.client, 'Scan', { TableName: 'Orders' })).rejects.toThrow('no JSON object')
  })
})
