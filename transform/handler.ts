import type {
  FirehoseTransformationEvent,
  FirehoseTransformationResult,
  FirehoseTransformationResultRecord,
} from 'aws-lambda'
import { type Declined, fastTransform, type TransformedLines } from './fast/fast-path.js'
import type { TableConfiguration } from './table-configuration.js'
import { type Refused, transformDocuments, transformRecord } from './transform.js'

/**
 * What the answer to Firehose may hold. Lambda's ceiling is 6 MB (6,291,556 bytes seen); the rest is room for
 * the envelope.
 */
export const MAX_RESPONSE_BYTES = 6_000_000

/** Bytes of one result in the answer beside its id and data: names, quotes, partition keys. */
const RESULT_OVERHEAD_BYTES = 120

export type TransformHandler = (event: FirehoseTransformationEvent) => Promise<FirehoseTransformationResult>

/**
 * Called for each refused record. The reason shows the start of the value at fault, the outline nothing that the record
 * holds: it is for a log that others read.
 */
export type RefusalLog = (recordId: string, reason: string, outline: string) => void

/**
 * The Firehose transform of one table. It answers every record once, as `Ok` with row lines and the partition's keys,
 * or as `ProcessingFailed`, which makes Firehose keep its original bytes; nothing is ever `Dropped`. Rows that would
 * take the answer past Lambda's limit are `ProcessingFailed` too, and are sent again in smaller batches.
 */
export function createHandler(table: TableConfiguration, log: RefusalLog = () => {}): TransformHandler {
  const transformFast = fastTransform(table)
  return async event => {
    let bytes = event.records.reduce((sum, { recordId }) => sum + recordId.length + RESULT_OVERHEAD_BYTES, 0)
    const records = event.records.map(
      ({ recordId, data, approximateArrivalTimestamp }): FirehoseTransformationResultRecord => {
        const arrival = approximateArrivalTimestamp
        const fast = transformFast(data, arrival)
        const transformed = fast.kind === 'declined' ? transformPlainly(data, fast, arrival, table) : fast
        if (transformed.kind === 'refused') return refuse(recordId, transformed, log)
        const { data: answer, date } = transformed
        if (bytes + answer.length > MAX_RESPONSE_BYTES) return refuse(recordId, tooLarge(answer.length), log)
        bytes += answer.length
        return {
          recordId,
          result: 'Ok',
          data: answer,
          metadata: { partitionKeys: { event_date: date } },
        }
      },
    )
    return { records }
  }
}

function transformPlainly(
  data: string,
  { documents }: Declined,
  arrival: number,
  table: TableConfiguration,
): TransformedLines | Refused {
  const transformed =
    documents === undefined
      ? transformRecord(Buffer.from(data, 'base64'), arrival, table)
      : transformDocuments(documents, arrival, table)
  if (transformed.kind === 'refused') return transformed
  const { lines, partition } = transformed
  return { kind: 'transformed', data: Buffer.from(lines).toString('base64'), date: partition.date }
}

function tooLarge(bytes: number): Why {
  const advice = bytes > MAX_RESPONSE_BYTES ? 'they never will' : 'send the record again in a smaller batch'
  const reason = `rows of ${bytes} bytes do not fit into what is left of an answer of ${MAX_RESPONSE_BYTES} bytes, ${advice}`
  return { reason, outline: reason }
}

type Why = Pick<Refused, 'reason' | 'outline'>

function refuse(recordId: string, { reason, outline }: Why, log: RefusalLog): FirehoseTransformationResultRecord {
  log(recordId, reason, outline)
  // without data: Firehose keeps the record as it was sent to the function
  return { recordId, result: 'ProcessingFailed' }
}
