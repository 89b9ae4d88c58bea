/** What the bytes of JSON are told apart by before anything is parsed. */

export const LINE_FEED = 0x0a
export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_LIST = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_LIST = 0x5d
export const OPEN = 0x7b
export const CLOSE = 0x7d

/** The closing quote of the string that opens at `start`, or the end of the bytes. Most strings are short. */
export function endOfString(bytes: Buffer, start: number): number {
  let position = start + 1
  for (; position < bytes.length; position++) {
    const byte = bytes[position]
    if (byte === QUOTE) return position
    if (byte === BACKSLASH) position++
  }
  return bytes.length
}

/** White space, as JSON has it (RFC 8259, section 2) and not as JavaScript trims it. */
export function isBlankByte(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === LINE_FEED || byte === 0x0d
}

/** True where there is nothing but white space. */
export function isBlank(bytes: Uint8Array): boolean {
  return firstSolid(bytes, 0) === bytes.length
}

/** The position of the first byte at or after `from` that is not white space; the length where there is none. */
export function firstSolid(bytes: Uint8Array, from: number): number {
  let position = from
  while (position < bytes.length && isBlankByte(bytes[position])) position++
  return position
}
