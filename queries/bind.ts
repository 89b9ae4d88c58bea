import { parseInstant } from '../transform/instant.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import { isTopLevel, rowsAtPath, writePath } from './attribute-path.js'
import { bindValues, type Identifiers, renderQuery, type SavedQuery, type Statement } from './catalog.js'
import type { BoundValue, Scope } from './engines/engine.js'
import { deliveriesOf } from './engines/literal.js'
import { checkParameters, ParameterError } from './parameters.js'
import { rowsWithActor } from './todays-actor.js'

/** A saved query's statement for one table, with the values for its `?` in order. */
export interface BoundQuery extends Statement {
  readonly values: readonly BoundValue[]
  /** Every parameter's value, defaults filled in. */
  readonly parameters: ReadonlyMap<string, BoundValue>
  /** What it reads, where that is less than everything. */
  readonly scope: Scope | undefined
}

/** What stands in a statement for a table's rows. */
export interface BindOptions {
  /** The attribute that names the actor where rows do not. @default - only what the rows say */
  readonly actor?: AttributePath | undefined
  /** Makes other rows of the table's. @default - the rows as they were delivered */
  readonly rows?: (deliveries: string) => string
}

/** What `answerQuery` runs. Throws `ParameterError` for parameters that the query does not take. */
export function bindQuery(
  query: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
  { actor, rows = deliveries => deliveries }: BindOptions = {},
): BoundQuery {
  const { column, ...others } = parameters
  const values = withRecordedActor(
    checkParameters(query.parameters, {
      ...presetsOf(query, table),
      ...(query.asksForColumn ? others : parameters),
    }),
  )
  const changes = rows(deliveriesOf(table))
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
  if (actor === undefined || query.actor !== 'today') return identifiers
  const { changes, column } = identifiers
  return {
    ...identifiers,
    changes: rowsWithActor(changes, actor, typeof column === 'string' ? `new_${column}` : undefined),
  }
}

/** As answers print the identity that DynamoDB records for its deletes by time to live, so that questions take it. */
export const TIME_TO_LIVE = { recorded: 'dynamodb.amazonaws.com', printed: 'DynamoDB time to live' } as const

/** An actor as rows have it, of one as answers print it. */
export function recordedActor(name: string): string {
  const isPrinted = [TIME_TO_LIVE.printed.toLowerCase(), 'time to live'].includes(name.toLowerCase())
  return isPrinted ? TIME_TO_LIVE.recorded : name
}

function withRecordedActor(values: ReadonlyMap<string, BoundValue>): ReadonlyMap<string, BoundValue> {
  const actor = values.get('actor')
  return typeof actor === 'string' ? new Map([...values, ['actor', recordedActor(actor)]]) : values
}

function scopeOf(
  { states, parameters }: SavedQuery,
  { table, identifier }: TableConfiguration,
  values: ReadonlyMap<string, BoundValue>,
): Scope | undefined {
  const named = { table, ...(identifier !== undefined && { identifier }) }
  const item = parameters.find(({ type }) => type === 'item')
  if (item !== undefined) return { ...named, itemKey: String(values.get(item.name)) }
  if (states === undefined || states.ofAllRows) return undefined
  const [fromUs, toUs] = [states.from, states.to].map(moment => parseInstant(String(values.get(moment)))?.us)
  return fromUs === undefined || toUs === undefined || fromUs > toUs
    ? undefined
    : { ...named, states: { fromUs, toUs } }
}

/** What the configuration says of the parameters that take their default from it. */
function presetsOf(
  { parameters }: SavedQuery,
  { table, lifecycle }: TableConfiguration,
): Readonly<Record<string, string>> {
  const allowed = lifecycle && JSON.stringify(lifecycle.allowed)
  const attribute = lifecycle && writePath(lifecycle.path.map(name => ({ name })))
  const known = { lifecycle: { attribute, allowed }, table: { table } } as const
  const presets = parameters.map(({ name, preset }) => {
    const from: Readonly<Record<string, string | undefined>> =
      preset === 'lifecycle' || preset === 'table' ? known[preset] : {}
    return [name, from[name]] as const
  })
  return Object.fromEntries(presets.filter((preset): preset is [string, string] => preset[1] !== undefined))
}

function configuredColumn(name: string | undefined, { table, columns }: TableConfiguration): string {
  const known = columns.map(column => column.column)
  if (name !== undefined && known.includes(name)) return name
  const accepted =
    known.length === 0 ? `table ${table} has no configured columns` : `expected one of ${known.join(', ')}`
  throw new ParameterError(`parameter column is ${name === undefined ? 'missing' : JSON.stringify(name)}, ${accepted}`)
}
