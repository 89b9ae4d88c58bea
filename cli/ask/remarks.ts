import type { QueryEngine } from '../../queries/engines/engine.js'
import { sealedOf } from '../../queries/verdict/sealed.js'
import { sealedRemarks } from '../../queries/verdict/sealed-told.js'
import { journalProblems, unbelievedOf, unreadOf } from '../../queries/verdict/unread.js'
import { DiskArchive } from '../../store/folder.js'
import type { NamedTable } from '../../transform/table-names.js'
import { EXIT, type ExitCode, type Io } from '../io.js'
import { isOnAws } from '../show/archive-name.js'
import { printable } from '../show/text.js'
import type { Workspace } from './workspace.js'

/** Lines that a person is shown of what is not read. */
const MOST_REMARKS = 20

/** Tells on standard error what the engine remarked while it answered, such as that a copy could not be used. */
export function tellRemarks(engine: QueryEngine, io: Io): void {
  say(engine, engine.remarks?.() ?? [], io)
}

/** What was told of an engine: once is enough, however many tables are asked about. */
const told = new WeakMap<QueryEngine, Set<string>>()

function say(engine: QueryEngine, texts: readonly string[], io: Io): void {
  const before = told.get(engine) ?? new Set()
  told.set(engine, before)
  const fresh = [...new Set(texts)].filter(text => !before.has(text))
  for (const text of fresh.slice(0, MOST_REMARKS)) io.err(`${printable(text)}\n`)
  if (fresh.length > MOST_REMARKS) io.err(`and ${fresh.length - MOST_REMARKS} more\n`)
  for (const text of fresh) before.add(text)
}

/** Tells on standard error what of a table, up to a time, was sealed and is missing or another, or cannot be known. */
export async function tellSealed(engine: QueryEngine, table: NamedTable, toUs: number, io: Io): Promise<ExitCode> {
  const sealed = await sealedOf(engine, table, { afterUs: Number.NEGATIVE_INFINITY, toUs })
  if (sealed === null || sealed.findings.length + sealed.problems.length === 0) return EXIT.done
  say(engine, sealedRemarks(sealed), io)
  return sealed.findings.length > 0 ? EXIT.findings : EXIT.unchecked
}

/**
 * Tells on standard error what lies among the objects and facts of the tables that were asked about and is not read.
 * Where there is something, nobody can say that the answer is whole.
 */
export async function tellUnread(workspace: Workspace, exit: ExitCode, io: Io): Promise<ExitCode> {
  const { engine, asked, tables } = workspace
  return sayUnread(engine, await unreadOf(engine, { asked: [...asked], tables }), exit, io)
}

/** The same of the journal alone, for what rests on it and on nothing else. */
export async function tellJournal({ engine }: Workspace, exit: ExitCode, io: Io): Promise<ExitCode> {
  return sayUnread(engine, await journalProblems(engine), exit, io)
}

/** The same of everything beside the rows, for commands that say how an archive is. */
export async function tellUnbelieved(workspace: Workspace, exit: ExitCode, io: Io): Promise<ExitCode> {
  const { root, tables } = workspace
  const said = isOnAws(root) ? [] : await unbelievedOf(new DiskArchive(root), tables)
  return sayUnread(workspace.engine, said, await tellUnread(workspace, exit, io), io)
}

function sayUnread(engine: QueryEngine, texts: readonly string[], exit: ExitCode, io: Io): ExitCode {
  say(engine, texts, io)
  return texts.length > 0 ? EXIT.unchecked : exit
}
