import type { Io } from '../io.js'
import { printable } from './text.js'

/** JSON with integers of any size as digits, for which `JSON.stringify` has no form, and escapes as in `printable`. */
export function toJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([name, member]) => `${jsonString(name)}:${toJson(member)}`).join(',')}}`
  }
  return typeof value === 'string' ? jsonString(value) : JSON.stringify(value)
}

function jsonString(text: string): string {
  return printable(JSON.stringify(text))
}

/** An item as a line of a DynamoDB export. */
export function toDynamoDbJson(image: string): string {
  return `{"Item":${printable(image)}}`
}

/** ObjectsInTurn, there already or still to come. */
export type ObjectsInTurn = Iterable<object> | AsyncIterable<object>

/**
 * A JSON list that is written as its objects come: `before` opens it, `between` stands between two of them. Nothing
 * goes out before there is an object, or the end.
 */
export function openList(io: Io, before: string, between = ',\n ') {
  let lead = before
  return {
    add: (object: object): void => {
      io.out(`${lead}${toJson(object)}`)
      lead = between
    },
    end: (after: string): void => io.out(`${lead === before ? before : ''}${after}`),
  }
}

/** ObjectsInTurn as a JSON list between two texts, each on a line of its own. */
export async function printList(
  objects: ObjectsInTurn,
  before: string,
  after: () => string | Promise<string>,
  io: Io,
  between?: string,
): Promise<void> {
  const list = openList(io, before, between)
  for await (const object of objects) list.add(object)
  list.end(await after())
}

/** ObjectsInTurn still to come, each made into another. */
export async function* mapAsync<T>(objects: AsyncIterable<T>, make: (object: T) => object): AsyncGenerator<object> {
  for await (const object of objects) yield make(object)
}

/** ObjectsInTurn as ndjson, one a line. */
export async function printLines(objects: ObjectsInTurn, io: Io): Promise<void> {
  for await (const object of objects) io.out(`${toJson(object)}\n`)
}
