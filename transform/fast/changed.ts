import type { EventName } from '../stream-record.js'
import { compareRanges } from './bytes.js'
import type { ItemScanner } from './item.js'
import type { Output } from './output.js'
import { type ItemRange, SLOT } from './slots.js'

/** Up to so many bytes are compared faster one by one than by `Buffer.compare`. */
const SHORT = 48

/** Writes the names of the attributes that a change made differ as a JSON list, and nothing where none do. */
export class ChangedNames {
  private separator = ''

  constructor(
    private readonly items: ItemScanner,
    private readonly output: Output,
    /** What stands before the first name. */
    private readonly opening: string,
  ) {}

  write(eventName: EventName, oldImage: ItemRange | undefined, newImage: ItemRange | undefined): void {
    this.separator = this.opening
    switch (eventName) {
      case 'INSERT':
        if (newImage !== undefined) this.writeNames(newImage)
        break
      case 'REMOVE':
        if (oldImage !== undefined) this.writeNames(oldImage)
        break
      case 'MODIFY':
        if (oldImage !== undefined && newImage !== undefined) this.writeDifferences(oldImage, newImage)
    }
    if (this.separator === '","') this.output.text('"]')
  }

  private writeNames({ base, end }: ItemRange): void {
    const { order } = this.items.slots
    for (let i = base; i < end; i += SLOT) this.writeName(order[i / SLOT] as number)
  }

  /** Both sides are sorted, so they are walked side by side. */
  private writeDifferences(oldImage: ItemRange, newImage: ItemRange): void {
    const { slots } = this.items
    const { order } = slots
    let i = oldImage.base
    let j = newImage.base
    while (i < oldImage.end || j < newImage.end) {
      const before = order[i / SLOT] as number
      const after = order[j / SLOT] as number
      const isAlike = i < oldImage.end && j < newImage.end && this.areAlike(before, after)
      const relation = isAlike ? 0 : i === oldImage.end ? 1 : j === newImage.end ? -1 : slots.compare(before, after)
      if (!isAlike && (relation !== 0 || this.differ(before, after))) this.writeName(relation < 0 ? before : after)
      if (relation <= 0) i += SLOT
      if (relation >= 0) j += SLOT
    }
  }

  /** Whether one was taken over from the other; which image was read first is not said. */
  private areAlike(a: number, b: number): boolean {
    const { ints } = this.items.slots
    return ints[a + 5] === b || ints[b + 5] === a
  }

  private differ(a: number, b: number): boolean {
    const { bytes, slots } = this.items
    const { ints } = slots
    const from = ints[a + 3] as number
    const to = ints[a + 4] as number
    const other = ints[b + 3] as number
    const otherEnd = ints[b + 4] as number
    if (to - from !== otherEnd - other) return true
    if (to - from > SHORT) return bytes.compare(bytes, from, to, other, otherEnd) !== 0
    return compareRanges(bytes, from, to, other, otherEnd) !== 0
  }

  private writeName(slot: number): void {
    const { bytes, slots } = this.items
    this.output.text(this.separator)
    this.output.range(bytes, slots.ints[slot + 1] as number, slots.ints[slot + 2] as number)
    this.separator = '","'
  }
}
