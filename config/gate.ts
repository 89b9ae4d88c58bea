import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { parseInstant } from '../transform/instant.js'
import { readJson } from './json-text.js'
import { describeIssue } from './problems.js'

/**
 * The one gate for files that lie beside the rows: configurations that an archive keeps, facts, manifests, checkpoints,
 * receipts, plans. Whoever wrote them, nothing in them is believed before a schema has seen it. As in `schema.ts`, a
 * schema's error is what is allowed there.
 */

/** A file that is not what it should be, with everything that is wrong in it. */
export class FileError extends Error {
  override readonly name: string = 'FileError'

  constructor(
    /** As it is named to people. */
    readonly file: string,
    /** Each opens with the field's path in the file, where it is about one. */
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    const shownProblems = problems.slice(0, MOST_PROBLEMS)
    const more = problems.length - shownProblems.length
    super(`${file}: ${shownProblems.join('; ')}${more > 0 ? `; and ${more} more` : ''}`, options)
  }
}

const MOST_PROBLEMS = 5

/** Larger than any file that people or the gate's writers make; what may be larger says so. */
const MAX_BYTES = 16 * 1024 ** 2

export interface GateOptions {
  /** @default 16 MB */
  readonly maxBytes?: number
}

/**
 * What a JSON text holds, as its schema has it. Throws a `FileError` that names the file, the fields and what is
 * allowed.
 */
export function checkJson<T>(
  content: string | Uint8Array,
  schema: z.ZodType<T>,
  file: string,
  { maxBytes = MAX_BYTES }: GateOptions = {},
): T {
  if (content.length > maxBytes) throw new FileError(file, [tooLarge(content.length, maxBytes)])
  return checkValue(parse(typeof content === 'string' ? content : decode(content, file), file), schema, file)
}

/** The same of a value that was read already. */
export function checkValue<T>(value: unknown, schema: z.ZodType<T>, file: string): T {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data as T
  throw new FileError(
    file,
    error.issues.flatMap(issue => describeIssue(issue, value, 'it')),
  )
}

/**
 * The bytes of a file; undefined where there is none. Throws a `FileError` for one over the bound or that cannot be
 * read.
 */
export function readBounded(path: string, file: string, { maxBytes = MAX_BYTES }: GateOptions = {}) {
  try {
    const found = statSync(path)
    if (!found.isFile()) throw new FileError(file, ['is no file'])
    if (found.size > maxBytes) throw new FileError(file, [tooLarge(found.size, maxBytes)])
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof FileError) throw error
    if (code === 'ENOENT') return undefined
    throw new FileError(file, [`cannot be read (${code ?? (error as Error).message})`], { cause: error })
  }
}

/** The text of bytes that are UTF-8. Throws a `FileError` for others. */
export function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new FileError(file, ['is not UTF-8'], { cause: error })
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FileError(file, [`is no JSON: ${whereItBreaks(text)}`], { cause: error })
  }
}

/** Line and column; the words of V8 hold a piece of the text instead. */
function whereItBreaks(text: string): string {
  try {
    readJson(text)
    return 'it cannot be read'
  } catch (error) {
    return (error as Error).message
  }
}

/** What is wrong with a file that is over its bound. */
export function tooLarge(bytes: number, maxBytes: number): string {
  return `has ${bytes} bytes, expected at most ${maxBytes}`
}

/** An object with these fields; others that a later version may add are left out. */
export function record<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape, 'an object')
}

/** A list of what `item` takes. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.array(item, 'an array')
}

/** A text that is not empty. */
export const text = z.string('a text that is not empty').min(1, 'a text that is not empty')

/** A whole number from 0. */
export const count = z.int('a whole number from 0').min(0, 'a whole number from 0')

const INSTANT = 'ISO 8601 in UTC'
/** A moment as files write it: ISO 8601 in UTC. */
export const instant = z
  .string(INSTANT)
  .refine(value => value.length <= 40 && value.endsWith('Z') && parseInstant(value) !== undefined, INSTANT)

const DAY = 'a day as YYYY-MM-DD'
/** A day, UTC: `YYYY-MM-DD`. */
export const day = z.iso.date(DAY)

const SHA256 = '64 lower-case hex digits'
/** A SHA-256 in lower hex. */
export const sha256 = z.string(SHA256).regex(/^[0-9a-f]{64}$/, SHA256)

const UUID = 'a UUID'
/** A name that one of our processes made up for a file. */
export const uuid = z.string(UUID).regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, UUID)

/** This very value. */
export function exactly<T extends string | number | boolean>(value: T) {
  return z.literal(value, JSON.stringify(value))
}

/** One of these texts. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, values.map(value => JSON.stringify(value)).join(' or '))
}
