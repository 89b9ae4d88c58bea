/** JSON that somebody else wrote: one object, no name in it twice, no deeper than an item can be, of a schema. */
import { z } from 'zod'
import { readDocuments } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import { describeIssue } from './problems.js'

/** What is wrong with a JSON text or value, beginning with its field where it has one. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/** Reads one JSON object of a schema, whose messages say what is allowed. Throws `ShapeError`. */
export function readChecked<T>(schema: z.ZodType<T>, text: string): T {
  const [document, more] = asShape(() => readDocuments(text))
  if (document === undefined || more !== undefined) throw new ShapeError('more than one JSON object, expected one')
  return checkShape(schema, document.value)
}

/** The same of what was parsed already. Throws `ShapeError`. */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown): T {
  return asShape(() => {
    const { data, error } = schema.safeParse(value)
    if (error === undefined) return data as T
    const problems = error.issues.slice(0, MAX_PROBLEMS).flatMap(issue => describeIssue(issue, value))
    throw new ShapeError(problems.slice(0, MAX_PROBLEMS).join('; '))
  })
}

const MAX_PROBLEMS = 3

/** What is refused of a record is a wrong shape here. */
export function asShape<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) throw new ShapeError(error.message.replace(/^record /, 'it '), { cause: error })
    // a value that was parsed elsewhere may nest as deep as memory reaches
    if (error instanceof RangeError) throw new ShapeError('it nests too deep to be read', { cause: error })
    throw error
  }
}

/** An object of known fields. Its error for an unknown one is the list of the known. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: issue => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'an object'),
  })
}

const COUNT = 'a whole number'
export const count = z.int(COUNT).min(0, COUNT)

const SHA_256 = 'a SHA-256 in lower hex'
export const sha256 = z.string(SHA_256).regex(/^[0-9a-f]{64}$/, SHA_256)

/** A text of somebody's, of no more characters than this. It is shown, so it is escaped where it is. */
export function text(length: number) {
  const allowed = `a text of at most ${length} characters`
  return z.string(allowed).max(length, allowed)
}
