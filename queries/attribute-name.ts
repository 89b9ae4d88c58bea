import { editDistance } from '../config/edit-distance.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { isTopLevel, readPath, rowsAtPath, writePath } from './attribute-path.js'
import type { PathSegment } from './difference.js'
import type { QueryEngine } from './engines/engine.js'
import { deliveriesOf } from './engines/literal.js'
import { rowsOf } from './engines/rows.js'
import { ParameterError } from './parameters.js'

/**
 * The attribute or path that somebody meant whose answer is empty: the text itself where an item ever had it, else
 * what a configured column of that name is taken from. Throws `ParameterError` for what no item ever had, since
 * "never changed" may be said only of what exists. It reads the table once or twice more.
 */
export async function attributeMeant(engine: QueryEngine, table: TableConfiguration, text: string): Promise<string> {
  const names = await namesWithin(engine, table, [])
  // a table without a single image says it otherwise
  if (names.length === 0 || names.includes(text)) return text
  const column = table.columns.find(({ column }) => column === text)
  if (column !== undefined) {
    const path = writePath(column.path.map(name => ({ name })))
    if (path !== text && (await isKnown(engine, table, path, names))) return path
  } else if (!isTopLevel(text) && (await isKnown(engine, table, text, names))) return text
  const near = await nearest(engine, table, text, names)
  throw new ParameterError(
    `parameter attribute is ${JSON.stringify(text)}, which no item ever had, expected an attribute such as ${near.join(', ')}`,
  )
}

/**
 * Undefined for a path, such as `customer.email`, that an item of the table ever had, and of a table without a single
 * image; else paths that are near to it.
 */
export async function nearUnknownPath(
  engine: QueryEngine,
  table: TableConfiguration,
  path: string,
): Promise<readonly string[] | undefined> {
  const names = await namesWithin(engine, table, [])
  if (names.length === 0 || names.includes(path) || (await isKnown(engine, table, path, names))) return undefined
  return nearest(engine, table, path, names)
}

async function isKnown(
  engine: QueryEngine,
  table: TableConfiguration,
  path: string,
  names: readonly string[],
): Promise<boolean> {
  if (isTopLevel(path)) return names.includes(path)
  const sql = `
    select 1 as known
    from ${rowsAtPath(deliveriesOf(table), path)} as changes
    where old_image <> '{}' or new_image <> '{}'
    limit 1`
  return [...rowsOf(await engine.run(sql))].length > 0
}

const MOST_NAMES = 3

/** Paths beside the one that was given; where nothing lies there, attributes. */
async function nearest(
  engine: QueryEngine,
  table: TableConfiguration,
  text: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const parent = readPath(text).slice(0, -1)
  const [first] = parent
  const isWithin = first !== undefined && 'name' in first && names.includes(first.name)
  const within = isWithin ? await namesWithin(engine, table, parent) : []
  const known = within.length > 0 ? within.map(name => writePath([...parent, { name }])) : names
  return [...known].sort((a, b) => editDistance(text, a) - editDistance(text, b)).slice(0, MOST_NAMES)
}

/** All names that a map of an item ever had, as far as images and changes tell; of the path `[]` its attributes. */
async function namesWithin(
  engine: QueryEngine,
  table: TableConfiguration,
  path: readonly PathSegment[],
): Promise<readonly string[]> {
  const text = writePath(path)
  const deliveries = deliveriesOf(table)
  const map = (image: string) => {
    const all = `cast(json_parse(coalesce(${image}, '{}')) as map(varchar, json))`
    if (path.length === 0) return `map_keys(${all})`
    const value = `element_at(${all}, '${text.replaceAll("'", "''")}')`
    return `map_keys(cast(element_at(cast(${value} as map(varchar, json)), 'M') as map(varchar, json)))`
  }
  const told = `coalesce(${map('changes.old_image')}, array['']) || coalesce(${map('changes.new_image')}, array[''])`
  const sql = `
    select distinct t.attribute
    from ${path.length === 0 ? deliveries : rowsAtPath(deliveries, text)} as changes
    cross join unnest(${path.length === 0 ? `coalesce(changes.changed, array['']) || ${told}` : told}) as t(attribute)
    where t.attribute <> ''
    order by attribute`
  return [...rowsOf(await engine.run(sql))].map(row => row.attribute as string)
}
