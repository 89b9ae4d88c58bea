import { editDistance } from '../config/edit-distance.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { QueryEngine } from './engine.js'
import { deliveriesOf } from './literal.js'
import { ParameterError } from './parameters.js'
import { rowsOf } from './rows.js'

/**
 * The attribute that somebody meant whose answer is empty: the name itself where an item ever had it, else that of a
 * configured column of the name. Throws `ParameterError` for what no item ever had, since "never changed" may be said
 * only of what exists. It reads the table once more.
 */
export async function attributeMeant(engine: QueryEngine, table: TableConfiguration, name: string): Promise<string> {
  const names = await attributesOf(engine, table)
  // a table without a single row says it otherwise
  if (names.length === 0 || names.includes(name)) return name
  const path = table.columns.find(({ column }) => column === name)?.path ?? name.split(/[.[]/)
  const [top] = path
  if (path.length === 1 && top !== name && names.includes(String(top))) return String(top)
  throw new ParameterError(
    `parameter attribute is ${JSON.stringify(name)}, ${whyNot(String(top), path.length > 1, name, names)}`,
  )
}

function whyNot(top: string, isNested: boolean, name: string, names: readonly string[]): string {
  if (isNested && names.includes(top))
    return `which lies within the attribute ${top}: this query takes top-level attributes, history and diff show what changed within them`
  const near = [...names].sort((a, b) => editDistance(name, a) - editDistance(name, b)).slice(0, MOST_NAMES)
  return `which no item ever had, expected a top-level attribute such as ${near.join(', ')}`
}

const MOST_NAMES = 3

/** All attributes that an item ever had, as far as images and changes tell. */
async function attributesOf(engine: QueryEngine, table: TableConfiguration): Promise<readonly string[]> {
  const keysOf = (image: string) => `map_keys(cast(json_parse(coalesce(${image}, '{}')) as map(varchar, json)))`
  const sql = `
    select distinct t.attribute
    from ${deliveriesOf(table)} as changes
    cross join unnest(
      case when changes.changed is null then ${keysOf('changes.new_image')} else changes.changed end
    ) as t(attribute)
    order by attribute`
  return [...rowsOf(await engine.run(sql))].map(row => row.attribute as string)
}
