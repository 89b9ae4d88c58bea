/** Values of DER (X.690), as far as time stamps and certificates have them. */
export interface Der {
  readonly tag: number
  readonly content: Uint8Array
  /** All of it: tag, length and content. */
  readonly whole: Uint8Array
}

export const [BOOLEAN, INTEGER, OCTETS, NULL, OID, GENERALIZED_TIME, SEQUENCE, SET] = [
  0x01, 0x02, 0x04, 0x05, 0x06, 0x18, 0x30, 0x31,
] as const

/** A value of a content that is shorter than 128 bytes. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  if (content.length > 0x7f) throw new RangeError('a value that is written has less than 128 bytes')
  return Buffer.concat([Uint8Array.of(tag, content.length), content])
}

/** The values one after the other. Throws a `RangeError` where one is cut off. */
function readDer(bytes: Uint8Array): readonly Der[] {
  const values: Der[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    let length = bytes[at + 1] ?? Number.NaN
    let begin = at + 2
    if (length === 0x80 || length > 0x84) throw new RangeError('a value is longer than its bytes')
    if (length > 0x80) {
      const digits = length - 0x80
      length = bytes.subarray(begin, begin + digits).reduce((value, byte) => value * 256 + byte, 0)
      begin += digits
    }
    const end = begin + length
    if (!(end <= bytes.length)) throw new RangeError('a value is longer than its bytes')
    values.push({ tag, content: bytes.subarray(begin, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return values
}

/** The values within one. Throws a `RangeError` where there is none to look into. */
export function within(value: Der | undefined): readonly Der[] {
  if (value === undefined) throw new RangeError('a value is missing')
  return readDer(value.content)
}

/** The only value of some bytes. Throws a `RangeError` for none or several. */
export function onlyDer(bytes: Uint8Array): Der {
  const [value, ...more] = readDer(bytes)
  if (value === undefined || more.length > 0) throw new RangeError(`there are ${more.length + 1} values, expected one`)
  return value
}

/** The numbers of an object identifier, as `1.2.840`; undefined of another value. */
export function readOid(value: Der | undefined): string | undefined {
  if (value?.tag !== OID || value.content.length === 0) return undefined
  const numbers: number[] = []
  let number = 0
  for (const byte of value.content) {
    number = number * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      numbers.push(number)
      number = 0
    }
  }
  const [first = 0, ...rest] = numbers
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}
