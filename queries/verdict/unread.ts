import { findFacts } from '../../store/kept-facts.js'
import type { QueryEngine } from '../engines/engine.js'
import { journalOf } from './archive-journal.js'
import { journalProblem } from './sealed-told.js'

/**
 * What lies among the objects, the facts and the journal of tables and is not read, a sentence each. Where there is
 * something, nobody can say that an answer is whole.
 */
export async function unreadBeside(
  engine: QueryEngine,
  { asked, tables }: { readonly asked: readonly string[]; readonly tables: readonly string[] },
): Promise<readonly string[]> {
  const about = asked.length > 0 ? asked : [undefined]
  const objects = (await Promise.all(about.map(table => engine.unread?.(table)))).flatMap(unread => unread ?? [])
  const among = asked.length > 0 ? asked : tables
  return [
    ...objects,
    ...(await unreadableFacts(engine, among)),
    ...(among.length === 0 ? [] : await journalProblems(engine)),
  ]
}

async function unreadableFacts({ facts }: QueryEngine, tables: readonly string[]): Promise<readonly string[]> {
  if (facts === undefined) return []
  const found = await Promise.all(tables.map(table => findFacts(facts, table)))
  return found.flatMap(({ problems }) =>
    problems.map(({ message }) => `${message}; what it tells of the archive is not known`),
  )
}

/** What of the journal cannot be read: then nobody knows what is missing. */
async function journalProblems(engine: QueryEngine): Promise<readonly string[]> {
  return ((await journalOf(engine))?.problems() ?? []).map(journalProblem)
}
