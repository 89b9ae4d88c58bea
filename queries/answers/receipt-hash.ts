import { hash } from 'node:crypto'
import { canonicalJson } from '../../transform/json.js'

/** SHA-256 of a receipt without its own hash, in canonical JSON: names sorted, no white space. */
export function receiptHash(receipt: object): string {
  const { receipt_sha256: _, ...rest } = receipt as { readonly receipt_sha256?: unknown }
  return hash('sha256', canonicalJson(rest))
}
