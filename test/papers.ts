/** Papers as a stranger can make them: any content, with the right sum. */
import { createHash, hash } from 'node:crypto'
import { receiptHash } from '../queries/answers/receipt-hash.js'

/** A plan of a first line and items, as text, with the sum that belongs to them. */
export function sealPlan(header: object, items: readonly (object | string)[]): string {
  const lines = items.map(item => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`)
  const { sha256: _, ...rest } = header as { readonly sha256?: string }
  const head = JSON.stringify(rest)
  const sum = createHash('sha256').update(lines.join('')).update(head).digest('hex')
  return `${head.slice(0, -1)},"sha256":"${sum}"}\n${lines.join('')}`
}

/** A receipt with the hash that belongs to it. */
export function sealReceipt(receipt: object): string {
  return `${JSON.stringify({ ...receipt, receipt_sha256: sumOf(receipt) })}\n`
}

/** What has no canonical form has no sum of it either. */
function sumOf(receipt: object): string {
  try {
    return receiptHash(receipt)
  } catch {
    return hash('sha256', JSON.stringify(receipt))
  }
}
