import { hash } from 'node:crypto'
import type { Table } from 'apache-arrow'
import type { Item } from '../../transform/attribute-value.js'
import type { HashedColumns } from '../../transform/audit-row.js'
import { changedAttributes, type Image, imageOf } from '../../transform/change.js'
import { canonicalItemCheck } from '../../transform/fast/fast-path.js'
import { isObject, splitDocuments, tryParseObject } from '../../transform/json.js'
import { Refusal } from '../../transform/refusal.js'
import { mayBeVersion, ROW_VERSIONS, type RowVersion } from '../../transform/row-versions.js'
import type { EventName } from '../../transform/stream-record.js'
import type { Row } from '../engines/rows.js'
import { ACTOR_OF_TODAY } from '../todays-actor.js'

/** What an answer shows is held against its own hashes: here, for each image and each row that comes along. */

/** What of a row is not what its hashes say. */
export interface Alteration {
  /** `unknown_version`: a later itemtrail made the row, and only that knows what its hashes are taken over. */
  readonly part: 'old_image' | 'new_image' | 'changed' | 'row' | 'unknown_version'
  /** Why it cannot be read at all, either; null where it can. */
  readonly unreadable: string | null
}

/**
 * The images of a row that are not what `old_hash` and `new_hash` say, or are no items; else `changed` that is not
 * theirs.
 */
function alteredContent(row: Row): readonly Alteration[] {
  const images = { old: readImage(row.old_image), new: readImage(row.new_image) }
  const altered = (['old', 'new'] as const).flatMap(side => {
    const unreadable = heldAgainst(images[side], row[`${side}_hash`])
    return unreadable === undefined ? [] : [{ part: `${side}_image` as const, unreadable }]
  })
  if (altered.length > 0 || typeof images.old === 'string' || typeof images.new === 'string') return altered
  const changed = changedAttributes({ eventName: row.event_name as EventName }, images.old, images.new)
  return JSON.stringify(changed ?? null) === JSON.stringify(row.changed) ? [] : [{ part: 'changed', unreadable: null }]
}

/** Images of an answer, by the names of their columns, and the hashes beside them. */
const HASHED = [
  ['old_image', 'old_hash'],
  ['new_image', 'new_hash'],
  ['image', 'image_hash'],
] as const

/** How many images of an answer are not what the hash beside them says; those without one are not looked at. */
export function countAlteredImages(answer: Table): number {
  let altered = 0
  for (const [image, imageHash] of HASHED) {
    const [images, hashes] = [answer.getChild(image), answer.getChild(imageHash)]
    if (images === null || hashes === null) continue
    for (let i = 0; i < answer.numRows; i++) {
      const [text, expected] = [images.get(i), hashes.get(i)]
      if (typeof text === 'string' ? hash('sha256', text) !== expected : expected !== null) altered++
    }
  }
  return altered
}

/** Undefined where an image is an item and what its hash says; else why it cannot be read, null where it can. */
export function alterationOf(image: unknown, imageHash: unknown): string | null | undefined {
  if (typeof image === 'string' && isCanonical(image) && hash('sha256', image) === imageHash) return undefined
  return heldAgainst(readImage(image), imageHash)
}

const isCanonical = canonicalItemCheck()

/** An image by its text, or why there is none. */
type Read = (Image & { readonly stored: string }) | string | null

function heldAgainst(image: Read, imageHash: unknown): string | null | undefined {
  if (typeof image === 'string') return image
  if (image === null) return (imageHash ?? null) === null ? undefined : null
  const found = image.text === image.stored ? image.hash : hash('sha256', image.stored)
  return found === imageHash ? undefined : null
}

/**
 * The images that were read last, by their texts: in a history what one change left is what the next one found.
 * A few, because an image may have 400 KB.
 */
const recent = new Map<string, Read>()
const MOST_RECENT = 2

/** Whoever shows an item walks into it, and relies on what the transform writes. */
function readImage(stored: unknown): Read {
  if (stored === null || stored === undefined) return null
  const text = String(stored)
  const known = recent.get(text)
  if (known !== undefined) return known
  const read = readText(text)
  recent.set(text, read)
  const [oldest] = recent.keys()
  if (recent.size > MOST_RECENT) recent.delete(oldest as string)
  return read
}

function readText(text: string): Read {
  try {
    const [document, ...more] = splitDocuments(text)
    if (document === undefined || more.length > 0) return 'it is no one JSON object'
    return { ...imageOf(document.value, 'image', 'once'), stored: text }
  } catch (error) {
    if (error instanceof Refusal) return error.message.replace(/^record /, 'it ')
    throw error
  }
}

/** The item of an image that is what its hash says, as the transform writes it; undefined for any other. */
export function itemAsHashed(stored: string, imageHash: string): Item | undefined {
  const image = readImage(stored)
  if (image === null || typeof image === 'string' || image.text !== image.stored) return undefined
  return image.hash === imageHash ? image.item : undefined
}

/**
 * True where a row, of which every column that `row_hash` is taken over is at hand, is what that says.
 * `hasTodaysActor`: it comes from `rowsWithActor`.
 */
function isAsHashed(row: Row, hasTodaysActor = false): boolean {
  const { user_identity: identity } = row
  const version = ROW_VERSIONS.get(String(row.row_version))
  if (version === undefined || typeof row.item_key !== 'string') return false
  if (typeof identity === 'string' && !isObject(tryParseObject(identity))) return false
  // what today's configuration says of the actor stands in the place of null
  const made = row.actor_source === ACTOR_OF_TODAY ? { ...row, actor: null, actor_source: 'unknown' } : row
  return hasItsHash(made, version) || (hasTodaysActor && hasItsHash({ ...made, last_writer: null }, version))
}

function hasItsHash(row: Row, version: RowVersion): boolean {
  // the engine's integers are 64 bits wide
  const columns = { ...row, event_time_us: Number(row.event_time_us) }
  return version.hash(columns as unknown as HashedColumns) === row.row_hash
}

/** True where nobody here can say what the row was; one that has the hash of a version that is known, was another. */
function isOfUnknownVersion(row: Row): boolean {
  if (!mayBeVersion(row.row_version) || ROW_VERSIONS.has(row.row_version)) return false
  return ![...ROW_VERSIONS].some(([name, version]) => hasItsHash({ ...row, row_version: name }, version))
}

/** All that is altered of a row as `isAsHashed` wants it. */
export function alterationsOf(row: Row, hasTodaysActor = false): readonly Alteration[] {
  const content = alteredContent(row)
  if (isOfUnknownVersion(row))
    return [...content.filter(({ unreadable }) => unreadable !== null), { part: 'unknown_version', unreadable: null }]
  return isAsHashed(row, hasTodaysActor) ? content : [...content, { part: 'row', unreadable: null }]
}

/** The row without the images that nobody can read, so that whoever shows it need not know. */
export function withoutUnreadable<R extends Row>(row: R, altered: readonly Alteration[]): R {
  const parts = altered.filter(({ unreadable }) => unreadable !== null).map(({ part }) => [part, null])
  const identity = row.user_identity
  const lost = typeof identity === 'string' && tryParseObject(identity) === undefined
  if (parts.length === 0 && !lost) return row
  return { ...row, ...Object.fromEntries(parts), ...(lost && { user_identity: null }) }
}
