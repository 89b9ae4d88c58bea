/** Changes that were delivered again and sealed under other keys, some of which say something else besides. */
import { checkConfiguration } from '../../../config/configuration.js'
import { fieldKeyOf } from '../../../erasure/field.js'
import { sealingOf } from '../../../erasure/seal-image.js'
import type { SubjectKeys } from '../../../erasure/subject-keys.js'
import type { Boundaries } from '../../../queries/verdict/erasures.js'
import { type AuditRow, rowHash } from '../../../transform/audit-row.js'
import { configurationId, type TableConfiguration } from '../../../transform/table-configuration.js'
import { rowsOfRecord } from '../../delivery/desk.js'
import { ERASABLE, type Order, orderOf, recordOfTable } from '../../erasure/orders.js'
import { ARRIVAL, TIME_TO_LIVE } from '../../factories.js'

const FILE = { erasure: { keys: 'keys' }, tables: { Twice: { keys: ['id'], erasable: ERASABLE } } }

export const TWICE = checkConfiguration(FILE, 'test').tables.get('Twice') as TableConfiguration
export const BOUNDARIES: Boundaries = {
  erasures: new Map(),
  erasable: new Map([[configurationId(TWICE), TWICE.erasable ?? []]]),
}

/** Which key the buyer's values were sealed under, and the seller's; below zero one that was destroyed by then. */
type Keys = readonly [buyer: number, seller: number]

function keysOf([buyer, seller]: Keys): SubjectKeys {
  return {
    tokenOf: id => (id === 'u-1' ? 'a' : 'b').repeat(32),
    current: token => {
      const given = token.startsWith('a') ? buyer : seller
      const generation = Math.abs(given)
      return given < 0
        ? { state: 'erased', generation }
        : { state: 'live', generation, fieldKey: fieldKeyOf(Buffer.from(`${token} ${generation}`)) }
    },
    find: () => undefined,
  }
}

interface Delivery {
  readonly keys: Keys
  /** What of the order is another than it was. */
  readonly other?: (order: Order) => object
  /** What of the row is another than it was made; its `event_id` and `row_hash` are those of a true one. */
  readonly forged?: Partial<AuditRow>
  readonly identity?: object
}

const named =
  (name: string, bob = 'Bob Shop') =>
  (order: Order) =>
    orderOf(order.id.S, 'NEW', name, bob)
const mailed = (email: string) => (order: Order) => ({
  ...order,
  buyer: { M: { ...order.buyer.M, email: { S: email } } },
})
const paid = (order: Order) => ({ ...order, status: { S: 'PAID' } })
const LONG = 'Ann Secret, of the long house at the very end of the long road'
const plain: Delivery = { keys: [2, 1] }

/** By what is said of them: the deliveries of one change, and whether they contradict one another. */
const CASES: Readonly<Record<string, readonly [isConflict: boolean, ...Delivery[]]>> = {
  'the same again': [false, plain, plain],
  'sealed under the next key': [false, plain, { keys: [3, 1] }],
  'sealed under both next keys, thrice': [false, plain, { keys: [3, 1] }, { keys: [3, 2] }],
  'not kept, and then under the next key': [false, plain, { keys: [-2, 1] }, { keys: [3, 1] }],
  // what it is worth: a value of one length under another key says nothing that anybody could compare
  'another value of one length, under the next key': [false, plain, { keys: [3, 1], other: named('Ann Public') }],
  'another clear value, under the next key': [true, plain, { keys: [3, 1], other: paid }],
  'another clear value, where nothing was kept': [true, plain, { keys: [-2, 1], other: paid }],
  'a longer value, under the next key': [true, plain, { keys: [3, 1], other: named(LONG) }],
  'another value under one key': [true, plain, { keys: [2, 1], other: named('Ann Public') }],
  'another value of who was not erased': [true, plain, { keys: [3, 1], other: named('Ann Secret', 'Bob Shed') }],
  'another value under a key of before': [
    true,
    plain,
    { keys: [3, 1] },
    { keys: [3, 2], other: named('Ann Public') },
    { keys: [-3, 2] },
  ],
  'something else kept in clear': [true, plain, { keys: [3, 1], other: mailed('ann@public.example') }],
  'another identity, under the next key': [true, plain, { keys: [3, 1], identity: TIME_TO_LIVE }],
  'of another person': [true, plain, { keys: [3, 1], forged: { subjects: ['a'.repeat(32), 'c'.repeat(32)] } }],
  'of nobody': [true, plain, { keys: [3, 1], forged: { subjects: null } }],
}

/** A change of which there are several rows. */
export interface SealedTwice {
  readonly said: string
  readonly rows: readonly AuditRow[]
  readonly isConflict: boolean
}

export const SEALED_TWICE: readonly SealedTwice[] = Object.entries(CASES).map(([said, [isConflict, ...all]], i) => {
  const [first, ...others] = all.map((delivery, n) => rowOf(i, delivery, ARRIVAL + n * 1000)) as [
    AuditRow,
    ...AuditRow[],
  ]
  const rows = [first, ...others.map(row => forge(row, { event_id: first.event_id }))]
  return { said, rows, isConflict }
})

function rowOf(item: number, { keys, other, forged, identity }: Delivery, arrival: number): AuditRow {
  const order = orderOf(`o${String(item).padStart(2, '0')}`, 'NEW')
  const record = recordOfTable('Twice', item + 1, { id: order.id }, null, other?.(order) ?? order)
  const sealed = { ...TWICE, seal: sealingOf(TWICE, keysOf(keys)) }
  const [row] = rowsOfRecord({ ...record, ...(identity && { userIdentity: identity }) }, sealed, arrival)
  return forge(row as AuditRow, forged ?? {})
}

function forge(row: AuditRow, forged: Partial<AuditRow>): AuditRow {
  const made = { ...row, ...forged }
  return { ...made, row_hash: rowHash(made) }
}
