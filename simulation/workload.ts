/** What somebody does to a table: orders that are made, changed and deleted, in bursts and in quiet hours. */
import type { AttributeValue } from 'aws-lambda'
import type { Dice } from './dice.js'
import type { SimulatedTable, Write } from './table.js'
import { HOUR_MS } from './times.js'
import type { World } from './world.js'

/** An item in DynamoDB JSON. */
export type Attributes = { [name: string]: AttributeValue }

/** How a table is used. */
export interface Load {
  readonly items: number
  /** Writes an hour, on average. */
  readonly perHour: number
  /** Which share of the writes come many at once. */
  readonly bursts: number
  /** Which share of the items is too large for Firehose. */
  readonly oversize: number
  /** How many persons items are of, each with a value that is theirs. @default - none */
  readonly persons?: number
  /** The places of the writes that are made, rising, where the others are left out. @default - all */
  readonly only?: readonly number[]
}

/** Writes to a table until a moment, in milliseconds since 1970. */
export async function runWorkload(world: World, table: SimulatedTable, load: Load, untilMs: number): Promise<void> {
  const dice = world.dice.fork('workload')
  const isMade = load.only === undefined ? () => true : (place: number) => load.only?.includes(place)
  for (let place = 0; ; ) {
    const burst = dice.chance(load.bursts) ? dice.between(2, 40) : 1
    // what comes at once is paid for by the quiet after it
    const pause = -Math.log(1 - dice.random()) * (HOUR_MS / load.perHour) * burst
    if (world.scheduler.now + pause > untilMs) return
    await world.scheduler.sleep(pause)
    for (let i = 0; i < burst; i++, place++) {
      // each draws from dice of its own, so that one that is left out changes no other
      if (isMade(place)) table.write(writesOf(dice.fork(`write ${place}`), table, load))
      if (dice.chance(0.5)) await world.scheduler.sleep(dice.between(0, 1500))
    }
  }
}

function writesOf(dice: Dice, table: SimulatedTable, load: Load): readonly Write[] {
  const count = dice.chance(0.1) ? Math.min(load.items, dice.between(2, 5)) : 1
  const items = new Set<string>()
  while (items.size < count) items.add(`ORD-${dice.between(0, load.items)}`)
  return [...items].map(item => writeOf(dice, item, table.read(item), load))
}

function writeOf(dice: Dice, item: string, present: Attributes | undefined, load: Load): Write {
  // deletes by an application, and by time to live
  if (present !== undefined && dice.chance(0.15)) return { item, after: null, isTtl: dice.chance(0.3) }
  // written again as it is
  if (present !== undefined && dice.chance(0.05)) return { item, after: present }
  const image = imageOf(dice, item, dice.chance(load.oversize))
  return { item, after: load.persons === undefined ? image : { ...image, ...ofPerson(dice, load.persons) } }
}

/** The id of a person. */
export function personNamed(number: number): string {
  return `person-${number}`
}

/** What every value of a person begins with, and no value of another. */
export function personalText(id: string): string {
  return `mail-of-${id}-`
}

/** Whose an order is; not each has such a value, and some name nobody. */
function ofPerson(dice: Dice, persons: number): Attributes {
  const id = personNamed(dice.between(0, persons))
  return {
    ...(dice.chance(0.95) && { customer: { S: id } }),
    ...(dice.chance(0.9) && { contact: { S: `${personalText(id)}${dice.between(0, 3)}` } }),
  }
}

const NOTES = ['', 'plain', 'Grüße, "Zoë" \\ \n', '\u{1f4e6}\u200d\u{1f525}', '\u0000\u2028', '<script>', 'ا ل']
const BYTES = ['AA==', '/+//', 'aGVsbG8=']
const NUMBERS = ['0', '1', '-1.5', '99999999999999999999999999999999999999', '1E-130', '0.1']

/** An order; a large one is larger than the simulated Firehose takes. */
function imageOf(dice: Dice, item: string, isLarge: boolean): Attributes {
  return {
    order_id: { S: item },
    status: { S: dice.pick(['PENDING', 'PAID', 'SHIPPED', 'CLOSED']) },
    total: { N: dice.pick(NUMBERS) },
    ...(dice.chance(0.5) && { note: { S: dice.pick(NOTES) } }),
    ...(dice.chance(0.2) && {
      gift: dice.pick<AttributeValue>([{ BOOL: true }, { NULL: true }, { M: { to: { S: 'x' } } }]),
    }),
    ...(dice.chance(0.1) && { seal: { B: dice.pick(BYTES) } }),
    ...(isLarge && { blob: { S: 'x'.repeat(dice.between(4000, 9000)) } }),
  }
}
