/**
 * What the lines of a plan and of its progress may be. A sum is no signature: whoever writes such a file can reckon it, so
 * every field is checked as if a stranger had written it.
 */
import { z } from 'zod'
import { tableOfArn } from '../capture/export-layout.js'
import { asShape, count, fields, readChecked, ShapeError, sha256, text } from '../config/checked-json.js'
import { TABLE_NAME } from '../config/schema.js'
import { ABSENT, type PlannedItem, UNKNOWN } from '../queries/restore-plan.js'
import { canonicalAttributes, canonicalItem } from '../transform/attribute-value.js'
import { parseInstant } from '../transform/instant.js'
import type { JsonObject } from '../transform/json.js'

export const PLAN_VERSION = 'itemtrail-restore-plan/v1'

/** Bytes of a line: an item of 400 KB has less than this in JSON, whatever is in it. */
export const MAX_LINE = 16 * 1024 * 1024

// A schema's error is what is allowed there: `describeIssue` puts "<field> is <value>, expected" before it.

const TABLE = "a table's name"
const table = z.string(TABLE).regex(TABLE_NAME, TABLE)
const INSTANT = 'ISO 8601 in UTC'
const instant = z.string(INSTANT).refine(text => text.endsWith('Z') && parseInstant(text) !== undefined, INSTANT)

const ARN = 'the ARN of the table beside it'
const target = fields({ table, arn: text(2048), id: text(256).nullable() }).refine(
  ({ table: name, arn }) => tableOfArn(arn) === name && arn.endsWith(`:table/${name}`),
  { path: ['arn'], error: ARN },
)

const header = fields({
  plan: z.literal(PLAN_VERSION, `"${PLAN_VERSION}"`),
  table,
  as_of: instant,
  key: text(MAX_LINE).nullable(),
  archive: text(4096),
  against: z.enum(['table', 'archive'], 'table or archive'),
  target: target.nullable(),
  counts: fields({ put: count, update: count, delete: count, leave: count, skip: count, same: count }),
  made: instant,
  tool: text(200),
})

const ITEM = 'an item in DynamoDB JSON'
const item = z.custom<JsonObject>(value => typeof value === 'object' && value !== null && !Array.isArray(value), ITEM)
const EXPECTED = `${ABSENT}, ${UNKNOWN} or a SHA-256`
const WORD = 'a word in capitals'
const planned = fields({
  key: item,
  action: z.enum(['put', 'update', 'delete', 'leave', 'skip'], 'put, update, delete, leave or skip'),
  wanted: item.nullable(),
  expected: z.string(EXPECTED).regex(new RegExp(`^(${ABSENT}|${UNKNOWN}|[0-9a-f]{64})$`), EXPECTED),
  confidence: z.string(WORD).regex(/^[A-Z][A-Z-]{0,39}$/, WORD),
  reason: text(2000).nullable(),
})

const outcome = fields({
  key: item,
  lost: item.exactOptional(),
  outcome: z.enum(['done', 'already', 'refused', 'failed', 'altered'], 'done, already, refused, failed or altered'),
  reason: text(MAX_LINE).nullable(),
  plan: sha256,
  at: instant,
})

/**
 * The first line of a plan: everything that the lines after it have in common. `table` is the one whose past is wanted,
 * `target` the one that is written, null where none was looked at; `key` is the only item that it is about.
 */
export type PlanHeader = Readonly<z.output<typeof header>>

/** A line of a plan's progress, its key and what was lost in canonical DynamoDB JSON. */
export interface ProgressLine extends Readonly<Omit<z.output<typeof outcome>, 'key' | 'lost'>> {
  readonly key: string
}

/** The table that a plan writes; its id is another one when it was deleted and made again, null where the server has none. */
export type PlanTarget = NonNullable<PlanHeader['target']>

/** Reads a plan's first line, its sum taken off. Throws `ShapeError`. */
export function readHeader(line: string): PlanHeader {
  const checked = readChecked(header, line)
  const { key } = checked
  if (key !== null && checkedKey(readChecked(item, key)) !== key)
    throw new ShapeError('key is no canonical DynamoDB JSON')
  return checked
}

/** Reads the line of one item. What it would write is an item of that very key. Throws `ShapeError`. */
export function readPlanned(line: string): PlannedItem {
  const { key, wanted, ...rest } = readChecked(planned, line)
  const checked = { ...rest, key: checkedKey(key), wanted: wanted === null ? null : itemText('wanted', wanted) }
  const { action, expected, reason } = checked
  const writes = action === 'put' || action === 'update'
  if (writes && wanted === null) throw new ShapeError(`wanted is null, expected ${ITEM} to ${action}`)
  if (action === 'delete' && wanted !== null) throw new ShapeError('wanted is an item, expected null to delete')
  if (action === 'put' ? expected !== ABSENT : isActing(action) && !/^[0-9a-f]{64}$/.test(expected))
    throw new ShapeError(`expected is ${expected}, which does not go with ${action}`)
  if (!isActing(action) && reason === null) throw new ShapeError(`reason is null, expected why the action is ${action}`)
  if (wanted !== null && keyWithin(key, wanted) !== checked.key)
    throw new ShapeError('wanted is an item of another key than key')
  return checked
}

function isActing(action: PlannedItem['action']): boolean {
  return action === 'put' || action === 'update' || action === 'delete'
}

/** Reads a line of a plan's progress; undefined for half a line, which a process that was killed leaves. Throws `ShapeError`. */
export function readProgress(line: string): ProgressLine | undefined {
  if (!isWhole(line)) return undefined
  const { key, lost: _, ...rest } = readChecked(outcome, line)
  return { ...rest, key: checkedKey(key) }
}

function isWhole(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

/** One or two attributes of the types that keys have, in canonical DynamoDB JSON. */
function checkedKey(key: JsonObject): string {
  const canonical = itemText('key', key)
  const values = Object.values(key) as readonly JsonObject[]
  if (values.length < 1 || values.length > 2 || !values.every(value => 'S' in value || 'N' in value || 'B' in value))
    throw new ShapeError('key is no key, expected one or two attributes of type S, N or B')
  return canonical
}

/** The attributes of an item that a key names. */
function keyWithin(key: JsonObject, wanted: JsonObject): string {
  const own = Object.keys(key).filter(name => Object.hasOwn(wanted, name))
  return itemText('wanted', Object.fromEntries(own.map(name => [name, wanted[name]])))
}

/** Canonical DynamoDB JSON of an item or a key that was read from a line: `JSON.parse` puts names such as "10" first. */
function itemText(name: string, value: unknown): string {
  return asShape(() => canonicalItem(canonicalAttributes(value, name, 'once'), name))
}
