import type { Table } from 'apache-arrow'
import { formatInstant, parseInstant } from '../transform/instant.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import { type Alteration, alterationsOf, withoutUnreadable } from './alteration.js'
import { Answer, type Asked } from './answer.js'
import { type ArchiveFacts, NO_FACTS, readArchiveFacts } from './archive-facts.js'
import { attributeMeant } from './attribute-name.js'
import { isTopLevel, rowsAtPath, writePath } from './attribute-path.js'
import { bindValues, type Identifiers, renderQuery, SAVED_QUERIES, type SavedQuery, type Statement } from './catalog.js'
import type { BoundValue, QueryEngine, RunOptions, Scope } from './engine.js'
import { findAlterations, findProblems } from './findings.js'
import { knownByFacts } from './gone-items.js'
import { deliveriesOf } from './literal.js'
import { STATES } from './moments.js'
import { checkParameters, ParameterError } from './parameters.js'
import { type ItemChange, orderSteps, type Step } from './reconstruct.js'
import { describeRegions, regionsOf } from './regions.js'
import { type Row, rowsOf } from './rows.js'
import { actorOfStatement, actorOfToday, rowsWithActor } from './todays-actor.js'
import { inUtc } from './utc.js'
import { absencesOf, judge, periodOver, type Verdict } from './verdict.js'

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
  for (const { name, preset } of query.parameters)
    if (preset === 'facts' && parameters[name] !== undefined)
      throw new ParameterError(`parameter ${name} is what the archive's facts say, leave it out`)
  const known = await knownByFacts(engine, table, query, parameters)
  const { scope, ...bound } = bindQuery(query, table, { ...parameters, ...known }, await actorOfToday(engine, table))
  const asked = { query: query.name, table: table.table, ...bound }
  const answer = await answerStatement(engine, asked, { ...options, scope })
  const attribute = bound.parameters.get('attribute')
  if (attribute === undefined || attribute === '' || answer.length > 0) return answer
  const meant = await attributeMeant(engine, table, String(attribute))
  return meant === attribute ? answer : answerQuery(engine, query, table, { ...parameters, attribute: meant }, options)
}

/** The answer to a statement of one's own. */
export function answerSql(
  engine: QueryEngine,
  sql: string,
  values: readonly BoundValue[] = [],
  options: RunOptions = {},
): Promise<Answer> {
  const nothing = { query: undefined, table: undefined, parameters: new Map(), placeholders: [] }
  return answerStatement(engine, { ...nothing, sql, values }, { ...options, foreign: true })
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

/** A saved query's statement for one table, with the values for its `?` in order. */
export interface BoundQuery extends Statement {
  readonly values: readonly BoundValue[]
  /** Every parameter's value, defaults filled in. */
  readonly parameters: ReadonlyMap<string, BoundValue>
  /** What it reads, where that is less than everything. */
  readonly scope: Scope | undefined
}

/**
 * What `askQuery` runs. Throws `ParameterError` for parameters that the query does not take. `actor` is the attribute that
 * names the actor where rows do not. @default - only what the rows say
 */
export function bindQuery(
  query: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
  actor?: AttributePath,
): BoundQuery {
  const { column, ...others } = parameters
  const values = withRecordedActor(
    checkParameters(query.parameters, {
      ...lifecyclePresets(query, table),
      ...(query.asksForColumn ? others : parameters),
    }),
  )
  const changes = deliveriesOf(table)
  const identifiers = query.asksForColumn ? { changes, column: configuredColumn(column, table) } : { changes }
  const statement = renderQuery(query, withPath(query, withActor(query, identifiers, actor), values.get('attribute')))
  const all = new Map<string, BoundValue>([
    ...(query.asksForColumn ? [['column', column as string] as const] : []),
    ...values,
  ])
  const scope = scopeOf(query, table, values)
  return {
    ...statement,
    values: bindValues(statement, values),
    parameters: all,
    scope: scope && { ...scope, ...(query.asksForColumn && { column: column as string }) },
  }
}

/** The names that stand in a statement, with the rows of a question about a path in which that is an attribute. */
export function withPath(query: SavedQuery, identifiers: Identifiers, path: BoundValue | undefined): Identifiers {
  const asksForPath = query.parameters.some(({ type }) => type === 'attribute')
  return !asksForPath || typeof path !== 'string' || path === '' || isTopLevel(path)
    ? identifiers
    : { ...identifiers, changes: rowsAtPath(identifiers.changes, path) }
}

/** The names that stand in a statement, with today's actor in the rows of one that asks who made changes. */
export function withActor(query: SavedQuery, identifiers: Identifiers, actor: AttributePath | undefined): Identifiers {
  if (actor === undefined || !asksWho(query)) return identifiers
  const { changes, column } = identifiers
  return { ...identifiers, changes: rowsWithActor(changes, actor, column === undefined ? undefined : `new_${column}`) }
}

/** `altered-rows` asks of the rows what they say. */
function asksWho({ name, columns, parameters }: SavedQuery): boolean {
  const named = [...columns, ...parameters].map(field => field.name)
  return name !== 'altered-rows' && named.some(field => WHO.includes(field))
}

const WHO = ['actor', 'actors', 'actor_source', 'last_writer', 'created_by', 'deleted_by']

/** As answers print the identity that DynamoDB records for its deletes by time to live, so that questions take it. */
export const TIME_TO_LIVE = { recorded: 'dynamodb.amazonaws.com', printed: 'DynamoDB time to live' } as const

function withRecordedActor(values: ReadonlyMap<string, BoundValue>): ReadonlyMap<string, BoundValue> {
  const printed = [TIME_TO_LIVE.printed.toLowerCase(), 'time to live']
  const isPrinted = printed.includes(String(values.get('actor')).toLowerCase())
  return isPrinted ? new Map([...values, ['actor', TIME_TO_LIVE.recorded]]) : values
}

function scopeOf(
  { name, parameters }: SavedQuery,
  { table, identifier }: TableConfiguration,
  values: ReadonlyMap<string, BoundValue>,
): Scope | undefined {
  const named = { table, ...(identifier !== undefined && { identifier }) }
  const item = parameters.find(({ type }) => type === 'item')
  if (item !== undefined) return { ...named, itemKey: String(values.get(item.name)) }
  const moments = STATES[name]?.map(moment => parseInstant(String(values.get(moment)))?.us)
  const [fromUs, toUs] = moments ?? []
  return fromUs === undefined || toUs === undefined || fromUs > toUs
    ? undefined
    : { ...named, states: { fromUs, toUs } }
}

/** What the configured life cycle says of the parameters that take their default from it. */
function lifecyclePresets(query: SavedQuery, { lifecycle }: TableConfiguration): Readonly<Record<string, string>> {
  const wanted = query.parameters.filter(({ preset }) => preset === 'lifecycle').map(parameter => parameter.name)
  if (lifecycle === undefined) return {}
  const known: Readonly<Record<string, string>> = {
    attribute: writePath(lifecycle.path.map(name => ({ name }))),
    allowed: JSON.stringify(lifecycle.allowed),
  }
  return Object.fromEntries(Object.entries(known).filter(([name]) => wanted.includes(name)))
}

function configuredColumn(name: string | undefined, { table, columns }: TableConfiguration): string {
  const known = columns.map(column => column.column)
  if (name !== undefined && known.includes(name)) return name
  const accepted =
    known.length === 0 ? `table ${table} has no configured columns` : `expected one of ${known.join(', ')}`
  throw new ParameterError(`parameter column is ${name === undefined ? 'missing' : JSON.stringify(name)}, ${accepted}`)
}

/** A change as `item-history` answers it. */
export interface HistoryChange extends ItemChange {
  readonly view_type: string | null
  readonly changed: readonly string[] | null
  readonly actor: string | null
  readonly actor_source: string
  readonly last_writer: string | null
  readonly user_identity: string | null
  /** What of it is not what its own hashes say; an image that nobody can read is null besides. */
  readonly altered: readonly Alteration[]
}

/** A row with every column that its hashes are taken over, as the fold reads it. */
export function heldAgainstHashes(
  row: Row,
  hasTodaysActor = false,
): Row & Pick<HistoryChange, 'altered' | 'event_time_us'> {
  const altered = alterationsOf(row, hasTodaysActor)
  return { ...withoutUnreadable(row, altered), altered, event_time_us: Number(row.event_time_us) } as never
}

/** One item's changes in order, what does not fit together in them, and how far they can be believed. */
export interface ItemHistory extends Verdict {
  readonly itemKey: string
  readonly steps: readonly Step<HistoryChange>[]
  /** The changes of all steps, in order. */
  readonly changes: readonly HistoryChange[]
  readonly facts: ArchiveFacts
}

/**
 * Reads an item's whole history, or its history up to a moment (microseconds since 1970, included). `onAnswer` is told of
 * the answer that it is read from, whatever is in it.
 */
export async function readHistory(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  untilUs?: number,
  onAnswer: (answer: Answer) => Promise<void> = async () => {},
): Promise<ItemHistory> {
  const answer = await answerHistory(engine, table, itemKey, untilUs)
  await onAnswer(answer)
  const hasTodaysActor = actorOfStatement(answer.asked.sql) !== undefined
  const changes = [...answer].map(row => ({
    ...heldAgainstHashes({ ...row, item_key: itemKey }, hasTodaysActor),
    repeats: Number(row.repeats),
  }))
  return foldHistory(itemKey, changes as unknown as readonly HistoryChange[], await readArchiveFacts(engine, table))
}

/** What `readHistory` folds. */
export function answerHistory(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  untilUs?: number,
): Promise<Answer> {
  const query = SAVED_QUERIES.get('item-history') as SavedQuery
  const to = untilUs === undefined ? {} : { to: formatInstant(untilUs + 1, 6) }
  return answerQuery(engine, query, table, { item_key: itemKey, ...to })
}

/** The history that an item's changes and what is known of its archive make. */
export function foldHistory(
  itemKey: string,
  unordered: readonly HistoryChange[],
  facts: ArchiveFacts = NO_FACTS,
): ItemHistory {
  const absences = absencesOf(facts, new Set(unordered.map(change => change.source)))
  const steps = orderSteps(unordered, absences)
  const changes = steps.flatMap(step => step.changes)
  const period = periodOver(changes.map(change => change.event_time_us))
  const verdict = judge(itemKey, [...findAlterations(steps), ...findProblems(steps)], facts, period)
  const regions = describeRegions(regionsOf(changes.map(change => change.source)))
  const remarks = regions === undefined ? verdict.remarks : [...verdict.remarks, `its ${regions}`]
  return { itemKey, steps, changes, facts, ...verdict, remarks }
}

/** Any key of a table, which tells its key attributes and their types; undefined where the archive has no rows of it. */
export async function anyItemKey(engine: QueryEngine, table: TableConfiguration): Promise<string | undefined> {
  const known = await engine.outline?.(table.table)
  if (known !== undefined) return known.sampleKey
  const answer = await engine.run(`select item_key from ${deliveriesOf(table)} limit 1`)
  for (const row of rowsOf(answer)) return row.item_key as string
  return undefined
}

const LONGEST_TYPED = 500

/** Keys that differ from one in at most `distance` characters, at most 50, in no order of nearness. */
export async function similarItemKeys(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  distance = 3,
): Promise<readonly string[]> {
  // Trino refuses to compare what is long, and nobody typed it
  if (itemKey.length > LONGEST_TYPED) return []
  const sql = `
    select distinct item_key
    from ${deliveriesOf(table)}
    where levenshtein_distance(item_key, ?) <= ${distance}
    order by item_key
    limit 50`
  const answer = await engine.run(sql, [itemKey], { scope: { table: table.table } })
  return [...rowsOf(answer)].map(row => row.item_key as string)
}
