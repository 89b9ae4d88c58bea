/** What a receipt may be. It is a file that changes hands: whoever edits one can make all its hashes anew. */
import { z } from 'zod'
import { count, fields, sha256, text } from '../config/checked-json.js'
import { TABLE_NAME } from '../config/schema.js'

export const RECEIPT_SCHEMA = 'itemtrail-receipt/v1'

/** Bytes of a receipt: one of 10,000 objects and as many rows has a few megabytes. */
export const MAX_RECEIPT = 64 * 1024 * 1024

const TABLE = "a table's name"
const table = z.string(TABLE).regex(TABLE_NAME, TABLE)
const DAY = 'a day as YYYY-MM-DD'
const day = z.string(DAY).regex(/^\d{4}-\d{2}-\d{2}$/, DAY)
const short = text(1000)
const sql = text(10_000_000)
const VALUE = 'a text or a number'
const value = z.union([z.string(), z.number()], VALUE)
const HASH_16 = '16 digits in lower hex'
const hash16 = z.string(HASH_16).regex(/^[0-9a-f]{16}$/, HASH_16)

function list<T extends z.ZodType>(element: T) {
  return z.array(element, 'a list')
}

/** Two of a kind in an array, as names with their values are written. */
function pair<T extends z.ZodType>(second: T) {
  return z.tuple([z.string('a name'), second], 'a name and its value')
}

const partition = fields({ table, from: day.nullable(), to: day.nullable() })
const object = fields({ key: text(4096), bytes: count, sha256: sha256.nullable() })
const file = fields({ name: text(4096), format: short, bytes: count, sha256 })

export const receiptSchema = fields({
  schema: z.literal(RECEIPT_SCHEMA, `"${RECEIPT_SCHEMA}"`),
  tool: fields({ name: z.literal('itemtrail', '"itemtrail"'), version: short }),
  asked_as: text(10_000_000).nullable(),
  question: fields({
    kind: z.enum(['saved', 'sql'], '"saved" or "sql"'),
    query: short.nullable(),
    query_version: hash16.nullable(),
    table: table.nullable(),
    parameters: list(pair(value)),
  }),
  statement: fields({ sql, sql_sha256: sha256, placeholders: list(short), values: list(value) }),
  engine: fields({ name: short, version: short.nullable() }),
  archive: z.record(z.string(), text(4096), 'an object of texts'),
  read: fields({
    partitions: list(partition),
    objects: fields({ count, bytes: count, sha256, list: list(object).nullable() }).nullable(),
  }),
  window: fields({ asked: list(pair(short)), first_event: short.nullable(), last_event: short.nullable() }),
  result: fields({
    columns: list(pair(short)),
    rows: count,
    sha256,
    row_hashes: list(hash16).nullable(),
  }),
  items: fields({
    distinct: count,
    duplicates_removed: count.nullable(),
    gaps: count.nullable(),
    conflicts: count.nullable(),
  }).nullable(),
  files: list(file),
  began: short,
  milliseconds: z.number('a number'),
  receipt_sha256: sha256,
})
