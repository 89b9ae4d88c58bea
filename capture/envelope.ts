import { glanceAtOrigin } from '../transform/fast/fast-path.js'
import { isObject, type JsonObject, MAX_LENGTH, tryParseObject } from '../transform/json.js'
import { TABLE_NAME } from '../transform/table-names.js'

/** What a desk has to know of a record before its table's transform judges it. */
export interface Envelope {
  /** False for bytes that are no JSON object. */
  readonly isObject: boolean
  /** The table that the record names. */
  readonly table: string | undefined
  /** False for a change that does not say when it was made. */
  readonly hasTime: boolean
  /** True for a change that does not say of which table it is, or, being of a stream, of which stream. */
  readonly isUnnamed: boolean
}

/** Looks at a record's outermost fields; judging it is the transform's business. */
export function readEnvelope(document: Uint8Array): Envelope {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength)
  return envelopeAtAGlance(bytes) ?? parseEnvelope(bytes)
}

/** The same at the cost of a glance, or undefined. */
export function envelopeAtAGlance(bytes: Buffer): Envelope | undefined {
  const origin = glanceAtOrigin(bytes)
  const table = origin && tableOf(origin)
  const isCertain = table !== undefined || (origin !== undefined && 'eventSourceARN' in origin)
  return isCertain ? { isObject: true, table, hasTime: true, isUnnamed: false } : undefined
}

function parseEnvelope(bytes: Buffer): Envelope {
  const fields = bytes.length > MAX_LENGTH ? undefined : tryParseObject(bytes.toString())
  const { dynamodb } = fields ?? {}
  const table = tableOf(fields ?? {})
  const change = isObject(dynamodb) ? dynamodb : undefined
  const hasArn = (fields?.eventSourceARN ?? null) !== null
  const isOfStream = (change?.SequenceNumber ?? null) !== null
  return {
    isObject: fields !== undefined,
    table,
    hasTime: change === undefined || (change.ApproximateCreationDateTime ?? null) !== null,
    isUnnamed: change !== undefined && !hasArn && (isOfStream || table === undefined),
  }
}

function tableOf({ eventSourceARN: arn, tableName, table }: JsonObject): string | undefined {
  const name = typeof arn === 'string' ? /:table\/([^/]+)\//.exec(arn)?.[1] : (tableName ?? table)
  return typeof name === 'string' && TABLE_NAME.test(name) ? name : undefined
}
