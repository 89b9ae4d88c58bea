import type { Table } from 'apache-arrow'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { withoutAttr } from '../attr.js'
import { attributeMeant } from '../attribute-name.js'
import { bindQuery } from '../bind.js'
import { type SavedQuery, savedQuery } from '../catalog.js'
import { type BoundValue, type QueryEngine, type RunOptions, streamAnswer } from '../engines/engine.js'
import { inUtc } from '../engines/utc.js'
import { ParameterError } from '../parameters.js'
import { actorOfToday } from '../todays-actor.js'
import { knownByFacts } from '../verdict/gone-items.js'
import { differenceOfLinked } from '../verdict/last-of-linked.js'
import { Answer } from './answer.js'
import type { Asked } from './asked.js'
import { sealedAround } from './sealed-places.js'

/**
 * Asks a saved query of a table. Throws `ParameterError` for parameters it does not take, `QueryError` for the engine's
 * own. A query that asks for a column takes it as the parameter `column`, one of the table's configured ones.
 */
export async function askQuery(
  engine: QueryEngine,
  query: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
): Promise<Table> {
  return (await answerQuery(engine, query, table, parameters)).table
}

/** The same, with what was asked beside the answer. */
export async function answerQuery(
  engine: QueryEngine,
  query: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
  options: RunOptions = {},
): Promise<Answer> {
  const { asked, scope } = await boundByFacts(engine, query, table, parameters)
  const answer = await answerStatement(engine, asked, { ...options, scope })
  const attribute = asked.parameters.get('attribute')
  if (attribute === undefined || attribute === '' || answer.length > 0) return answer
  const meant = await attributeAsked(engine, table, String(attribute))
  return meant === attribute ? answer : answerQuery(engine, query, table, { ...parameters, attribute: meant }, options)
}

/** The same rows piece by piece, for an answer that is larger than memory. */
export async function* streamQuery(
  engine: QueryEngine,
  query: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
): AsyncGenerator<Table> {
  const { asked, scope } = await boundByFacts(engine, query, table, parameters)
  for await (const piece of streamAnswer(engine, asked.sql, asked.values, { scope })) yield inUtc(piece)
}

async function boundByFacts(
  engine: QueryEngine,
  query: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
) {
  for (const { name, preset } of query.parameters)
    if (preset === 'facts' && parameters[name] !== undefined)
      throw new ParameterError(`parameter ${name} is what the archive's facts say, leave it out`)
  const known = await knownByFacts(engine, table, query, parameters)
  const actor = await actorOfToday(engine, table)
  const { scope: wide, ...bound } = bindQuery(query, table, { ...parameters, ...known }, { actor })
  const isNarrow = query === DIFF_OF_TABLE && wide?.states !== undefined
  const narrowing = isNarrow ? differenceOfLinked(query, table, wide.states, bound.parameters) : undefined
  const scope = wide && { ...wide, narrowing }
  return { asked: { query: query.name, table: table.table, ...bound }, scope }
}

const DIFF_OF_TABLE = savedQuery('diff-of-table')

/** "No item ever had it" cannot be said of what lies in a value that is sealed as a whole. */
async function attributeAsked(engine: QueryEngine, table: TableConfiguration, text: string): Promise<string> {
  try {
    return await attributeMeant(engine, table, text)
  } catch (error) {
    const around = error instanceof ParameterError ? await sealedAround(engine, table, text) : undefined
    if (around === undefined) throw error
    throw new ParameterError(
      `parameter attribute is ${JSON.stringify(text)}, which is sealed as a part of ${around}, expected ${around}`,
      { cause: error },
    )
  }
}

/** The answer to a statement of one's own, in which `attr(image, 'path')` is the plain value at a path. */
export function answerSql(
  engine: QueryEngine,
  sql: string,
  values: readonly BoundValue[] = [],
  options: RunOptions = {},
): Promise<Answer> {
  return answerStatement(engine, askedBySql(sql, values), { ...options, foreign: true })
}

/** What a statement of one's own asks an engine. Throws `ParameterError` for a call of `attr` that is none. */
export function askedBySql(sql: string, values: readonly BoundValue[] = []): Omit<Asked, 'began' | 'milliseconds'> {
  const nothing = { query: undefined, table: undefined, parameters: new Map(), placeholders: [] }
  return { ...nothing, sql: withoutAttr(sql), values }
}

async function answerStatement(
  engine: QueryEngine,
  asked: Omit<Asked, 'began' | 'milliseconds'>,
  options: RunOptions,
): Promise<Answer> {
  const began = new Date()
  const answered = await engine.run(asked.sql, asked.values, options)
  // every time that a saved query answers with is one of the archive's
  const table = asked.query === undefined ? answered : await inUtc(answered)
  return new Answer(table, { ...asked, began, milliseconds: Date.now() - began.getTime() })
}
