import { type AuditRow, columnsOf, type HashedColumns } from '../../transform/audit-row.js'
import { type DecodedChange, decodeChange } from '../../transform/change.js'
import { compareUtf8, type JsonObject, splitDocuments, tryParseObject } from '../../transform/json.js'
import { PARTITION_COLUMN } from '../../transform/layout.js'
import { dateOf } from '../../transform/partition.js'
import { Refusal } from '../../transform/refusal.js'
import { mayBeVersion, ROW_VERSIONS, type RowVersion } from '../../transform/row-versions.js'
import { tokensIn } from '../../transform/sealed-field.js'
import type { Capture, EventName, StreamRecord, ViewType } from '../../transform/stream-record.js'
import { type TableConfiguration, unconfiguredTable } from '../../transform/table-configuration.js'
import type { StoredRow, StoredValue } from './stored-rows.js'

/** What a row holds that is not what its other columns give. */
export interface Altered {
  /** A column, or `row`: what `row_hash` is taken over. */
  readonly column: string
  readonly held: string | null
  readonly found: string | null
}

/** What of a row could not be derived again. */
export interface Checked {
  readonly altered: readonly Altered[]
  /** True where its configuration is not kept, so that nothing which it decides was looked at. */
  readonly isUnconfigured: boolean
  /** True where it has no image that its key could be held against. */
  readonly isBlind: boolean
}

/** From here on there is no day of an archive, in microseconds since 1970. */
export const LAST_US = 253_402_300_800_000_000

/** A row of a version that is not known here, so that all but its place could not be looked at. */
export interface Uncheckable {
  readonly altered: readonly Altered[]
  readonly unknownVersion: string
}

/**
 * Makes a row again from its images, its envelope and the configuration that it was made under, by the transform
 * itself as it was in the row's version, and compares. `folder` is where it lies; `configurations` are those that the
 * archive keeps, by their ids.
 */
export function checkRow(
  row: StoredRow,
  folder: string,
  configurations: ReadonlyMap<string, TableConfiguration>,
): Checked | Uncheckable {
  const place = placeOf(dayOf(row), folder)
  const version = ROW_VERSIONS.get(String(row.row_version))
  if (version !== undefined) return checkAs(version, row, place, configurations)
  const altered = [...place, ...alteredVersion(row)]
  if (altered.length > place.length || !mayBeVersion(row.row_version)) return { ...NOT_DERIVED, altered }
  return { altered, unknownVersion: row.row_version }
}

const NOT_DERIVED = { isUnconfigured: false, isBlind: false }

/** A version that no row has, or one that is not this row's: the hash is that of another. */
function alteredVersion(row: StoredRow): readonly Altered[] {
  const held = textOf(row.row_version)
  const own = [...ROW_VERSIONS].find(
    ([name, version]) => hashFound({ ...row, row_version: name }, version) === row.row_hash,
  )
  if (own === undefined && mayBeVersion(row.row_version)) return []
  return [{ column: 'row_version', held, found: own?.[0] ?? [...ROW_VERSIONS.keys()].join(' or ') }]
}

function checkAs(
  version: RowVersion,
  row: StoredRow,
  place: readonly Altered[],
  configurations: ReadonlyMap<string, TableConfiguration>,
): Checked {
  const configuration = configurations.get(String(row.config_id))
  const isBlind = row.old_image === null && row.new_image === null
  const about = { isUnconfigured: configuration === undefined, isBlind }
  if (dayOf(row) === null) return { ...about, altered: [...place, ...hashOf(row, version)] }
  const table = configuration ?? unconfiguredTable(String(row.table_name))
  const derived = deriveRow(row, table, version)
  if ('column' in derived) return { ...about, altered: [...place, derived, ...hashOf(row, version)] }
  const altered = [...place, ...compare(row, derived, version, configuration)]
  if (altered.length === 0 && derived.row_hash === row.row_hash) return { ...about, altered }
  return { ...about, altered: [...altered, ...hashOf(row, version)] }
}

/** The day of a row's own time; null where that is no time that a question can name. */
export function dayOf({ event_time_us: us }: StoredRow): string | null {
  return typeof us === 'bigint' && us >= 0n && us < LAST_US ? dateOf(Number(us)) : null
}

/** A row of another day than the folder's, or of none, is in no answer about its time. */
function placeOf(day: string | null, folder: string): readonly Altered[] {
  const held = folder.startsWith(`${PARTITION_COLUMN}=`) ? folder.slice(PARTITION_COLUMN.length + 1) : folder
  if (day !== null && folder === `${PARTITION_COLUMN}=${day}`) return []
  return [{ column: PARTITION_COLUMN, held, found: day }]
}

function hashOf(row: StoredRow, version: RowVersion): readonly Altered[] {
  const found = hashFound(row, version)
  return found === row.row_hash ? [] : [{ column: 'row', held: row.row_hash as string | null, found }]
}

function hashFound(row: StoredRow, version: RowVersion): string | null {
  try {
    return version.hash(row as unknown as HashedColumns)
  } catch {
    // Node hashes texts only: a column that is none, or that is not there, has no hash
    return null
  }
}

/** The row that the transform makes of what a row says; or the column that it does not take. */
function deriveRow(row: StoredRow, table: TableConfiguration, version: RowVersion): AuditRow | Altered {
  let column = 'item_key'
  try {
    const keys = parse(row.item_key)
    column = 'old_image'
    const oldImage = parse(row.old_image)
    column = 'new_image'
    const newImage = parse(row.new_image)
    column = 'item_key'
    if (keys === undefined && newImage === undefined) throw new Refusal('there is none, and no image to take it from')
    const make = (capture: Capture) => {
      const change = decodeChange({ ...recordOf(row, capture), keys, oldImage, newImage }, table, subjectsOf(row))
      if (!hasKeys(change)) throw new Refusal('the image has other keys')
      return version.make(change, table, Math.floor(Number(row.event_time_us) / 1000))
    }
    const likeliest = captureOf(row)
    const derived = make(likeliest)
    // a row does not say by which capture it came, so either that gives its id will do
    if (derived.event_id === row.event_id || likeliest === 'baseline') return derived
    const other = make(likeliest === 'streams' ? 'kinesis' : 'streams')
    return other.event_id === row.event_id ? other : derived
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { column, held: textOf(row[column]), found: `refused: ${error.message}` }
  }
}

function parse(text: StoredValue | undefined): JsonObject | undefined {
  if (text === null || text === undefined) return undefined
  const [document, ...more] = splitDocuments(String(text))
  if (document === undefined || more.length > 0) throw new Refusal('it is no one JSON object')
  return document.value
}

/** Whose row it is: as it says, where that names everybody under whose key something in it is sealed. */
function subjectsOf({ subjects, old_image: before, new_image: after }: StoredRow): readonly string[] | null {
  const sealed = [before, after].flatMap(image => tokensIn(String(image)))
  const said = subjects as unknown as readonly string[] | null | undefined
  const isComplete = sealed.every(token => said?.includes(token) === true)
  return isComplete ? (said ?? null) : [...new Set(sealed)].sort(compareUtf8)
}

function captureOf({ event_name: name, sequence }: StoredRow): Capture {
  if (name === 'BASELINE') return 'baseline'
  return sequence === null ? 'kinesis' : 'streams'
}

function recordOf(row: StoredRow, capture: Capture): Omit<StreamRecord, 'keys' | 'oldImage' | 'newImage'> {
  const { time_precision: precision, user_identity: identity } = row
  const us = Number(row.event_time_us)
  return {
    capture,
    table: row.table_name as string,
    region: row.region as string | null,
    source: row.source as string,
    eventId: row.source_event_id as string | null,
    eventName: row.event_name as EventName,
    time: precision === 'arrival' ? null : { us, precision: precision as 's' },
    sequence: row.sequence as string | null,
    viewType: row.view_type as ViewType | null,
    binary: 'once',
    // one that is no JSON is `row_hash`'s to tell
    userIdentity: tryParseObject(String(identity)) === undefined ? null : (identity as string),
    sizeBytes: null,
  }
}

/** An image of the item has its very keys. */
function hasKeys({ keys, oldImage, newImage }: DecodedChange): boolean {
  const images = [oldImage, newImage].filter(image => image !== null)
  return images.every(({ attributes }) =>
    [...keys.attributes].every(([name, text]) => (attributes.get(name) ?? text) === text),
  )
}

/** The columns of a version that follow from others; those that a configuration decides, where that is kept. */
function derivedColumns(version: RowVersion, isConfigured: boolean): readonly (keyof HashedColumns)[] {
  const { columns, underived, configured } = version
  const left = new Set(['row_hash', ...underived, ...(isConfigured ? [] : configured)])
  return columns.map(({ name }) => name).filter(name => !left.has(name)) as (keyof HashedColumns)[]
}

function compare(
  row: StoredRow,
  derived: AuditRow,
  version: RowVersion,
  configuration: TableConfiguration | undefined,
): readonly Altered[] {
  const altered = derivedColumns(version, configuration !== undefined).flatMap(column =>
    difference(row, column, derived[column]),
  )
  // what follows from an altered image would be told of each column again
  if (altered.some(({ column }) => column.endsWith('_image') || column.endsWith('_hash')))
    return altered.flatMap(({ column, held, found }) =>
      column.endsWith('_hash') ? [{ column: column.replace('_hash', '_image'), held, found }] : [],
    )
  if (configuration === undefined) return altered
  const known = new Set<string>(version.columns.map(({ name }) => name))
  const flat = columnsOf(configuration).flatMap(({ name }) => {
    if (known.has(name)) return []
    known.add(name)
    return difference(row, name, name === 'misfits' ? derived.misfits : (derived.flat.get(name) ?? null))
  })
  // a column that the configuration does not have
  const more = Object.keys(row).flatMap(name => (known.has(name) ? [] : difference(row, name, null)))
  return [...altered, ...flat, ...more]
}

function difference(row: StoredRow, column: string, found: StoredValue): readonly Altered[] {
  const held = row[column] ?? null
  if (held === found) return []
  const [a, b] = [textOf(held), textOf(found)]
  return a === b ? [] : [{ column, held: a, found: b }]
}

function textOf(value: StoredValue | undefined): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
