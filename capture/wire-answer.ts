/**
 * What a service answered, as it came over the wire. The SDK's decoding has one loss: it decodes an attribute `__proto__` as
 * undefined (seen in client-dynamodb 3.1164.0 and client-dynamodb-streams 3.1141.0).
 */
import { buffer } from 'node:stream/consumers'

interface Result {
  readonly response: unknown
}

/** What all commands of the SDK have in common. */
interface Command {
  readonly middlewareStack: {
    add(
      middleware: <Args, R extends Result>(next: (args: Args) => Promise<R>) => (args: Args) => Promise<R>,
      options: { readonly step: 'deserialize'; readonly priority: 'low' },
    ): void
  }
}

/** An answer beside what the SDK makes of it: its body, and when the server says it was. */
export interface WireAnswer {
  /** The JSON of the body: numbers are text, binary is base64, every name is there. */
  body(): unknown
  /** The `Date` header, whole seconds in milliseconds since 1970; undefined where there is none. */
  readonly date: number | undefined
}

/** Makes a command keep its answer for `WireAnswer`, which is there once the command was sent. */
export function keepWireAnswer(command: Command): WireAnswer {
  let text = ''
  const answer = { body: () => JSON.parse(text) as unknown, date: undefined as number | undefined }
  command.middlewareStack.add(
    next => async args => {
      const result = await next(args)
      const response = result.response as Response
      const body = await buffer(response.body)
      text = body.toString()
      answer.date = readDate(response.headers)
      Object.assign(response, { body })
      return result
    },
    // the lowest priority stands between the SDK's decoder and the network
    { step: 'deserialize', priority: 'low' },
  )
  return answer
}

interface Response {
  readonly body: AsyncIterable<Uint8Array>
  readonly headers: Readonly<Record<string, string>>
}

function readDate(headers: Readonly<Record<string, string>> = {}): number | undefined {
  const name = Object.keys(headers).find(header => header.toLowerCase() === 'date')
  const date = name === undefined ? Number.NaN : Date.parse(headers[name] as string)
  return Number.isNaN(date) ? undefined : date
}

/** Puts every `__proto__` that the SDK lost back into what it decoded; binary in it stays base64. */
export function restoreProto(decoded: unknown, wire: unknown): void {
  if (!isObject(decoded) || !isObject(wire)) return
  for (const [name, value] of Object.entries(wire)) {
    if (name === '__proto__' && decoded[name] === undefined) decoded[name] = value
    else restoreProto(decoded[name], value)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
