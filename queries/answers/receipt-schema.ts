/** What a receipt may be. It is a file that changes hands: whoever edits one can make all its hashes anew. */
import { z } from 'zod'
import { count, day, exactly, listOf, oneOf, record, sha256 } from '../../config/gate.js'
import { TABLE_NAME } from '../../transform/table-names.js'

export const RECEIPT_SCHEMA = 'itemtrail-receipt/v1'

/** Bytes of a receipt: one of 10,000 objects and as many rows has a few megabytes. */
export const MAX_RECEIPT = 64 * 1024 * 1024

const TABLE = "a table's name"
const table = z.string(TABLE).regex(TABLE_NAME, TABLE)
const text = z.string('a text')
const VALUE = 'a text or a number'
const value = z.union([z.string(), z.number()], VALUE)
const HASH_16 = '16 digits in lower hex'
const hash16 = z.string(HASH_16).regex(/^[0-9a-f]{16}$/, HASH_16)

/** Two of a kind in an array, as names with their values are written. */
function pair<T extends z.ZodType>(second: T) {
  return z.tuple([z.string('a name'), second], 'a name and its value')
}

const partition = record({ table, from: day.nullable(), to: day.nullable() })
const object = record({ key: text, bytes: count, sha256: sha256.nullable() })
const fields = z.record(z.string(), z.unknown(), 'an object')
const file = record({ name: text, format: text, bytes: count, sha256 })

export const receiptSchema = record({
  schema: exactly(RECEIPT_SCHEMA),
  tool: record({ name: exactly('itemtrail'), version: text }),
  asked_as: text.nullable(),
  question: record({
    kind: oneOf(['saved', 'sql']),
    query: text.nullable(),
    query_version: hash16.nullable(),
    table: table.nullable(),
    parameters: listOf(pair(value)),
  }),
  statement: record({ sql: text, sql_sha256: sha256, placeholders: listOf(text), values: listOf(value) }),
  engine: record({ name: text, version: text.nullable() }),
  archive: z.record(z.string(), text, 'an object of texts'),
  read: record({
    partitions: listOf(partition),
    objects: record({ count, bytes: count, sha256, list: listOf(object).nullable() }).nullable(),
  }),
  window: record({ asked: listOf(pair(text)), first_event: text.nullable(), last_event: text.nullable() }),
  result: record({
    columns: listOf(pair(text)),
    rows: count,
    sha256,
    row_hashes: listOf(hash16).nullable(),
  }),
  items: record({ distinct: count }).nullable(),
  verdict: record({
    judged: z.boolean('true or false'),
    confidence: text.nullable(),
    doubtful: z.boolean('true or false').nullable(),
    tables: listOf(fields),
    item: fields.nullable(),
    not_shown: text.nullable(),
  }),
  files: listOf(file),
  began: text,
  milliseconds: z.number('a number'),
  receipt_sha256: sha256,
})
