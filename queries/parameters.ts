import { formatInstant, parseInstant } from '../transform/instant.js'
import { readClock, readDays, readZone } from './calendar.js'
import type { BoundValue } from './engines/engine.js'

/**
 * `item`: an item's key as canonical DynamoDB JSON; `instant`: ISO 8601 with a zone; `integer`: from 1; `steps`: pairs
 * of texts as JSON, bound without white space; `attribute`: an attribute's name, a path as `history` prints it, or a
 * configured column; `items`: a JSON object; `amount`: a number from 0 that a decimal(38,10) holds; `clock`: a time of
 * day; `zone`: a zone's name; `days`: weekdays; `text`: as it is.
 */
export type ParameterType =
  | 'amount'
  | 'attribute'
  | 'clock'
  | 'days'
  | 'item'
  | 'items'
  | 'instant'
  | 'integer'
  | 'steps'
  | 'text'
  | 'zone'

export interface Parameter {
  readonly name: string
  readonly type: ParameterType
  /** Undefined where a value must be given. */
  readonly default?: string
  readonly example: string
  /**
   * What gives the default where there is one: the table's configured life cycle, or its name; the archive's facts, and
   * nobody else.
   */
  readonly preset: 'lifecycle' | 'table' | 'facts' | undefined
  readonly meaning: string
}

/** A value that a parameter cannot take, or a parameter that is missing or unknown. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError'
}

/**
 * The values of a query's parameters, defaults filled in, instants in UTC. Throws a `ParameterError` that names the
 * parameter and what it accepts.
 */
export function checkParameters(
  parameters: readonly Parameter[],
  given: Readonly<Record<string, string>>,
): ReadonlyMap<string, BoundValue> {
  for (const name of Object.keys(given)) {
    if (!parameters.some(parameter => parameter.name === name)) {
      const known = parameters.map(parameter => parameter.name).join(', ')
      throw new ParameterError(`parameter ${JSON.stringify(name)} is unknown, this query has ${known || 'none'}`)
    }
  }
  const values = new Map(
    parameters.map(parameter => [parameter.name, readValue(parameter, given[parameter.name] ?? parameter.default)]),
  )
  const [from, to] = ['from', 'to'].map(name => parseInstant(String(values.get(name)))?.us)
  if (from !== undefined && to !== undefined && from > to)
    throw new ParameterError(`parameter from is ${values.get('from')}, which is after to, ${values.get('to')}`)
  return values
}

function readValue({ name, type, example }: Parameter, text: string | undefined): BoundValue {
  if (text === undefined) throw new ParameterError(`parameter ${name} is missing, give for example ${name}=${example}`)
  if (type === 'integer') return readInteger(name, text)
  if (type === 'steps') return readSteps(name, text, example)
  const form = FORMS[type]
  if (form !== undefined) return form.read(text) ?? refuse(name, text, `${form.expected} such as ${example}`)
  if (type !== 'instant') return text
  const instant = parseInstant(text)
  if (instant === undefined) {
    throw new ParameterError(
      `parameter ${name} is ${JSON.stringify(text)}, expected ISO 8601 with a zone such as ${example}`,
    )
  }
  return formatInstant(instant.us, 6)
}

/** Texts that have one form of several, or none. */
const FORMS: Readonly<
  Partial<Record<ParameterType, { readonly expected: string; readonly read: (text: string) => string | undefined }>>
> = {
  amount: { expected: 'a number from 0 with at most 10 digits behind the point', read: readAmount },
  clock: { expected: 'a time of day', read: readClock },
  days: { expected: 'weekdays', read: readDays },
  zone: { expected: 'the name of a zone', read: readZone },
}

function readAmount(text: string): string | undefined {
  return /^\d{1,24}(\.\d{1,10})?$/.test(text) ? text : undefined
}

function refuse(name: string, text: string, expected: string): never {
  throw new ParameterError(`parameter ${name} is ${JSON.stringify(text)}, expected ${expected}`)
}

function readInteger(name: string, text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new ParameterError(`parameter ${name} is ${JSON.stringify(text)}, expected a whole number from 1`)
  return Number(text)
}

/** A query looks for a pair in the text, so there is one way to write it. */
function readSteps(name: string, text: string, example: string): string {
  const steps = parseJson(text)
  const isPair = (step: unknown) => Array.isArray(step) && step.length === 2 && step.every(s => typeof s === 'string')
  if (!Array.isArray(steps) || !steps.every(isPair))
    throw new ParameterError(`parameter ${name} is ${JSON.stringify(text)}, expected pairs as JSON such as ${example}`)
  return JSON.stringify(steps)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
