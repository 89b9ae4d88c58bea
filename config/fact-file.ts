import { z } from 'zod'
import { FACT_VERSION, type Fact, type FactStore } from '../transform/fact.js'
import { factPrefix } from '../transform/layout.js'
import { checkJson, count, exactly, FileError, instant, listOf, oneOf, record, sha256, text } from './gate.js'

const common = { version: exactly(FACT_VERSION), table: text, recorded: instant }
const method = oneOf(['export', 'scan'])
const textOrNull = text.nullable()

const BASELINE = record({
  ...common,
  kind: exactly('baseline'),
  method,
  source: text,
  from: instant,
  to: instant,
  rowTime: instant,
  items: count,
  digest: text,
})

const RECONCILIATION = record({
  ...common,
  kind: exactly('reconciliation'),
  method,
  source: text,
  from: instant,
  to: instant,
  items: count,
  differing: listOf(record({ key: text, since: instant.nullable() })),
  unsettled: listOf(text),
  digest: text,
})

const GAP = record({
  ...common,
  kind: exactly('gap'),
  source: text,
  shard: text,
  after: textOrNull,
  before: textOrNull,
  from: instant.nullable(),
  to: instant,
  reason: text,
})

const STREAM_CHANGED = record({ ...common, kind: exactly('stream-changed'), previous: text, source: text })

const RESTORE = record({
  ...common,
  kind: exactly('restore'),
  plan: sha256,
  pastOf: text,
  asOf: instant,
  actor: textOrNull,
  from: instant,
  to: instant,
  items: count,
  written: listOf(record({ itemKey: text, hash: sha256.nullable() })).nullable(),
})

const FACTS = [BASELINE, RECONCILIATION, GAP, STREAM_CHANGED, RESTORE] as const
const KINDS = FACTS.map(({ shape }) => JSON.stringify(shape.kind.value)).join(', ')

const anyFact: z.ZodType<Fact> = z.discriminatedUnion('kind', FACTS, {
  error: issue => (issue.code === 'invalid_union' ? KINDS : 'an object'),
})

/** A comparison's keys of items that differed may be many and long. */
const MAX_BYTES = 64 * 1024 ** 2

/** Reads what `writeFact` wrote; fields of its own a later version may add. Throws a `FileError`. */
export function readFact(content: string | Uint8Array, key: string): Fact {
  return checkJson(content, anyFact, key, { maxBytes: MAX_BYTES })
}

/** What an archive knows about a table beside its rows, oldest first, and files whose word for it is not known. */
export interface FactsFound {
  readonly facts: readonly Fact[]
  readonly problems: readonly FileError[]
}

/** Reads the facts of a table. Whoever answers by them has to tell of the problems: what a file could have said is not known. */
export async function findFacts(store: FactStore, table: string): Promise<FactsFound> {
  const keys = (await store.list(factPrefix(table))).filter(key => key.endsWith('.json')).sort()
  const facts: Fact[] = []
  const problems: FileError[] = []
  const contents = await Promise.all(keys.map(key => openFact(store, key)))
  for (const [i, content] of contents.entries()) {
    try {
      if (content instanceof FileError) throw content
      const fact = readFact(content, keys[i] as string)
      if (fact.table !== table)
        throw new FileError(keys[i] as string, [`table is ${JSON.stringify(fact.table)}, expected "${table}"`])
      facts.push(fact)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      problems.push(error)
    }
  }
  return { facts, problems }
}

/** A link is a problem of the fact, not of the archive. */
async function openFact(store: FactStore, key: string): Promise<Uint8Array | FileError> {
  try {
    return await store.open(key)
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
}

/** The facts of a table for whoever acts on them. Throws the `FileError` of the first that cannot be read. */
export async function readFacts(store: FactStore, table: string): Promise<readonly Fact[]> {
  const { facts, problems } = await findFacts(store, table)
  if (problems[0] !== undefined) throw problems[0]
  return facts
}
