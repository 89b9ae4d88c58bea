import { isObject, type JsonObject } from '../transform/json.js'

/** A record's outermost fields, undefined where it is no JSON object; judging it is the transform's business. */
export function readEnvelope(document: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(document.buffer, document.byteOffset, document.byteLength).toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The table that a record names; undefined where it names none that could be one. */
export function tableNamedIn(envelope: JsonObject | undefined): string | undefined {
  const arn = envelope?.eventSourceARN
  const name = typeof arn === 'string' ? /:table\/([^/]+)\//.exec(arn)?.[1] : (envelope?.tableName ?? envelope?.table)
  return typeof name === 'string' && TABLE_NAME.test(name) ? name : undefined
}

const TABLE_NAME = /^[A-Za-z0-9_.-]{3,255}$/

/**
 * A record as the transform is to read it, whose delivery stream is for `table`: one that names no table gets its name. What is
 * kept of a refused record are the bytes as they came, so this is done anew each time.
 */
export function nameTable(document: Uint8Array, table: string): Uint8Array {
  const envelope = readEnvelope(document)
  if (envelope === undefined || tableNamedIn(envelope) !== undefined || !TABLE_NAME.test(table)) return document
  const text = Buffer.from(document).toString()
  const fields = text.slice(text.indexOf('{') + 1)
  return Buffer.from(`{"tableName":${JSON.stringify(table)}${/^\s*\}/.test(fields) ? '' : ','}${fields}`)
}
