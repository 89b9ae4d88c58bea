/** The configuration of the suites with two erasable values, sealed under keys that are in memory, as in a container. */
import { hash } from 'node:crypto'
import { fieldKeyOf } from '../erasure/field.js'
import { sealingOf } from '../erasure/seal-image.js'
import type { SubjectKey, SubjectKeys } from '../erasure/subject-keys.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { ORDERS } from './orders.js'

/** Table Orders with a customer's name and street sealed. */
export function sealedOrders(): TableConfiguration {
  const values = [{ path: ['shipping', 'name'] }, { path: ['shipping', 'street'] }]
  const table = { ...ORDERS, erasable: [{ subject: ['customer_id'], values }] }
  return { ...table, seal: sealingOf(table, memoryKeys()) }
}

function memoryKeys(): SubjectKeys {
  const known = new Map<string, SubjectKey>()
  return {
    tokenOf: id => hash('sha256', id).slice(0, 32),
    current: token => {
      const key = known.get(token) ?? { state: 'live', generation: 1, fieldKey: fieldKeyOf(Buffer.from(token)) }
      known.set(token, key)
      return key
    },
    find: ({ token }) => known.get(token),
  }
}
