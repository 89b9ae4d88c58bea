import { formatInstant, parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { isTopLevel, readPath } from '../attribute-path.js'
import type { BoundValue, QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { rowsOf } from '../engines/rows.js'
import type { Asked } from './asked.js'

/** One thing that a saved query asks of a change, and what to say where no change of the table has it. */
interface Filter {
  readonly condition: string
  readonly values: readonly BoundValue[]
  readonly name: string
  readonly nothing: string
}

/**
 * Which filter of a saved query left nothing, in a sentence; undefined where changes pass all of them, so that the
 * question itself has no answer. It reads the table's narrow columns once more, which is cheap on a desk only.
 */
export async function explainNothing(
  engine: QueryEngine,
  table: TableConfiguration,
  asked: Pick<Asked, 'parameters'>,
): Promise<string | undefined> {
  const filters = [...filtersOf(asked.parameters, table.table), ...keyFilter(asked.parameters.get('key'), table)]
  const changes = deliveriesOf(table)
  const counts = [
    `select 0 as place, count(*) as n, min(event_time_us) as first_us, max(event_time_us) as last_us from ${changes}`,
    ...[...filters.map(filter => [filter]), filters].map(
      (some, i) => `select ${i + 1}, count(*), null, null from ${changes} where ${conditionOf(some)}`,
    ),
  ]
  const values = [...filters, ...filters].flatMap(filter => filter.values)
  const answer = await engine.run(`${counts.join('\nunion all\n')}\norder by place`, values)
  const [all, ...rest] = [...rowsOf(answer)]
  if (all === undefined || all.n === 0n) return `the archive has no change of ${table.table}`
  const missing = filters.filter((_, i) => rest[i]?.n === 0n).map(filter => filter.nothing)
  const span = `its changes are from ${instantText(all.first_us)} to ${instantText(all.last_us)}`
  if (missing.length > 0) return missing.join('; ').replace(PERIOD_IS_EMPTY, `${PERIOD_IS_EMPTY}, ${span}`)
  if (rest.at(-1)?.n !== 0n) return undefined
  return `each alone leaves changes of ${table.table}, but together none: ${filters.map(({ name }) => name).join(', ')}`
}

const PERIOD_IS_EMPTY = 'no change lies in the period'

function conditionOf(filters: readonly Filter[]): string {
  return filters.length === 0 ? '1 = 1' : filters.map(({ condition }) => condition).join(' and ')
}

function filtersOf(parameters: Asked['parameters'], table: string): readonly Filter[] {
  const text = (name: string) => {
    const value = parameters.get(name)
    return value === undefined ? undefined : String(value)
  }
  const [item, actor, attribute, column, value] = ['item_key', 'actor', 'attribute', 'column', 'value'].map(text)
  return [
    ...periodOf(text),
    ...(item === undefined ? [] : [filter('item_key = ?', item, 'the item', `no change of ${table} is of this item`)]),
    ...(actor === undefined
      ? []
      : [filter('actor = ?', actor, 'the actor', `no change of ${table} has the actor ${JSON.stringify(actor)}`)]),
    // nothing stands for any attribute
    ...(attribute === undefined || attribute === '' ? [] : [attributeFilter(attribute, table)]),
    ...(column === undefined || value === undefined
      ? []
      : [
          filter(
            `cast(new_${column} as varchar) = ?`,
            value,
            `the value of ${column}`,
            `no item of ${table} ever had ${JSON.stringify(value)} in ${column}`,
          ),
        ]),
  ]
}

/** What somebody typed of a key, as `item_key` has it. */
function keyFilter(key: BoundValue | undefined, { table, keyIsPersonal }: TableConfiguration): readonly Filter[] {
  if (key === undefined || key === '') return []
  const tokens = keyIsPersonal === undefined ? '' : `, which has tokens in the place of ${keyIsPersonal.join(' and ')}`
  return [filter('strpos(item_key, ?) > 0', String(key), 'the key', `no key of ${table} has ${key} in it${tokens}`)]
}

/** Of a path only the attribute that it begins with is looked for, which is all that `changed` has. */
function attributeFilter(text: string, table: string): Filter {
  const [first] = readPath(text)
  const name = isTopLevel(text) || first === undefined || !('name' in first) ? text : first.name
  const within = name === text ? '' : `, in which ${text} would be`
  const nothing = `no change of ${table} touched an attribute ${JSON.stringify(name)}${within}`
  return filter('array_position(changed, ?) > 0', name, 'the attribute', nothing)
}

function filter(condition: string, value: string, name: string, nothing: string): Filter {
  return { condition, values: [value], name, nothing }
}

/** `from` and `to`, or the moment that a question looks back from. */
function periodOf(text: (name: string) => string | undefined): readonly Filter[] {
  const us = (name: string) => parseInstant(text(name) ?? '')?.us
  const [from, to, at] = ['from', 'to', 'at'].map(us)
  const bounds = [
    ...(from === undefined ? [] : [['event_time_us >= ?', from] as const]),
    ...(to === undefined ? [] : [['event_time_us < ?', to] as const]),
    ...(at === undefined ? [] : [['event_time_us <= ?', at] as const]),
  ]
  if (bounds.length === 0) return []
  const condition = bounds.map(([bound]) => bound).join(' and ')
  return [{ condition, values: bounds.map(([, value]) => value), name: 'the period', nothing: PERIOD_IS_EMPTY }]
}

function instantText(us: unknown): string {
  return formatInstant(Number(us), Number(us) % 1_000_000 === 0 ? 0 : 3)
}
