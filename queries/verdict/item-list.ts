import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { bindQuery } from '../bind.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import { streamRows } from '../engines/stream-rows.js'
import { actorOfToday } from '../todays-actor.js'
import { knownByFacts } from './gone-items.js'
import type { LastChange } from './table-at.js'

/** Which items are listed. */
export interface ItemListQuestion {
  /** What their keys have in them, as `keyBeginning` makes it. @default - all items */
  readonly key?: string | undefined
  /** As of when, in microseconds since 1970. */
  readonly atUs: number
  /** How many at most. @default - all */
  readonly limit?: number | undefined
}

/** An item that the archive knows. */
export interface ListedItem {
  readonly itemKey: string
  /** `gone`: a complete baseline since its last change lacks it, though no REMOVE of it came. */
  readonly state: 'present' | 'deleted' | 'gone' | 'unknown'
  /** Its last change up to the moment, which may be what a baseline saw. */
  readonly last: LastChange
  /** How many changes there are of it up to the moment. */
  readonly changes: number
  /** How many such items the archive knows, those among them that are over the limit. */
  readonly known: number
}

/** The parameters of the saved query `items`. */
export function itemListParameters({ key, atUs, limit }: ItemListQuestion): Readonly<Record<string, string>> {
  return {
    at: formatInstant(atUs, 6),
    ...(key !== undefined && { key }),
    ...(limit !== undefined && { limit: String(limit) }),
  }
}

/** The items that the archive knows, by key; where the engine can stream, memory holds a few of them. */
export async function* listItems(
  engine: QueryEngine,
  table: TableConfiguration,
  question: ItemListQuestion,
): AsyncGenerator<ListedItem> {
  const query = savedQuery('items')
  const parameters = itemListParameters(question)
  const known = await knownByFacts(engine, table, query, parameters)
  const actor = await actorOfToday(engine, table)
  const { sql, values, scope } = bindQuery(query, table, { ...parameters, ...known }, { actor })
  for await (const row of streamRows(engine, sql, values, { scope })) yield toListed(row)
}

function toListed(row: Row): ListedItem {
  const { item_key, state, event_id, event_name, event_time_us, time_precision, actor } = row
  return {
    itemKey: item_key as string,
    state: state as ListedItem['state'],
    last: { event_id, event_name, event_time_us: Number(event_time_us), time_precision, actor } as LastChange,
    changes: Number(row.changes),
    known: Number(row.known),
  }
}
