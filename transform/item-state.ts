import { decodeChange, rowKeyOf } from './change.js'
import { type FastDocuments, fastDocuments } from './fast/fast-path.js'
import { type JsonDocument, splitDocuments } from './json.js'
import { Refusal } from './refusal.js'
import { readStreamRecord } from './stream-record.js'
import type { TableConfiguration } from './table-configuration.js'
import type { Refused } from './transform.js'

/** What an item is, in the very texts and hash that its audit row has. */
export interface ImageState {
  readonly kind: 'state'
  /** Canonical DynamoDB JSON of its keys. */
  readonly itemKey: string
  /** Canonical DynamoDB JSON of the item. */
  readonly image: string
  /** SHA-256 of `image`, lower hex. */
  readonly hash: string
}

/** The state that a baseline document tells, by the transform's own reading of it. */
export function readItemState(document: string, table: TableConfiguration): ImageState | Refused {
  return (
    fastState(document, table) ??
    unlessRefused(() => {
      const [first] = splitDocuments(document)
      const { keys, newImage } = decodeChange(readStreamRecord((first as JsonDocument).value), table)
      return { kind: 'state', itemKey: keys.text, image: newImage?.text ?? '', hash: newImage?.hash ?? '' }
    })
  )
}

/** The same where the bytes are certain; undefined where the plain path has to say. */
function fastState(document: string, table: TableConfiguration): ImageState | undefined {
  // what is sealed has a configuration of its own for every few items
  if (table.erasable !== undefined) return undefined
  if (!readers.has(table)) readers.set(table, fastDocuments(table))
  const state = readers.get(table)?.itemState(document)
  return state && { kind: 'state', ...state }
}

const readers = new WeakMap<TableConfiguration, FastDocuments | undefined>()

/** The canonical key that key attributes in DynamoDB JSON make in rows of a table. */
export function readItemKey(
  keys: unknown,
  table: TableConfiguration,
): { readonly kind: 'key'; readonly itemKey: string } | Refused {
  return unlessRefused(() => ({ kind: 'key', itemKey: rowKeyOf(keys, table) }))
}

function unlessRefused<T>(read: () => T): T | Refused {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', reason: error.message, outline: error.outline }
    throw error
  }
}
