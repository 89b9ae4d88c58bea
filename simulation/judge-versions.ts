/** Which version of an item a row, or a record that was refused, is of; and whether it is as the table had it. */
import type { AuditRow } from '../transform/audit-row.js'
import { canonicalJson } from '../transform/json.js'
import type { Scenario } from './scenario.js'
import { sequencesIn } from './story.js'
import type { Version } from './table.js'
import type { Attributes } from './workload.js'

/** A row as it lies in an object. */
export type Row = AuditRow & { readonly item_key: string }

/** The rows that an archive has of each version that it has. */
export type Archived = ReadonlyMap<string, readonly Row[]>

/** How a version is known again. Of two that are the same, as Kinesis may have within a tick, one stands for both. */
export interface Identity {
  /** True where it tells which of two changes of one time was first. */
  readonly isOrdered: boolean
  readonly ofVersion: (version: Version) => string
  readonly ofRow: (row: Row) => string
  /** Of the changes that a text speaks of, a record or a line of rows. */
  readonly inText: (text: string) => readonly string[]
  /** The time that a row has of it, in microseconds since 1970. */
  readonly timeUs: (version: Version) => number
}

/** By its number, which DynamoDB Streams give to each change; their times are of whole seconds. */
const BY_SEQUENCE: Identity = {
  isOrdered: true,
  ofVersion: ({ sequence }) => sequence,
  ofRow: ({ sequence }) => sequence?.replace(/^0+/, '') ?? '',
  inText: text => sequencesIn([text]),
  timeUs: ({ timeUs }) => Math.floor(timeUs / 1_000_000) * 1_000_000,
}

/** By what it is: Kinesis has no number of a change. */
const BY_CONTENT: Identity = {
  isOrdered: false,
  ofVersion: ({ item, timeUs, before, after }) => contentOf(keyOf(item), timeUs, before, after),
  ofRow: ({ item_key, event_time_us, old_image, new_image }) =>
    contentOf(item_key, event_time_us, old_image ?? null, new_image ?? null),
  inText: text =>
    text.split('\n').flatMap(line => (line === '' ? [] : identityInDocument(JSON.parse(line) as Document))),
  timeUs: ({ timeUs }) => timeUs,
}

/** What a version is called. */
export function named({ sequence, item }: Version): string {
  return `${sequence} of ${item}`
}

/** How versions are known again in a world. */
export function identityOf({ capture }: Pick<Scenario, 'capture'>): Identity {
  return capture === 'kinesis' ? BY_CONTENT : BY_SEQUENCE
}

/** The key of an item as rows have it. */
export function keyOf(item: string): string {
  return canonicalJson({ order_id: { S: item } })
}

/** True of a row with both images, the key and the time of a version. */
export function isAs(row: Row, version: Version, { timeUs }: Identity): boolean {
  return (
    asArchived(row.old_image ?? null) === asArchived(version.before) &&
    asArchived(row.new_image ?? null) === asArchived(version.after) &&
    row.item_key === keyOf(version.item) &&
    row.event_time_us === timeUs(version)
  )
}

/** True where two versions of an item have one time, and nothing else tells which was first. */
export function hasTicks(all: readonly Version[], { isOrdered }: Identity): boolean {
  return !isOrdered && all.some(({ timeUs }, i) => timeUs === all[i - 1]?.timeUs)
}

/** Of all versions of an item those that it had at a moment or after it, in microseconds since 1970. */
export function heldSince(all: readonly Version[], us: number): readonly Version[] {
  return all.filter((_, i) => (all[i + 1]?.timeUs ?? Number.POSITIVE_INFINITY) >= us)
}

/** Of the numbers that are written here this one alone is not as the archive spells it. */
const EXPONENT = '"N":"1E-130"'
const PLAIN = `"N":"0.${'0'.repeat(129)}1"`

/** A text of an image as rows have it. */
export function asArchived(image: string | null): string | null {
  return image?.replace(EXPONENT, PLAIN) ?? null
}

function contentOf(itemKey: string, timeUs: number, before: string | null, after: string | null): string {
  return [itemKey, timeUs, asArchived(before), asArchived(after)].join('\n')
}

/** A record of Kinesis, a row, or anything else, such as an item of a baseline. */
interface Document extends Partial<Row> {
  readonly dynamodb?: {
    readonly ApproximateCreationDateTime: number
    readonly ApproximateCreationDateTimePrecision?: string
    readonly Keys: Attributes
    readonly OldImage?: Attributes
    readonly NewImage?: Attributes
  }
}

function identityInDocument({ dynamodb, ...row }: Document): readonly string[] {
  if (dynamodb === undefined) return row.event_name === undefined ? [] : [BY_CONTENT.ofRow(row as Row)]
  const { ApproximateCreationDateTime: time, ApproximateCreationDateTimePrecision: precision } = dynamodb
  const [before, after] = [dynamodb.OldImage, dynamodb.NewImage].map(image =>
    image === undefined ? null : canonicalJson(encodedOnce(image)),
  )
  const timeUs = precision === 'MICROSECOND' ? time : time * 1000
  return [contentOf(canonicalJson(dynamodb.Keys), timeUs, before ?? null, after ?? null)]
}

function encodedOnce(image: Attributes): Attributes {
  const values = Object.entries(image)
  return Object.fromEntries(
    values.map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B, 'base64').toString() },
    ]),
  )
}
