/**
 * What stands in the place of a key attribute that names a person: a token in the attribute's own type, so that it is
 * a key like any other. `docs/erasure.md` has the forms. How a token is made of a value nobody here knows.
 */
import { type AttributeValue, type BinaryEncoding, canonicalValue, type Item } from './attribute-value.js'

const MARK = 'token:'
const TOKEN_BYTES = 16

/** The value that stands for one of the same type, with its token, 32 lower hex digits. */
function writeKeyToken(value: AttributeValue, token: string, binary: BinaryEncoding): AttributeValue {
  if ('N' in value) return { N: numberOf(token) }
  if (!('B' in value)) return { S: `${MARK}${token}` }
  const once = Buffer.concat([Buffer.from(MARK), Buffer.from(token, 'hex')]).toString('base64')
  return { B: binary === 'twice' ? Buffer.from(once).toString('base64') : once }
}

/** A whole number of 38 digits, the most that DynamoDB takes, a one at either end: no number is written shorter. */
function numberOf(token: string): string {
  return `1${(BigInt(`0x${token}`) % 10n ** 36n).toString().padStart(36, '0')}1`
}

/** True of a value, binary encoded once, that is a token already and no person's name. */
export function isKeyToken(value: AttributeValue): boolean {
  if ('S' in value) return /^token:[0-9a-f]{32}$/.test(value.S)
  if ('N' in value) return /^1\d{36}1$/.test(value.N)
  if (!('B' in value)) return false
  const bytes = Buffer.from(value.B, 'base64')
  return bytes.length === MARK.length + TOKEN_BYTES && bytes.toString('latin1').startsWith(MARK)
}

/**
 * An item, or its key, with the attributes of these names replaced by their tokens. `tokenOf` gives the token of an
 * attribute's name and canonical text. Throws a `Refusal` for what is no attribute value.
 */
export function replaceKeys(
  item: Item,
  names: readonly string[],
  binary: BinaryEncoding,
  tokenOf: (name: string, text: string) => string,
): Item {
  const replaced = names.flatMap(name => {
    const value = Object.hasOwn(item, name) ? item[name] : undefined
    if (value === undefined) return []
    const token = tokenOf(name, canonicalValue(value, `Keys.${name}`, binary))
    return [[name, writeKeyToken(value, token, binary)] as const]
  })
  return { ...item, ...Object.fromEntries(replaced) }
}
