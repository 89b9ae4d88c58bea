/**
 * The one request that turns an item into what it was, and does nothing where the item is another than was planned for.
 * DynamoDB has no condition "the item equals": each attribute is compared by itself, and an attribute that nobody knew
 * of cannot be named. So an update writes no attribute that its condition does not hold.
 */

import { type AttributeValue, type Item, parseItem } from '../transform/attribute-value.js'
import type { JsonObject } from '../transform/json.js'
import { comparableAttributes } from './comparable.js'

/** Comparisons, functions and ANDs that an expression may have: "The expression contains too many operators". */
const MAX_OPERATORS = 300
/**
 * Bytes of an expression, of which ours has ASCII only. What its names stand for may have 2 MB, which two items never
 * have.
 */
const MAX_EXPRESSION = 4096

/** A request that writes an item, or is refused. Its answer has the item as it was before. */
export interface ConditionalWrite {
  readonly operation: 'PutItem' | 'UpdateItem' | 'DeleteItem'
  readonly request: JsonObject
}

/**
 * What is written: `wanted` is null for a delete; `current` is the item as it was read, null where it must not be
 * there.
 */
export interface WritePlan {
  readonly key: Item
  readonly wanted: Item | null
  readonly current: Item | null
}

/** The write for an item. At least one of `wanted` and `current` is an item, and they differ. */
export function toConditionalWrite({ key, wanted, current }: WritePlan): ConditionalWrite {
  if (current === null) return toPut(key, wanted as Item)
  return wanted === null ? toDelete(key, current) : toUpdate(key, wanted, current)
}

const RETURNS = { ReturnValues: 'ALL_OLD', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const

function toPut(key: Item, wanted: Item): ConditionalWrite {
  const expression = new Expression()
  expression.require(name => `attribute_not_exists(${name})`, Object.keys(key)[0] as string)
  return { operation: 'PutItem', request: { Item: wanted, ...expression.condition(), ...RETURNS } }
}

function toDelete(key: Item, current: Item): ConditionalWrite {
  const expression = withKey(key)
  for (const name of attributesBeside(key, current)) expression.requireValue(name, current[name] as AttributeValue)
  return { operation: 'DeleteItem', request: { Key: key, ...expression.condition(), ...RETURNS } }
}

function toUpdate(key: Item, wanted: Item, current: Item): ConditionalWrite {
  const changes = changesBetween(key, current, wanted)
  const changed = new Set(changes.map(({ name }) => name))
  const expression = withKey(key)
  // what is written goes first; of the rest as much as there is room for
  const held = changes.map(({ name, from }) =>
    from === undefined
      ? expression.require(token => `attribute_not_exists(${token})`, name)
      : expression.requireValue(name, from),
  )
  const others = attributesBeside(key, current).filter(name => !changed.has(name))
  for (const name of others) expression.requireValue(name, current[name] as AttributeValue)
  const set = changes.flatMap(({ name, to }) => (to === undefined ? [] : [expression.assign(name, to)]))
  const removed = changes.flatMap(({ name, to }) => (to === undefined ? [expression.nameOf(name)] : []))
  const update = [
    ...(set.length > 0 ? [`SET ${set.join(',')}`] : []),
    ...(removed.length > 0 ? [`REMOVE ${removed.join(',')}`] : []),
  ].join(' ')
  if (held.includes(false) || update.length > MAX_EXPRESSION) return toReplacement(key, wanted, current)
  const request = { Key: key, UpdateExpression: update, ...expression.condition(), ...RETURNS }
  return { operation: 'UpdateItem', request }
}

/** Where more attributes differ than a condition can hold: the whole item, with as many of them held as can be. */
function toReplacement(key: Item, wanted: Item, current: Item): ConditionalWrite {
  const expression = withKey(key)
  for (const { name, from } of changesBetween(key, current, wanted))
    if (from !== undefined) expression.requireValue(name, from)
  return { operation: 'PutItem', request: { Item: wanted, ...expression.condition(), ...RETURNS } }
}

/** An update creates what is not there: the key in the request is no condition. */
function withKey(key: Item): Expression {
  const expression = new Expression()
  expression.require(token => `attribute_exists(${token})`, Object.keys(key)[0] as string)
  return expression
}

interface AttributeChange {
  readonly name: string
  readonly from: AttributeValue | undefined
  readonly to: AttributeValue | undefined
}

function changesBetween(key: Item, current: Item, wanted: Item): readonly AttributeChange[] {
  const [before, after] = [comparableAttributes(current), comparableAttributes(wanted)]
  const names = [...new Set([...before.keys(), ...after.keys()])]
  return names
    .filter(name => !Object.hasOwn(key, name) && before.get(name) !== after.get(name))
    .map(name => ({ name, from: own(current, name), to: own(wanted, name) }))
}

function own(item: Item, name: string): AttributeValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined
}

function attributesBeside(key: Item, item: Item): readonly string[] {
  return Object.keys(item).filter(name => !Object.hasOwn(key, name))
}

/** A condition as it grows, with the short names that stand for attributes and values in it. */
class Expression {
  private readonly names = new Map<string, string>()
  private readonly values: (readonly [token: string, value: AttributeValue])[] = []
  private readonly terms: string[] = []
  private length = 0

  /** Adds a term about an attribute; false where the expression would be too long for DynamoDB with it. */
  require(term: (token: string) => string, name: string): boolean {
    const isNew = !this.names.has(name)
    const isAdded = this.add(term(this.nameOf(name)))
    // DynamoDB refuses a name that no expression uses
    if (!isAdded && isNew) this.names.delete(name)
    return isAdded
  }

  /**
   * Adds that an attribute has a value, which DynamoDB compares by what it means: sets without order, numbers as
   * numbers.
   */
  requireValue(name: string, value: AttributeValue): boolean {
    const token = this.nextValue()
    const isAdded = this.require(nameToken => `${nameToken}=${token}`, name)
    if (isAdded) this.values.push([token, value])
    return isAdded
  }

  /** What gives an attribute a value in an update. */
  assign(name: string, value: AttributeValue): string {
    const token = this.nextValue()
    this.values.push([token, value])
    return `${this.nameOf(name)}=${token}`
  }

  nameOf(name: string): string {
    const token = this.names.get(name) ?? `#${this.names.size.toString(36)}`
    this.names.set(name, token)
    return token
  }

  condition(): JsonObject {
    return {
      ConditionExpression: this.terms.join(AND),
      ExpressionAttributeNames: Object.fromEntries([...this.names].map(([name, token]) => [token, name])),
      ...(this.values.length > 0 && { ExpressionAttributeValues: Object.fromEntries(this.values) }),
    }
  }

  private nextValue(): string {
    return `:${this.values.length.toString(36)}`
  }

  /** Each term is one operator, and the AND before it another. */
  private add(term: string): boolean {
    const length = this.length + (this.terms.length > 0 ? AND.length : 0) + term.length
    if (length > MAX_EXPRESSION || this.terms.length * 2 + 1 > MAX_OPERATORS) return false
    this.length = length
    this.terms.push(term)
    return true
  }
}

const AND = ' AND '

/** Whether two items are the same to DynamoDB; null stands for no item. */
export function isSame(a: Item | null, b: Item | null): boolean {
  if (a === null || b === null) return a === b
  const [left, right] = [comparableAttributes(a), comparableAttributes(b)]
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value)
}

/** An item from canonical text, null staying null. */
export function itemOf(image: string | null): Item | null {
  return image === null ? null : parseItem(image)
}
