/**
 * What stands in an image in the place of a value that can be made unreadable, and how an image gets it. Of keys and
 * ciphers nothing is known here: who has them gives a `Sealing` with the table's configuration.
 */
import type { AttributeValue, BinaryEncoding, Item } from './attribute-value.js'
import { compareUtf8, isObject } from './json.js'

/** An image's item with its named values sealed, and the tokens of the persons that it concerns. */
export interface SealedItem {
  readonly item: Item
  readonly subjects: readonly string[]
}

/** How a table's rows are kept from naming persons for good. */
export interface Sealing {
  /**
   * Seals the named values of an item, and gives it the key that `key` does: the same item gives the same, until one
   * of its persons is erased. `itemKey` is its key as the row has it.
   */
  readonly image: (item: Item, binary: BinaryEncoding, itemKey: string) => SealedItem
  /** Puts tokens in the place of key attributes that name persons: the same key gives the same for good. */
  readonly key: (key: Item, binary: BinaryEncoding) => Item
}

/**
 * Values that must be sealed cannot be. The record is not at fault, so it is not refused, which would keep it in clear:
 * whoever delivers stops, and gets it again.
 */
export class SealingError extends Error {
  override readonly name = 'SealingError'
}

/** A value that was sealed: version 1 of the field. */
export interface SealedField {
  /** Which of the subject's keys. */
  readonly generation: number
  /** The subject's token. */
  readonly token: string
  /** Base64url; empty where the subject had been erased before the value came, so that nothing of it was kept. */
  readonly ciphertext: string
}

/** The one name of the map that stands for a sealed value; beside it there may be `keep`. */
const SEALED_NAME = '$enc'
/** The name of what was kept in clear of a sealed value. */
export const KEPT_NAME = 'keep'

const TOKEN = '[0-9a-f]{32}'
const FIELD = new RegExp(`^1\\.([1-9][0-9]{0,5})\\.(${TOKEN})\\.([A-Za-z0-9_-]*)$`)

/** The attribute value that stands for a sealed one: `{"M":{"$enc":{"S":"1.GENERATION.TOKEN.CIPHERTEXT"}}}`. */
export function writeSealed({ generation, token, ciphertext }: SealedField, kept?: string): AttributeValue {
  const field = { S: `1.${generation}.${token}.${ciphertext}` }
  return { M: { [SEALED_NAME]: field, ...(kept !== undefined && { [KEPT_NAME]: { S: kept } }) } }
}

/** Its inverse; undefined for any other value. */
export function readSealed(value: unknown): SealedField | undefined {
  const map = isObject(value) ? value.M : undefined
  const field = isObject(map) && hasOnly(map, [SEALED_NAME, KEPT_NAME]) ? map[SEALED_NAME] : undefined
  const text = isObject(field) ? field.S : undefined
  const parts = typeof text === 'string' ? FIELD.exec(text) : null
  if (parts === null) return undefined
  return { generation: Number(parts[1]), token: parts[2] as string, ciphertext: parts[3] as string }
}

/** A map with more in it is one of the table's own. */
function hasOnly(map: object, names: readonly string[]): boolean {
  return Object.keys(map).every(name => names.includes(name))
}

/** True of a value that is sealed, or has one that is in it. */
export function hasSealed(value: AttributeValue): boolean {
  if (readSealed(value) !== undefined) return true
  if ('L' in value) return value.L.some(hasSealed)
  return 'M' in value && Object.values(value.M).some(hasSealed)
}

/** What a row's `subjects` have beside a token whose person was erased before the row was made. */
export function erasedMark(token: string): string {
  return `${token}:erased`
}

const ERASED_MARK = new RegExp(`^${TOKEN}:erased$`)

/** A row's `subjects` without these marks: the same before an erasure and after it. */
export function withoutErasedMarks(subjects: readonly string[]): readonly string[] {
  return subjects.filter(subject => !ERASED_MARK.test(subject))
}

const SEALED_TEXT = new RegExp(
  `\\{"M":\\{"\\${SEALED_NAME}":\\{"S":"1\\.(?<generation>[0-9]+)\\.(?<token>${TOKEN})\\.` +
    `(?<ciphertext>[A-Za-z0-9_-]*)"\\}(?<keep>(?:,"${KEPT_NAME}":\\{"S":"(?:[^"\\\\]|\\\\.)*"\\})?)\\}\\}`,
  'g',
)

/**
 * An image's canonical text with of each sealed value nothing but whose it is. Two images of which this is the same are
 * the same but for values that cannot be compared, because one of them was sealed after its subject was erased.
 */
export function withoutSealed(image: string): string {
  return image.includes(SEALED_NAME)
    ? image.replaceAll(SEALED_TEXT, `{"M":{"${SEALED_NAME}":{"S":"$<token>"}}}`)
    : image
}

/** The tokens of the subjects under whose keys values of an image's canonical text are sealed, sorted. */
export function tokensIn(image: string): readonly string[] {
  const tokens = new Set([...image.matchAll(SEALED_TEXT)].map(({ groups }) => groups?.token as string))
  return [...tokens].sort(compareUtf8)
}

/** The sealed values of an image's canonical text, in order: the key's name, and as text what is kept in clear. */
export function sealedIn(
  image: string,
): readonly { readonly key: string; readonly ciphertext: string; readonly keep: string }[] {
  return [...image.matchAll(SEALED_TEXT)].map(({ groups }) => {
    const { generation, token, ciphertext, keep } = groups as Record<string, string>
    return { key: `${generation}.${token}`, ciphertext: ciphertext as string, keep: keep as string }
  })
}

const FIELD_TEXT = new RegExp(`"\\${SEALED_NAME}":\\{"S":"1\\.([1-9][0-9]{0,5})\\.(${TOKEN})\\.`, 'g')

/** The keys under which values in some texts may be sealed, each once. */
export function keysNamedIn(texts: Iterable<string | null>): readonly Pick<SealedField, 'token' | 'generation'>[] {
  const names = new Map<string, Pick<SealedField, 'token' | 'generation'>>()
  for (const text of texts)
    if (text?.includes(SEALED_NAME))
      for (const [, generation, token] of text.matchAll(FIELD_TEXT))
        names.set(`${token}.${generation}`, { token: token as string, generation: Number(generation) })
  return [...names.values()]
}

/** The name of the map that stands in an answer for a value that is unreadable for good. */
const ERASED_NAME = '$erased'
const SHOWN_NAMES = [ERASED_NAME, 'certificate', 'sealed', KEPT_NAME]

/**
 * What an answer shows in the place of a value whose key was destroyed: the day, the certificate, the first letters of
 * the ciphertext, which tell it from another value, and what was kept of it.
 */
export function erasedValue(
  { ciphertext }: SealedField,
  { destroyed, certificate }: { readonly destroyed: string; readonly certificate: string },
  kept?: string,
): AttributeValue {
  const text = (value: string) => ({ S: value })
  return {
    M: {
      [ERASED_NAME]: text(destroyed.slice(0, 10)),
      certificate: text(certificate),
      ...(ciphertext !== '' && { sealed: text(ciphertext.slice(0, 6)) }),
      ...(kept !== undefined && { [KEPT_NAME]: text(kept) }),
    },
  }
}

/** Its inverse as far as people are told; undefined for any other value. */
export function readErased(
  value: AttributeValue,
): { readonly day: string; readonly certificate: string; readonly kept: string | undefined } | undefined {
  const [day, certificate] = [textIn(value, ERASED_NAME), textIn(value, 'certificate')]
  // what a table holds under this name is shown as it is
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day) || !/^[0-9a-f]{8}$/.test(certificate ?? ''))
    return undefined
  if ('M' in value && !Object.keys(value.M).every(name => SHOWN_NAMES.includes(name))) return undefined
  return { day, certificate: certificate as string, kept: textIn(value, KEPT_NAME) }
}

/** The text of a member of a map. */
export function textIn(value: AttributeValue, name: string): string | undefined {
  const inner = 'M' in value ? value.M[name] : undefined
  return inner !== undefined && 'S' in inner ? inner.S : undefined
}
