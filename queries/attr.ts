import { valueAtPath } from './attribute-path.js'
import { type Token, tokensOf } from './engines/statement.js'
import { ParameterError } from './parameters.js'

/**
 * A statement in which each `attr(image, 'path')` is written out, in the SQL that all engines share: the plain value at
 * a path of an image as text. A text as it is, a number by its digits, true or false; null where nothing is, or NULL; a
 * list, a map and a set as their DynamoDB JSON. Throws `ParameterError` for a call whose path is no text between
 * quotes.
 */
export function withoutAttr(sql: string): string {
  const tokens = tokensOf(sql)
  // the last first: one within another begins later
  const at = tokens.findLastIndex(
    ({ text }, i) => text === 'attr' && tokens[i + 1]?.text === '(' && tokens[i - 1]?.text !== '.',
  )
  const call = tokens[at]
  if (call === undefined) return sql
  const open = tokens[at + 1] as Token
  const close = tokens.find(({ text, start, depth }) => text === ')' && start > open.start && depth === open.depth)
  if (close === undefined) return sql
  const commas = tokens.filter(
    ({ text, start, depth }) => text === ',' && start > open.start && start < close.start && depth === open.depth + 1,
  )
  const path = pathIn(sql.slice((commas[0] ?? close).end, close.start).trim())
  if (commas.length !== 1 || path === undefined)
    throw new ParameterError(
      `${JSON.stringify(sql.slice(call.start, close.end))} is no attr(image, 'path'), expected a path between single quotes, as in attr(new_image, 'shipping.city')`,
    )
  const image = sql.slice(open.end, commas[0]?.start).trim()
  // it is written out several times, and a value is bound once
  if (tokens.some(({ text, start }) => text === '?' && start > open.start && start < close.start))
    throw new ParameterError("attr(image, 'path') takes no ?, expected the name of a column and a path")
  return withoutAttr(`${sql.slice(0, call.start)}${plainValueAt(image, path)}${sql.slice(close.end)}`)
}

/** The text of one literal; undefined for anything else, and for none. */
function pathIn(literal: string): string | undefined {
  const [, inner = ''] = /^'((?:[^']|'')+)'$/s.exec(literal) ?? []
  return inner === '' ? undefined : inner.replaceAll("''", "'")
}

/** As an actor is read from an image: of what has no plain form the JSON. */
function plainValueAt(image: string, path: string): string {
  const value = valueAtPath(image, path)
  const scalars = ['S', 'N', 'BOOL', 'B'].map(type => `json_extract_scalar(${value}, '$.${type}')`)
  return `coalesce(${scalars.join(', ')}, nullif(json_format(${value}), '{"NULL":true}'))`
}
