import { tryParseObject } from '../transform/json.js'
import { configurationPrefix } from '../transform/layout.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import type { QueryEngine } from './engines/engine.js'
import { quoted } from './engines/literal.js'
import { columnsReplacing } from './replaced-columns.js'

/**
 * Who made changes that were archived while another attribute named the actor, or none: by the attribute that is
 * configured today, read from the images. `actor_source` marks it.
 */
export const ACTOR_OF_TODAY = 'new_image_today'

const known = new WeakMap<QueryEngine, Map<string, Promise<boolean>>>()

/**
 * The attribute that names the actor today; undefined where every configuration of the archive's rows says the same.
 */
export async function actorOfToday(
  engine: QueryEngine,
  { table, actor }: TableConfiguration,
): Promise<AttributePath | undefined> {
  if (actor === undefined || engine.facts === undefined) return undefined
  const tables = known.get(engine) ?? new Map<string, Promise<boolean>>()
  known.set(engine, tables)
  const id = JSON.stringify([table, actor])
  const differs = tables.get(id) ?? wasAnother(engine.facts, table, JSON.stringify(actor))
  tables.set(id, differs)
  return (await differs) ? actor : undefined
}

async function wasAnother(store: NonNullable<QueryEngine['facts']>, table: string, actor: string): Promise<boolean> {
  try {
    for (const key of await store.list(configurationPrefix(table))) {
      if (!key.endsWith('.json')) continue
      const kept = tryParseObject(Buffer.from(await store.open(key)).toString())
      if (JSON.stringify(kept?.actor) !== actor) return true
    }
    return false
  } catch {
    // who may not read what was configured gets the right answer from the images, for more bytes
    return true
  }
}

/**
 * A table's rows with today's actor, in place of the table. What `column` names of the configured ones is among them.
 */
export function rowsWithActor(changes: string, path: AttributePath, column?: string): string {
  const fromNew = actorIn('delivered.new_image', path)
  const fromOld = actorIn('delivered.old_image', path)
  const found = `case when delivered.event_name in ('INSERT', 'MODIFY') then ${fromNew} end`
  const replaced = {
    actor: `coalesce(delivered.actor, ${found})`,
    actor_source: `case when delivered.actor is null and ${found} is not null then '${ACTOR_OF_TODAY}' else delivered.actor_source end`,
    last_writer: `coalesce(delivered.last_writer, case when delivered.event_name = 'BASELINE' then ${fromNew} else ${fromOld} end)`,
  }
  const columns = columnsReplacing('delivered', replaced, column === undefined ? [] : [column])
  return `(
    ${MARK}${JSON.stringify(path)}
    select
      ${columns}
    from ${changes} as delivered
  )`
}

const MARK = '-- actor, and where it was found, by the attribute configured today: '

/** The attribute that a statement with `rowsWithActor` in it takes the actor from. */
export function actorOfStatement(sql: string): AttributePath | undefined {
  const line = sql.split('\n').find(text => text.trimStart().startsWith(MARK))
  if (line === undefined) return undefined
  try {
    const path: unknown = JSON.parse(line.trimStart().slice(MARK.length))
    return Array.isArray(path) && path.every(name => typeof name === 'string') ? path : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** As `actorOf` in `transform/change.ts` has it: a text or a number as it is, of anything else its JSON. */
function actorIn(image: string, path: AttributePath): string {
  const value = path.reduce(
    (map, name, depth) => member(depth === 0 ? map : member(map, 'M'), name),
    `json_parse(${image})`,
  )
  const text = `coalesce(json_extract_scalar(${value}, '$.S'), json_extract_scalar(${value}, '$.N'), json_format(${value}))`
  return `case when json_format(${value}) <> '{"NULL":true}' then nullif(${text}, '') end`
}

function member(json: string, name: string): string {
  return `element_at(cast(${json} as map(varchar, json)), ${quoted(name)})`
}
