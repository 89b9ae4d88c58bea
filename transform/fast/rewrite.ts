import { isObject, type JsonDocument, type JsonObject } from '../json.js'
import { BASELINE_FIELDS, INNER_FIELDS, OUTER_FIELDS } from './record.js'

/**
 * The same changes as DynamoDB would write them, and baselines as we do: without white space, with the escapes of
 * canonical JSON, without fields that are null. Undefined where a document is neither, or has a field that the fast
 * path does not know: what that means is for the plain path to say.
 */
export function rewrite(documents: readonly JsonDocument[]): string | undefined {
  const texts: string[] = []
  for (const { value } of documents) {
    const known = value.itemtrail === undefined ? changeOf(value) : fieldsOf(value, BASELINE_FIELDS)
    if (known === undefined) return undefined
    texts.push(JSON.stringify(known))
  }
  return texts.join('\n')
}

function changeOf(value: JsonObject): JsonObject | undefined {
  if (!isObject(value.dynamodb)) return undefined
  const outer = fieldsOf(value, OUTER_FIELDS)
  const dynamodb = fieldsOf(value.dynamodb, INNER_FIELDS)
  return outer && dynamodb && { ...outer, dynamodb }
}

/** The fields of an object that are not null, in the order of `known`; undefined where it has any other. */
function fieldsOf(object: JsonObject, known: readonly string[]): JsonObject | undefined {
  const found: Record<string, unknown> = {}
  let fields = 0
  for (const name of known) {
    if (!Object.hasOwn(object, name)) continue
    fields++
    if (object[name] !== null) found[name] = object[name]
  }
  return fields === Object.keys(object).length ? found : undefined
}
