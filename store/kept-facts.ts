import { readFact } from '../config/fact-file.js'
import { FileError } from '../config/gate.js'
import { type Fact, writeFact } from '../transform/fact.js'
import { factKey, factPrefix } from '../transform/layout.js'
import type { Objects } from './objects.js'
import { readEach } from './read-each.js'

/** What an archive knows about a table beside its rows, oldest first, and the files that could not be read. */
export interface FactsFound {
  readonly facts: readonly Fact[]
  readonly problems: readonly FileError[]
}

/**
 * Reads the facts of a table. Whoever answers by them has to tell of the problems: what a file could have said is not
 * known.
 */
export async function findFacts(archive: Objects, table: string): Promise<FactsFound> {
  const { read, problems } = await readEach(archive, factPrefix(table), (content, key) => {
    const fact = readFact(content, key)
    if (fact.table === table) return fact
    throw new FileError(key, [`table is ${JSON.stringify(fact.table)}, expected "${table}"`])
  })
  return { facts: read, problems }
}

/** The facts of a table for whoever acts on them. Throws the `FileError` of the first that cannot be read. */
export async function readFacts(archive: Objects, table: string): Promise<readonly Fact[]> {
  const { facts, problems } = await findFacts(archive, table)
  if (problems[0] !== undefined) throw problems[0]
  return facts
}

/** Puts a fact into an archive, and gives its key. */
export async function keepFact(archive: Pick<Objects, 'put'>, fact: Fact): Promise<string> {
  const key = factKey(fact)
  await archive.put(key, Buffer.from(writeFact(fact)))
  return key
}
