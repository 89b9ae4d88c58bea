/** One order's walk through time: every request it makes to the table, and the record each must leave in the stream. */
import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb'

export const TABLE = 'Orders'
export const MINUTE = 60
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** An item, or part of one, as the table takes it. */
export type Item = Record<string, AttributeValue>

/** Name, e-mail, city, street, currency. */
export type Customer = readonly [string, string, string, string, string]

/** One line of an order; money is in cents. */
export interface Line {
  readonly sku: string
  readonly qty: number
  readonly cents: number
}

/** What a request must leave in the stream for one item. */
export interface Expected {
  readonly id: string
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE'
  /** DynamoDB would have done it: the item's time to live was over. */
  readonly expired?: boolean
}

/** One request to the table, at its simulated time in epoch seconds. Without records, it fails or changes nothing. */
export interface Step {
  readonly at: number
  readonly id: string
  readonly records: readonly Expected[]
  readonly fails?: Failure
  send(table: DynamoDBClient): Promise<unknown>
}

/** How a request may be refused by the table. */
export type Failure = 'ConditionalCheckFailedException' | 'TransactionCanceledException'

type Path = readonly (string | number)[]
type Pair = readonly [Path, AttributeValue]

/** The parts of an update. */
export interface Edit {
  readonly set?: readonly Pair[]
  readonly append?: Line
  readonly remove?: readonly Path[]
  readonly add?: readonly Pair[]
  readonly delete?: readonly Pair[]
  /** The order must still be in this status. */
  readonly from?: string
}

/** Random numbers by mulberry32: all from the seed, and the same everywhere. */
export class Random {
  constructor(private state: number) {}

  /** At least 0, less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T
  }

  /** Digits from 1 to 8, so that adding one never carries and no zero is cut off. */
  digits(count: number): string {
    return Array.from({ length: count }, () => this.int(1, 8)).join('')
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.int(0, 255))
  }
}

export const s = (S: string): AttributeValue => ({ S })
export const n = (N: number | string): AttributeValue => ({ N: String(N) })
export const m = (M: Item): AttributeValue => ({ M })
export const ss = (...SS: string[]): AttributeValue => ({ SS })
export const linesOf = (lines: readonly Line[]): AttributeValue => ({
  L: lines.map(({ sku, qty, cents }) => m({ sku: s(sku), qty: n(qty), price: money(cents) })),
})
export const totalOf = (lines: readonly Line[]) => money(lines.reduce((sum, line) => sum + line.qty * line.cents, 0))

/** Without trailing zeros, as DynamoDB keeps numbers; DynamoDB Local does not cut them off inside lists and maps. */
function money(cents: number): AttributeValue {
  const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
  return n(text.replace(/\.?0+$/, ''))
}

const keyOf = (id: string) => ({ order_id: s(id) })

/** An update as DynamoDB wants it: every name and every value behind a placeholder. */
export function toUpdate(id: string, edit: Edit) {
  const names: Record<string, string> = {}
  const values: Item = {}
  const name = (part: string) => {
    const placeholder = `#${Object.keys(names).length}`
    names[placeholder] = part
    return placeholder
  }
  const value = (given: AttributeValue) => {
    const placeholder = `:${Object.keys(values).length}`
    values[placeholder] = given
    return placeholder
  }
  const path = (parts: Path) => {
    const text = parts.map(part => (typeof part === 'number' ? `[${part}]` : `.${name(part)}`))
    return text.join('').slice(1)
  }
  const pairs = (list: readonly Pair[] = []) => list.map(([parts, given]) => `${path(parts)} ${value(given)}`)
  const sets = (edit.set ?? []).map(([parts, given]) => `${path(parts)} = ${value(given)}`)
  if (edit.append) {
    const lines = name('lines')
    sets.push(`${lines} = list_append(${lines}, ${value(linesOf([edit.append]))})`)
  }
  const clauses = [
    ['SET', sets],
    ['REMOVE', (edit.remove ?? []).map(path)],
    ['ADD', pairs(edit.add)],
    ['DELETE', pairs(edit.delete)],
  ] as const
  const used = clauses.filter(([, parts]) => parts.length > 0)
  return {
    TableName: TABLE,
    Key: keyOf(id),
    UpdateExpression: used.map(([verb, parts]) => `${verb} ${parts.join(', ')}`).join(' '),
    ...(edit.from !== undefined && { ConditionExpression: `${name('status')} = ${value(s(edit.from))}` }),
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  }
}

/** New orders put into the table by one BatchWriteItem. */
export function putTogether(at: number, lives: readonly Life[]): Step {
  const requests = lives.map(life => ({ PutRequest: { Item: life.item } }))
  return toBatch(at, requests, lives, 'INSERT')
}

/** Orders deleted by one BatchWriteItem. */
export function removeTogether(at: number, orders: readonly { readonly id: string }[]): Step {
  const requests = orders.map(({ id }) => ({ DeleteRequest: { Key: keyOf(id) } }))
  return toBatch(at, requests, orders, 'REMOVE')
}

function toBatch(
  at: number,
  requests: WriteRequest[],
  orders: readonly { readonly id: string }[],
  eventName: Expected['eventName'],
): Step {
  const batch = new BatchWriteItemCommand({ RequestItems: { [TABLE]: requests } })
  const records = orders.map(({ id }) => ({ id, eventName }))
  return { at, id: orders[0]?.id ?? '', records, send: table => table.send(batch) }
}

/** Walks one order through time and writes down each request on the way. */
export class Life {
  readonly steps: Step[] = []
  lines: readonly Line[] = []
  item: Item = {}
  /** When the order is given up if nobody has paid. */
  expires = 0
  private version = 0

  constructor(
    readonly id: string,
    public at: number,
    readonly customer: Customer,
    readonly random: Random,
  ) {}

  get buyer(): string {
    return `customer:${this.customer[1].split('@')[0]}`
  }

  wait(min: number, max: number): this {
    this.at += this.random.int(min, max)
    return this
  }

  step(records: readonly Expected[], send: Step['send'], fails?: Failure): void {
    this.steps.push({ at: this.at, id: this.id, records, send, ...(fails && { fails }) })
  }

  /** The new order as an item, for whoever puts it into the table. */
  fill(actor: string, lines: readonly Line[], extra: Item = {}): Item {
    const [name, email, city, street, currency] = this.customer
    this.lines = lines
    this.version = 1
    this.expires = this.at + 3 * DAY
    this.item = {
      ...keyOf(this.id),
      status: s('PENDING'),
      placed_at: s(new Date(this.at * 1000).toISOString().replace('.000', '')),
      customer: m({ name: s(name), email: s(email) }),
      lines: linesOf(lines),
      total: totalOf(lines),
      currency: s(currency),
      shipping: m({ city: s(city), street: s(street) }),
      tags: ss('new', this.random.pick(['web', 'app', 'phone'])),
      expires_at: n(this.expires),
      updated_by: s(actor),
      version: n(1),
      ...extra,
    }
    return this.item
  }

  place(lines: readonly Line[], extra: Item = {}): void {
    const ConditionExpression = 'attribute_not_exists(order_id)'
    const put = new PutItemCommand({ TableName: TABLE, Item: this.fill(this.buyer, lines, extra), ConditionExpression })
    this.step([{ id: this.id, eventName: 'INSERT' }], table => table.send(put))
  }

  /** Saves the cart anew as a whole, if nobody else has saved it since. */
  saveCart(changes: Item): void {
    const put = this.putOver(this.version, { ...this.item, ...changes })
    this.version += 1
    this.item = put.input.Item ?? {}
    this.step([{ id: this.id, eventName: 'MODIFY' }], table => table.send(put))
  }

  /** Somebody saves the cart from a page that was left open: refused. */
  saveStaleCart(changes: Item): void {
    const put = this.putOver(this.version - 1, { ...this.item, ...changes })
    this.step([], table => table.send(put), 'ConditionalCheckFailedException')
  }

  /** The same cart once more, as a client does that missed the answer: changes nothing and leaves no record. */
  saveCartAgain(): void {
    const put = new PutItemCommand({ TableName: TABLE, Item: this.item })
    this.step([], table => table.send(put))
  }

  private putOver(seen: number, item: Item): PutItemCommand {
    return new PutItemCommand({
      TableName: TABLE,
      Item: { ...item, updated_by: s(this.buyer), version: n(seen + 1) },
      ConditionExpression: 'version = :seen',
      ExpressionAttributeValues: { ':seen': n(seen) },
    })
  }

  /** An edit as an update; every edit says who made it, and counts. */
  sign(actor: string, edit: Edit) {
    const set: Pair[] = [...(edit.set ?? []), [['updated_by'], s(actor)]]
    const add: Pair[] = [...(edit.add ?? []), [['version'], n(1)]]
    return toUpdate(this.id, { ...edit, set, add })
  }

  update(actor: string, edit: Edit): void {
    const update = new UpdateItemCommand(this.sign(actor, edit))
    this.step([{ id: this.id, eventName: 'MODIFY' }], table => table.send(update))
  }

  /** From one status to the next, if the order is still in the first. */
  move(actor: string, from: string, to: string, edit: Edit = {}): void {
    this.update(actor, { ...edit, from, set: [[['status'], s(to)], ...(edit.set ?? [])] })
  }

  remove(expired = false): void {
    const key = new DeleteItemCommand({ TableName: TABLE, Key: keyOf(this.id) })
    this.step([{ id: this.id, eventName: 'REMOVE', expired }], table => table.send(key))
  }

  /** This order's edit and another order's beginning in one transaction: both or neither. */
  updateWith(other: Life, actor: string, edit: Edit, fails?: Failure): void {
    const TransactItems = [{ Update: this.sign(actor, edit) }, { Put: { TableName: TABLE, Item: other.item } }]
    const both: Expected[] = [
      { id: this.id, eventName: 'MODIFY' },
      { id: other.id, eventName: 'INSERT' },
    ]
    this.step(fails ? [] : both, table => table.send(new TransactWriteItemsCommand({ TransactItems })), fails)
  }
}
