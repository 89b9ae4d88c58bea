/** What a program gives: keys, moments and the parameters of saved queries, each as it has them. */
import { MOMENT_FORMS, parseMoment } from '../queries/moment.js'
import { ParameterError, type ParameterType } from '../queries/parameters.js'
import type { QueryName, QueryTypes, TypeOfParameter } from '../queries/query-types.js'
import { type AttributeValue, parseItem } from '../transform/attribute-value.js'
import { formatInstant } from '../transform/instant.js'

/** An item's key: the text of a simple string key as it is, or the key attributes, plain or in DynamoDB JSON. */
export type Key = string | { readonly [attribute: string]: string | number | bigint | Uint8Array | AttributeValue }

/**
 * A moment: ISO 8601 with a zone, a day, `now` or how long ago (`7d`), as the command line takes it; a Date; or
 * microseconds since 1970.
 */
export type Moment = string | Date | number | bigint

/** What a parameter of each type takes. */
interface Given {
  readonly item: Key
  readonly instant: Moment
  readonly integer: string | number | bigint
  readonly steps: string | readonly (readonly [from: string, to: string])[]
  readonly text: string | number | bigint
  readonly attribute: string
  readonly items: string
  readonly column: string
  readonly amount: string | number | bigint
  readonly clock: string
  readonly days: string
  readonly zone: string
}

/** A saved query's parameters, each as its type wants it. */
export type Parameters<N extends QueryName = QueryName> = N extends QueryName
  ? GivenAs<QueryTypes[N]['parameters']>
  : never

type GivenAs<P> = {
  readonly [K in keyof P]: P[K] extends infer T ? (T extends TypeOfParameter ? Given[T] : never) : never
}

/** A row of a saved query's answer. */
export type RowOf<N extends QueryName> = QueryTypes[N]['row']

/** The attributes of a key, given any key of its table. A text is the whole of a simple key, whatever it looks like. */
export function attributesOf(key: Key, anyKey: string): Readonly<Record<string, unknown>> {
  if (typeof key === 'object' && key !== null) return key
  const names = Object.keys(parseItem(anyKey))
  if (names.length === 1 && typeof key === 'string') return { [names[0] as string]: key }
  const form = JSON.stringify(Object.fromEntries(names.map(name => [name, '...'])))
  throw new ParameterError(`key ${JSON.stringify(key)} does not say ${names.join(' and ')}, expected ${form}`)
}

/** Before 1973 there was no DynamoDB; a number that small is one of seconds or milliseconds. */
const LEAST_MICROSECONDS = 100_000_000_000_000

/** A moment in microseconds since 1970. Throws a `ParameterError` that calls it `name`. */
export function microsecondsOf(moment: Moment, name: string): number {
  if (typeof moment === 'string') {
    const us = parseMoment(moment, Date.now() * 1000)?.us
    if (us !== undefined) return us
    const form = `ISO 8601 with a zone such as 2026-11-19T12:00:00Z, ${MOMENT_FORMS}`
    throw new ParameterError(`${name} is ${JSON.stringify(moment)}, expected ${form}`)
  }
  const us = moment instanceof Date ? moment.getTime() * 1000 : Number(moment)
  if (Number.isSafeInteger(us) && (moment instanceof Date || us >= LEAST_MICROSECONDS)) return us
  throw new ParameterError(`${name} is ${String(moment)}, expected microseconds since 1970, or a Date`)
}

/** A parameter as the text that a question takes. */
export function parameterText(name: string, type: ParameterType | undefined, value: unknown): string {
  if (type === 'instant') return formatInstant(microsecondsOf(value as Moment, `parameter ${name}`), 6)
  if (typeof value === 'string') return value
  if (type === 'steps' && Array.isArray(value)) return JSON.stringify(value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw new ParameterError(`parameter ${name} is of type ${value === null ? 'null' : typeof value}, expected a string`)
}
