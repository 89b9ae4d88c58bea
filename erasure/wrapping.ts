/** How the keys of persons are kept, and what names a person: the same in a folder and in a table of DynamoDB. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { KeyName } from './subject-keys.js'

/** The format of a key store. */
export const KEYS_VERSION = 'itemtrail.keys/v1'

/** The token of an id under a store's secret. */
export function tokenUnder(secret: Uint8Array, id: string): string {
  return createHmac('sha256', secret).update(id).digest('hex').slice(0, 32)
}

/** A person's key as it is kept: under the store's wrapping key (AES-256-GCM), and under its name alone. */
export function wrapKey(wrapping: Uint8Array, key: Uint8Array, name: KeyName): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', wrapping, nonce).setAAD(contextOf(name))
  const sealed = Buffer.concat([cipher.update(key), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

/** Its inverse; undefined for what was wrapped by another store or under another name, or was altered. */
export function unwrapKey(wrapping: Uint8Array, wrapped: Uint8Array, name: KeyName): Uint8Array | undefined {
  try {
    const cipher = createDecipheriv('aes-256-gcm', wrapping, wrapped.subarray(0, 12)).setAAD(contextOf(name))
    cipher.setAuthTag(wrapped.subarray(-16))
    return Buffer.concat([cipher.update(wrapped.subarray(12, -16)), cipher.final()])
  } catch {
    return undefined
  }
}

function contextOf({ token, generation }: KeyName): Buffer {
  return Buffer.from(`${KEYS_VERSION}\n${token}\n${generation}`)
}
