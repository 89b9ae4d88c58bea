import type { Io } from '../io.js'
import { printable } from './text.js'

/** JSON with integers of any size as digits, for which `JSON.stringify` has no form, and escapes as in `printable`. */
export function toJson(value: unknown): string {
  return printable(jsonOf(value))
}

function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    let members = ''
    for (const name of Object.keys(value)) {
      const member = (value as Readonly<Record<string, unknown>>)[name]
      if (member !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${jsonOf(member)}`
    }
    return `{${members}}`
  }
  return JSON.stringify(value)
}

/** A value that is JSON text already, in one line: it need not be parsed to be written again. */
export class RawJson {
  constructor(readonly text: string) {}
}

/** An item as a line of a DynamoDB export. */
export function toDynamoDbJson(image: string): string {
  return `{"Item":${printable(image)}}`
}

/** Objects, there already or still to come. */
export type ObjectsInTurn = Iterable<object> | AsyncIterable<object>

/**
 * Objects as a JSON list between two texts, each on a line of its own. Nothing goes out before there is an object, or
 * the end.
 */
export async function printList(
  objects: ObjectsInTurn,
  before: string,
  after: () => string | Promise<string>,
  io: Io,
): Promise<void> {
  let lead = before
  for await (const object of objects) {
    io.out(`${lead}${toJson(object)}`)
    lead = ',\n '
  }
  const end = await after()
  io.out(`${lead === before ? before : ''}${end}`)
}

/** Objects still to come, each made into another. */
export async function* mapAsync<T>(objects: AsyncIterable<T>, make: (object: T) => object): AsyncGenerator<object> {
  for await (const object of objects) yield make(object)
}

/** To write a line by itself takes longer than to make it. */
const CHARACTERS_AT_ONCE = 64 * 1024

/**
 * Objects as ndjson, one a line, each with what all of them are about; many lines go out at once, and are escaped as
 * all that goes out is: that leaves no more than line feeds, of which there are none but in text that is no item.
 */
export async function printLines(objects: ObjectsInTurn, io: Io, about: object = {}): Promise<void> {
  let lines = ''
  try {
    for await (const object of objects) {
      const text = jsonOf({ ...about, ...object })
      lines += `${text.includes('\n') ? printable(text) : text}\n`
      if (lines.length < CHARACTERS_AT_ONCE) continue
      io.out(lines)
      lines = ''
    }
  } finally {
    if (lines !== '') io.out(lines)
  }
}
