import { isObject, tryParseObject } from '../transform/json.js'
import { TABLE_NAME } from '../transform/table-names.js'
import { readEnvelope } from './envelope.js'

/**
 * A record as the transform is to read it, whose delivery stream is for `table`: one of a stream that it does not name
 * gets the stream's ARN, where that is known, and one that names no table the table's name. What is kept of a refused
 * record are the bytes as they came, so this is done anew each time.
 */
export function nameOrigin(document: Uint8Array, table: string, streamArn?: string): Uint8Array {
  const { isObject: isRecord, isUnnamed, table: named } = readEnvelope(document)
  if (!isRecord || !isUnnamed || !TABLE_NAME.test(table)) return document
  if (streamArn !== undefined && hasSequence(document)) return withMember(document, 'eventSourceARN', streamArn)
  return named === undefined ? withMember(document, 'tableName', table) : document
}

function hasSequence(document: Uint8Array): boolean {
  const dynamodb = tryParseObject(Buffer.from(document).toString())?.dynamodb
  return isObject(dynamodb) && (dynamodb.SequenceNumber ?? null) !== null
}

function withMember(document: Uint8Array, name: string, value: string): Uint8Array {
  const text = Buffer.from(document).toString()
  const fields = text.slice(text.indexOf('{') + 1)
  return Buffer.from(`{"${name}":${JSON.stringify(value)}${/^\s*\}/.test(fields) ? '' : ','}${fields}`)
}
