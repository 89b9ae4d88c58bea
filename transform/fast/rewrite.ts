import { isObject, type JsonDocument, type JsonObject } from '../json.js'

/** The fields that `stream-record.ts` reads. */
const OUTER_FIELDS = ['eventID', 'eventName', 'awsRegion', 'eventSourceARN', 'userIdentity', 'tableName']
const INNER_FIELDS = [
  'ApproximateCreationDateTime',
  'Keys',
  'NewImage',
  'OldImage',
  'SequenceNumber',
  'SizeBytes',
  'StreamViewType',
  'ApproximateCreationDateTimePrecision',
]

/**
 * The same changes as DynamoDB would write them: without white space, with the escapes of canonical JSON, without fields that
 * nobody reads or that are null. Undefined where a document is no change.
 */
export function rewrite(documents: readonly JsonDocument[]): string | undefined {
  const texts: string[] = []
  for (const { value } of documents) {
    if (value.itemtrail !== undefined || !isObject(value.dynamodb)) return undefined
    texts.push(JSON.stringify({ ...pick(value, OUTER_FIELDS), dynamodb: pick(value.dynamodb, INNER_FIELDS) }))
  }
  return texts.join('\n')
}

function pick(object: JsonObject, names: readonly string[]): JsonObject {
  const picked: Record<string, unknown> = {}
  for (const name of names) if ((object[name] ?? null) !== null) picked[name] = object[name]
  return picked
}
