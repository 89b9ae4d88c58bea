import { randomUUID } from 'node:crypto'
import { STORE_ENTRY } from '../config/key-store.js'
import { SealingError } from '../transform/sealed-field.js'
import type { KeyTable } from './key-table.js'
import type { Secrets } from './kms-secrets.js'

/** The store as its own entry has it: two secrets that KMS has sealed. */
export interface StoreEntry {
  readonly store: string
  readonly tokens: Uint8Array
  readonly keys: Uint8Array
}

/** Makes the store's own entry. False where there is one, which stays. */
export async function createStore(table: KeyTable, secrets: Pick<Secrets, 'make'>): Promise<boolean> {
  const store = randomUUID()
  const [tokens, keys] = await Promise.all([secrets.make('tokens', store), secrets.make('keys', store)])
  const of = await table.identity()
  return table.put(STORE_ENTRY, { store: { S: store }, madeFor: { S: of }, tokens: { B: tokens }, keys: { B: keys } })
}

/**
 * The store's own entry. Throws a `SealingError` where there is none, and in a copy of the table: keys that were
 * destroyed may be in it.
 */
export async function openStore(table: KeyTable): Promise<StoreEntry> {
  const [item] = await table.read([STORE_ENTRY])
  const [store, of, tokens, keys] = [item?.store?.S, item?.madeFor?.S, item?.tokens?.B, item?.keys?.B]
  const name = `key table ${JSON.stringify(table.name)}`
  if (store === undefined || of === undefined || tokens === undefined || keys === undefined)
    throw new SealingError(`${name} holds no key store: the stack makes it when it is deployed`)
  const found = await table.identity()
  if (found === of) return { store, tokens, keys }
  throw new SealingError(
    `${name} is a copy of ${of}: persons who were erased would come back, itemtrail subject adopt makes it usable`,
  )
}

/** Lets a copy be used. Throws a `SealingError` where it is none. */
export async function claimCopy(table: KeyTable): Promise<void> {
  const of = await table.identity()
  if (await table.update(STORE_ENTRY, 'set madeFor = :of', { ':of': { S: of } }, 'attribute_exists(madeFor)')) return
  throw new SealingError(`key table ${JSON.stringify(table.name)} holds no key store, so it is no copy of one`)
}
