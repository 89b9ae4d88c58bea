import { z } from 'zod'
import { BUFFER, BUFFER_RANGES } from '../aws/firehose-buffer.js'
import type { DeclaredType } from '../transform/table-configuration.js'
import { TABLE_NAME } from '../transform/table-names.js'

// In this file a schema's error is what is allowed there: `describeIssue` puts "<path> is <value>, expected" before it.

const PLAIN_TYPES = ['string', 'number', 'json', 'bigint', 'double', 'boolean', 'timestamp'] as const
const TYPE = new RegExp(`^(?:${PLAIN_TYPES.join('|')}|decimal\\((?:[1-9]|[12]\\d|3[0-8]),(?:\\d|[12]\\d|3[0-8])\\))$`)

/** A stream's ARN; the first group is the table's name. */
export const STREAM = /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/([A-Za-z0-9_.-]+)\/stream\/[^/]+$/

/** The ARN of a KMS key, the one form of its name that another account can use, too. */
export const KMS_KEY = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/

/**
 * Glue takes 255 bytes (Athena user guide, "Name databases, tables, and columns"); `old_`, `new_` or `key_` is four.
 */
export const COLUMN_NAME = /^[a-z][a-z0-9_]{0,250}$/

const DAYS = 'a whole number from 1 to 36500'
const days = z.int(DAYS).min(1, DAYS).max(36_500, DAYS)

/** An object of known fields. Its error for an unknown one is the list of the known. */
function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: issue => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'an object'),
  })
}

const lockedBy = z
  .enum(['delivery', 'bucket'], '"delivery" or "bucket"')
  .describe(
    'What locks an object: a small function as soon as it is delivered, or the default retention of the bucket.',
  )
  .exactOptional()

const lock = z
  .discriminatedUnion(
    'mode',
    [
      fields({ mode: z.literal('none').describe('Objects can be deleted by whoever may delete in the bucket.') }),
      fields({
        mode: z
          .literal('governance')
          .describe('Before the days are over, only someone who may bypass governance retention can delete.'),
        days: days.describe('Days that each object is kept.'),
        by: lockedBy,
      }),
      fields({
        mode: z.literal('compliance').describe('Before the days are over nobody can delete, not even the root user.'),
        days: days.describe('Days that each object is kept.'),
        confirm: z
          .literal(true, 'true, because nobody can undo a compliance lock')
          .describe('Says that you know: nobody can undo a compliance lock.'),
        by: lockedBy,
      }),
    ],
    { error: issue => (issue.code === 'invalid_union' ? '"none", "governance" or "compliance"' : 'an object') },
  )
  .describe('S3 Object Lock of the whole archive. Needed to deploy, has no default.')

/** Whether the archive's objects are locked, and for how many days. */
export type Lock = Readonly<z.output<typeof lock>>

const ORIGIN = 'a name without white space and "+", at most 255 characters'
const KEY_ARN = 'the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID'
const SEAL_KEY = `the path of a key file, or ${KEY_ARN}`
const seal = fields({
  origin: z
    .string(ORIGIN)
    .regex(/^[^\s+]{1,255}$/u, ORIGIN)
    .describe(
      'The name of the journal, under which its key signs: best the beginning of an address that is yours. Once sealed it stays.',
    )
    .exactOptional(),
  key: z
    .string(SEAL_KEY)
    .min(1, SEAL_KEY)
    .describe(
      'What signs. On a desk the key file, outside the archive. On AWS the ARN of a KMS key (ECC_NIST_EDWARDS25519), such as one of another account; else the stack makes one.',
    )
    .exactOptional(),
  mail: z
    .array(z.email('an e-mail address'), 'an array of e-mail addresses')
    .describe('On AWS, who is mailed the checkpoint each day, to keep it. Each address has to confirm once.')
    .default([]),
})

/** How an archive is sealed. */
export type SealFields = Readonly<z.output<typeof seal>>

const NAME = 'an attribute name'
/** An attribute's name. */
export const attributeName = z
  .string(NAME)
  .min(1, NAME)
  .refine(text => text.isWellFormed(), NAME)

const PATH = 'attribute names joined by dots, or an array of names'
export const attributePath = z.union(
  [
    z
      .string(PATH)
      .regex(/^[^.]+(\.[^.]+)*$/, PATH)
      .refine(text => text.isWellFormed(), PATH)
      .describe('Attribute names joined by dots, from the top of the item down: "shipping.city".'),
    z
      .array(attributeName, PATH)
      .min(1, PATH)
      .describe('Attribute names from the top of the item down, each taken as it is, for names with dots.'),
  ],
  PATH,
)

/** True for a declared type as the file writes it. */
function isDeclaredType(text: string): text is DeclaredType {
  if (!TYPE.test(text)) return false
  const [precision = 0, scale = 0] = text.match(/\d+/g)?.map(Number) ?? []
  return scale <= precision
}

const DECIMAL = 'decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p'
const TYPES = `one of ${PLAIN_TYPES.join(', ')}, ${DECIMAL}`
/** A declared type as the file writes it. */
export const declaredType = z
  .string(TYPES)
  .refine(isDeclaredType, { error: issue => (`${issue.input}`.startsWith('decimal') ? DECIMAL : TYPES) })
  .meta({
    description: 'What the column holds. A value that does not fit goes to the column "misfits".',
    pattern: TYPE.source,
    examples: [...PLAIN_TYPES, 'decimal(12,2)'],
  })

/** What a column is declared as: its type alone, or with more about it. */
export const columnField = z.union(
  [
    declaredType,
    fields({
      attribute: attributePath
        .describe(
          'Where the value is. The name of this object is then the name of the column, in lower-case snake_case.',
        )
        .exactOptional(),
      type: declaredType,
      unit: z
        .enum(['s', 'ms'], '"s" or "ms"')
        .describe('Only with type "timestamp": what a number counts since 1970.')
        .exactOptional(),
    }).refine(({ type, unit }) => unit === undefined || type === 'timestamp', {
      path: ['unit'],
      error: 'no unit, which only type "timestamp" has',
    }),
  ],
  'a type, or an object with a type',
)

/** A key attribute of a table: its name alone, or with the name of its column. */
export const keyField = z.union(
  [
    attributeName.describe('Name of the key attribute.'),
    fields({
      attribute: attributeName.describe('Name of the key attribute.'),
      column: z
        .string('a column name')
        .meta({ description: 'Name of its column, without "key_".', pattern: COLUMN_NAME.source }),
    }),
  ],
  'a name, or an object with "attribute" and "column"',
)

/** A number that Firehose takes, with what else the delivery stream does. */
function within({ least, most }: { readonly least: number; readonly most: number }, feature: string) {
  const allowed = `a whole number from ${least} to ${most}, which Firehose takes with ${feature}`
  return z.int(allowed).min(least, allowed).max(most, allowed)
}

const ERASABLE_PATH = 'attribute names joined by dots, "*" for every member of a list or map, or an array of these'
const erasablePath = attributePath.describe(
  'Attribute names from the top of the item down, "*" for every member of a list or a map: "lines.*.note".',
)
const KEEPS = '"year", "last4" or "domain"'
const ERASABLE_VALUES = 'an array of attributes that is not empty'
const erasable = fields({
  subject: attributePath.describe('Where the person\'s id is, the same text or number in every table: "buyer.id".'),
  attributes: z
    .array(
      z.union(
        [
          erasablePath,
          fields({
            attribute: erasablePath,
            keep: z
              .enum(['year', 'last4', 'domain'], KEEPS)
              .describe('What stays in clear beside the ciphertext, for good.')
              .exactOptional(),
          }),
        ],
        ERASABLE_PATH,
      ),
      ERASABLE_VALUES,
    )
    .min(1, ERASABLE_VALUES)
    .describe("What is encrypted under the person's key before it is stored."),
})

/** How a stream is named, for messages. */
export const STREAM_ARN = 'the ARN of a DynamoDB stream: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME'

const KEYS = 'an array of one or two different key attributes'
const PERSONAL_KEYS = 'an array of one or two different names of key attributes'
const STEP = 'a pair [from, to]'
const table = fields({
  capture: z
    .enum(['streams', 'kinesis'], '"streams" or "kinesis"')
    .describe('What carries the changes: DynamoDB Streams, or Kinesis Data Streams for DynamoDB.')
    .default('streams'),
  since: z.iso
    .date('a day as YYYY-MM-DD')
    .meta({
      description: 'First day of the archive, UTC. Changes before it are refused. Needed to deploy.',
      pattern: '^\\d{4}-\\d{2}-\\d{2}$',
    })
    .exactOptional(),
  keys: z
    .array(keyField, KEYS)
    .min(1, KEYS)
    .max(2, KEYS)
    .refine(
      keys => new Set(keys.map(key => (typeof key === 'string' ? key : key.attribute))).size === keys.length,
      KEYS,
    )
    .describe('The key attributes, partition key first: each fills a column "key_<name>".')
    .exactOptional(),
  actor: attributePath.describe('The attribute that says who made a change.').exactOptional(),
  columns: z
    .record(z.string(), columnField, 'an object')
    .describe(
      'Attributes that get columns of their own, "old_<name>" and "new_<name>". A name is an attribute, or with "attribute" a column.',
    )
    .default({}),
  lifecycle: fields({
    attribute: attributePath.describe('The attribute that holds the status of an item.'),
    allowed: z
      .array(
        z.tuple([z.string('a status'), z.string('a status')], STEP).describe('From, to.'),
        'an array of pairs [from, to]',
      )
      .describe('The steps that a status may take. Others are shown as findings.'),
  })
    .describe('The steps that the status of an item may take.')
    .exactOptional(),
  erasable: z
    .array(erasable, 'an array of subjects')
    .min(1, 'an array of subjects that is not empty')
    .describe('Whom an item concerns, and what of it can be made unreadable for each of them. Needs "erasure".')
    .exactOptional(),
  keyIsPersonal: z
    .array(attributeName, PERSONAL_KEYS)
    .min(1, PERSONAL_KEYS)
    .max(2, PERSONAL_KEYS)
    .refine(names => new Set(names).size === names.length, PERSONAL_KEYS)
    .describe('The key attributes that name a person: rows have a token in their place. Needs "keys" and "erasable".')
    .exactOptional(),
  streamArn: z
    .string(STREAM_ARN)
    .regex(STREAM, STREAM_ARN)
    .describe('The stream of the table. Needed to deploy with capture "streams".')
    .exactOptional(),
  tableKeyArn: z
    .string(KEY_ARN)
    .regex(KMS_KEY, KEY_ARN)
    .describe('The customer managed key that the table is encrypted with, where there is one.')
    .exactOptional(),
  reconcile: z
    .boolean('true or false')
    .describe('Whether the stack compares the table with its archive each night. Needs point-in-time recovery.')
    .default(false),
  buffer: fields({
    mb: within(BUFFER_RANGES.mb, 'conversion to Parquet').describe('Megabytes.').default(BUFFER.mb),
    seconds: within(BUFFER_RANGES.seconds, 'dynamic partitioning').describe('Seconds.').default(BUFFER.seconds),
  })
    .describe('What Firehose gathers before it writes an object: so many MB or seconds, whichever comes first.')
    .default(BUFFER),
})

const CUTOFF = 'a whole number from 1 to 1000000'
const ENVIRONMENT = 'lower-case letters, digits and "-", a letter first, at most 20 characters'

const WORKGROUP = 'the name of a workgroup: 1 to 128 letters, digits, ".", "_" or "-"'
const DATABASE = 'the name of a Glue database: lower-case letters, digits and "_"'
const REGION = 'a region such as eu-central-1'
const RESULTS = 's3://bucket/prefix/'

const athena = fields({
  workgroup: z
    .string(WORKGROUP)
    .regex(/^[A-Za-z0-9._-]{1,128}$/, WORKGROUP)
    .describe('The workgroup that questions run in.')
    .exactOptional(),
  database: z
    .string(DATABASE)
    .regex(/^[a-z0-9_]{1,255}$/, DATABASE)
    .describe('The Glue database that holds the tables.')
    .exactOptional(),
  region: z
    .string(REGION)
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, REGION)
    .describe('Where both are; else as the AWS SDK finds it.')
    .exactOptional(),
  results: z
    .string(RESULTS)
    .regex(/^s3:\/\/[a-z0-9.-]{3,63}\//, RESULTS)
    .describe('Where answers go, of a workgroup that does not say it itself.')
    .exactOptional(),
}).describe('Where "--engine athena" asks. A stack of "itemtrail" itself has names that follow from "environment".')

/** Where Athena is asked, as far as the file says it. */
export type AthenaFields = Readonly<z.output<typeof athena>>

/** Days that refused records are kept, where nothing is said. */
export const REFUSED_DAYS = 365

/** The file `itemtrail.config.json`, all but the rules about names: those are in `column-names.ts`. */
export const configurationFile = fields({
  $schema: z.string('a text').describe('Where the JSON Schema of this file is, for editors.').exactOptional(),
  lock: lock.exactOptional(),
  refusedDays: days.describe('Days that refused records are kept.').default(REFUSED_DAYS),
  scanCutoffGb: z
    .int(CUTOFF)
    .min(1, CUTOFF)
    .max(1_000_000, CUTOFF)
    .describe('A query in Athena that scans more gigabytes than this is cancelled.')
    .default(100),
  compact: z
    .boolean('true or false')
    .describe(
      'Whether the stack keeps a copy of each table, clustered by item, and checkpoints, so that questions about one item or one moment read less.',
    )
    .default(false),
  seal: z
    .union([z.boolean(), seal], 'true, false, or an object with origin, key, mail')
    .describe('Whether a signed journal of the archive is kept: on AWS by a function every hour. An object says more.')
    .default(false),
  canary: z
    .boolean('true or false')
    .describe(
      'Whether the stack writes an item of a table of its own every five minutes, and measures how long each write takes into the archive.',
    )
    .default(false),
  erasure: fields({
    keys: z
      .string('the path of a folder')
      .min(1, 'the path of a folder')
      .describe('The folder of the key store, outside the archive: "itemtrail subject init" makes it.'),
  })
    .describe('Where the keys are of what can be made unreadable.')
    .exactOptional(),
  environment: z
    .string(ENVIRONMENT)
    .regex(/^[a-z][a-z0-9-]{0,19}$/, ENVIRONMENT)
    .describe('Names the stack and its database, so that several archives can live in one account.')
    .exactOptional(),
  notify: z
    .array(z.email('an e-mail address'), 'an array of e-mail addresses')
    .describe('Who hears of alarms by e-mail. Each address has to confirm once.')
    .default([]),
  athena: athena.exactOptional(),
  tables: z
    .record(z.string(), table, 'an object')
    .meta({ description: 'The DynamoDB tables, by name.', propertyNames: { pattern: TABLE_NAME.source } })
    .default({}),
}).meta({ title: 'itemtrail.config.json', description: 'Configuration of Itemtrail, an audit archive for DynamoDB.' })

/** Persons of a table's items as the file writes them. */
export type ErasableField = z.output<typeof erasable>

export type TableFields = z.output<typeof table>
export type ColumnField = z.output<typeof columnField>
export type KeyField = z.output<typeof keyField>

/** The JSON Schema for editors. Draft 7 is the one that all of them read. */
export function editorSchema(): object {
  return z.toJSONSchema(configurationFile, { io: 'input', target: 'draft-07' })
}
