import { z } from 'zod'
import { FACT_VERSION, type Fact } from '../transform/fact.js'
import { checkJson, count, exactly, instant, listOf, oneOf, record, sha256, text } from './gate.js'

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
  further: record({ differing: count, unsettled: count }).exactOptional(),
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
  before: text.exactOptional(),
  undone: record({ actor: text, from: instant, to: instant }).exactOptional(),
  actor: textOrNull,
  from: instant,
  to: instant,
  items: count,
  written: listOf(record({ itemKey: text, hash: sha256.nullable() })).nullable(),
})

const TOKEN = '32 lower-case hex digits'
const erasing = {
  ...common,
  token: z.string(TOKEN).regex(/^[0-9a-f]{32}$/, TOKEN),
  generation: count,
  reason: text,
  ticket: textOrNull,
  by: text,
}

const ERASING = record({ ...erasing, kind: exactly('erasing') })

const ERASURE = record({
  ...erasing,
  kind: exactly('erasure'),
  asked: instant,
  destroyed: instant,
  effective: instant,
  objects: count,
  rows: count,
  values: count,
  pending: listOf(text),
  searched: instant.exactOptional(),
})

const FACTS = [BASELINE, RECONCILIATION, GAP, STREAM_CHANGED, RESTORE, ERASING, ERASURE] as const
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
