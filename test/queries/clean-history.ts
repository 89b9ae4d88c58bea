/** Histories without a fault, so that a fault can be put into them: every item from its INSERT on, nothing lost. */
import { DiskArchive } from '../../store/folder.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { baselineRowTime, factInstant, StatesDigest, writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { rowsOfRecord } from '../delivery/desk.js'
import { baselineDocument, kinesisDocument, type RecordContent, streamsRecord, TIME_TO_LIVE } from '../factories.js'
import { BEGIN } from './random-archive.js'

/** Random numbers that depend on the seed alone. */
export class Dice {
  private state: number

  constructor(seed: number) {
    this.state = (seed * 2654435761 + 1) >>> 0
  }

  /** From 0, less than `sides`. */
  roll(sides: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.state / 2 ** 32) * sides)
  }
}

/** An image by its number; null where there is no item. */
export type Image = number | string | null

/** One change; `second` counts from the beginning of all. */
export interface Event {
  readonly before: Image
  readonly after: Image
  readonly second: number
  readonly place: number
  readonly timeToLive: boolean
}

export type Capture = 'streams' | 'kinesis' | 'kinesis in ties'

export interface CleanItem {
  readonly name: string
  readonly capture: Capture
  readonly events: readonly Event[]
}

/** Baselines are taken before, in the middle of, and after all changes: in seconds since the beginning. */
export const BASELINES = { first: 0, middle: 1000, last: 2000 } as const

/**
 * An item of 5 to 9 changes, at least two of them on either side of the middle; its states return to earlier ones at
 * times.
 */
export function cleanItem(name: string, capture: Capture, dice: Dice): CleanItem {
  const events: Event[] = []
  let before: Image = null
  const count = 5 + dice.roll(5)
  const half = 2 + dice.roll(count - 3)
  for (let place = 0; place < count; place++) {
    let after: Image = dice.roll(6) === 0 && place > 0 ? null : dice.roll(4)
    while (after === before) after = dice.roll(4)
    // a loop in the first tick would not tell where it began, and one in the last not where it ended
    const inside = place > 1 && place < count - 1
    const inTie = capture === 'kinesis in ties' && inside && place !== half && dice.roll(2) === 0
    const tied = inTie && !repeatsInTie(events, before, after)
    // after what a baseline may have seen
    const started = place < half ? 100 : BASELINES.middle + 100
    const previous = events.at(-1)?.second ?? 0
    const second: number = tied ? previous : Math.max(previous, started) + 1 + dice.roll(20)
    events.push({ before, after, second, place, timeToLive: after === null && dice.roll(2) === 0 })
    before = after
  }
  return { name, capture, events }
}

/** The same change twice in one tick of Kinesis has one id, see docs/limits.md. */
function repeatsInTie(events: readonly Event[], before: Image, after: Image): boolean {
  const second = events.at(-1)?.second
  return events.some(event => event.second === second && event.before === before && event.after === after)
}

/** What the item is at a moment, changes at it left out. */
export function imageAt({ events }: CleanItem, second: number): Image {
  return events.findLast(event => event.second < second)?.after ?? null
}

/** The record of a change, as its capture shows it. */
export function recordOf({ name, capture }: Pick<CleanItem, 'name' | 'capture'>, event: Event): RecordContent {
  const { before, after, second, place, timeToLive } = event
  const common = {
    eventID: `${name}-${place}`,
    Keys: { order_id: { S: name } },
    ...(before !== null && { OldImage: attributesOf(name, before) }),
    ...(after !== null && { NewImage: attributesOf(name, after) }),
    ...(timeToLive && { userIdentity: TIME_TO_LIVE }),
  }
  if (capture !== 'streams')
    return kinesisDocument({ ...common, ApproximateCreationDateTime: (BEGIN + second) * 1000 + 7 })
  return streamsRecord({
    ...common,
    ApproximateCreationDateTime: BEGIN + second,
    SequenceNumber: String(100_000 + place),
  })
}

function attributesOf(name: string, image: Exclude<Image, null>) {
  return { order_id: { S: name }, v: { S: String(image) }, writer: { S: `w${image}` } }
}

/** When a change arrives where nothing delays it, in milliseconds since 1970. */
export function arrivalOf(second: number): number {
  return (BEGIN + second) * 1000 + 2000
}

export function rowOf(item: Pick<CleanItem, 'name' | 'capture'>, event: Event): AuditRow {
  return rowsOfRecord(recordOf(item, event), undefined, arrivalOf(event.second))[0] as AuditRow
}

/** The time of a baseline's rows, in microseconds since 1970. */
export function baselineUs(second: number): number {
  return baselineRowTime((BEGIN + second) * 1_000_000)
}

export function baselineSource(second: number): string {
  return `arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/${factInstant((BEGIN + second) * 1_000_000)}`
}

/** The row of an item in a baseline; undefined where there is no item. */
export function baselineRow(item: CleanItem, second: number): AuditRow | undefined {
  const image = imageAt(item, second)
  if (image === null) return undefined
  const document = baselineDocument({
    source: baselineSource(second),
    time: factInstant(baselineUs(second)),
    Item: attributesOf(item.name, image),
  })
  return rowsOfRecord(document, undefined, arrivalOf(second))[0]
}

/** Takes a complete baseline of a table as it truly was: writes its fact into the archive, gives its rows. */
export async function takeBaseline(
  root: string,
  items: readonly CleanItem[],
  second: number,
): Promise<readonly AuditRow[]> {
  const rows = items.flatMap(item => baselineRow(item, second) ?? [])
  const digest = new StatesDigest()
  for (const row of rows) digest.add(row.item_key, row.new_hash as string)
  const taken = factInstant((BEGIN + second) * 1_000_000)
  const fact = {
    version: 'fact/v1',
    kind: 'baseline',
    table: 'Orders',
    recorded: taken,
    method: 'scan',
    source: baselineSource(second),
    from: taken,
    to: taken,
    rowTime: factInstant(baselineUs(second)),
    items: rows.length,
    digest: digest.hex(),
  } as const
  await new DiskArchive(root).put(factKey(fact), Buffer.from(writeFact(fact)))
  return rows
}
