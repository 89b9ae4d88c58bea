/**
 * The attribute of an item that names who wrote it last: a restore writes its own name there, and not the old writer's.
 */
import type { Item } from '../transform/attribute-value.js'
import type { AttributePath } from '../transform/table-configuration.js'

/** An item with the name of its writer in it; as it is where the path leads through what is no map. */
export function itemWithActor(item: Item, path: AttributePath, actor: string): Item {
  const [name, ...rest] = path as readonly [string, ...string[]]
  if (rest.length === 0) return { ...item, [name]: { S: actor } }
  const inner = Object.hasOwn(item, name) ? item[name] : undefined
  return inner !== undefined && 'M' in inner ? { ...item, [name]: { M: itemWithActor(inner.M, rest, actor) } } : item
}

/** An item without the name of its writer. */
export function withoutActor(item: Item, path: AttributePath): Item {
  const [name, ...rest] = path as readonly [string, ...string[]]
  if (!Object.hasOwn(item, name)) return item
  if (rest.length === 0) return Object.fromEntries(Object.entries(item).filter(([other]) => other !== name))
  const inner = item[name]
  return inner !== undefined && 'M' in inner ? { ...item, [name]: { M: withoutActor(inner.M, rest) } } : item
}
