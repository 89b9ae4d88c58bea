/**
 * Firehose's PutRecordBatch and DescribeDeliveryStream on loopback: it enforces the service's limits, remembers what it
 * accepted, and fails on demand.
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Loopback, startLoopback } from './loopback.js'

/** What a call meets with. Of the faults only `part` and those that begin with `accepted` take records in. */
export type Fault =
  | { readonly kind: 'none' }
  /** Entries fail for which this is true. */
  | { readonly kind: 'part'; readonly fails: (entry: number) => boolean }
  /** The whole call is refused with an error of the service. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** An answer that no service wrote: a proxy's page. */
  | { readonly kind: 'page'; readonly status: number }
  | { readonly kind: 'reset' }
  /** No answer, ever. */
  | { readonly kind: 'silence' }
  /** The answer comes late, in milliseconds; whoever still waits for it can have it. */
  | { readonly kind: 'accepted-slow'; readonly ms: number }
  | { readonly kind: 'accepted-reset' }
  | { readonly kind: 'accepted-silence' }
  /** Half of the answer, and then nothing. */
  | { readonly kind: 'accepted-half' }

const NONE: Fault = { kind: 'none' }

/** One delivery stream as its server sees it. */
export interface StreamState {
  /** Firehose records accepted, in order. */
  readonly accepted: Buffer[]
  /** Entries of every call, answered or not. */
  readonly calls: number[]
  /** Called for each call that is within the limits, with its number from 0. */
  fault: (call: number, entries: number) => Fault
  /** What DescribeDeliveryStream says of it. */
  description: { readonly status: string; readonly type: string; readonly prefix: string }
}

export interface FirehoseServer extends Loopback {
  /** The state of a delivery stream, which exists as soon as it is asked for. */
  stream(name: string): StreamState
}

/** The service's limits (API reference, PutRecordBatch), the one for a request in its strictest reading. */
const LIMITS = { entries: 500, requestBytes: 4 * 1024 * 1024, recordBytes: 1000 * 1024 }

export async function startFirehoseServer(): Promise<FirehoseServer> {
  const streams = new Map<string, StreamState>()
  const stream = (name: string) => {
    const description = { status: 'ACTIVE', type: 'DirectPut', prefix: 'data/Orders/event_date=' }
    const state = streams.get(name) ?? { accepted: [], calls: [], fault: () => NONE, description }
    streams.set(name, state)
    return state
  }
  const loopback = await startLoopback(async (request, body, response) => {
    if (request.headers['x-amz-target'] === 'Firehose_20150804.DescribeDeliveryStream') {
      return describe(response, streams.get((JSON.parse(body.toString()) as PutRecordBatchInput).DeliveryStreamName))
    }
    if (request.headers['x-amz-target'] !== 'Firehose_20150804.PutRecordBatch') {
      return refuse(response, 400, 'UnknownOperationException')
    }
    const { DeliveryStreamName, Records } = JSON.parse(body.toString()) as PutRecordBatchInput
    const state = streams.get(DeliveryStreamName)
    if (state === undefined) return refuse(response, 400, 'ResourceNotFoundException')
    const records = Records.map(({ Data }) => Buffer.from(Data, 'base64'))
    const call = state.calls.push(records.length) - 1
    if (isOverLimit(records, body)) return refuse(response, 400, 'InvalidArgumentException')
    await answer(response, state, records, state.fault(call, records.length))
  })
  return { ...loopback, stream }
}

interface PutRecordBatchInput {
  readonly DeliveryStreamName: string
  readonly Records: readonly { readonly Data: string }[]
}

function describe(response: ServerResponse, state: StreamState | undefined): ServerResponse {
  if (state === undefined) return refuse(response, 400, 'ResourceNotFoundException')
  const { status, type, prefix } = state.description
  const DeliveryStreamDescription = {
    DeliveryStreamStatus: status,
    DeliveryStreamType: type,
    Destinations: [
      { DestinationId: 'destinationId-000000000001', ExtendedS3DestinationDescription: { Prefix: prefix } },
    ],
  }
  return response
    .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    .end(JSON.stringify({ DeliveryStreamDescription }))
}

function isOverLimit(records: readonly Buffer[], body: Buffer): boolean {
  return (
    records.length === 0 ||
    records.length > LIMITS.entries ||
    body.length > LIMITS.requestBytes ||
    records.some(record => record.length > LIMITS.recordBytes)
  )
}

async function answer(
  response: ServerResponse,
  state: StreamState,
  records: readonly Buffer[],
  fault: Fault,
): Promise<unknown> {
  switch (fault.kind) {
    case 'error':
      return refuse(response, fault.status, fault.code)
    case 'page':
      return response.writeHead(fault.status, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>')
    case 'reset':
      return response.destroy()
    case 'silence':
      return
  }
  const failed = (entry: number) => fault.kind === 'part' && fault.fails(entry)
  state.accepted.push(...records.filter((_, entry) => !failed(entry)))
  if (fault.kind === 'accepted-silence') return
  if (fault.kind === 'accepted-reset') return response.destroy()
  if (fault.kind === 'accepted-slow') await sleep(fault.ms)
  const RequestResponses = records.map((_, entry) =>
    failed(entry)
      ? { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' }
      : { RecordId: crypto.randomUUID() },
  )
  const FailedPutCount = RequestResponses.filter(({ ErrorCode }) => ErrorCode !== undefined).length
  const text = JSON.stringify({ Encrypted: false, FailedPutCount, RequestResponses })
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'content-length': Buffer.byteLength(text) }
  response.writeHead(200, headers)
  return fault.kind === 'accepted-half' ? response.write(text.slice(0, text.length / 2)) : response.end(text)
}

function refuse(response: ServerResponse, status: number, code: string): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code })
    .end(JSON.stringify({ __type: code, message: `${code} on demand` }))
}
