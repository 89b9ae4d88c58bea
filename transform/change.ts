import { hash } from 'node:crypto'
import {
  type AttributeValue,
  type BinaryEncoding,
  canonicalAttributes,
  canonicalItem,
  canonicalValue,
  type Item,
  valueAt,
} from './attribute-value.js'
import { compareUtf8, isObject } from './json.js'
import { canonicalNumeral } from './numeral.js'
import { at, held, Refusal, shown } from './refusal.js'
import { type Sealing, SealingError } from './sealed-field.js'
import type { StreamRecord } from './stream-record.js'
import type { AttributePath, TableConfiguration } from './table-configuration.js'

/** An item in canonical DynamoDB JSON. */
export interface CanonicalItem {
  /** Each top-level attribute with its canonical text, in canonical order. */
  readonly attributes: ReadonlyMap<string, string>
  readonly text: string
}

/** An item before or after a change. */
export interface Image extends CanonicalItem {
  /** The item as it arrived, found to be one. */
  readonly item: Item
  /** How binary values are encoded in `item`. */
  readonly binary: BinaryEncoding
  /** SHA-256 of the text's UTF-8 bytes, lower hex. */
  readonly hash: string
}

/** Where `actor` was found: in a recorded identity, or in the configured attribute of the new image. */
export type ActorSource = 'service' | 'new_image' | 'unknown'

/** A stream record decoded: what happened to which item, and by whom. */
export interface DecodedChange {
  readonly record: StreamRecord
  readonly keys: CanonicalItem
  readonly oldImage: Image | null
  readonly newImage: Image | null
  /** Top-level attributes that differ, sorted; null where nothing differs or an image needed to tell is missing. */
  readonly changed: readonly string[] | null
  readonly actor: string | null
  readonly actorSource: ActorSource
  /**
   * Who wrote the version before the change, or that a baseline found, by the configured attribute; not who removed it.
   */
  readonly lastWriter: string | null
  /** The tokens of the persons that it concerns, sorted; null where no value of the table is sealed. */
  readonly subjects: readonly string[] | null
}

/**
 * Decodes a record's keys and images, and seals what the configuration says. Throws a `Refusal` that names the
 * attribute which is not what DynamoDB writes. `sealedFor` are the persons of a record whose images come from an
 * archive and are sealed already.
 */
export function decodeChange(
  record: StreamRecord,
  table: TableConfiguration,
  sealedFor?: readonly string[] | null,
): DecodedChange {
  const keys = record.keys ?? keysOfItem(record.newImage, table)
  checkKeys(keys, table)
  const before = readImage(record.oldImage, 'OldImage', record)
  const newName = record.eventName === 'BASELINE' ? 'Item' : 'NewImage'
  const after = readImage(record.newImage, newName, record, before)
  const sealing = sealedFor === undefined && table.erasable !== undefined ? sealingFor(table) : undefined
  const itemKeys = readKeys(sealing === undefined ? keys : sealing.key(keys as Item, record.binary), record.binary)
  const { oldImage, newImage, subjects } =
    sealing === undefined
      ? { oldImage: before, newImage: after, subjects: sealedFor ?? null }
      : sealImages(before, after, itemKeys.text, sealing)
  return {
    record,
    keys: itemKeys,
    oldImage,
    newImage,
    subjects,
    changed: changedAttributes(record, oldImage, newImage),
    ...findActor(record, newImage, table.actor),
    lastWriter: actorIn(record.eventName === 'BASELINE' ? newImage : oldImage, table.actor),
  }
}

function readImage(item: unknown, path: string, { binary }: StreamRecord, before: Image | null = null): Image | null {
  return item === undefined ? null : imageOf(item, path, binary, before)
}

/** The image that an item in DynamoDB JSON makes. Throws a `Refusal` for anything that is not an item. */
export function imageOf(item: unknown, path: string, binary: BinaryEncoding, before: Image | null = null): Image {
  const attributes = canonicalAttributes(item, path, binary, before ?? undefined)
  const text = canonicalItem(attributes, path)
  return { item: item as Item, binary, attributes, text, hash: hash('sha256', text) }
}

type SealedImages = Pick<DecodedChange, 'oldImage' | 'newImage' | 'subjects'>

/** Throws where values cannot be sealed: a clear value in a row would be there for good. */
function sealingFor({ table, seal }: TableConfiguration): Sealing {
  if (seal !== undefined) return seal
  throw new SealingError(`table ${shown(table)} has erasable values, and no key store was opened to seal them`)
}

function sealImages(before: Image | null, after: Image | null, itemKey: string, sealing: Sealing): SealedImages {
  const subjects = new Set<string>()
  const sealImage = (image: Image | null, path: string) => {
    if (image === null) return null
    const sealed = sealing.image(image.item, image.binary, itemKey)
    for (const token of sealed.subjects) subjects.add(token)
    // what is not sealed has the texts that it had
    return imageOf(sealed.item, path, image.binary, image)
  }
  const [oldImage, newImage] = [sealImage(before, 'OldImage'), sealImage(after, 'NewImage')]
  return { oldImage, newImage, subjects: nonEmpty([...subjects].sort(compareUtf8)) }
}

function readKeys(keys: unknown, binary: BinaryEncoding): CanonicalItem {
  const attributes = canonicalAttributes(keys, 'Keys', binary)
  return { attributes, text: canonicalItem(attributes, 'Keys') }
}

/**
 * The canonical key that key attributes in DynamoDB JSON make in rows of a table. Throws a `Refusal` for what is no
 * key.
 */
export function rowKeyOf(keys: unknown, table: TableConfiguration): string {
  checkKeys(keys, table)
  const sealed = table.erasable === undefined ? keys : sealingFor(table).key(keys as Item, 'once')
  return readKeys(sealed, 'once').text
}

function keysOfItem(item: unknown, table: TableConfiguration): unknown {
  if (table.keys.length === 0) {
    throw new Refusal(`a baseline needs the keys of table ${shown(table.table)}, add "keys" to its configuration`)
  }
  const image = item as { readonly [name: string]: unknown }
  return Object.fromEntries(table.keys.map(({ attribute }) => [attribute, keyOfItem(image, attribute)]))
}

function keyOfItem(image: { readonly [name: string]: unknown }, attribute: string): unknown {
  if (!Object.hasOwn(image, attribute))
    throw new Refusal(`Item has no ${shown(attribute)}, which the configuration names as key`)
  return image[attribute]
}

function checkKeys(keys: unknown, table: TableConfiguration): void {
  if (!isObject(keys)) throw new Refusal(`Keys is ${held(keys)}, expected the item's key attributes`)
  for (const [name, value] of Object.entries(keys)) {
    const type = isObject(value) ? Object.keys(value)[0] : undefined
    if (type !== 'S' && type !== 'N' && type !== 'B')
      throw new Refusal(`${at(`Keys.${name}`)} is ${held(value)}, expected S, N or B`)
  }
  const configured = table.keys.map(key => key.attribute)
  if (configured.length > 0 && !sameNames(Object.keys(keys), configured)) {
    throw new Refusal(
      `Keys has ${shown(Object.keys(keys))}, the configuration of ${shown(table.table)} says ${shown(configured)}`,
    )
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(name => b.includes(name))
}

/** The top-level attributes that a change of a kind makes differ, sorted; null where none do or an image is missing. */
export function changedAttributes(
  record: Pick<StreamRecord, 'eventName'>,
  oldImage: Image | null,
  newImage: Image | null,
): readonly string[] | null {
  switch (record.eventName) {
    case 'INSERT':
      return newImage && nonEmpty([...newImage.attributes.keys()])
    case 'REMOVE':
      return oldImage && nonEmpty([...oldImage.attributes.keys()])
    case 'MODIFY':
      return oldImage && newImage && nonEmpty(differingAttributes(oldImage.attributes, newImage.attributes))
    case 'BASELINE':
      return null
  }
}

/** The attributes that were added, removed or have another value, in canonical order. */
function differingAttributes(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const changed: string[] = []
  for (const [name, text] of after) if (before.get(name) !== text) changed.push(name)
  for (const name of before.keys()) if (!after.has(name)) changed.push(name)
  return changed.sort(compareUtf8)
}

function nonEmpty(names: readonly string[]): readonly string[] | null {
  return names.length === 0 ? null : names
}

/**
 * Who made the change. A recorded identity is the caller itself (DynamoDB records one for its own deletes by time to
 * live), so it comes before the configured attribute, which says it of what was written: of a REMOVE nothing was, and a
 * baseline is no change.
 */
function findActor(
  record: StreamRecord,
  newImage: Image | null,
  path: AttributePath | undefined,
): { readonly actor: string | null; readonly actorSource: ActorSource } {
  const service = servicePrincipal(record.userIdentity)
  if (service !== null) return { actor: service, actorSource: 'service' }
  const written = record.eventName === 'BASELINE' ? null : actorIn(newImage, path)
  if (written !== null) return { actor: written, actorSource: 'new_image' }
  return { actor: null, actorSource: 'unknown' }
}

/** The caller that a recorded identity, as canonical JSON, names. */
export function servicePrincipal(userIdentity: string | null): string | null {
  if (userIdentity === null) return null
  const identity: unknown = JSON.parse(userIdentity)
  if (!isObject(identity)) return null
  const principal = identity.principalId ?? identity.PrincipalId
  return typeof principal === 'string' && principal !== '' ? principal : null
}

function actorIn(image: Image | null, path: AttributePath | undefined): string | null {
  if (image === null || path === undefined) return null
  const value = valueAt(image.item, path)
  return value === undefined ? null : actorOf(value, image.binary)
}

/** The actor that an attribute's value names; none where it is empty. */
export function actorOf(value: AttributeValue, binary: BinaryEncoding): string | null {
  if ('NULL' in value) return null
  const text = textOf(value, binary)
  return text === '' ? null : text
}

function textOf(value: AttributeValue, binary: BinaryEncoding): string {
  if ('S' in value) return value.S
  return 'N' in value ? (canonicalNumeral(value.N) ?? value.N) : canonicalValue(value, 'actor', binary)
}
