import { AUDIT_COLUMNS, LEAF_COLUMNS, ROW_VERSION } from '../../transform/audit-row.js'
import type { ActorSource } from '../../transform/change.js'
import { STORED_FIELDS, type StoredField } from '../../transform/fast/fast-path.js'
import { PARTITION_COLUMN } from '../../transform/layout.js'
import { ROW_VERSIONS } from '../../transform/row-versions.js'
import type { EventName } from '../../transform/stream-record.js'
import { quoted, quotedName } from '../engines/literal.js'

/** The statement that puts together by what bytes `CertainRows` judges rows. */

export const EVENT_NAMES: readonly EventName[] = ['INSERT', 'MODIFY', 'REMOVE', 'BASELINE']
export const ACTOR_SOURCES: readonly ActorSource[] = ['service', 'new_image', 'unknown']

const DAY_US = 86_400_000_000

/** The beginning of a folder's day in microseconds since 1970; undefined where it is of none. */
export function dayUs(folder: string): number | undefined {
  const [, day] = new RegExp(`^${PARTITION_COLUMN}=(\\d{4}-\\d{2}-\\d{2})$`).exec(folder) ?? []
  const us = Date.parse(`${day}T00:00:00Z`) * 1000
  return day !== undefined && Number.isSafeInteger(us + DAY_US) ? us : undefined
}

/** What rows are put together of. */
export interface Sieve {
  /** Objects, with the numbers of their rows. */
  readonly source: string
  /** Tells a row outside of the period. */
  readonly outside: string
  /** The beginning of the day that each object lies in, in microseconds since 1970. */
  readonly days: readonly number[]
  readonly configIds: readonly string[]
  /** The columns of every object with their types. */
  readonly columns: ReadonlyMap<string, string>
}

/** The objects that have rows outside of the period, by their places, and how many. */
export function outsideRows({ source, outside }: Sieve): string {
  return `select file_index::integer, count(*) from ${source} where ${outside} group by 1`
}

/** Which column of the answer has the bytes. */
export const BYTES_AT = 5 + STORED_FIELDS.length

/**
 * For each row its object and its number in it; its kind, the source of its actor and its configuration, as places in
 * their lists; the lengths of `STORED_FIELDS`; their bytes; and what nothing tells, so that it is read all the same and
 * damage shows. A row that is not plain has no configuration.
 */
export function sievedRows({ source, outside, days, configIds, columns }: Sieve): string {
  const fields = STORED_FIELDS.map(name => `${FIELDS[name](columns)} as f_${name}`)
  return `
    select file_no, row_no, events, sources, configs,
      ${STORED_FIELDS.map(name => `coalesce(strlen(f_${name}), -1)::integer`).join(', ')},
      encode(concat(${STORED_FIELDS.map(name => `f_${name}`).join(', ')}, chr(10))), ${UNDERIVED}
    from (
      select file_index::integer as file_no, file_row_number::integer as row_no,
        ${placeOf('event_name', EVENT_NAMES)} as events, ${placeOf('actor_source', ACTOR_SOURCES)} as sources,
        if(${isPlain(days)}, ${placeOf('config_id', configIds)}, -1) as configs,
        ${fields.join(', ')}, ${UNDERIVED}
      from ${source}
      where (${outside}) is not true
    )`
}

/** Where all lie in one day, that is no list to look into. */
function isPlain(days: readonly number[]): string {
  const isOne = days.every(day => day === days[0])
  const day = isOne ? `${days[0]}` : `[${days.join(', ')}][file_index::bigint + 1]`
  return `${PLAIN} and event_time_us - ${day} between 0 and ${DAY_US - 1}`
}

const UNDERIVED = ROW_VERSIONS.get(ROW_VERSION)?.underived.join(', ')

function placeOf(column: string, values: readonly string[]): string {
  return `case ${column} ${values.map((value, i) => `when ${quoted(value)} then ${i}`).join(' ')} else -1 end`
}

const oneOf = (column: string, values: readonly string[]) => `${column} in (${values.map(quoted).join(', ')})`

/** What shows without any bytes. A record without a time has that of its arrival, which is of whole milliseconds. */
const PLAIN = [
  `row_version = ${quoted(ROW_VERSION)}`,
  oneOf('event_name', EVENT_NAMES),
  oneOf('actor_source', ACTOR_SOURCES),
  'epoch_ms(event_time) = event_time_us // 1000',
  `(time_precision <> 'arrival' or event_time_us % 1000 = 0)`,
  'event_id is not null and table_name is not null and source is not null and item_key is not null',
  'subjects is null',
].join(' and ')

/** How `leafOf` of `audit-row.ts` puts it together; its last lines are hashes. */
const HASHED_LINES = 5
const LEAF = [
  ...LEAF_COLUMNS.slice(0, -HASHED_LINES).map(name => `coalesce(${name}::varchar, '-')`),
  ...LEAF_COLUMNS.slice(-HASHED_LINES).map(
    name => `coalesce(sha256(${name === 'subjects' ? 'array_to_string(subjects, chr(10))' : name}), '-')`,
  ),
]

/** How `eventId` does. A row does not say by which capture it came; with a sequence it was hardly Kinesis. */
const CAPTURE = `case when event_name = 'BASELINE' then 'baseline' when sequence is null then 'kinesis' else 'streams' end`
const IDENTITY = [
  CAPTURE,
  `coalesce(region, '-')`,
  'table_name',
  'item_key',
  'event_name',
  `if(time_precision = 'arrival', '-', event_time_us::varchar)`,
  `if(event_name <> 'BASELINE' and sequence is null, '-', coalesce(source_event_id, '-'))`,
  ...['sequence', 'old_hash', 'new_hash'].map(name => `coalesce(${name}, '-')`),
]

const asItIs = (name: StoredField) => () => name

const FIELDS: Readonly<Record<StoredField, (columns: ReadonlyMap<string, string>) => string>> = {
  row_hash: asItIs('row_hash'),
  old_hash: asItIs('old_hash'),
  new_hash: asItIs('new_hash'),
  event_id: asItIs('event_id'),
  leaf: () => `chr(0) || concat_ws(chr(10), ${LEAF.join(', ')})`,
  identity: () => `concat_ws(chr(10), ${IDENTITY.join(', ')})`,
  item_key: asItIs('item_key'),
  old_image: asItIs('old_image'),
  new_image: asItIs('new_image'),
  changed: () => 'to_json(changed)::varchar',
  actor: asItIs('actor'),
  last_writer: asItIs('last_writer'),
  user_identity: asItIs('user_identity'),
  flat: columns => `concat(${[`''`, ...flatMembers(columns)].join(', ')})`,
}

const AUDITED: ReadonlySet<string> = new Set(AUDIT_COLUMNS.map(({ name }) => name))

/**
 * Every column that no audit row has, as the row line has it: `,"name":value`, and nothing where it is null. A kept
 * configuration has its columns by name, whatever their order in the object.
 */
function flatMembers(columns: ReadonlyMap<string, string>): readonly string[] {
  return [...columns]
    .filter(([name]) => !AUDITED.has(name))
    .sort(([a], [b]) => (orderOf(a) < orderOf(b) ? -1 : 1))
    .map(([name, type]) => `${quoted(`,"${name}":`)} || ${jsonOf(quotedName(name), type)}`)
}

/** Keys, then each column before and after, then what did not fit. */
function orderOf(name: string): string {
  const [, side, column] = /^(old|new)_(.*)$/s.exec(name) ?? []
  if (side !== undefined) return `2${column} ${side === 'old' ? 0 : 1}`
  return `${name === 'misfits' ? 3 : 1}${name}`
}

/** Numbers are JSON as they stand, and a text where a JSON number would pass through a double. */
function jsonOf(name: string, type: string): string {
  switch (type.replace(/\(.*/, '')) {
    case 'BOOLEAN':
    case 'BIGINT':
      return `${name}::varchar`
    case 'DECIMAL':
      return `'"' || ${name}::varchar || '"'`
    case 'DOUBLE':
      // a whole one is written without its point
      return `'"' || if(abs(${name}) < 1e15 and ${name} = trunc(${name}), (${name}::bigint)::varchar, ${name}::varchar) || '"'`
    case 'TIMESTAMP':
    case 'TIMESTAMP_MS':
      return `'"' || strftime(${name}, '%Y-%m-%d %H:%M:%S.%g') || '"'`
    default:
      return `to_json(${name})::varchar`
  }
}
