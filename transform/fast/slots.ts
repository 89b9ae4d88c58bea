import { compareEscaped, compareRanges, NONE } from './bytes.js'

/**
 * Integers of a slot: the name's first four bytes, where the name begins and ends, where its canonical value does, and
 * the slot of another item that has the same name and value, `NONE` where that is not known.
 */
export const SLOT = 6

/** Attributes of an item in the scanner's slots, and the canonical form of the whole. */
export interface ItemRange {
  base: number
  end: number
  from: number
  to: number
}

/** Room for so many members and elements to begin with; it grows. */
const FEW_SLOTS = 4096

/** Up to so many members are sorted by insertion, which is quick for few and slow for many. */
const FEW_MEMBERS = 50

/** A stack of the members of maps (name and value as ranges of bytes), and their order by name. */
export class Slots {
  bytes: Buffer = Buffer.alloc(0)
  ints = new Int32Array(SLOT * FEW_SLOTS)
  /** The slots in the order of their names: those of a map stand where its slots do. */
  order = new Int32Array(FEW_SLOTS)
  top = 0
  /** True where a name has an escape: then the order of the bytes is not the order of the names. */
  hasEscapes = false

  /** Adds a slot. */
  push(name: number, nameEnd: number, from: number, to: number): void {
    if (this.top === this.ints.length) this.grow()
    const { bytes, ints, top } = this
    // the order of most names shows in their first bytes; flipped, so that it is the order of signed integers
    this.order[top / SLOT] = top
    ints[top] = prefixOf(bytes, name, nameEnd) ^ 0x80000000
    ints[top + 1] = name
    ints[top + 2] = nameEnd
    ints[top + 3] = from
    ints[top + 4] = to
    ints[top + 5] = NONE
    this.top = top + SLOT
  }

  /** Adds what another item has in a slot and this one so many bytes further on. */
  pushAlike(slot: number, shift: number): void {
    const { ints, top } = this
    const [name, nameEnd] = [ints[slot + 1] as number, ints[slot + 2] as number]
    this.push(name + shift, nameEnd + shift, (ints[slot + 3] as number) + shift, (ints[slot + 4] as number) + shift)
    this.ints[top + 5] = slot
  }

  /** Adds a copy of a slot on top. */
  repeat(slot: number): void {
    const { ints } = this
    this.push(ints[slot + 1] as number, ints[slot + 2] as number, ints[slot + 3] as number, ints[slot + 4] as number)
  }

  private grow(): void {
    const { ints, order } = this
    this.ints = new Int32Array(ints.length * 2)
    this.ints.set(ints)
    this.order = new Int32Array(order.length * 2)
    this.order.set(order)
  }

  /** True where the last slot's name is greater than the one before it; slots below `base` are another map's. */
  isBehindLast(base: number): boolean {
    const last = this.top - SLOT
    return last === base || this.compare(last - SLOT, last) < 0
  }

  /** True where it is greater or equal. */
  isNotBeforeLast(base: number): boolean {
    const last = this.top - SLOT
    return last === base || this.compare(last - SLOT, last) <= 0
  }

  /** Orders two slots by their names. */
  compare(a: number, b: number): number {
    const { bytes, ints } = this
    const x = ints[a] as number
    const y = ints[b] as number
    if (x !== y && !this.hasEscapes) return x < y ? -1 : 1
    const compare = this.hasEscapes ? compareEscaped : compareRanges
    return compare(bytes, ints[a + 1] as number, ints[a + 2] as number, ints[b + 1] as number, ints[b + 2] as number)
  }

  /** Puts the slots from `base` on in order. False when two names are equal and must not be. */
  sort(base: number, mayRepeat: boolean): boolean {
    const first = base / SLOT
    const end = this.top / SLOT
    return end - first > FEW_MEMBERS ? this.sortMany(first, end, mayRepeat) : this.sortFew(first, end, mayRepeat)
  }

  private sortMany(first: number, end: number, mayRepeat: boolean): boolean {
    const order = this.order.subarray(first, end).sort((a, b) => this.compare(a, b))
    return mayRepeat || order.every((slot, i) => i === 0 || this.compare(order[i - 1] as number, slot) !== 0)
  }

  private sortFew(first: number, end: number, mayRepeat: boolean): boolean {
    const { order } = this
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

  /** The slot of the attribute of this name among those from `base` to `end`; `NONE` if there is none. */
  find(name: Uint8Array, base: number, end: number): number {
    const { bytes, ints } = this
    for (let slot = base; slot < end; slot += SLOT) {
      const from = ints[slot + 1] as number
      const length = (ints[slot + 2] as number) - from
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
