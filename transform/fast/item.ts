import {
  after,
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  compareRanges,
  decodeBase64,
  endOfBase64,
  endOfNumeral,
  endOfText,
  endOfUnescaped,
  NONE,
  OPEN,
  OPEN_LIST,
  QUOTE,
} from './bytes.js'

/** Integers of a slot: the name's first four bytes, where the name begins and ends, where its canonical value does. */
export const SLOT = 5

/** Members and elements that are open at one time; an item of more is for the plain path. */
const MAX_SLOTS = 4096

/** Members that are sorted here: by insertion, which is quick for few and slow for many. */
const MAX_SORTED = 200

/** Containers inside one another. DynamoDB allows 32 (developer guide, "Constraints"). */
const MAX_DEPTH = 40

/** Up to so many bytes are copied sooner one by one than by a call. */
const SHORT = 48

const [S, N, B, M, L] = [...'SNBML'].map(letter => letter.charCodeAt(0)) as [number, number, number, number, number]
const [TRUE, FALSE] = [Buffer.from('{"BOOL":true}'), Buffer.from('{"BOOL":false}')]
const NULL = Buffer.from('{"NULL":true}')

/**
 * Finds the canonical form of DynamoDB JSON by its bytes, in one pass. Where the bytes are canonical as they are, the form
 * is their range; where a map or a set is not sorted, it is written behind the record and the form is that range. Answers
 * `NONE` for whatever it does not know: the plain path decides on that.
 */
export class ItemScanner {
  bytes: Buffer = Buffer.alloc(0)
  /** Where canonical forms are written next. */
  spare = 0
  /** How often binary values are base64-encoded here. Wrongly set, it is wrong only for a record that has binary. */
  binaryTwice = false
  hasBinary = false
  /** The canonical form of what was read last. */
  from = 0
  to = 0
  /** Members of the maps that are open, and of the images that were read. */
  readonly slots = new Int32Array(SLOT * MAX_SLOTS)
  /** The slots in the order of their names: those of a map stand where its slots do. */
  readonly order = new Int32Array(MAX_SLOTS)
  top = 0

  /** Begins with a new document; its bytes stay where they are. */
  reset(spare: number): void {
    this.spare = spare
    this.top = 0
    this.hasBinary = false
  }

  /** Reads the item at `at` and leaves its attributes in the slots from `top` on, and their order. Answers where it ends. */
  item(at: number): number {
    return this.map(at, at, 0)
  }

  /** Reads the attribute value at `at`. */
  private value(at: number, depth: number): number {
    const { bytes } = this
    if (bytes[at] !== OPEN || bytes[at + 1] !== QUOTE) return NONE
    const type = bytes[at + 2]
    if (bytes[at + 3] !== QUOTE) return this.longType(at)
    if (bytes[at + 4] !== COLON) return NONE
    switch (type) {
      case S:
      case N:
      case B:
        return this.scalar(at, type)
      case M:
      case L:
        return depth < MAX_DEPTH ? this.container(at, type, depth + 1) : NONE
      default:
        return NONE
    }
  }

  private scalar(at: number, type: number): number {
    const { bytes } = this
    const content = at + 6
    if (bytes[content - 1] !== QUOTE) return NONE
    if (type === B) return this.binary(at, content)
    const end = type === S ? endOfText(bytes, content) : endOfNumeral(bytes, content)
    if (end === NONE || bytes[end + 1] !== CLOSE) return NONE
    this.from = at
    this.to = end + 2
    return this.to
  }

  private binary(at: number, content: number): number {
    const { bytes } = this
    this.hasBinary = true
    const quote = endOfBase64(bytes, content)
    if (quote === NONE || bytes[quote] !== QUOTE || bytes[quote + 1] !== CLOSE) return NONE
    const end = quote + 2
    if (!this.binaryTwice) {
      this.from = at
      this.to = end
      return end
    }
    if (!this.hasRoom(end - at)) return NONE
    this.from = this.spare
    this.copy(at, content)
    const once = this.spare
    this.spare = decodeBase64(bytes, content, quote, once)
    if (!this.isBase64(once, this.spare)) return NONE
    this.put(QUOTE)
    this.put(CLOSE)
    this.to = this.spare
    return end
  }

  private isBase64(from: number, to: number): boolean {
    // ended as a record is, because what is behind it was written for another
    this.bytes[to] = 0
    return endOfBase64(this.bytes, from) === to
  }

  private longType(at: number): number {
    const { bytes } = this
    if (bytes[at + 3] === S && bytes[at + 4] === QUOTE && bytes[at + 5] === COLON) return this.set(at, bytes[at + 2])
    let end = after(bytes, at, NULL)
    if (end === NONE) end = after(bytes, at, TRUE)
    if (end === NONE) end = after(bytes, at, FALSE)
    this.from = at
    this.to = end
    return end
  }

  private container(at: number, type: number, depth: number): number {
    const base = this.top
    const end = type === M ? this.map(at, at + 5, depth) : this.list(at, at + 5, depth)
    this.top = base
    return this.closeValue(at, end)
  }

  /** The brace that ends the value at `at`, whose content ends at `end`. */
  private closeValue(at: number, end: number): number {
    if (end === NONE || this.bytes[end] !== CLOSE) return NONE
    if (this.from === at) this.to = end + 1
    else {
      this.put(CLOSE)
      this.to = this.spare
    }
    return end + 1
  }

  /** Reads the members of the map that opens at `at`; the value that it belongs to opens at `outer`. */
  private map(outer: number, at: number, depth: number): number {
    const { bytes } = this
    if (bytes[at] !== OPEN) return NONE
    const base = this.top
    let isSorted = true
    let isInPlace = true
    let position = at + 1
    if (bytes[position] === CLOSE) return this.inPlace(outer, position + 1)
    for (;;) {
      if (bytes[position] !== QUOTE) return NONE
      const name = position + 1
      const nameEnd = endOfUnescaped(bytes, name)
      if (nameEnd === NONE || bytes[nameEnd + 1] !== COLON) return NONE
      const end = this.value(nameEnd + 2, depth)
      if (end === NONE || !this.push(name, nameEnd)) return NONE
      isInPlace &&= this.from === nameEnd + 2
      isSorted &&= this.isBehindLast(base)
      position = end + 1
      if (bytes[end] === CLOSE) break
      if (bytes[end] !== COMMA) return NONE
    }
    if (isSorted && isInPlace) return this.inPlace(outer, position)
    if (!isSorted && !this.sort(base, false)) return NONE
    return this.writeMap(outer, at, base) ? position : NONE
  }

  private inPlace(outer: number, end: number): number {
    this.from = outer
    this.to = end
    return end
  }

  private list(outer: number, at: number, depth: number): number {
    const { bytes } = this
    if (bytes[at] !== OPEN_LIST) return NONE
    const base = this.top
    let isInPlace = true
    let position = at + 1
    if (bytes[position] === CLOSE_LIST) return this.inPlace(outer, position + 1)
    for (;;) {
      const end = this.value(position, depth)
      if (end === NONE || !this.push(position, position)) return NONE
      isInPlace &&= this.from === position
      position = end + 1
      if (bytes[end] === CLOSE_LIST) break
      if (bytes[end] !== COMMA) return NONE
    }
    if (isInPlace) return this.inPlace(outer, position)
    return this.writeList(outer, at, base) ? position : NONE
  }

  /** Reads a set of texts, numbers or binary values, as `type` says. */
  private set(at: number, type: number | undefined): number {
    const { bytes } = this
    const base = this.top
    if ((type !== S && type !== N && type !== B) || bytes[at + 6] !== OPEN_LIST) return NONE
    // decoded binary is written as a set of its own
    let isSorted = type !== B || !this.binaryTwice
    let position = at + 7
    if (bytes[position] === CLOSE_LIST) return this.closeValue(at, this.inPlace(at, position + 1))
    for (;;) {
      const quote = this.element(position, type)
      if (quote === NONE || bytes[quote] !== QUOTE || !this.push(this.from, this.to)) return NONE
      isSorted &&= this.isNotBeforeLast(base)
      position = quote + 2
      if (bytes[quote + 1] === CLOSE_LIST) break
      if (bytes[quote + 1] !== COMMA) return NONE
    }
    const isWritten = isSorted ? this.inPlace(at, position) !== NONE : this.sort(base, true) && this.writeSet(at, base)
    this.top = base
    return isWritten ? this.closeValue(at, position) : NONE
  }

  /** Reads the set's element whose quote is at `at`; its canonical form is without the quotes. Answers the closing quote. */
  private element(at: number, type: number): number {
    const { bytes } = this
    if (bytes[at] !== QUOTE) return NONE
    this.from = at + 1
    if (type === S) this.to = endOfUnescaped(bytes, at + 1)
    else if (type === N) this.to = endOfNumeral(bytes, at + 1)
    else this.to = endOfBase64(bytes, at + 1)
    const quote = this.to
    if (type !== B || quote === NONE) return quote
    this.hasBinary = true
    if (!this.binaryTwice) return quote
    if (!this.hasRoom(quote - at)) return NONE
    this.from = this.spare
    this.to = this.spare = decodeBase64(bytes, at + 1, quote, this.spare)
    return this.isBase64(this.from, this.to) ? quote : NONE
  }

  /** Adds a slot for the form that was read last. False when there are too many. */
  private push(name: number, nameEnd: number): boolean {
    const { bytes, slots, top } = this
    if (top === slots.length) return false
    // the order of most names shows in their first bytes; flipped, so that it is the order of signed integers
    this.order[top / SLOT] = top
    slots[top] = prefixOf(bytes, name, nameEnd) ^ 0x80000000
    slots[top + 1] = name
    slots[top + 2] = nameEnd
    slots[top + 3] = this.from
    slots[top + 4] = this.to
    this.top = top + SLOT
    return true
  }

  private isBehindLast(base: number): boolean {
    const last = this.top - SLOT
    return last === base || this.compare(last - SLOT, last) < 0
  }

  private isNotBeforeLast(base: number): boolean {
    const last = this.top - SLOT
    return last === base || this.compare(last - SLOT, last) <= 0
  }

  /** Orders two slots by their names. */
  compare(a: number, b: number): number {
    const { bytes, slots } = this
    const x = slots[a] as number
    const y = slots[b] as number
    if (x !== y) return x < y ? -1 : 1
    return compareRanges(
      bytes,
      slots[a + 1] as number,
      slots[a + 2] as number,
      slots[b + 1] as number,
      slots[b + 2] as number,
    )
  }

  /** Puts the slots from `base` on in order. False when they are too many, or two names are equal and must not be. */
  private sort(base: number, mayRepeat: boolean): boolean {
    const { order } = this
    const first = base / SLOT
    const end = this.top / SLOT
    if (end - first > MAX_SORTED) return false
    for (let next = first + 1; next < end; next++) {
      const slot = order[next] as number
      let hole = next
      for (; hole > first; hole--) {
        const before = order[hole - 1] as number
        const relation = this.compare(before, slot)
        if (relation === 0 && !mayRepeat) return false
        if (relation <= 0) break
        order[hole] = before
      }
      order[hole] = slot
    }
    return true
  }

  private hasRoom(length: number): boolean {
    // a few more for what closes it
    return this.spare + length + 8 <= this.bytes.length
  }

  private hasRoomForSlots(base: number, head: number): boolean {
    const { slots, top } = this
    let length = head
    for (let slot = base; slot < top; slot += SLOT) {
      length += (slots[slot + 2] as number) - (slots[slot + 1] as number) + 4
      length += (slots[slot + 4] as number) - (slots[slot + 3] as number)
    }
    return this.hasRoom(length)
  }

  private put(byte: number): void {
    this.bytes[this.spare++] = byte
  }

  private copy(from: number, to: number): void {
    const { bytes } = this
    let { spare } = this
    if (to - from > SHORT) {
      bytes.copyWithin(spare, from, to)
      this.spare = spare + to - from
      return
    }
    for (let i = from; i < to; i++) bytes[spare++] = bytes[i] as number
    this.spare = spare
  }

  private writeMap(outer: number, at: number, base: number): boolean {
    const { slots, order } = this
    if (!this.hasRoomForSlots(base, at + 1 - outer)) return false
    this.from = this.spare
    this.copy(outer, at + 1)
    const end = this.top / SLOT
    for (let i = base / SLOT; i < end; i++) {
      const slot = order[i] as number
      if (i * SLOT !== base) this.put(COMMA)
      // the name with its quotes and its colon
      this.copy((slots[slot + 1] as number) - 1, (slots[slot + 2] as number) + 2)
      this.copy(slots[slot + 3] as number, slots[slot + 4] as number)
    }
    this.put(CLOSE)
    this.to = this.spare
    return true
  }

  private writeList(outer: number, at: number, base: number): boolean {
    const { slots, top } = this
    if (!this.hasRoomForSlots(base, at + 1 - outer)) return false
    this.from = this.spare
    this.copy(outer, at + 1)
    for (let slot = base; slot < top; slot += SLOT) {
      if (slot !== base) this.put(COMMA)
      this.copy(slots[slot + 3] as number, slots[slot + 4] as number)
    }
    this.put(CLOSE_LIST)
    return true
  }

  private writeSet(at: number, base: number): boolean {
    const { slots, order } = this
    if (!this.hasRoomForSlots(base, 7)) return false
    this.from = this.spare
    this.copy(at, at + 7)
    const end = this.top / SLOT
    for (let i = base / SLOT; i < end; i++) {
      const slot = order[i] as number
      if (i * SLOT !== base) this.put(COMMA)
      this.put(QUOTE)
      this.copy(slots[slot + 1] as number, slots[slot + 2] as number)
      this.put(QUOTE)
    }
    this.put(CLOSE_LIST)
    return true
  }

  /** The slot of the attribute of this name among those from `base` to `end`; `NONE` if there is none. */
  find(name: Uint8Array, base: number, end: number): number {
    const { bytes, slots } = this
    for (let slot = base; slot < end; slot += SLOT) {
      const from = slots[slot + 1] as number
      const length = (slots[slot + 2] as number) - from
      if (length !== name.length) continue
      let i = 0
      while (i < length && bytes[from + i] === name[i]) i++
      if (i === length) return slot
    }
    return NONE
  }
}

/** The first four bytes of a name, padded with zeros, as an integer. */
function prefixOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= 4) {
    const high = ((bytes[from] as number) << 24) | ((bytes[from + 1] as number) << 16)
    return high | ((bytes[from + 2] as number) << 8) | (bytes[from + 3] as number)
  }
  let prefix = 0
  for (let i = from; i < from + 4; i++) prefix = (prefix << 8) | (i < to ? (bytes[i] as number) : 0)
  return prefix
}
