/** Stands between a program and DynamoDB, and does to their talk what a network or a busy table might. */
import type { JsonObject } from '../../transform/json.js'
import { type Loopback, startLoopback } from '../loopback.js'

/** What becomes of a request: it passes; it is answered without; it passes and its answer is lost. */
export type Fate = 'pass' | { readonly status: number; readonly body: JsonObject } | 'lose the answer'

/** Decides on a request, told of before DynamoDB sees it; it may do something else meanwhile. */
export type Decide = (operation: string, request: JsonObject) => Fate | Promise<Fate>

/** Starts a proxy before a DynamoDB. */
export function startProxy(endpoint: string, decide: Decide): Promise<Loopback> {
  return startLoopback(async (request, body, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] as string
    const fate = await decide(operation, JSON.parse(body.toString()) as JsonObject)
    const headers = { 'content-type': 'application/x-amz-json-1.0' }
    if (typeof fate === 'object') {
      response.writeHead(fate.status, headers).end(JSON.stringify(fate.body))
      return
    }
    const { host: _, 'content-length': __, connection: ___, ...forwarded } = request.headers
    const answer = await fetch(endpoint, { method: 'POST', headers: forwarded as Record<string, string>, body })
    if (fate === 'lose the answer') response.destroy()
    else response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()))
  })
}

/** An error as DynamoDB answers it. */
export function refusal(name: string, status = 400): Fate {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: `${name} by a test` } }
}

/** True for a request that writes one item. */
export function isWrite(operation: string): boolean {
  return ['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation)
}
