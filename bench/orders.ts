/** The changes that every suite measures: made from a seed, so that each run and each machine has the same bytes. */
import type { AttributeValue } from '../transform/attribute-value.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { createRandom, type Random } from './random.js'

/** When the first change was made: 2026-11-22T00:00:00Z, in seconds since 1970. */
const FROM = Date.UTC(2026, 10, 22) / 1000

const ARN = 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000'

const EXPORT = 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/export/01695353076000-a1b2c3d4'

/** How table Orders is configured in the suites: a key, an actor, and six flat columns of four types. */
export const ORDERS: TableConfiguration = {
  table: 'Orders',
  capture: 'streams',
  keys: [{ column: 'order_id', attribute: 'order_id' }],
  actor: ['updated_by'],
  columns: [
    { column: 'status', path: ['status'], type: 'string' },
    { column: 'total', path: ['total'], type: 'decimal(12,2)' },
    { column: 'revision', path: ['revision'], type: 'bigint' },
    { column: 'city', path: ['shipping', 'city'], type: 'string' },
    { column: 'gift', path: ['gift'], type: 'boolean' },
    { column: 'customer_id', path: ['customer_id'], type: 'string' },
  ],
}

/** What a set of changes is like. */
export interface OrdersOptions {
  /** @default - 1 */
  readonly seed?: number
  /** Days that the changes are spread over, evenly. @default - 1 */
  readonly days?: number
  /** Table name; two tables tell the parts of a mixed file apart. @default - Orders */
  readonly count: number
}

/** An item, in DynamoDB JSON. */
export type Attributes = Record<string, AttributeValue>

/**
 * DynamoDB Streams records of synthetic orders, as JSON texts of about 1.9 KB: 20 % INSERT, 70 % MODIFY, 10 % REMOVE,
 * with decimals, a string set, binary, a 38-digit number, a list of maps and text beyond ASCII. Attributes come in an
 * order that differs from image to image, in nested maps too, because DynamoDB promises none.
 */
export function* orderRecords({ count, seed = 1, days = 1 }: OrdersOptions): Generator<string> {
  const random = createRandom(seed)
  for (let i = 0; i < count; i++) {
    const time = FROM + Math.floor((i / count) * days * 86_400)
    yield JSON.stringify(recordOf(i, time, random))
  }
}

/** The items of these changes as documents of a baseline. */
export function* baselineRecords(options: OrdersOptions): Generator<string> {
  for (const record of orderRecords(options)) {
    const { dynamodb } = JSON.parse(record)
    const time = new Date(dynamodb.ApproximateCreationDateTime * 1000).toISOString()
    const Item = dynamodb.NewImage ?? dynamodb.OldImage
    yield JSON.stringify({ itemtrail: 'baseline/v1', table: 'Orders', source: EXPORT, time, Item })
  }
}

function recordOf(i: number, time: number, random: Random) {
  const roll = random()
  const id = `ORD-${String(Math.floor(random() * 1e8)).padStart(8, '0')}`
  const before = orderOf(id, random)
  const after = changed(before, random)
  const images = roll < 0.2 ? { after } : roll < 0.9 ? { before, after } : { before }
  return streamRecord({ i, time, id, ...images }, random)
}

/** A change of an order: of one that is placed there is nothing before, of one that is removed nothing after. */
export interface OrderChange {
  /** Its place among the changes. */
  readonly i: number
  /** Seconds since 1970. */
  readonly time: number
  readonly id: string
  readonly before?: Attributes | undefined
  readonly after?: Attributes | undefined
}

/** The record of a change, as the stream of table Orders tells it. */
export function streamRecord({ i, time, id, before, after }: OrderChange, random: Random) {
  return {
    eventID: hex(random, 32),
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'eu-central-1',
    dynamodb: {
      ApproximateCreationDateTime: time,
      Keys: { order_id: { S: id } },
      ...(after && { NewImage: shuffled(after, random) }),
      ...(before && { OldImage: shuffled(before, random) }),
      SequenceNumber: `44215845000000000${String(i).padStart(12, '0')}`,
      SizeBytes: 900 + Math.floor(random() * 300),
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: ARN,
  }
}

/** An order as it is placed. */
export function orderOf(id: string, random: Random): Attributes {
  const lines = 1 + Math.floor(random() * 3)
  return {
    order_id: { S: id },
    customer_id: { S: `CUST-${Math.floor(random() * 1e6)}` },
    status: { S: pick(STATUSES, random) },
    total: { N: price(random, 5000) },
    currency: { S: pick(['EUR', 'USD', 'GBP'], random) },
    revision: { N: String(1 + Math.floor(random() * 40)) },
    ledger: { N: digits(random, 38) },
    gift: { BOOL: random() < 0.2 },
    coupon: random() < 0.7 ? { NULL: true } : { S: 'WELCOME10' },
    tags: { SS: [...new Set(Array.from({ length: 3 }, () => pick(TAGS, random)))] },
    signature: { B: Buffer.from(hex(random, 48), 'hex').toString('base64') },
    created_at: { S: `2026-10-${10 + Math.floor(random() * 20)}T09:${10 + Math.floor(random() * 50)}:00Z` },
    updated_by: { S: `${pick(['alice', 'bob', 'carol', 'dave'], random)}@example.com` },
    shipping: {
      M: shuffled(
        {
          name: { S: pick(NAMES, random) },
          street: {
            S: `${pick(['Hauptstraße', 'Rue de l’Église', 'High Street'], random)} ${Math.floor(random() * 200)}`,
          },
          city: { S: pick(['Köln', 'Paris', 'London', '東京'], random) },
          zip: { S: digits(random, 5) },
        },
        random,
      ),
    },
    items: {
      L: Array.from({ length: lines }, () => ({
        M: shuffled(
          {
            sku: { S: `SKU-${digits(random, 6)}` },
            title: { S: pick(TITLES, random) },
            quantity: { N: String(1 + Math.floor(random() * 9)) },
            price: { N: price(random, 900) },
          },
          random,
        ),
      })),
    },
  }
}

/** The same order a step later: three or four of its attributes differ. */
export function changed(order: Attributes, random: Random): Attributes {
  const after: Attributes = {
    ...order,
    status: { S: pick(STATUSES, random) },
    revision: { N: String(Math.floor(random() * 1000)) },
    updated_by: { S: `${pick(['alice', 'bob', 'carol', 'dave'], random)}@example.com` },
  }
  return random() < 0.3 ? { ...after, tracking: { S: `TRK${digits(random, 12)}` } } : after
}

const STATUSES = ['PENDING', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'CANCELLED']
const TAGS = ['priority', 'fragile', 'gift', 'b2b', 'export', 'überdimensional']
const NAMES = ['Jürgen Groß', 'Zoë Lefèvre', 'Jane Doe', '山田太郎', 'Łukasz Nowak']
const TITLES = [
  'Coffee mug, blue',
  'Café crème, 12 × 200 ml',
  'Desk lamp',
  'Schreibtischunterlage',
  '抹茶 matcha 100 g',
]

function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T
}

function digits(random: Random, length: number): string {
  const first = 1 + Math.floor(random() * 9)
  return `${first}${Array.from({ length: length - 1 }, () => Math.floor(random() * 10)).join('')}`
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')
}

function shuffled<T>(attributes: Readonly<Record<string, T>>, random: Random): Record<string, T> {
  const entries = Object.entries(attributes)
  for (let i = entries.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [entries[i] as [string, T], entries[j] as [string, T]]
    entries[i] = b
    entries[j] = a
  }
  return Object.fromEntries(entries)
}

/** A price below `limit`, as DynamoDB writes it: without zeros at its end. */
function price(random: () => number, limit: number): string {
  return String(Math.floor(random() * limit * 100) / 100)
}
