import type { AttributeValue } from '../transform/attribute-value.js'
import type { Keep } from '../transform/table-configuration.js'

/** Of a number this long, or longer, the last four digits say little enough. */
const LONG_ENOUGH = 8

/** The coarse clear text of a value that is kept beside its ciphertext; undefined where there is none to be had. */
export function keptOf(value: AttributeValue, keep: Keep | undefined): string | undefined {
  const text = 'S' in value ? value.S : 'N' in value ? value.N : ''
  switch (keep) {
    case 'year':
      return /^\d{4}(?=-\d{2}(-|$))/.exec(text)?.[0]
    case 'last4':
      return text.length >= LONG_ENOUGH ? /[A-Za-z0-9]{4}$/.exec(text)?.[0] : undefined
    case 'domain':
      return /^[^@\s]+@([A-Za-z0-9.-]+\.[A-Za-z]{2,})$/.exec(text)?.[1]?.toLowerCase()
    default:
      return undefined
  }
}
