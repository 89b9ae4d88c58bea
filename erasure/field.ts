/**
 * A value as ciphertext: AES-SIV (RFC 5297), which is deterministic, so that a value that did not change is the same in
 * the next image, and authenticated, so that it opens only where it was sealed. `docs/erasure.md` has the format.
 */
import { hkdfSync } from 'node:crypto'
import { aessiv } from '@noble/ciphers/aes.js'
import type { AttributePath } from '../transform/table-configuration.js'

/** Where a value was sealed: it opens nowhere else. */
export interface FieldPlace {
  readonly table: string
  /** The configured path, stars and all: a line of a list stays the same when lines are added before it. */
  readonly path: AttributePath
  readonly token: string
  readonly generation: number
}

const LABEL = 'itemtrail/field/1'

/** The key of a subject's fields, 64 bytes: HKDF-SHA-256 of the subject's key, without salt, for this format. */
export function fieldKeyOf(subjectKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', subjectKey, '', LABEL, 64))
}

/** Short texts of a few lengths would tell by their length which they are. */
const PADDING = 32

/** Base64url of the synthetic IV and the ciphertext of a value in canonical DynamoDB JSON. */
export function sealText(text: string, key: Uint8Array, place: FieldPlace): string {
  const bytes = Buffer.from(text)
  const padded = Buffer.alloc(Math.ceil(bytes.length / PADDING) * PADDING, ' ')
  bytes.copy(padded)
  return Buffer.from(aessiv(key, ...associated(place)).encrypt(padded)).toString('base64url')
}

/** Its inverse; undefined for what was not sealed at this place under this key. */
export function openText(ciphertext: string, key: Uint8Array, place: FieldPlace): string | undefined {
  const bytes = Buffer.from(ciphertext, 'base64url')
  try {
    return Buffer.from(aessiv(key, ...associated(place)).decrypt(bytes))
      .toString()
      .trimEnd()
  } catch {
    return undefined
  }
}

/** The strings of RFC 5297's S2V before the plaintext, one after another. */
function associated({ table, path, token, generation }: FieldPlace): readonly Uint8Array[] {
  return [LABEL, table, JSON.stringify(path), token, String(generation)].map(text => Buffer.from(text))
}
