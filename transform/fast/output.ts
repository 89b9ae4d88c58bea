import { BACKSLASH, QUOTE } from '../json-bytes.js'

/** How many bytes of its own each byte has before it: one where it is escaped. */
const ESCAPES = new Uint8Array(256)
ESCAPES[QUOTE] = 1
ESCAPES[BACKSLASH] = 1

/** Row lines on their way out: bytes that grow. Texts handed in hold one byte a character. */
export class Output {
  private bytes = Buffer.allocUnsafe(64 * 1024)
  length = 0

  /** Adds a text of bytes as it is. */
  text(text: string): void {
    this.makeRoom(text.length)
    this.length += this.bytes.write(text, this.length, 'latin1')
  }

  /** Adds a few bytes that are the same each time. */
  constant(bytes: Uint8Array): void {
    this.range(bytes, 0, bytes.length)
  }

  /** Adds a text of any characters as UTF-8. */
  utf8(text: string): void {
    this.makeRoom(text.length * 3)
    this.length += this.bytes.write(text, this.length, 'utf8')
  }

  /** Adds a range of other bytes as they are. */
  range(source: Uint8Array, from: number, to: number): void {
    this.makeRoom(to - from)
    const { bytes } = this
    let { length } = this
    for (let i = from; i < to; i++) bytes[length++] = source[i] as number
    this.length = length
  }

  /**
   * Adds a range of JSON as the content of a JSON text; in JSON only quotes and backslashes have to be escaped again.
   * Without a branch, which a processor would guess wrong at every few bytes.
   */
  escaped(source: Buffer, from: number, to: number): void {
    this.makeRoom((to - from) * 2)
    const { bytes } = this
    const escapes = ESCAPES
    let { length } = this
    for (let i = from; i < to; i++) {
      const byte = source[i] as number
      bytes[length] = BACKSLASH
      length += escapes[byte] as number
      bytes[length++] = byte
    }
    this.length = length
  }

  /** Whether this range holds just what was added. */
  isRange(source: Buffer, from: number, to: number): boolean {
    return to - from === this.length && source.compare(this.bytes, 0, this.length, from, to) === 0
  }

  /** What was added, until something else is. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  base64(): string {
    return this.bytes.toString('base64', 0, this.length)
  }

  private makeRoom(length: number): void {
    if (this.length + length <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + length))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}
