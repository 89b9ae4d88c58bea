import { isObject, type JsonDocument, type JsonObject } from '../json.js'
import { BASELINE_FIELDS, INNER_FIELDS } from './record.js'

/** The fields that `stream-record.ts` reads; `dynamodb` is read field by field. */
const OUTER_FIELDS = ['eventID', 'eventName', 'awsRegion', 'eventSourceARN', 'userIdentity', 'tableName']

/**
 * The same changes as DynamoDB would write them, and baselines as we do: without white space, with the escapes of
 * canonical JSON, without fields that nobody reads or that are null. Undefined where a document is neither.
 */
export function rewrite(documents: readonly JsonDocument[]): string | undefined {
  const texts: string[] = []
  for (const { value } of documents) {
    const read = readFields(value)
    if (read === undefined) return undefined
    texts.push(JSON.stringify(read))
  }
  return texts.join('\n')
}

function readFields(value: JsonObject): JsonObject | undefined {
  if (value.itemtrail !== undefined) return pick(value, BASELINE_FIELDS)
  if (!isObject(value.dynamodb)) return undefined
  return { ...pick(value, OUTER_FIELDS), dynamodb: pick(value.dynamodb, INNER_FIELDS) }
}

function pick(object: JsonObject, names: readonly string[]): JsonObject {
  const picked: Record<string, unknown> = {}
  for (const name of names) if ((object[name] ?? null) !== null) picked[name] = object[name]
  return picked
}
