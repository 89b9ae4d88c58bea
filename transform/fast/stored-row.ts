import { hash } from 'node:crypto'
import type { ActorSource } from '../change.js'
import { MAX_LENGTH } from '../json.js'
import { Refusal } from '../refusal.js'
import type { EventName } from '../stream-record.js'
import type { TableConfiguration } from '../table-configuration.js'
import { NONE } from './bytes.js'
import { ChangedNames } from './changed.js'
import { FlatWriter } from './flat.js'
import { ItemScanner } from './item.js'
import { Output } from './output.js'
import { People } from './people.js'
import { type ItemRange, SLOT } from './slots.js'

/**
 * What of a stored row is looked at, in the order of its bytes. `leaf` is what `row_hash` is taken over and `identity`
 * what `event_id` is, both made of the other columns; `changed` is a JSON list, `flat` the members of the row line
 * from every column that no audit row has.
 */
export const STORED_FIELDS = [
  'row_hash',
  'old_hash',
  'new_hash',
  'event_id',
  'leaf',
  'identity',
  'item_key',
  'old_image',
  'new_image',
  'changed',
  'actor',
  'last_writer',
  'user_identity',
  'flat',
] as const

export type StoredField = (typeof STORED_FIELDS)[number]

const [
  ROW_HASH,
  OLD_HASH,
  NEW_HASH,
  EVENT_ID,
  LEAF,
  IDENTITY,
  ITEM_KEY,
  OLD_IMAGE,
  NEW_IMAGE,
  CHANGED,
  ACTOR,
  LAST_WRITER,
  USER_IDENTITY,
  FLAT,
] = STORED_FIELDS.map((_, i) => i) as unknown as Places<typeof STORED_FIELDS>

type Places<Names extends readonly string[]> = { readonly [field in keyof Names]: number }

/** A stored row by its bytes. */
export interface StoredBytes {
  /** The fields one behind the other, and a line feed. */
  readonly bytes: Buffer
  /** How many bytes each has, in their order, for each of some rows; -1 where it is null. This row is one of them. */
  readonly lengths: readonly (readonly number[])[]
  readonly at: number
  readonly eventName: EventName
  readonly actorSource: ActorSource
}

/** Hex characters of an `event_id`. */
const ID_LENGTH = 32

/** What `sealed-field.ts` has in the place of a sealed value. */
const SEALED = Buffer.from('$enc')
const DOLLAR = SEALED[0] as number

/**
 * Tells by their bytes that stored rows are what the transform makes of their images. What it is not certain of is for
 * the plain code to judge: an image that is not canonical, a sealed value, any difference.
 */
export class StoredRowCheck {
  private readonly items = new ItemScanner()
  private readonly output = new Output()
  private readonly changed = new ChangedNames(this.items, this.output, '["')
  private readonly people: People
  private readonly flat: FlatWriter
  private readonly keys = { base: 0, end: 0, from: 0, to: 0 }
  private readonly oldImage = { base: 0, end: 0, from: 0, to: 0 }
  private readonly newImage = { base: 0, end: 0, from: 0, to: 0 }
  /** Where each field begins and ends; `NONE` where it is null. */
  private readonly from = new Int32Array(STORED_FIELDS.length)
  private readonly to = new Int32Array(STORED_FIELDS.length)
  private bytes: Buffer = Buffer.alloc(0)

  constructor(private readonly table: TableConfiguration) {
    this.people = new People(table, this.items)
    this.flat = new FlatWriter(table, this.items, this.output)
  }

  /** True where a row is what it was made, but for what `arrived_at`, its time and its place say. */
  isCertain(row: StoredBytes): boolean {
    this.place(row)
    if (row.bytes.length > MAX_LENGTH || this.mayBeSealed() || !this.isHashed() || !this.areItems()) return false
    const oldImage = this.has(OLD_IMAGE) ? this.oldImage : undefined
    const newImage = this.has(NEW_IMAGE) ? this.newImage : undefined
    return this.isDerived(row, oldImage, newImage)
  }

  private place({ bytes, lengths, at }: StoredBytes): void {
    this.bytes = bytes
    let position = 0
    for (let i = 0; i < STORED_FIELDS.length; i++) {
      const length = lengths[i]?.[at] as number
      this.from[i] = position
      if (length > 0) position += length
      this.to[i] = length < 0 ? NONE : position
    }
  }

  private has(field: number): boolean {
    return this.to[field] !== NONE
  }

  private text(field: number): string | null {
    return this.has(field) ? this.bytes.toString('latin1', this.from[field], this.to[field]) : null
  }

  private sha256(field: number): string | null {
    return this.has(field) ? hash('sha256', this.bytes.subarray(this.from[field], this.to[field])) : null
  }

  /** A single byte is found much faster than several. */
  private mayBeSealed(): boolean {
    const at = this.bytes.indexOf(DOLLAR)
    return at !== NONE && this.bytes.includes(SEALED, at)
  }

  private isHashed(): boolean {
    return (
      this.text(ROW_HASH) === this.sha256(LEAF) &&
      this.text(OLD_HASH) === this.sha256(OLD_IMAGE) &&
      this.text(NEW_HASH) === this.sha256(NEW_IMAGE) &&
      this.text(EVENT_ID) === this.sha256(IDENTITY)?.slice(0, ID_LENGTH)
    )
  }

  /** Whether the key and the images are canonical as they are, and the images of the key's item. */
  private areItems(): boolean {
    const { items, keys, oldImage, newImage, bytes } = this
    items.reset(bytes, bytes.length)
    if (!this.isCanonical(ITEM_KEY, keys) || !items.areKeys(keys, this.table.keys.length)) return false
    if (this.has(OLD_IMAGE) && !(this.isCanonical(OLD_IMAGE, oldImage) && this.hasKeys(oldImage))) return false
    const like = this.has(OLD_IMAGE) ? oldImage : undefined
    return !this.has(NEW_IMAGE) || (this.isCanonical(NEW_IMAGE, newImage, like) && this.hasKeys(newImage))
  }

  private isCanonical(field: number, range: ItemRange, like?: ItemRange): boolean {
    const { items } = this
    const from = this.from[field] as number
    const to = this.to[field] as number
    range.base = items.slots.top
    if (items.item(from, like) !== to || items.from !== from || items.to !== to) return false
    range.end = items.slots.top
    range.from = from
    range.to = to
    return true
  }

  private hasKeys(image: ItemRange): boolean {
    const { bytes, keys } = this
    const { slots } = this.items
    const { ints } = slots
    for (let key = keys.base; key < keys.end; key += SLOT) {
      const name = bytes.subarray(ints[key + 1] as number, ints[key + 2] as number)
      const slot = slots.find(name, image.base, image.end)
      if (slot === NONE) return false
      if (bytes.compare(bytes, ints[key + 3], ints[key + 4], ints[slot + 3], ints[slot + 4]) !== 0) return false
    }
    return true
  }

  private isDerived(
    { eventName, actorSource }: StoredBytes,
    oldImage: ItemRange | undefined,
    newImage: ItemRange | undefined,
  ): boolean {
    const { people, output } = this
    const identity = this.text(USER_IDENTITY)
    try {
      people.find(eventName, identity ?? undefined, oldImage, newImage)
      if (identity !== people.userIdentity || actorSource !== people.actorSource) return false
      if (this.text(ACTOR) !== people.actor || this.text(LAST_WRITER) !== people.lastWriter) return false
      output.length = 0
      this.changed.write(eventName, oldImage, newImage)
      if (output.length === 0 ? this.has(CHANGED) : !this.isWritten(CHANGED)) return false
      output.length = 0
      return this.flat.write(this.keys, oldImage, newImage) && this.isWritten(FLAT)
    } catch (error) {
      // of a value that fits no column, or an identity that is no JSON
      if (error instanceof Refusal) return false
      throw error
    }
  }

  /** Whether a field is what the output has. */
  private isWritten(field: number): boolean {
    return this.has(field) && this.output.isRange(this.bytes, this.from[field] as number, this.to[field] as number)
  }
}
