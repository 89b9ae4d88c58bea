import { type AnsweredHistory, readHistory } from '../../queries/answers/read-history.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { findEvents, readEventId } from '../../queries/find-event.js'
import { storedKey } from '../../queries/item-key.js'
import { similarItemKeys } from '../../queries/known-keys.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import { parseItem } from '../../transform/attribute-value.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT } from '../io.js'
import { describeConfidence } from '../show/confidence.js'
import { parseItemKey, showItemKey } from '../show/item-key.js'
import { withTokens } from './key-tokens.js'
import type { Workspace } from './workspace.js'

/**
 * The canonical key that a user typed, as rows have it. Throws `CommandError` where the table has no rows to tell its
 * keys by, `ParameterError` where the key is a token in rows and nothing here makes it.
 */
export async function findItemKey(workspace: Workspace, table: TableConfiguration, typed: string): Promise<string> {
  const anyKey = await workspace.archive.sampleKey(table.table)
  if (anyKey === undefined) throw new CommandError(`table ${table.table} has no rows in the archive`, EXIT.findings)
  return withTokens(workspace, table, keyed => storedKey(parseItemKey(typed, anyKey), keyed))
}

/**
 * The history of the item that a user typed, whatever is in it: of one that was never seen a receipt can be kept before
 * `checkSeen` says so.
 */
export async function findHistory(
  workspace: Workspace,
  table: TableConfiguration,
  typed: string,
): Promise<AnsweredHistory> {
  return readHistory(workspace.engine, table, await findItemKey(workspace, table, typed))
}

/**
 * Throws `CommandError` for the history of an item never seen: how sure that is of what was asked, and similar keys.
 */
export async function checkSeen(
  { engine }: Workspace,
  table: TableConfiguration,
  history: ItemHistory,
  asked = history,
): Promise<void> {
  const { itemKey, changes } = history
  if (changes.length > 0) return
  const similar = await similarItemKeys(engine, table, itemKey)
  const event = await eventMeant(engine, table, itemKey)
  const names = similar.map(showItemKey).join(' or ')
  const near = event ?? (similar.length === 0 ? '' : `\n  did you mean ${names}?`)
  throw new CommandError(
    `${table.table} ${showItemKey(itemKey)} was never seen: the archive has no change of it`,
    EXIT.findings,
    `${describeConfidence(asked)}${near}`,
  )
}

/** Where the key is the id of a change. */
async function eventMeant(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
): Promise<string | undefined> {
  const [only, ...others] = Object.values(parseItem(itemKey))
  const prefix = others.length === 0 && only !== undefined && 'S' in only ? readEventId(only.S) : undefined
  const [event] = prefix === undefined ? [] : await findEvents(engine, [table], prefix)
  if (event === undefined) return undefined
  return `\n  ${prefix} is a change of ${showItemKey(event.itemKey)}: itemtrail show ${table.table} ${prefix}`
}
