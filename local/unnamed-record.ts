import { readEnvelope, TABLE_NAME } from './envelope.js'

/**
 * A record as the transform is to read it, whose delivery stream is for `table`: one that names no table gets its name. What is
 * kept of a refused record are the bytes as they came, so this is done anew each time.
 */
export function nameTable(document: Uint8Array, table: string): Uint8Array {
  const { isObject, table: named } = readEnvelope(document)
  if (!isObject || named !== undefined || !TABLE_NAME.test(table)) return document
  const text = Buffer.from(document).toString()
  const fields = text.slice(text.indexOf('{') + 1)
  return Buffer.from(`{"tableName":${JSON.stringify(table)}${/^\s*\}/.test(fields) ? '' : ','}${fields}`)
}
