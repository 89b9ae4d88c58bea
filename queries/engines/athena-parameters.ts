import type { BoundValue } from './engine.js'
import { quoted } from './literal.js'
import { readStatement } from './statement.js'

/** What StartQueryExecution takes: a text with its `?`, and an SQL literal for each of them. */
export interface AthenaStatement {
  readonly sql: string
  readonly parameters: readonly string[]
}

/** An execution parameter holds 1 to 1024 characters (API reference, StartQueryExecution); counted here in bytes. */
const LONGEST = 1024

/**
 * Binds values to the `?` of a statement. A value never becomes part of the text: it is sent beside it as a literal,
 * a string in single quotes with those inside doubled. A string too long for one parameter is sent in pieces, and its
 * `?` becomes `(? || ? || ...)`, which Athena puts together before it plans.
 */
export function bindStatement(statement: string, values: readonly BoundValue[]): AthenaStatement {
  const { text, placeholders } = readStatement(statement)
  const literals = values.map(literalsOf)
  const bound = placeholders.map((_, i) => '?'.padEnd((literals[i]?.length ?? 1) * 5 - 4, ' || ?'))
  const between = placeholders.map((start, i) => text.slice((placeholders[i - 1] ?? -1) + 1, start))
  const rest = text.slice((placeholders.at(-1) ?? -1) + 1)
  const sql = bound.map((marks, i) => between[i] + (marks.length > 1 ? `(${marks})` : marks)).join('') + rest
  return { sql, parameters: literals.flat() }
}

function literalsOf(value: BoundValue): readonly string[] {
  // with an exponent it is a double, as in JavaScript; without, Athena would make it a decimal
  if (typeof value === 'number') return [Number.isInteger(value) ? BigInt(value).toString() : value.toExponential()]
  const whole = quoted(value)
  return Buffer.byteLength(whole) <= LONGEST ? [whole] : piecesOf(value).map(quoted)
}

function piecesOf(value: string): readonly string[] {
  const pieces: string[] = []
  let [piece, bytes] = ['', 2]
  for (const character of value) {
    const size = character === "'" ? 2 : Buffer.byteLength(character)
    if (bytes + size > LONGEST) {
      pieces.push(piece)
      ;[piece, bytes] = ['', 2]
    }
    piece += character
    bytes += size
  }
  return [...pieces, piece]
}
