import { SAVED_QUERIES } from '../../queries/catalog.js'
import type { Row } from '../../queries/engines/rows.js'

/**
 * Questions about deliveries and faults have another answer where there are others: that is what they are asked for.
 */
const OF_DELIVERIES = ['altered-rows', 'balance', 'continuity', 'duplicates', 'late-arrivals', 'anchors']

/** A saved query and its parameters. */
export type Question = readonly [name: string, parameters: Readonly<Record<string, string>>]

/**
 * Every saved query about many items over a period, or the states at its end, of items with the attributes `v` and
 * `writer`.
 */
export function listQuestions(from: string, to: string): readonly Question[] {
  const values: Readonly<Record<string, string>> = {
    from,
    to,
    at: to,
    attribute: 'v',
    key: '":{"S":"',
    value: '"1"',
    actor: 'w1',
    subject: '5f0c2d3b8a914e6f7081a2b3c4d5e6f7',
    allowed: '[["0","1"]]',
    at_least: '2',
    amount: '0',
    state: '1',
    zone: 'America/New_York',
  }
  return [...SAVED_QUERIES.values()]
    .filter(({ name, parameters }) => !OF_DELIVERIES.includes(name) && !parameters.some(({ type }) => type === 'item'))
    .filter(({ asksForColumn }) => !asksForColumn)
    .map(({ name, parameters }) => {
      const known = parameters.filter(parameter => Object.hasOwn(values, parameter.name))
      return [
        name,
        Object.fromEntries(known.map(parameter => [parameter.name, values[parameter.name] as string])),
      ] as const
    })
}

/** An answer's rows as one text, so that two can be compared. */
export function rowsText(rows: Iterable<Row>): string {
  return JSON.stringify([...rows], (_, value) => (typeof value === 'bigint' ? String(value) : value))
}
