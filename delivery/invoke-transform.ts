import type {
  FirehoseTransformationEvent,
  FirehoseTransformationResult,
  FirehoseTransformationResultRecord,
} from 'aws-lambda'
import { TRANSFORM_RETRIES } from '../aws/firehose-buffer.js'
import type { TransformHandler } from '../transform/handler.js'
import { SealingError } from '../transform/sealed-field.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** A record as the delivery stream took it in; `arrival` in milliseconds since 1970. */
export interface SourceRecord {
  readonly recordId: string
  readonly data: Uint8Array
  readonly arrival: number
}

/** One call of the transform function: its results in the order of the records, or why there are none. */
export type Invocation =
  | { readonly kind: 'answered'; readonly results: readonly FirehoseTransformationResultRecord[] }
  | { readonly kind: 'failed'; readonly attempts: number; readonly code: string; readonly message: string }

const ATTEMPTS = 1 + TRANSFORM_RETRIES

/**
 * A synchronous Lambda answer may have so many bytes (the "Payload size exceeded maximum allowed payload size" error).
 */
const MAX_ANSWER_BYTES = 6_291_556

/**
 * Calls the transform as Firehose does and holds it to the contract: every record id once, results and sizes allowed.
 */
export async function invokeTransform(
  handler: TransformHandler,
  table: TableConfiguration,
  records: readonly SourceRecord[],
): Promise<Invocation> {
  const event = eventOf(table, records)
  let failure = { code: '', message: '' }
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return { kind: 'answered', results: resultsInOrder(await handler(event), records) }
    } catch (error) {
      // kept as refused, the records would lie in the archive in clear
      if (error instanceof SealingError) throw error
      failure = {
        code: error instanceof ContractError ? error.code : 'Lambda.FunctionError',
        message: (error as Error).message,
      }
    }
  }
  return { kind: 'failed', attempts: ATTEMPTS, ...failure }
}

/** The answer breaks Firehose's contract; `code` is the error code that Firehose reports. */
class ContractError extends Error {
  override readonly name = 'ContractError'
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

function eventOf(table: TableConfiguration, records: readonly SourceRecord[]): FirehoseTransformationEvent {
  const kinesis = table.capture === 'kinesis'
  const event = {
    invocationId: crypto.randomUUID(),
    deliveryStreamArn: `arn:aws:firehose:local:000000000000:deliverystream/${table.table}`,
    region: 'local',
    records: records.map(({ recordId, data, arrival }) => ({
      recordId,
      approximateArrivalTimestamp: arrival,
      data: Buffer.from(data).toString('base64'),
      ...(kinesis ? { kinesisRecordMetadata: kinesisMetadata(recordId, arrival) } : {}),
    })),
  }
  return kinesis
    ? { ...event, sourceKinesisStreamArn: `arn:aws:kinesis:local:000000000000:stream/${table.table}` }
    : event
}

function kinesisMetadata(recordId: string, arrival: number) {
  return {
    shardId: 'shardId-000000000000',
    partitionKey: recordId,
    approximateArrivalTimestamp: arrival,
    sequenceNumber: recordId,
    subsequenceNumber: '0',
  }
}

/** Bytes of a result in the answer's JSON, its data apart. */
function bytesOf({ data, ...rest }: FirehoseTransformationResultRecord): number {
  return JSON.stringify(rest).length + 1 + (data === undefined ? 0 : data.length + '"data":"",'.length)
}

/** More than `bytesOf` of a result that says no more than Firehose asks for. */
const RESULT_BYTES = 1000

function resultsInOrder(
  answer: FirehoseTransformationResult,
  records: readonly SourceRecord[],
): readonly FirehoseTransformationResultRecord[] {
  if (!Array.isArray(answer?.records))
    throw new ContractError('Lambda.JsonProcessingException', 'answer has no array "records"')
  const results = new Map<string, FirehoseTransformationResultRecord>()
  let bytes = 0
  for (const result of answer.records) {
    if (results.has(result.recordId))
      throw new ContractError('Lambda.DuplicatedRecordId', `record id ${result.recordId} is there twice`)
    if (!['Ok', 'Dropped', 'ProcessingFailed'].includes(result.result)) {
      throw new ContractError(
        'Lambda.JsonProcessingException',
        `record id ${result.recordId} has result ${JSON.stringify(result.result)}`,
      )
    }
    results.set(result.recordId, result)
    bytes += RESULT_BYTES + (result.data?.length ?? 0)
  }
  // counted exactly only where it can matter
  if (bytes > MAX_ANSWER_BYTES / 2) bytes = answer.records.reduce((sum, result) => sum + bytesOf(result), 0)
  if (bytes > MAX_ANSWER_BYTES)
    throw new ContractError(
      'Lambda.FunctionError',
      `answer has ${bytes} bytes, at most ${MAX_ANSWER_BYTES} are allowed`,
    )
  return records.map(({ recordId }) => {
    const result = results.get(recordId)
    if (result === undefined)
      throw new ContractError('Lambda.MissingRecordId', `record id ${recordId} is missing from the answer`)
    return result
  })
}
