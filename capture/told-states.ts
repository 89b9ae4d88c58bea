/** What an export or a table tells of its items, as the states that an archive's rows would have. */
import { parseItem } from '../transform/attribute-value.js'
import { type ImageState, readItemKey, readItemState } from '../transform/item-state.js'
import { isObject } from '../transform/json.js'
import { shown } from '../transform/refusal.js'
import { type TableConfiguration, underKeys } from '../transform/table-configuration.js'
import { type BaselineOrigin, baselineDocument, type FoundItem } from './baseline.js'
import { ExportError } from './export-layout.js'

/** What was told of one item at one moment; hash and image are null where there was none. */
export interface ToldItem {
  readonly itemKey: string
  readonly hash: string | null
  readonly image: string | null
}

const NOWHERE: BaselineOrigin = { method: 'export', source: 'compared', fromUs: 1_000_000 }

/** The state of an item. Throws `ExportError` for one that no archive could have a row of. */
export function toldItem({ text, where }: FoundItem, table: TableConfiguration): ImageState {
  const state = readItemState(baselineDocument(text, table.table, NOWHERE), table)
  if (state.kind === 'refused') throw new ExportError(`${where} cannot be compared: ${state.reason}`)
  return state
}

/** What a line of an incremental export tells. Throws `ExportError` for one that tells something else. */
export function toldChange(
  { text, where }: FoundItem,
  table: TableConfiguration,
): { readonly before: ToldItem; readonly after: ToldItem } {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    line = undefined
  }
  if (!isObject(line) || !isObject(line.Keys))
    throw new ExportError(`${where} is ${shown(text)}, expected {"Metadata":{...},"Keys":{...}}`)
  const key = readItemKey(line.Keys, table)
  if (key.kind === 'refused') throw new ExportError(`${where} cannot be compared: ${key.reason}`)
  const side = (image: unknown): ToldItem => {
    if (image === undefined) return { itemKey: key.itemKey, hash: null, image: null }
    const state = toldItem({ text: JSON.stringify(image), where }, table)
    if (state.itemKey !== key.itemKey)
      throw new ExportError(`${where} has the keys ${key.itemKey}, its image has ${state.itemKey}`)
    return state
  }
  return { before: side(line.OldImage), after: side(line.NewImage) }
}

/** An item of a live table that was looked at again. */
export async function lookedAt(text: string | undefined, itemKey: string, table: TableConfiguration) {
  if (text === undefined) return null
  const item = { text, where: JSON.stringify(parseItem(itemKey)) }
  return underKeys(table, sealing => toldItem(item, sealing))
}
