/**
 * All that reads records and rows by their bytes, for speed alone: what it is certain of it answers as the plain code
 * does, everything else it leaves to that. Nothing outside this folder imports another file of it, and one switch turns
 * it off.
 */
import type { Column } from '../audit-row.js'
import { MAX_LENGTH } from '../json.js'
import type { TableConfiguration } from '../table-configuration.js'
import { DECLINED, type Declined, type TransformedLines, type TransformedRow } from './declined.js'
import { glanceAtEnvelope as glance, type NamedOrigin } from './envelope.js'
import { ItemScanner } from './item.js'
import { RowScanner } from './row-scanner.js'
import { STORED_FIELDS, type StoredBytes, type StoredField, StoredRowCheck } from './stored-row.js'
import { FastTransform } from './transform.js'

export type { Declined, NamedOrigin, StoredBytes, StoredField, TransformedLines, TransformedRow }
export { STORED_FIELDS }

/** With `ITEMTRAIL_PLAIN` set to anything the plain code does all the work: the same rows, more slowly. */
const IS_ON = process.env.ITEMTRAIL_PLAIN === undefined

/**
 * The transform of a table: the lines that `transformRecord` would give for the base64 of a record, or that it
 * declines.
 */
export function fastTransform(
  table: TableConfiguration,
): (data: string, arrival: number) => TransformedLines | Declined {
  if (!IS_ON) return () => DECLINED
  const transform = new FastTransform(table)
  return (data, arrival) => transform.transform(data, arrival)
}

/** What `FastTransform` makes of a document's bytes; undefined where the plain code does all the work. */
export function fastDocuments(table: TableConfiguration): FastDocuments | undefined {
  return IS_ON ? new FastTransform(table) : undefined
}

/** A document into a row line or a state: one call at a time, because the bytes that it gives are used again. */
export type FastDocuments = Pick<FastTransform, 'transformDocument' | 'transformPlain' | 'itemState'>

/** Whose a change is that has a time; undefined where a parser has to tell. */
export function glanceAtOrigin(document: Buffer): NamedOrigin | undefined {
  return IS_ON ? glance(document) : undefined
}

/**
 * How many row lines these bytes are, up to `length`, where a zero stands, each as `checkRowLine` wants it; 0 where
 * that has to be asked.
 */
export function rowCounter(columns: readonly Column[]): (bytes: Buffer, length: number) => number {
  if (!IS_ON) return () => 0
  const scanner = new RowScanner(columns)
  return (bytes, length) => scanner.count(bytes, length)
}

/**
 * Whether a stored row of a table is, with certainty, what the transform makes of what it says; undefined where that
 * has to be asked of each.
 */
export function storedRowCheck(table: TableConfiguration): ((row: StoredBytes) => boolean) | undefined {
  if (!IS_ON) return undefined
  const check = new StoredRowCheck(table)
  return row => check.isCertain(row)
}

/**
 * Whether a text is, with certainty, an item as the transform writes it; false where a parser has to tell.
 */
export function canonicalItemCheck(): (text: string) => boolean {
  if (!IS_ON) return () => false
  const items = new ItemScanner()
  return text => {
    // as in a document, there is a byte behind it that is none of it
    const bytes = Buffer.from(`${text}\n`)
    if (bytes.length > MAX_LENGTH) return false
    items.reset(bytes, bytes.length)
    const end = bytes.length - 1
    return items.item(0) === end && items.from === 0 && items.to === end
  }
}
