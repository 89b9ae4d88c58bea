import { type AnsweredChange, readFoundEvent } from '../../queries/answers/read-found-event.js'
import { type FoundEvent, findEvents, listEvents, readEventId, whyNoEventId } from '../../queries/find-event.js'
import { CommandError, EXIT } from '../io.js'
import { findWorkspaceTable, type Workspace } from './workspace.js'

/** The table, where one was typed, and the id of an event: whoever types the id first means it, too. */
export function tableAndEvent([first = '', second]: readonly string[]): readonly [
  table: string | undefined,
  event: string,
] {
  if (second === undefined) return [undefined, first]
  const isReversed = readEventId(first) !== undefined && readEventId(second) === undefined
  return isReversed ? [second, first] : [first, second]
}

/**
 * The only event whose id begins as typed, of a table or of any that the archive has. Throws `CommandError` for what is
 * no id, for an event that is not there, and for several, which it lists.
 */
export async function namedEvent(
  workspace: Workspace,
  tableName: string | undefined,
  typed: string,
): Promise<FoundEvent> {
  const prefix = readEventId(typed)
  if (prefix === undefined)
    throw new CommandError(
      whyNoEventId(typed),
      EXIT.usage,
      `an item is asked for by its key: itemtrail history ${tableName ?? 'TABLE'} ${JSON.stringify(typed)}`,
    )
  const found = await findEvents(workspace.engine, tablesMeant(workspace, tableName), prefix)
  const [only, ...others] = found
  if (only === undefined) throw notThere(workspace, tableName, prefix)
  if (others.length > 0)
    throw new CommandError(
      `event ${prefix} is the beginning of several ids`,
      EXIT.findings,
      `more of the id tells one: ${listEvents(found)}`,
    )
  workspace.asked.add(only.table.table)
  return only
}

/** The change that `namedEvent` finds, in the history of its item. */
export async function namedChange(
  workspace: Workspace,
  tableName: string | undefined,
  typed: string,
): Promise<AnsweredChange & { readonly of: FoundEvent }> {
  const of = await namedEvent(workspace, tableName, typed)
  return { ...(await readFoundEvent(workspace.engine, of)), of }
}

function tablesMeant(workspace: Workspace, name: string | undefined) {
  if (name !== undefined) return [findWorkspaceTable(workspace, name)]
  const { archive, tables } = workspace
  if (tables.length > 0) return tables.map(table => archive.table(table))
  throw new CommandError('table is missing, the archive names none', EXIT.usage, 'type it before the id of the event')
}

function notThere({ tables }: Workspace, tableName: string | undefined, prefix: string): CommandError {
  const where = tableName === undefined ? `in the archive (${tables.join(', ')})` : `in the archive of ${tableName}`
  return new CommandError(`event ${prefix} is not ${where}`, EXIT.findings)
}
