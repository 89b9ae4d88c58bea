import type { QueryEngine } from '../queries/engine.js'
import { EXIT, type ExitCode, type Io } from './io.js'
import { printable } from './text.js'
import type { Workspace } from './workspace.js'

/** Tells on standard error what the engine remarked while it answered, such as that a copy could not be used. */
export function tellRemarks(engine: QueryEngine, io: Io): void {
  for (const remark of engine.remarks?.() ?? []) io.err(`${printable(remark)}\n`)
}

/** Lines that a person is shown of what is not read. */
const SHOWN = 20

/**
 * Tells on standard error what lies among the objects of the tables that were asked about and is not read. Where there is
 * something, nobody can say that the answer is whole.
 */
export function tellUnread({ engine, asked }: Workspace, exit: ExitCode, io: Io): ExitCode {
  const tables = asked.size > 0 ? [...asked] : [undefined]
  const unread = [...new Set(tables.flatMap(table => engine.unread?.(table) ?? []))]
  for (const text of unread.slice(0, SHOWN)) io.err(`${printable(text)}\n`)
  if (unread.length > SHOWN) io.err(`and ${unread.length - SHOWN} more\n`)
  return unread.length > 0 ? EXIT.unchecked : exit
}
