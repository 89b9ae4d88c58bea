/**
 * What the lines of a plan and of its progress may be. A sum is no signature: whoever writes such a file can reckon it,
 * so every field is checked as if a stranger had written it.
 */
import { z } from 'zod'
import { tableOfArn } from '../capture/export-layout.js'
import {
  checkJson,
  count,
  exactly,
  FileError,
  instant,
  oneOf,
  record,
  sha256,
  text as someText,
} from '../config/gate.js'
import { canonicalAttributes, canonicalItem } from '../transform/attribute-value.js'
import type { JsonObject } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import { TABLE_NAME } from '../transform/table-names.js'
import { ABSENT, type PlannedItem, UNKNOWN } from './restore-plan.js'

export const PLAN_VERSION = 'itemtrail-restore-plan/v1'

/** Bytes of a line: an item of 400 KB has less than this in JSON, whatever is in it. */
export const MAX_LINE = 16 * 1024 * 1024
const LINE = { maxBytes: MAX_LINE }

// A schema's error is what is allowed there: `describeIssue` puts "<field> is <value>, expected" before it.

const text = z.string('a text')
const TABLE = "a table's name"
const table = z.string(TABLE).regex(TABLE_NAME, TABLE)

const ARN = 'the ARN of the table beside it'
const target = record({ table, arn: text, id: text.nullable() }).refine(
  ({ table: name, arn }) => tableOfArn(arn) === name && arn.endsWith(`:table/${name}`),
  { path: ['arn'], error: ARN },
)

const PATH = 'the path of an attribute, or null'
const header = record({
  plan: exactly(PLAN_VERSION),
  table,
  as_of: instant,
  before: someText.exactOptional(),
  undo: record({ actor: someText, from: instant, to: instant, in_part: count }).exactOptional(),
  key: text.nullable(),
  archive: text,
  against: oneOf(['table', 'archive']),
  target: target.nullable(),
  actor_attribute: z.array(text, PATH).min(1, PATH).nullable(),
  counts: record({ put: count, update: count, delete: count, leave: count, skip: count, same: count }),
  made: instant,
  tool: text,
})

const ITEM = 'an item in DynamoDB JSON'
const item = z.custom<JsonObject>(value => typeof value === 'object' && value !== null && !Array.isArray(value), ITEM)
const EXPECTED = `${ABSENT}, ${UNKNOWN} or a SHA-256`
const WORD = 'a word in capitals'
const planned = record({
  key: item,
  action: oneOf(['put', 'update', 'delete', 'leave', 'skip']),
  wanted: item.nullable(),
  expected: z.string(EXPECTED).regex(new RegExp(`^(${ABSENT}|${UNKNOWN}|[0-9a-f]{64})$`), EXPECTED),
  confidence: z.string(WORD).regex(/^[A-Z][A-Z-]{0,39}$/, WORD),
  reason: text.nullable(),
})

const outcome = record({
  key: item,
  lost: item.exactOptional(),
  outcome: oneOf(['done', 'already', 'refused', 'failed', 'altered']),
  reason: text.nullable(),
  hash: sha256.nullable().exactOptional(),
  plan: sha256,
  at: instant,
})

/**
 * The first line of a plan: everything that the lines after it have in common. `table` is the one whose past is wanted,
 * `target` the one that is written, null where none was looked at; `key` is the only item that it is about. With
 * `before` the item is to be what it was before that event, with `undo` one writer's changes are taken back, of some
 * items only `in_part`. Into `actor_attribute` of each item that is written goes the name of who performs the plan;
 * null where there is none.
 */
export type PlanHeader = Readonly<z.output<typeof header>>

/** A line of a plan's progress, its key and what was lost in canonical DynamoDB JSON. */
export interface ProgressLine extends Readonly<Omit<z.output<typeof outcome>, 'key' | 'lost'>> {
  readonly key: string
}

/**
 * The table that a plan writes; its id is another one when it was deleted and made again, null where the server has
 * none.
 */
export type PlanTarget = NonNullable<PlanHeader['target']>

/** Reads a plan's first line, its sum taken off. Throws `FileError`. */
export function readHeader(line: string): PlanHeader {
  const where = 'line 1'
  const checked = checkJson(line, header, where, LINE)
  const { key } = checked
  if (key !== null && checkedKey(checkJson(key, item, where), where) !== key)
    throw new FileError(where, ['key is no canonical DynamoDB JSON'])
  return checked
}

/** Reads the line of one item. What it would write is an item of that very key. Throws `FileError`. */
export function readPlanned(line: string, where: string): PlannedItem {
  const { key, wanted, ...rest } = checkJson(line, planned, where, LINE)
  const checked = {
    ...rest,
    key: checkedKey(key, where),
    wanted: wanted === null ? null : itemText('wanted', wanted, where),
  }
  const problem = problemWith(checked, wanted === null ? null : keyWithin(key, wanted, where))
  if (problem !== undefined) throw new FileError(where, [problem])
  return checked
}

function problemWith(
  { key, action, wanted, expected, reason }: PlannedItem,
  ownKey: string | null,
): string | undefined {
  if ((action === 'put' || action === 'update') && wanted === null)
    return `wanted is null, expected ${ITEM} to ${action}`
  if (action === 'delete' && wanted !== null) return 'wanted is an item, expected null to delete'
  if (action === 'put' ? expected !== ABSENT : isActing(action) && !/^[0-9a-f]{64}$/.test(expected))
    return `expected is ${expected}, which does not go with ${action}`
  if (!isActing(action) && reason === null) return `reason is null, expected why the action is ${action}`
  return ownKey !== null && ownKey !== key ? 'wanted is an item of another key than key' : undefined
}

function isActing(action: PlannedItem['action']): boolean {
  return action === 'put' || action === 'update' || action === 'delete'
}

/**
 * Reads a line of a plan's progress; undefined for half a line, which a process that was killed leaves. Throws
 * `FileError`.
 */
export function readProgress(line: string, where: string): ProgressLine | undefined {
  if (!isWhole(line)) return undefined
  const { key, lost: _, ...rest } = checkJson(line, outcome, where, LINE)
  return { ...rest, key: checkedKey(key, where) }
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
function checkedKey(key: JsonObject, where: string): string {
  const canonical = itemText('key', key, where)
  const values = Object.values(key) as readonly JsonObject[]
  if (values.length >= 1 && values.length <= 2 && values.every(value => 'S' in value || 'N' in value || 'B' in value))
    return canonical
  throw new FileError(where, ['key is no key, expected one or two attributes of type S, N or B'])
}

/** The attributes of an item that a key names. */
function keyWithin(key: JsonObject, wanted: JsonObject, where: string): string {
  const own = Object.keys(key).filter(name => Object.hasOwn(wanted, name))
  return itemText('wanted', Object.fromEntries(own.map(name => [name, wanted[name]])), where)
}

/**
 * Canonical DynamoDB JSON of an item or a key that was read from a line: `JSON.parse` puts names such as "10" first.
 */
function itemText(name: string, value: unknown, where: string): string {
  try {
    return canonicalItem(canonicalAttributes(value, name, 'once'), name)
  } catch (error) {
    if (error instanceof Refusal) throw new FileError(where, [error.message], { cause: error })
    if (error instanceof RangeError) throw new FileError(where, [`${name} nests too deep`], { cause: error })
    throw error
  }
}
