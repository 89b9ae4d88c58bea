import { gunzipIfPacked } from '../capture/input.js'
import { readLines } from '../capture/line-reader.js'
import { BOUNDS, GrowingBytes, isOverlong } from '../capture/overlong.js'
import { isBeginningOnly } from '../capture/overlong-record.js'
import { nameOrigin } from '../capture/unnamed-record.js'
import { isObject, type JsonObject, tryParseObject } from '../transform/json.js'
import { GIVEN_UP_PREFIX, parseRefusedKey, REFUSED_PREFIX, type RefusedFolder } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { transformRecord } from '../transform/transform.js'
import type { ObjectEntry, Objects } from './objects.js'
import { OTHER_REGION } from './refused-objects.js'

/** How a record came to be refused: by Firehose, kept whole by the forwarder, or given up by Lambda with its batch. */
export type RefusedType = RefusedFolder | 'given-up'

/** One record that went no further, read back from the object that keeps it. */
export interface RefusedEntry {
  readonly type: RefusedType
  readonly table: string
  /**
   * The record as it was sent to the transform; after `format-conversion-failed` the row line that the transform made
   * of it.
   */
  readonly data: Buffer
  /** Milliseconds since 1970. */
  readonly arrival: number
  readonly code: string
  readonly message: string
}

/** A refused record with the place where it is kept, which no other has. */
export interface KeptEntry {
  /** The key of the object. */
  readonly object: string
  /** The line in it, from 0. */
  readonly line: number
  readonly entry: RefusedEntry
}

/** Where refused records are kept. */
const REFUSED_PLACES = [REFUSED_PREFIX, GIVEN_UP_PREFIX]

/** The objects that keep what was refused, as a list tells of them. */
export async function refusedObjects(objects: Pick<Objects, 'entries'>): Promise<readonly ObjectEntry[]> {
  const found: ObjectEntry[] = []
  for (const prefix of REFUSED_PLACES) for (const entry of await objects.entries(prefix)) found.push(entry)
  return found
}

/**
 * Every refused record with its place, object by object, but of objects that are not `wanted` by their keys. A line
 * that is no entry, or an unreadable object, is passed to `onDamage`.
 */
export async function* readRefused(
  objects: Objects,
  onDamage: (key: string) => void,
  wanted: (key: string) => boolean = () => true,
): AsyncGenerator<KeptEntry> {
  for (const prefix of REFUSED_PLACES)
    for (const key of (await objects.list(prefix)).filter(wanted)) yield* openRefused(objects, key, onDamage)
}

/**
 * The refused records of one object, with their places, one by one: an object may be larger than memory. A line that is
 * longer than any of ours counts as damaged, and so does an object without any: none is written for nothing.
 */
export async function* openRefused(
  objects: Pick<Objects, 'stream'>,
  object: string,
  onDamage: (key: string) => void,
): AsyncGenerator<KeptEntry> {
  const named = parseRefusedKey(object)
  const bytes = gunzipIfPacked(objects.stream(object))
  try {
    if (named === undefined) {
      const entry = parseGivenUp((await readText(bytes)) ?? '')
      if (entry === undefined) onDamage(object)
      else yield { object, line: 0, entry }
      return
    }
    let [line, found] = [-1, 0]
    for await (const content of readLines(bytes, LINE_BOUNDS)) {
      line++
      if (!isOverlong(content) && content.length === 0) continue
      found++
      const entry = isOverlong(content) ? undefined : parseEntry(content.toString())
      if (entry === undefined) onDamage(object)
      else yield { object, line, entry: { ...named, ...entry } }
    }
    // the console makes a folder by an empty object
    if (found === 0 && !object.endsWith('/')) onDamage(object)
  } catch (error) {
    // a copy of an object may have been compressed, and cut short
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    onDamage(object)
  }
}

/** A line has the base64 of a document, which takes four bytes for three, and a little more. */
const LINE_BOUNDS = { most: BOUNDS.most * 1.5, kept: 0 }

/** A text that is held in memory; undefined where it is too long for it. */
async function readText(bytes: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const text = new GrowingBytes()
  for await (const piece of bytes) {
    if (text.length + piece.length > BOUNDS.most) return undefined
    text.append(piece)
  }
  return text.view().toString()
}

/** Both generations of Firehose's field names: `errorCode`, and `ErrorCode` or `lastErrorCode` of format conversion. */
function parseEntry(line: string): Pick<RefusedEntry, 'data' | 'arrival' | 'code' | 'message'> | undefined {
  const entry = tryParseObject(line)
  const { rawData, arrivalTimestamp = 0 } = entry ?? {}
  const arrival = typeof arrivalTimestamp === 'string' ? Number(arrivalTimestamp) : arrivalTimestamp
  if (entry === undefined || typeof rawData !== 'string' || !isTime(arrival)) return undefined
  const data = Buffer.from(rawData, 'base64')
  // Node decodes as much as it can of a text that is no base64
  if (data.toString('base64') !== rawData) return undefined
  return {
    data,
    arrival,
    code: firstText(entry, ['errorCode', 'ErrorCode', 'lastErrorCode']),
    message: firstText(entry, ['errorMessage', 'ErrorMessage', 'lastErrorMessage']),
  }
}

/**
 * The invocation record that Lambda writes to an S3 destination for a batch it gave up (Lambda developer guide, "Retain
 * discarded records for a DynamoDB event source"). Its `payload` is the whole event, as a text; without it there are
 * only pointers into a stream that has forgotten by now.
 */
function parseGivenUp(text: string): RefusedEntry | undefined {
  const invocation = tryParseObject(text)
  if (invocation === undefined) return undefined
  const { payload = invocation } = invocation
  const event = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const records = tryParseObject(event)?.Records
  if (!Array.isArray(records)) return undefined
  const batch = isObject(invocation.DDBStreamBatchInfo) ? invocation.DDBStreamBatchInfo : {}
  const context = isObject(invocation.requestContext) ? invocation.requestContext : {}
  const table = [batch.streamArn, ...records.map(record => isObject(record) && record.eventSourceARN)]
    .map(arn => /:table\/([^/]+)\//.exec(String(arn))?.[1])
    .find(name => name !== undefined)
  if (table === undefined) return undefined
  const arrival = Date.parse(String(batch.approximateArrivalOfFirstRecord ?? invocation.timestamp))
  const condition = firstText(context, ['condition'])
  return {
    type: 'given-up',
    table,
    data: Buffer.from(event),
    arrival: isTime(arrival) ? arrival : 0,
    code: condition,
    message: `Lambda gave the batch up${condition === '' ? '' : `: ${condition}`}`,
  }
}

/** Milliseconds since 1970, of a year that has four digits. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < Date.UTC(10_000, 0)
}

function firstText(entry: JsonObject, names: readonly string[]): string {
  return String(names.map(name => entry[name]).find(value => value !== undefined) ?? '')
}

/**
 * Why a record was refused. Firehose's object has no room for the transform's reason, so the transform is asked again.
 */
export function reasonOf(entry: RefusedEntry, table: TableConfiguration): string {
  const { type, message } = entry
  // what never came to the transform, or passed it, was not refused by it
  if (type !== 'processing-failed' || entry.code === OTHER_REGION || isBeginningOnly(entry)) return message
  const outcome = transformRecord(nameOrigin(entry.data, entry.table), entry.arrival, table)
  return outcome.kind === 'refused' ? outcome.reason : `${message}; the transform takes it now`
}
