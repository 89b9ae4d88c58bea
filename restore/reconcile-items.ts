import { toldItem } from '../capture/told-states.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { ParameterError } from '../queries/parameters.js'
import type { Item } from '../transform/attribute-value.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { compareTables, windowOf } from './reconcile.js'
import { comparability } from './reconcile-findings.js'
import { judgeItem, type ReconcileFinding } from './reconciliation.js'
import { StateStore } from './state-store.js'

/**
 * Compares all items that somebody says a table held at a moment (microseconds since 1970) with what the archive
 * says, and yields those that are not shown to be equal, by key. Memory does not grow with the table. Throws
 * `ParameterError` where an item is told twice, `ExportError` for what is no item of the table.
 */
export async function* reconcileItems(
  engine: QueryEngine,
  table: TableConfiguration,
  items: AsyncIterable<Item> | Iterable<Item>,
  atUs: number,
): AsyncGenerator<ReconcileFinding> {
  const store = await StateStore.open()
  try {
    let count = 0
    for await (const item of items) store.add(toldItem({ text: JSON.stringify(item), where: `item ${++count}` }, table))
    store.seal()
    const repeated = await store.countRepeated()
    if (repeated > 0) throw new ParameterError(`items are told more than once: ${repeated} of them, expected each once`)
    const { disagreements } = await compareTables({ engine, table, store }, windowOf(atUs, false))
    const known = await comparability(engine, table)
    for await (const disagreement of disagreements) yield judgeItem(disagreement, known)
  } finally {
    store.remove()
  }
}
