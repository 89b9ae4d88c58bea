import { type AttributeValue, parseValue } from '../attribute-value.js'
import { BACKSLASH, CLOSE, CLOSE_LIST, COMMA, OPEN, OPEN_LIST, QUOTE } from '../json-bytes.js'
import { endOfText, NONE } from './bytes.js'
import type { ItemScanner } from './item.js'
import type { ItemRange } from './slots.js'

const M = 0x4d
const N = 0x4e
const S = 0x53

/** Finds attributes by their path in items that were scanned: `from` and `to` are the range of the value found. */
export class AttributeFinder {
  from = 0
  to = 0

  constructor(private readonly items: ItemScanner) {}

  /** Whether the item has a value at this path. Only maps are walked into. */
  find(item: ItemRange, path: readonly Uint8Array[]): boolean {
    const { items } = this
    const slot = items.slots.find(path[0] as Uint8Array, item.base, item.end)
    if (slot === NONE) return false
    this.from = items.slots.ints[slot + 3] as number
    this.to = items.slots.ints[slot + 4] as number
    for (let depth = 1; depth < path.length; depth++) {
      if (!this.findMember(path[depth] as Uint8Array)) return false
    }
    return true
  }

  /** The letter of a type of one letter, else 0. */
  get type(): number {
    const { bytes } = this.items
    return bytes[this.from + 3] === QUOTE ? (bytes[this.from + 2] as number) : 0
  }

  /** The value's canonical DynamoDB JSON. */
  get text(): string {
    return this.items.bytes.toString('utf8', this.from, this.to)
  }

  /** The value itself. */
  get value(): AttributeValue {
    return parseValue(this.text)
  }

  /** The content of a text or a number without escapes, one byte a character; undefined for any other value. */
  get content(): string | undefined {
    const { bytes } = this.items
    const { type } = this
    const end = this.to - 2
    if (type !== S && type !== N) return undefined
    for (let position = this.from + 6; position < end; position++) {
      if (bytes[position] === BACKSLASH) return undefined
    }
    return bytes.toString('latin1', this.from + 6, end)
  }

  private findMember(name: Uint8Array): boolean {
    const { bytes } = this.items
    if (this.type !== M) return false
    let position = this.from + 6
    while (bytes[position] === QUOTE) {
      const nameEnd = endOfText(bytes, position + 1)
      const end = endOfValue(bytes, nameEnd + 2)
      if (nameEnd - position - 1 === name.length && bytes.compare(name, 0, name.length, position + 1, nameEnd) === 0) {
        this.from = nameEnd + 2
        this.to = end
        return true
      }
      position = bytes[end] === COMMA ? end + 1 : end
    }
    return false
  }
}

/** The end of a value that is known to be well-formed. */
function endOfValue(bytes: Uint8Array, at: number): number {
  let depth = 0
  for (let position = at; ; position++) {
    const byte = bytes[position]
    if (byte === QUOTE) position = endOfText(bytes, position + 1)
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return position + 1
  }
}
