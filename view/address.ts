import { MOMENT_FORMS, parseMoment } from '../queries/moment.js'

/** The parts of an address after its `?`; what is empty counts as left out. */
export type Search = Readonly<Record<string, string | undefined>>

/** A link: each step of the path escaped, whatever is in it. */
export function linkTo(path: readonly string[], search: Search = {}): string {
  const given = Object.entries(search).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '')
  const query = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, value.toWellFormed()]),
  ).toString()
  const steps = path.map(step => encodeURIComponent(step.toWellFormed())).join('/')
  return `/${steps}${query === '' ? '' : `?${query}`}`
}

/** What of an address is wrong, or is not there, in a sentence. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
  constructor(
    message: string,
    readonly status: 400 | 404 = 400,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** A moment of an address in microseconds since 1970, as on the command line; null where it is left out. */
export function momentIn(search: Search, name: string): number | null {
  const text = search[name]
  if (text === undefined) return null
  const us = parseMoment(text, Date.now() * 1000)?.us
  if (us !== undefined) return us
  throw new AddressError(
    `${name} is ${JSON.stringify(text)}, expected ISO 8601 with a zone such as 2026-11-19T12:00:00Z, ${MOMENT_FORMS}`,
  )
}

/** A period of an address, [from, to). */
export function periodIn(search: Search): { readonly fromUs: number | null; readonly toUs: number | null } {
  const [fromUs, toUs] = [momentIn(search, 'from'), momentIn(search, 'to')]
  if (fromUs !== null && toUs !== null && fromUs >= toUs)
    throw new AddressError(`from is ${search.from}, which is not before to, ${search.to}`)
  return { fromUs, toUs }
}

/** The row that a page begins with. */
export function startIn({ after = '0' }: Search): number {
  if (/^\d{1,9}$/.test(after)) return Number(after)
  throw new AddressError(`after is ${JSON.stringify(after)}, expected a whole number`)
}

/** One of some words; undefined where it is left out. */
export function wordIn<W extends string>(search: Search, name: string, words: readonly W[]): W | undefined {
  const text = search[name]
  if (text === undefined) return undefined
  const word = words.find(known => known === text)
  if (word !== undefined) return word
  throw new AddressError(`${name} is ${JSON.stringify(text)}, expected one of ${words.join(', ')}`)
}

/**
 * A word of a command line, quoted where a shell would read it otherwise. What cannot be seen is written in octal, for
 * a terminal acts on a control character that is pasted before any shell reads a quote.
 */
export function shellWord(word: string): string {
  if (/^[\w./][\w.,:/=@+-]*$/.test(word)) return word
  if (word.search(UNSEEN) !== -1) return `$'${word.replaceAll(/['\\]/g, '\\$&').replaceAll(UNSEEN, octalOf)}'`
  if (word.includes("'") && !/["$`\\!]/.test(word)) return `"${word}"`
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** The command that asks a statement; `flags` are those of the archive. */
export function sqlCommand(statement: string, flags: string): string {
  return `itemtrail sql ${shellWord(statement)}${flags}`
}

const UNSEEN = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Three figures a byte: of a hexadecimal number the next sign could be a part. */
function octalOf(sign: string): string {
  return [...Buffer.from(sign)].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}
