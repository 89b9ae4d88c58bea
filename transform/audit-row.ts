import { hash } from 'node:crypto'
import { canonicalValue, parseValue, valueAt } from './attribute-value.js'
import type { ActorSource, DecodedChange, Image } from './change.js'
import { type FlatValue, fitValue } from './flat-column.js'
import { formatTimestamp, type Instant, type TimePrecision } from './instant.js'
import { canonicalString, compareUtf8 } from './json.js'
import { withoutSealed } from './sealed-field.js'
import type { EventName, ViewType } from './stream-record.js'
import {
  type ConfiguredColumn,
  configurationId,
  type DeclaredType,
  type TableConfiguration,
} from './table-configuration.js'

/** The version of the rows that are made now; `row-versions.ts` has all that there are. */
export const ROW_VERSION = 'audit-row/v1'

/** A column's type as Glue names it; the Parquet schema and DuckDB's types derive from it. */
export type ColumnType =
  | 'string'
  | 'bigint'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'array<string>'
  | `decimal(${number},${number})`

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** True where every row has a value. */
  readonly required: boolean
  readonly meaning: string
}

const column = (name: string, type: ColumnType, required: boolean, meaning: string) => ({
  name,
  type,
  required,
  meaning,
})

/**
 * The columns of every audit row, version 1, in their order. A write-once archive holds them for good: never change
 * one.
 */
export const AUDIT_COLUMNS: readonly Column[] = [
  column('event_id', 'string', true, 'identifies the change: the same change, delivered twice, has the same id'),
  column('source_event_id', 'string', false, 'eventID as recorded; the source of a baseline'),
  column('event_name', 'string', true, 'INSERT, MODIFY, REMOVE, or BASELINE (an item found when the archive began)'),
  column('event_time', 'timestamp', true, 'when DynamoDB made the change, UTC, floored to milliseconds'),
  column('event_time_us', 'bigint', true, 'the same in microseconds since 1970, as precise as the source gave it'),
  column('time_precision', 'string', true, 's, ms, us, or arrival: the record had no time, its arrival stands in'),
  column(
    'sequence',
    'string',
    false,
    "DynamoDB's SequenceNumber, zero-padded to 40 digits; null for Kinesis and baseline",
  ),
  column('table_name', 'string', true, 'the DynamoDB table'),
  column('region', 'string', false, 'the AWS region'),
  column(
    'source',
    'string',
    true,
    "the stream's ARN, or region/table where the record carries none; a baseline's source",
  ),
  column('view_type', 'string', false, 'stream view type, where the record says it: which images it carries'),
  column('item_key', 'string', true, "canonical DynamoDB JSON of the item's keys: identifies the item"),
  column('old_image', 'string', false, 'canonical DynamoDB JSON of the item before the change'),
  column('new_image', 'string', false, 'canonical DynamoDB JSON of the item after the change'),
  column('old_hash', 'string', false, 'SHA-256 (lower hex) of the UTF-8 bytes of old_image'),
  column('new_hash', 'string', false, 'SHA-256 (lower hex) of the UTF-8 bytes of new_image'),
  column(
    'changed',
    'array<string>',
    false,
    'top-level attributes that differ, sorted; null when none do or an image is missing',
  ),
  column('actor', 'string', false, 'who made the change, as far as the record tells'),
  column('actor_source', 'string', true, 'where actor was found: service, new_image, unknown'),
  column(
    'last_writer',
    'string',
    false,
    'who wrote the version before the change, or that a baseline found; not who removed it',
  ),
  column('user_identity', 'string', false, 'userIdentity as recorded, canonical JSON'),
  column('size_bytes', 'bigint', false, 'SizeBytes as recorded'),
  column('arrived_at', 'timestamp', true, 'when the delivery stream took the record in, UTC'),
  column(
    'subjects',
    'array<string>',
    false,
    'tokens of the persons concerned, sorted, TOKEN:erased for who was erased before; null where nothing is sealed',
  ),
  column('config_id', 'string', true, 'the configuration that the row was made under: config/<table>/<config_id>.json'),
  column('row_version', 'string', true, `always ${ROW_VERSION}`),
  column('row_hash', 'string', true, 'SHA-256(0x00 || leaf), lower hex: an RFC 6962 leaf hash over the row'),
]

/** The last column, after the configured ones. */
const MISFITS = column(
  'misfits',
  'string',
  false,
  'JSON of the flat columns whose value did not fit: column -> DynamoDB JSON',
)

/** All columns of a table's rows in their order: the audit columns, the configured flat ones, `misfits`. */
export function columnsOf(table: TableConfiguration): readonly Column[] {
  const keys = table.keys.map(key => column(`key_${key.column}`, 'string', false, `key attribute ${key.attribute}`))
  const flat = table.columns.flatMap(({ column: name, path, type }) =>
    (['old', 'new'] as const).map(side =>
      column(`${side}_${name}`, storedType(type), false, `attribute ${path.join('.')} of ${side}_image`),
    ),
  )
  return [...AUDIT_COLUMNS, ...keys, ...flat, MISFITS]
}

/** Numbers and JSON are stored as text, which is exact. */
function storedType(type: DeclaredType): ColumnType {
  return type === 'number' || type === 'json' ? 'string' : type
}

/** DuckDB's name of a column type. A timestamp is stored in milliseconds, as fine as Athena reads them. */
export function duckDbType(type: ColumnType): string {
  switch (type) {
    case 'string':
      return 'VARCHAR'
    case 'timestamp':
      return 'TIMESTAMP_MS'
    case 'array<string>':
      return 'VARCHAR[]'
    default:
      return type.toUpperCase()
  }
}

/** One audit row, version 1. Property names are column names; times are the texts of the row line. */
export interface AuditRow {
  readonly event_id: string
  readonly source_event_id: string | null
  readonly event_name: EventName
  readonly event_time: string
  readonly event_time_us: number
  readonly time_precision: TimePrecision
  readonly sequence: string | null
  readonly table_name: string
  readonly region: string | null
  readonly source: string
  readonly view_type: ViewType | null
  readonly item_key: string
  readonly old_image: string | null
  readonly new_image: string | null
  readonly old_hash: string | null
  readonly new_hash: string | null
  readonly changed: readonly string[] | null
  readonly actor: string | null
  readonly actor_source: ActorSource
  readonly last_writer: string | null
  readonly user_identity: string | null
  readonly size_bytes: number | null
  readonly arrived_at: string
  readonly subjects: readonly string[] | null
  readonly config_id: string
  readonly row_version: typeof ROW_VERSION
  readonly row_hash: string
  /** The configured columns that have a value, by name, in the order of `columnsOf`. */
  readonly flat: ReadonlyMap<string, FlatValue>
  readonly misfits: string | null
}

/**
 * Makes the audit row of a change. `arrival` is when the delivery stream took the record in, in milliseconds since
 * 1970.
 */
export function toAuditRow(change: DecodedChange, table: TableConfiguration, arrival: number): AuditRow {
  const { record, keys, oldImage, newImage } = change
  const time: Instant = record.time ?? { us: arrival * 1000, precision: 'arrival' }
  const { flat, misfits } = flatten(change, table)
  const row = {
    event_id: eventId(change),
    source_event_id: record.eventId,
    event_name: record.eventName,
    event_time: formatTimestamp(Math.floor(time.us / 1000)),
    event_time_us: time.us,
    time_precision: time.precision,
    sequence: record.sequence,
    table_name: record.table,
    region: record.region,
    source: record.source,
    view_type: record.viewType,
    item_key: keys.text,
    old_image: oldImage?.text ?? null,
    new_image: newImage?.text ?? null,
    old_hash: oldImage?.hash ?? null,
    new_hash: newImage?.hash ?? null,
    changed: change.changed,
    actor: change.actor,
    actor_source: change.actorSource,
    last_writer: change.lastWriter,
    user_identity: record.userIdentity,
    size_bytes: record.sizeBytes,
    arrived_at: formatTimestamp(arrival),
    subjects: change.subjects,
    config_id: configurationId(table),
    row_version: ROW_VERSION,
    row_hash: '',
    flat,
    misfits,
  } satisfies AuditRow
  // over the others, so it comes last
  row.row_hash = rowHash(row)
  return row
}

/**
 * First 32 hex of the SHA-256 over what makes a change this change, however it came: so the table's region and name,
 * and not the stream's ARN, which only some ways of delivery carry. At precision `arrival` its time is not part of it.
 */
function eventId(change: DecodedChange): string {
  const { record, keys } = change
  const parts = [
    record.capture,
    record.region ?? '-',
    record.table,
    keys.text,
    record.eventName,
    record.time?.us ?? '-',
    // a repeat in Kinesis may not keep its eventID, so there the content alone identifies
    record.capture === 'kinesis' ? '-' : (record.eventId ?? '-'),
    record.sequence ?? '-',
    identityOf(change.oldImage, change),
    identityOf(change.newImage, change),
  ]
  return hash('sha256', parts.join('\n')).slice(0, 32)
}

/**
 * A record that comes again after one of its persons was erased is the same change, though what was sealed of it before
 * is not kept any more. Of Kinesis only its whole images tell a change from another of the same moment.
 */
function identityOf(image: Image | null, { record, subjects }: DecodedChange): string {
  if (image === null) return '-'
  const isNumbered = record.eventId !== null && record.sequence !== null
  return subjects === null || !isNumbered ? image.hash : hash('sha256', withoutSealed(image.text))
}

/**
 * What `row_hash` protects: every column of a row but those that are derived from these, `arrived_at` and `size_bytes`.
 */
export type HashedColumns = Omit<AuditRow, 'row_hash' | 'flat' | 'misfits'>

/** The columns whose values are the lines of a leaf; of the last five it has a SHA-256. */
export const LEAF_COLUMNS = [
  'row_version',
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
  'item_key',
  'actor',
  'last_writer',
  'user_identity',
  'subjects',
] as const satisfies readonly (keyof HashedColumns)[]

/** The lines that `row_hash` is taken over, joined by line feeds; `-` stands for absent. */
export function leafOf(row: HashedColumns): string {
  return [
    row.row_version,
    row.event_id,
    row.source_event_id ?? '-',
    row.table_name,
    row.region ?? '-',
    row.source,
    row.view_type ?? '-',
    row.event_name,
    row.sequence ?? '-',
    row.event_time_us,
    row.time_precision,
    row.actor_source,
    row.config_id,
    row.old_hash ?? '-',
    row.new_hash ?? '-',
    hash('sha256', row.item_key),
    hashOf(row.actor),
    hashOf(row.last_writer),
    hashOf(row.user_identity),
    hashOf(row.subjects === null ? null : row.subjects.join('\n')),
  ].join('\n')
}

function hashOf(text: string | null): string {
  return text === null ? '-' : hash('sha256', text)
}

/** RFC 6962 leaf hash (section 2.1) of a row, lower hex. */
export function rowHash(row: HashedColumns): string {
  return hash('sha256', `\0${leafOf(row)}`)
}

function flatten(change: DecodedChange, table: TableConfiguration): Pick<AuditRow, 'flat' | 'misfits'> {
  const flat = new Map<string, FlatValue>()
  const misfits = new Map<string, string>()
  for (const key of table.keys) {
    const text = change.keys.attributes.get(key.attribute)
    if (text !== undefined) flat.set(`key_${key.column}`, Object.values(parseValue(text))[0] as string)
  }
  for (const configured of table.columns) {
    fill(`old_${configured.column}`, change.oldImage, configured, flat, misfits)
    fill(`new_${configured.column}`, change.newImage, configured, flat, misfits)
  }
  return { flat, misfits: misfits.size === 0 ? null : writeMisfits(misfits) }
}

function fill(
  name: string,
  image: Image | null,
  configured: ConfiguredColumn,
  flat: Map<string, FlatValue>,
  misfits: Map<string, string>,
): void {
  if (image === null) return
  const value = valueAt(image.item, configured.path)
  if (value === undefined) return
  const fitted = fitValue(value, configured, image.binary)
  if (fitted === undefined) misfits.set(name, canonicalValue(value, name, image.binary))
  else flat.set(name, fitted)
}

/** The column `misfits`: JSON of the flat columns whose value did not fit, from their canonical DynamoDB JSON. */
export function writeMisfits(misfits: ReadonlyMap<string, string>): string {
  const names = [...misfits.keys()].sort(compareUtf8)
  return `{${names.map(name => `${canonicalString(name, 'misfits')}:${misfits.get(name)}`).join(',')}}`
}

/**
 * The row as one JSON object and a line feed, as it goes to either converter: nulls left out, bigint as a JSON integer,
 * decimal and double as strings because a JSON number would pass through a double.
 */
export function rowLine(row: AuditRow): string {
  let line = ''
  for (const [name, head] of ROW_HEADS) {
    const value = row[name]
    if (value !== null) line += `${line === '' ? '{' : ','}${head}${jsonOf(value)}`
  }
  for (const [name, value] of row.flat) line += `,"${name}":${jsonOf(value)}`
  if (row.misfits !== null) line += `,"misfits":${JSON.stringify(row.misfits)}`
  return `${line}}\n`
}

const ROW_HEADS = AUDIT_COLUMNS.map(({ name }) => [name as keyof HashedColumns, `"${name}":`] as const)

function jsonOf(value: FlatValue | readonly string[]): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value, 'row')
    case 'bigint':
      return String(value)
    default:
      return JSON.stringify(value)
  }
}
