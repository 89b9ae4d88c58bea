import type { Answer } from '../queries/answers/answer.js'
import { readHistory } from '../queries/answers/history.js'
import * as archived from '../queries/item-key.js'
import { similarItemKeys } from '../queries/known-keys.js'
import type { ItemHistory } from '../queries/verdict/history.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { CommandError, EXIT } from './io.js'
import { parseItemKey, showItemKey } from './item-key.js'
import { nearest } from './nearest.js'
import type { Workspace } from './workspace.js'

/** The canonical key that a user typed. Throws `CommandError` where the table has no rows to tell its keys by. */
export async function findItemKey({ engine }: Workspace, table: TableConfiguration, typed: string): Promise<string> {
  const key = await archived.findItemKey(engine, table, anyKey => parseItemKey(typed, anyKey))
  if (key === undefined) throw new CommandError(`table ${table.table} has no rows in the archive`, EXIT.findings)
  return key
}

/** An item's history, and the answer that it was read from. */
export interface FoundHistory extends ItemHistory {
  readonly answer: Answer
}

/**
 * The history of the item that a user typed; `onAnswer` is told of its answer, whatever is in it. Throws `CommandError`
 * with similar keys for an item never seen.
 */
export async function findHistory(
  workspace: Workspace,
  table: TableConfiguration,
  typed: string,
  onAnswer: (answer: Answer, itemKey: string) => Promise<void> = async () => {},
): Promise<FoundHistory> {
  const itemKey = await findItemKey(workspace, table, typed)
  const answers: Answer[] = []
  const history = await readHistory(workspace.engine, table, itemKey, undefined, async answer => {
    answers.push(answer)
    await onAnswer(answer, itemKey)
  })
  if (history.changes.length > 0) return { ...history, answer: answers[0] as Answer }
  const similar = nearest(itemKey, await similarItemKeys(workspace.engine, table, itemKey))
  throw new CommandError(
    `${table.table} ${showItemKey(itemKey)} was never seen: the archive has no change of it`,
    EXIT.findings,
    similar.length === 0
      ? 'an item that has not changed since the archive began is not in it'
      : `did you mean ${similar.map(showItemKey).join(' or ')}?`,
  )
}
