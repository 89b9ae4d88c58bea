/**
 * The hashed half of the audit row contract once more, written from the design and not from `transform/`, as somebody
 * with the archive's documentation alone would: so that the code is not checked by itself.
 */
import { createHash } from 'node:crypto'

/** A row line, parsed; absent columns are null in SQL and left out here. */
export type RowColumns = { readonly [column: string]: unknown }

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Canonical DynamoDB JSON of an item whose binary is base64 once. */
export function canonicalForm(item: object): string {
  const names = Object.keys(item).sort(byUtf8)
  return `{${names.map(name => `${escaped(name)}:${canonicalValue((item as RowColumns)[name] as object)}`).join(',')}}`
}

function canonicalValue(value: object): string {
  const [type, content] = Object.entries(value)[0] as [string, unknown]
  return `{"${type}":${canonicalContent(type, content)}}`
}

function canonicalContent(type: string, content: unknown): string {
  if (type === 'M') return canonicalForm(content as object)
  if (type === 'L') return `[${(content as object[]).map(canonicalValue).join(',')}]`
  if (type === 'BOOL' || type === 'NULL') return String(content)
  if (type === 'N') return escaped(plainNumber(content as string))
  if (type.length === 1) return escaped(content as string)
  const elements = content as string[]
  const sorted = (type === 'NS' ? elements.map(plainNumber) : [...elements]).sort(byUtf8)
  return `[${sorted.map(escaped).join(',')}]`
}

/** By counting in whole numbers: the digits as one, shifted to where the point belongs. */
export function plainNumber(text: string): string {
  const [mantissa = '', power = '0'] = text.toUpperCase().split('E')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const unscaled = BigInt(whole + fraction) * 10n ** BigInt(400 + Number(power) - fraction.length)
  const digits = String(unscaled).padStart(401, '0')
  const decimals = digits.slice(-400).replace(/0+$/, '')
  const plain = `${digits.slice(0, -400)}${decimals === '' ? '' : `.${decimals}`}`
  return mantissa.startsWith('-') && plain !== '0' ? `-${plain}` : plain
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const SHORT_ESCAPES = new Map(
  Object.entries({ '"': '"', '\\': '\\', '\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r' }),
)

/** RFC 8785, section 3.2.2.2, character by character. */
function escaped(text: string): string {
  const characters = [...text].map(character => {
    const short = SHORT_ESCAPES.get(character)
    if (short !== undefined) return `\\${short}`
    return character < ' ' ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character
  })
  return `"${characters.join('')}"`
}

const PLAIN_LINES = [
  'event_id',
  'source_event_id',
  'table_name',
  'region',
  'source',
  'view_type',
  'event_name',
  'sequence',
  'event_time_us',
  'time_precision',
  'actor_source',
  'config_id',
  'old_hash',
  'new_hash',
]
const HASHED_LINES = ['item_key', 'actor', 'last_writer', 'user_identity', 'subjects']

/** The text that `row_hash` is taken over. */
export function leafText(row: RowColumns): string {
  const plain = PLAIN_LINES.map(column => String(row[column] ?? '-'))
  const hashed = HASHED_LINES.map(column => (row[column] === undefined ? '-' : sha256(textOf(row[column]))))
  return ['audit-row/v1', ...plain, ...hashed].join('\n')
}

/** A list is its elements, one a line. */
function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join('\n') : String(value)
}

/** RFC 6962: a leaf is hashed behind a zero byte. */
export function leafHash(leaf: string): string {
  return sha256(Buffer.concat([Buffer.of(0), Buffer.from(leaf)]))
}

/** Which capture a row came by: it is no column, but the others tell. */
function captureOf(row: RowColumns): string {
  if (row.event_name === 'BASELINE') return 'baseline'
  return row.sequence !== undefined || String(row.source).startsWith('arn:') ? 'streams' : 'kinesis'
}

/** The `event_id` that a row's other columns give. */
export function eventId(row: RowColumns): string {
  const capture = captureOf(row)
  const parts = [
    capture,
    row.region ?? '-',
    row.table_name,
    row.item_key,
    row.event_name,
    row.time_precision === 'arrival' ? '-' : row.event_time_us,
    capture === 'kinesis' ? '-' : (row.source_event_id ?? '-'),
    row.sequence ?? '-',
    row.old_hash ?? '-',
    row.new_hash ?? '-',
  ]
  return sha256(parts.join('\n')).slice(0, 32)
}

/** The columns of a row that its other columns contradict, by hashing alone. */
export function wrongHashes(row: RowColumns): readonly string[] {
  const expected = {
    event_id: eventId(row),
    old_hash: row.old_image === undefined ? undefined : sha256(String(row.old_image)),
    new_hash: row.new_image === undefined ? undefined : sha256(String(row.new_image)),
    row_hash: leafHash(leafText(row)),
  }
  return Object.entries(expected).flatMap(([column, value]) => (row[column] === value ? [] : [column]))
}
