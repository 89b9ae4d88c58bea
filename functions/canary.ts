import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { parquetReadObjects } from 'hyparquet'
import { callDynamoDb } from '../capture/dynamodb-wire.js'
import type { Counts } from '../capture/write-metrics.js'
import { CANARY_HOURS, CANARY_KEY, CANARY_METRICS } from '../config/canary.js'
import { PARQUET_COMPRESSORS } from '../journal/parquet-row-hashes.js'
import type { ObjectEntry, Objects } from '../store/objects.js'
import { formatDay, formatInstant } from '../transform/instant.js'
import { isObject, type JsonObject, tryParseObject } from '../transform/json.js'
import { partitionPrefix } from '../transform/layout.js'

export interface CanaryOptions {
  readonly dynamoDb: DynamoDBClient
  readonly archive: Objects
  /** The canary's table. */
  readonly table: string
  readonly writeMetrics: (counts: Counts) => void
  /** Told what people have to look at. */
  readonly report: (message: string) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** What the item says: when it was written, and which writes before that had not been found by then. */
interface Written {
  /** The instant of a write, which names it: `2026-11-22T10:15:00.123Z`. */
  readonly at: string
  readonly awaited: readonly string[]
  /** The newest write that was found. */
  readonly arrived: string | undefined
}

/** When each write that is in the archive came there, in milliseconds since 1970. */
type Arrivals = Map<string, number>

const HOUR_MS = 3_600_000

/** Clocks of DynamoDB, S3 and the function may differ by this. */
const CLOCKS_MS = 60_000

/** What clocks may have been ahead of this one before a write's time is believed to be no time at all. */
const MOST_AHEAD_MS = 15 * CLOCKS_MS

/** An object of the canary's rows has some kilobytes. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * Writes the canary's item and looks which earlier writes are in the archive, in its very objects. The item itself says
 * what is awaited, so nothing else has to be kept, and the archive has it, too. It throws, and then counts nothing,
 * where the table cannot be written or the archive not be listed, and where the item's time is to come, of which no lag
 * could be told: that nothing is counted has an alarm of its own.
 */
export function createCanary(options: CanaryOptions): () => Promise<void> {
  const { writeMetrics, report, now = Date.now } = options
  const look = createLook(options)
  return async () => {
    const before = await readItem(options)
    if (before !== undefined && Date.parse(before.at) > now() + MOST_AHEAD_MS)
      throw new Error(
        `canary was written at ${before.at}, which is to come, expected a time before now: delete its item`,
      )
    const arrivals = before === undefined ? new Map<string, number>() : await look(before, now())
    const written = await writeItem(options, before, arrivals)
    const at = now()
    const missing = written.awaited.filter(write => write < (written.arrived ?? ''))
    for (const write of missing) report(`the write of ${write} is not in the archive, and later ones are`)
    writeMetrics({
      [CANARY_METRICS.lag]: lagOf(written, arrivals, at) / 1000,
      [CANARY_METRICS.missing]: missing.length,
    })
  }
}

/** The longest that a write took which was found now, or that one waits which no later one has overtaken. */
function lagOf({ awaited, arrived = '' }: Written, arrivals: Arrivals, now: number): number {
  const took = [...arrivals].map(([write, at]) => at - Date.parse(write))
  const wait = awaited.filter(write => write > arrived).map(write => now - Date.parse(write))
  return Math.max(0, ...took, ...wait)
}

/** Finds awaited writes in the archive. An instance of the function opens no object twice. */
function createLook({ archive, table, report }: CanaryOptions) {
  let opened: ReadonlyMap<string, readonly string[]> = new Map()
  return async ({ awaited }: Written, now: number): Promise<Arrivals> => {
    const sinceMs = Math.min(now, ...awaited.map(write => Date.parse(write))) - CLOCKS_MS
    const reading = new Map<string, readonly string[]>()
    const arrivals: Arrivals = new Map()
    for (const entry of await objectsSince(archive, table, sinceMs, now + CLOCKS_MS)) {
      const writes = opened.get(entry.key) ?? (await writesIn(archive, entry.key, report))
      reading.set(entry.key, writes)
      for (const write of writes) if (awaited.includes(write)) keepFirst(arrivals, write, entry.modified)
    }
    opened = reading
    return arrivals
  }
}

/** A write that was delivered twice was there with the first. */
function keepFirst(arrivals: Arrivals, write: string, at: number): void {
  arrivals.set(write, Math.min(at, arrivals.get(write) ?? at))
}

async function objectsSince(archive: Objects, table: string, fromMs: number, toMs: number) {
  const objects: ObjectEntry[] = []
  for (const date of new Set([fromMs, fromMs + 24 * HOUR_MS, toMs].filter(ms => ms <= toMs).map(formatDay)))
    for (const object of await archive.entries(partitionPrefix({ table, date }))) objects.push(object)
  return objects.filter(({ modified }) => modified >= fromMs)
}

/** The writes whose rows an object holds. Of one that cannot be read none: they stay awaited, and that is told. */
async function writesIn(archive: Objects, key: string, report: CanaryOptions['report']): Promise<readonly string[]> {
  const bytes = await archive.open(key, MAX_BYTES)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const about = { file, columns: ['new_image'], compressors: PARQUET_COMPRESSORS }
  try {
    return (await parquetReadObjects(about)).flatMap(({ new_image: image }) => instantOf(image) ?? [])
  } catch (error) {
    report(`object ${key} cannot be read: ${(error as Error).message}`)
    return []
  }
}

function instantOf(image: unknown): string | undefined {
  const item = typeof image === 'string' ? tryParseObject(image) : undefined
  return item === undefined ? undefined : textIn(item.written_at)
}

async function readItem({ dynamoDb, table: TableName }: CanaryOptions): Promise<Written | undefined> {
  const request = { TableName, Key: KEY, ConsistentRead: true }
  const { body } = await callDynamoDb(dynamoDb, 'GetItem', request)
  if (!isObject(body.Item)) return undefined
  const { written_at, arrived, awaited } = body.Item
  const at = textIn(written_at)
  if (at === undefined) return undefined
  const list = isObject(awaited) && Array.isArray(awaited.L) ? awaited.L : []
  return { at, arrived: textIn(arrived), awaited: [...list.flatMap(one => textIn(one) ?? []), at] }
}

/** Writes what is awaited from now on. Throws where somebody else wrote meanwhile, who then has counted. */
async function writeItem(
  { dynamoDb, table: TableName, report, now = Date.now }: CanaryOptions,
  before: Written | undefined,
  arrivals: Arrivals,
): Promise<Written> {
  // each write has an instant of its own, whatever the clock does
  const ms = Math.max(now(), before === undefined ? 0 : Date.parse(before.at) + 1)
  const [at, givenUp] = [instantText(ms), instantText(ms - CANARY_HOURS * HOUR_MS)]
  const open = (before?.awaited ?? []).filter(write => !arrivals.has(write))
  const awaited = open.filter(write => write >= givenUp)
  for (const write of open) if (write < givenUp) report(`the write of ${write} is looked for no more`)
  const arrived = [before?.arrived, ...arrivals.keys()]
    .filter(write => write !== undefined)
    .sort()
    .at(-1)
  const Item = {
    ...KEY,
    written_at: { S: at },
    awaited: { L: awaited.map(write => ({ S: write })) },
    ...(arrived !== undefined && { arrived: { S: arrived } }),
  }
  await callDynamoDb(dynamoDb, 'PutItem', { TableName, Item, ...asFound(before) })
  return { at, arrived, awaited: [...awaited, at] }
}

const KEY = { [CANARY_KEY.attribute]: { S: CANARY_KEY.value } }

function asFound(before: Written | undefined): JsonObject {
  if (before === undefined) return { ConditionExpression: 'attribute_not_exists(written_at)' }
  return { ConditionExpression: 'written_at = :found', ExpressionAttributeValues: { ':found': { S: before.at } } }
}

function instantText(ms: number): string {
  return formatInstant(ms * 1000, 3)
}

/** The text of an attribute, where it is an instant as they are written here. */
function textIn(value: unknown): string | undefined {
  const text = isObject(value) ? value.S : undefined
  return typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? text : undefined
}
