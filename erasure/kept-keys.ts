import { SealingError } from '../transform/sealed-field.js'
import type { Attributes, EntryName, KeyTable } from './key-table.js'
import type { KeyName } from './subject-keys.js'
import { KEYS_VERSION } from './wrapping.js'

/** A key as the table has it; `open` is a name under which one may be made and was not yet. */
export type KeptKey =
  | { readonly state: 'live'; readonly wrapped: Uint8Array; readonly fenced: boolean }
  | { readonly state: 'open' }
  | { readonly state: 'fenced' }
  | { readonly state: 'erased' }

/** The keys of these names, in their order; undefined where the name is free. */
export async function readKeys(table: KeyTable, names: readonly KeyName[]): Promise<readonly (KeptKey | undefined)[]> {
  const items = await table.read(names.map(entryOf))
  return items.map((item, i) => item && keptKeyOf(item, entryOf(names[i] as KeyName)))
}

/** All keys of a person, by their generation. */
export async function readAllKeys(table: KeyTable, token: string): Promise<ReadonlyMap<number, KeptKey>> {
  const found = await table.query(token, PREFIX)
  const keys = [...found].map(
    ([entry, item]) => [Number(entry.slice(PREFIX.length)), keptKeyOf(item, { subject: token, entry })] as const,
  )
  return new Map(keys.sort(([a], [b]) => a - b))
}

/** Puts a key under a name that is free, or was opened for it. False where somebody was first. */
export function claimKey(table: KeyTable, name: KeyName, wrapped: Uint8Array): Promise<boolean> {
  const isOpen = 'attribute_exists(opened) and attribute_not_exists(fenced) and attribute_not_exists(erased)'
  return table.put(entryOf(name), { wrappedKey: { B: wrapped } }, isOpen)
}

/** Opens a name for who seals next. Does nothing where it is not free. */
export function openName(table: KeyTable, name: KeyName, at: string): Promise<boolean> {
  return table.put(entryOf(name), { opened: { S: at } })
}

/** Has nothing new sealed under a key. */
export function fenceKey(table: KeyTable, name: KeyName, at: string): Promise<boolean> {
  return table.update(entryOf(name), 'set fenced = if_not_exists(fenced, :at)', { ':at': { S: at } })
}

/** Leaves nothing of a key but that it is gone. */
export function destroyKey(table: KeyTable, name: KeyName, at: string): Promise<boolean> {
  const expression = 'set erased = if_not_exists(erased, :at) remove wrappedKey, opened'
  return table.update(entryOf(name), expression, { ':at': { S: at } })
}

const PREFIX = 'key/'

function entryOf({ token, generation }: KeyName): EntryName {
  return { subject: token, entry: `${PREFIX}${generation}` }
}

function keptKeyOf(
  { version, wrappedKey, fenced, opened, erased }: Attributes,
  { subject, entry }: EntryName,
): KeptKey {
  if (version?.S === KEYS_VERSION) {
    if (erased?.S !== undefined) return { state: 'erased' }
    if (wrappedKey?.B !== undefined) return { state: 'live', wrapped: wrappedKey.B, fenced: fenced !== undefined }
    if (fenced?.S !== undefined) return { state: 'fenced' }
    if (opened?.S !== undefined) return { state: 'open' }
  }
  throw new SealingError(`${entry} of ${subject} in the key table is damaged, and no erasure explains it`)
}
