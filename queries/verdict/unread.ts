/** What lies in an archive and is not read: where there is something, nobody can say that an answer is whole. */
import { readKept } from '../../store/kept-configurations.js'
import { findFacts } from '../../store/kept-facts.js'
import type { Objects } from '../../store/objects.js'
import type { QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'
import { journalOf } from './archive-journal.js'
import { journalProblem } from './sealed-told.js'

/** Of what an answer is. */
export interface AnswerOf {
  /** The tables that were asked about; none where the answer may be of any. */
  readonly asked: readonly string[]
  /** Those of the archive. */
  readonly tables: readonly string[]
}

/** What lies among the objects, the facts and the journal of the tables that were asked about and is not read. */
export async function unreadOf(engine: QueryEngine, { asked, tables }: AnswerOf): Promise<readonly string[]> {
  const objects = await Promise.all((asked.length > 0 ? asked : [undefined]).map(table => engine.unread?.(table)))
  const among = asked.length > 0 ? asked : tables
  const facts = await Promise.all(among.map(table => unreadableFacts(engine, table)))
  const journal = among.length === 0 ? [] : await journalProblems(engine)
  return [...new Set([...objects.flatMap(unread => unread ?? []), ...facts.flat(), ...journal])]
}

/** The kept configurations of tables that cannot be read. */
export async function unbelievedOf(archive: Objects, tables: readonly string[]): Promise<readonly string[]> {
  const kept = await Promise.all(tables.map(table => readKept(archive, table)))
  return kept.flatMap(({ problems }) => problems.map(({ message }) => `${message}; it is not believed`))
}

async function unreadableFacts(engine: QueryEngine, table: string): Promise<readonly string[]> {
  const { facts } = engine
  if (facts === undefined) return []
  const { problems } = await once(engine, `unreadable facts of ${table}`, () => findFacts(facts, table))
  return problems.map(({ message }) => `${message}; what it tells of the archive is not known`)
}

/** What of the journal cannot be read: then nobody knows what is missing. */
export async function journalProblems(engine: QueryEngine): Promise<readonly string[]> {
  return ((await journalOf(engine))?.problems() ?? []).map(journalProblem)
}
