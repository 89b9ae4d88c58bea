import { type AttributeValue, type Item, parseItem } from '../../transform/attribute-value.js'
import { readSealed } from '../../transform/sealed-field.js'
import { writePath } from '../attribute-path.js'
import { markOfElement, type PathSegment } from '../difference.js'
import type { Confidence } from './findings.js'
import type { ItemHistory } from './fold-history.js'
import type { HistoryChange } from './item-change.js'

/** A place of an item in which a value stood, and for how long. */
export interface ValueSpan {
  readonly itemKey: string
  /** As `history` prints it: `shipping.city`, `lines[sku=C].qty`. */
  readonly path: string
  /** When it came, in microseconds since 1970, and by which change; without one it stood there by then already. */
  readonly fromUs: number
  readonly fromEvent: string | null
  /**
   * When it went, and by which change; without one it was gone by then, and when it went the archive does not know.
   * Null without a change: it stands there still.
   */
  readonly untilUs: number | null
  readonly untilEvent: string | null
  /** Of the item's whole history. */
  readonly confidence: Confidence
}

/** Where a value stood in an item, oldest first: a text, a number, or an element of a set that is written so. */
export function spansOfValue(history: ItemHistory, value: string): readonly ValueSpan[] {
  const spans = new Spans(history)
  for (const { changes, absence, ahead, timeUs } of history.steps) {
    if (ahead) continue
    // a complete baseline saw that there was no item
    if (absence !== null) spans.see(new Set(), timeUs)
    for (const change of changes) {
      const { event_name: name, old_image: old, new_image: now, event_id: id, event_time_us: us } = change
      const [before, after] = [sideOf(old, name === 'INSERT', value), sideOf(now, name === 'REMOVE', value)]
      if (name === 'BASELINE') spans.see(after, us)
      else {
        spans.see(before, us)
        spans.enter(after, us, id)
      }
    }
  }
  return spans.all()
}

/** Paths that have the value; undefined where no image tells. */
type Places = ReadonlySet<string> | undefined

class Spans {
  private readonly open = new Map<string, ValueSpan>()
  private readonly closed: ValueSpan[] = []

  constructor(private readonly history: ItemHistory) {}

  /** What somebody saw, without knowing since when. */
  see(places: Places, us: number): void {
    this.become(places, us, null)
  }

  /** What a change made. */
  enter(places: Places, us: number, eventId: string): void {
    this.become(places, us, eventId)
  }

  all(): readonly ValueSpan[] {
    return [...this.closed, ...this.open.values()].sort((a, b) => a.fromUs - b.fromUs)
  }

  private become(places: Places, us: number, eventId: string | null): void {
    if (places === undefined) return
    const { itemKey, confidence } = this.history
    for (const [path, span] of this.open) {
      if (places.has(path)) continue
      this.closed.push({ ...span, untilUs: us, untilEvent: eventId })
      this.open.delete(path)
    }
    for (const path of places)
      if (!this.open.has(path))
        this.open.set(path, {
          itemKey,
          path,
          fromUs: us,
          fromEvent: eventId,
          untilUs: null,
          untilEvent: null,
          confidence,
        })
  }
}

function sideOf(image: HistoryChange['old_image'], isAbsent: boolean, value: string): Places {
  if (image !== null) return new Set(placesIn(parseItem(image), value))
  return isAbsent ? new Set() : undefined
}

function* placesIn(item: Item, value: string): Generator<string> {
  for (const [name, inner] of Object.entries(item)) yield* within(inner, [{ name }], value)
}

function* within(found: AttributeValue, path: readonly PathSegment[], value: string): Generator<string> {
  if ('M' in found) {
    // what stands for a sealed value is no text of the item
    if (readSealed(found) !== undefined) return
    for (const [name, inner] of Object.entries(found.M)) yield* within(inner, [...path, { name }], value)
  } else if ('L' in found) {
    for (const [i, inner] of found.L.entries())
      yield* within(inner, [...path, { element: markOfElement(inner) ?? String(i) }], value)
  } else if (hasValue(found, value)) yield writePath(path)
}

function hasValue(found: AttributeValue, value: string): boolean {
  if ('S' in found) return found.S === value
  if ('N' in found) return found.N === value
  if ('SS' in found) return found.SS.includes(value)
  if ('NS' in found) return found.NS.includes(value)
  return false
}
