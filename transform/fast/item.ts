import { CLOSE, CLOSE_LIST, COLON, COMMA, OPEN, OPEN_LIST, QUOTE } from '../json-bytes.js'
import { after, decodeBase64Bytes, endOfBase64, endOfNumeral, endOfText, endOfUnescaped, NONE } from './bytes.js'
import { type ItemRange, SLOT, Slots } from './slots.js'

/** Containers inside one another. DynamoDB allows 32 (developer guide, "Constraints"). */
const MAX_DEPTH = 40

/** Up to so many bytes are copied faster one by one than by `Buffer.copy`. */
const SHORT = 48

/** Among so many of another version's next attributes one is looked for: those in between are gone. */
const AHEAD = 4

const [S, N, B, M, L] = [...'SNBML'].map(letter => letter.charCodeAt(0)) as [number, number, number, number, number]
const [TRUE, FALSE] = [Buffer.from('{"BOOL":true}'), Buffer.from('{"BOOL":false}')]
const NULL = Buffer.from('{"NULL":true}')

/**
 * Finds the canonical form of DynamoDB JSON by its bytes, in one pass. Where the bytes are canonical as they are, the
 * form is their range; where a map or a set is not sorted, it is written behind the record and the form is that range.
 * Answers `NONE` for whatever it does not know: the plain path decides on that.
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
  readonly slots = new Slots()
  /** The slots, yet to be met, of an item that the one being read is likely another version of. */
  private likeAt = 0
  private likeEnd = 0

  /** Begins with a new document; its bytes stay where they are. */
  reset(bytes: Buffer, spare: number): void {
    this.bytes = bytes
    this.slots.bytes = bytes
    this.spare = spare
    this.slots.top = 0
    this.slots.hasEscapes = false
    this.hasBinary = false
  }

  /**
   * Reads the item at `at` and leaves its attributes in the slots from `top` on, and their order. Answers where it
   * ends. `like` is another of this document, of which it is likely a version: most attributes are the same in both,
   * and to compare bytes takes less than to read them.
   */
  item(at: number, like?: ItemRange): number {
    this.likeAt = like?.base ?? 0
    this.likeEnd = like?.end ?? 0
    return this.map(at, at, 0)
  }

  /**
   * Leaves some attributes of an item that was read in the slots from `top` on, and their canonical form as an item.
   * False where it does not have them all, or one is wanted twice.
   */
  pick(item: ItemRange, names: readonly Uint8Array[]): boolean {
    const { slots } = this
    const base = slots.top
    for (const name of names) {
      const slot = slots.find(name, item.base, item.end)
      if (slot === NONE) return false
      slots.repeat(slot)
    }
    return slots.sort(base, false) && this.writeMap(item.from, item.from, base)
  }

  /** Whether these are keys: texts, numbers and binary, as many as are named; 0 names none, and any number will do. */
  areKeys({ base, end }: ItemRange, named: number): boolean {
    if (base === end || (named > 0 && end - base !== SLOT * named)) return false
    for (let slot = base; slot < end; slot += SLOT) {
      const from = this.slots.ints[slot + 3] as number
      const type = this.bytes[from + 2]
      if (this.bytes[from + 3] !== QUOTE || (type !== S && type !== N && type !== B)) return false
    }
    return true
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
    this.spare = decodeBase64Bytes(bytes, content, quote, once)
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
    const base = this.slots.top
    const end = type === M ? this.map(at, at + 5, depth) : this.list(at, at + 5, depth)
    this.slots.top = base
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
    const base = this.slots.top
    let isSorted = true
    let isInPlace = true
    let position = at + 1
    if (bytes[position] === CLOSE) return this.inPlace(outer, position + 1)
    for (;;) {
      if (bytes[position] !== QUOTE) return NONE
      const alike = depth === 0 && this.likeAt < this.likeEnd ? this.alike(position) : NONE
      const end = alike === NONE ? this.member(position, depth) : alike
      if (end === NONE) return NONE
      isInPlace &&= this.to === end
      isSorted &&= this.slots.isBehindLast(base)
      position = end + 1
      if (bytes[end] === CLOSE) break
      if (bytes[end] !== COMMA) return NONE
    }
    if (isSorted && isInPlace) return this.inPlace(outer, position)
    if (!isSorted && !this.slots.sort(base, false)) return NONE
    return this.writeMap(outer, at, base) ? position : NONE
  }

  /** Reads the member whose name's quote is at `at`, and adds its slot. Answers where it ends. */
  private member(at: number, depth: number): number {
    const nameEnd = this.endOfName(at + 1)
    if (nameEnd === NONE || this.bytes[nameEnd + 1] !== COLON) return NONE
    const end = this.value(nameEnd + 2, depth)
    if (end === NONE) return NONE
    this.slots.push(at + 1, nameEnd, this.from, this.to)
    if (depth === 0 && this.likeAt < this.likeEnd) this.passAlike()
    return end
  }

  /** The same where the very bytes of the other item's next member are there, which was read. */
  private alike(at: number): number {
    const { bytes, likeAt } = this
    const { ints } = this.slots
    const from = (ints[likeAt + 1] as number) - 1
    const to = ints[likeAt + 4] as number
    // what was not canonical is written elsewhere
    if (ints[likeAt + 3] !== (ints[likeAt + 2] as number) + 2) return NONE
    const shift = at - from
    for (let i = from; i < to; i++) if (bytes[i] !== bytes[i + shift]) return NONE
    this.slots.pushAlike(likeAt, shift)
    this.likeAt = likeAt + SLOT
    this.to = to + shift
    return this.to
  }

  /** Goes on behind the other item's member of the name that was added last, where that is one of the next. */
  private passAlike(): void {
    const last = this.slots.top - SLOT
    const end = Math.min(this.likeEnd, this.likeAt + SLOT * AHEAD)
    for (let slot = this.likeAt; slot < end; slot += SLOT) {
      if (this.slots.compare(slot, last) !== 0) continue
      this.likeAt = slot + SLOT
      return
    }
  }

  /** The closing quote of a name, or of an element of a set: what is sorted. */
  private endOfName(at: number): number {
    const end = endOfUnescaped(this.bytes, at)
    if (end !== NONE) return end
    this.slots.hasEscapes = true
    return endOfText(this.bytes, at)
  }

  private inPlace(outer: number, end: number): number {
    this.from = outer
    this.to = end
    return end
  }

  private list(outer: number, at: number, depth: number): number {
    const { bytes } = this
    if (bytes[at] !== OPEN_LIST) return NONE
    const base = this.slots.top
    let isInPlace = true
    let position = at + 1
    if (bytes[position] === CLOSE_LIST) return this.inPlace(outer, position + 1)
    for (;;) {
      const end = this.value(position, depth)
      if (end === NONE) return NONE
      this.slots.push(position, position, this.from, this.to)
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
    const base = this.slots.top
    if ((type !== S && type !== N && type !== B) || bytes[at + 6] !== OPEN_LIST) return NONE
    // decoded binary is written as a set of its own
    let isSorted = type !== B || !this.binaryTwice
    let position = at + 7
    if (bytes[position] === CLOSE_LIST) return this.closeValue(at, this.inPlace(at, position + 1))
    for (;;) {
      const quote = this.element(position, type)
      if (quote === NONE || bytes[quote] !== QUOTE) return NONE
      this.slots.push(this.from, this.to, this.from, this.to)
      isSorted &&= this.slots.isNotBeforeLast(base)
      position = quote + 2
      if (bytes[quote + 1] === CLOSE_LIST) break
      if (bytes[quote + 1] !== COMMA) return NONE
    }
    const isWritten = isSorted
      ? this.inPlace(at, position) !== NONE
      : this.slots.sort(base, true) && this.writeSet(at, base)
    this.slots.top = base
    return isWritten ? this.closeValue(at, position) : NONE
  }

  /**
   * Reads the set's element whose quote is at `at`; its canonical form is without the quotes. Answers the closing
   * quote.
   */
  private element(at: number, type: number): number {
    const { bytes } = this
    if (bytes[at] !== QUOTE) return NONE
    this.from = at + 1
    if (type === S) this.to = this.endOfName(at + 1)
    else if (type === N) this.to = endOfNumeral(bytes, at + 1)
    else this.to = endOfBase64(bytes, at + 1)
    const quote = this.to
    if (type !== B || quote === NONE) return quote
    this.hasBinary = true
    if (!this.binaryTwice) return quote
    if (!this.hasRoom(quote - at)) return NONE
    this.from = this.spare
    this.to = this.spare = decodeBase64Bytes(bytes, at + 1, quote, this.spare)
    return this.isBase64(this.from, this.to) ? quote : NONE
  }

  private hasRoom(length: number): boolean {
    // a few more for what closes it
    return this.spare + length + 8 <= this.bytes.length
  }

  private hasRoomForSlots(base: number, head: number): boolean {
    const { ints, top } = this.slots
    let length = head
    for (let slot = base; slot < top; slot += SLOT) {
      length += (ints[slot + 2] as number) - (ints[slot + 1] as number) + 4
      length += (ints[slot + 4] as number) - (ints[slot + 3] as number)
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
    const { ints, order } = this.slots
    if (!this.hasRoomForSlots(base, at + 1 - outer)) return false
    this.from = this.spare
    this.copy(outer, at + 1)
    const end = this.slots.top / SLOT
    for (let i = base / SLOT; i < end; i++) {
      const slot = order[i] as number
      if (i * SLOT !== base) this.put(COMMA)
      // the name with its quotes and its colon; most values stand behind it
      const value = ints[slot + 3] as number
      const behind = (ints[slot + 2] as number) + 2
      const to = ints[slot + 4] as number
      this.copy((ints[slot + 1] as number) - 1, value === behind ? to : behind)
      if (value !== behind) this.copy(value, to)
    }
    this.put(CLOSE)
    this.to = this.spare
    return true
  }

  private writeList(outer: number, at: number, base: number): boolean {
    const { ints, top } = this.slots
    if (!this.hasRoomForSlots(base, at + 1 - outer)) return false
    this.from = this.spare
    this.copy(outer, at + 1)
    for (let slot = base; slot < top; slot += SLOT) {
      if (slot !== base) this.put(COMMA)
      this.copy(ints[slot + 3] as number, ints[slot + 4] as number)
    }
    this.put(CLOSE_LIST)
    return true
  }

  private writeSet(at: number, base: number): boolean {
    const { ints, order } = this.slots
    if (!this.hasRoomForSlots(base, 7)) return false
    this.from = this.spare
    this.copy(at, at + 7)
    const end = this.slots.top / SLOT
    for (let i = base / SLOT; i < end; i++) {
      const slot = order[i] as number
      if (i * SLOT !== base) this.put(COMMA)
      this.put(QUOTE)
      this.copy(ints[slot + 1] as number, ints[slot + 2] as number)
      this.put(QUOTE)
    }
    this.put(CLOSE_LIST)
    return true
  }
}
