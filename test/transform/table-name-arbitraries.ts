import fc from 'fast-check'

/** Words that SQL, one of its engines or our own statements keep for themselves. */
const WORDS = [
  'Order',
  'Group',
  'Summarize',
  'Table',
  'End',
  'Window',
  'changes',
  'arrived',
  'delivered',
  'sqlite_master',
]

/** Names that come to each other in one way or another. */
const KIN = [
  'orders',
  'Orders',
  'orders_deliveries',
  'orders__by_item',
  'or.ders',
  'or-ders',
  'or_ders',
  '_orders',
  '.orders',
]

const character = fc.constantFrom(...'aAbB01_-.')

/** Names of DynamoDB tables, of all lengths, those that come to one in SQL among them. */
export const tableNames: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...WORDS, ...KIN),
  fc.string({ unit: character, minLength: 3, maxLength: 4 }),
  fc.string({ unit: character, minLength: 3, maxLength: 20 }),
  fc.constantFrom('x', 'X', '_', '.').chain(unit => fc.integer({ min: 225, max: 255 }).map(n => unit.repeat(n))),
)
