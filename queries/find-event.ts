import type { TableConfiguration } from '../transform/table-configuration.js'
import { NoSuchTable, type QueryEngine, UnreadableTable } from './engines/engine.js'
import { itemsOfEvent } from './list-changes.js'

/** As many signs of an id as answers print, up to all. */
const EVENT_ID = /^[0-9a-f]{8,32}$/

/**
 * An event's id, or its beginning, as somebody typed it, also as it comes out of a CSV: with a line end, blanks,
 * quotes, a separator, in capitals. Undefined for what is none.
 */
export function readEventId(typed: string): string | undefined {
  const bare = typed
    .trim()
    .replace(/^['"]+|['",;]+$/g, '')
    .trim()
    .toLowerCase()
  return EVENT_ID.test(bare) ? bare : undefined
}

/** What is wrong with a text that `readEventId` does not read. */
export function whyNoEventId(typed: string): string {
  return `event ${JSON.stringify(typed)} is none, expected at least 8 signs of its id, 0 to 9 and a to f`
}

/** An event of the archive, and whose it is. */
export interface FoundEvent {
  readonly table: TableConfiguration
  readonly eventId: string
  readonly itemKey: string
}

/**
 * The events of some tables whose ids begin so. A table that cannot be read costs nothing where the event is another's;
 * where none is found nobody knows, and this throws.
 */
export async function findEvents(
  engine: QueryEngine,
  tables: Iterable<TableConfiguration>,
  prefix: string,
): Promise<readonly FoundEvent[]> {
  const found: FoundEvent[] = []
  let unread: unknown
  for (const table of tables) {
    try {
      for (const event of await itemsOfEvent(engine, table, prefix)) found.push({ table, ...event })
    } catch (error) {
      if (!(error instanceof UnreadableTable || error instanceof NoSuchTable)) throw error
      unread ??= error
    }
  }
  if (found.length === 0 && unread !== undefined) throw unread
  return found
}

/** Some events as a message lists them, each with its table. */
export function listEvents(events: readonly FoundEvent[]): string {
  return events.map(({ table, eventId }) => `${eventId} of ${table.table}`).join(', ')
}
