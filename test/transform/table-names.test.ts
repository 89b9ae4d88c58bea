import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answersIdentifier,
  checkpointsIdentifier,
  copyIdentifier,
  deliveriesIdentifier,
  identifiersOf,
  nameTables,
  possibleIdentifiers,
  shortened,
  tableIdentifier,
} from '../../transform/table-names.js'
import { runs } from './arbitraries.js'
import { tableNames } from './table-name-arbitraries.js'

const identifiers = (...names: string[]) => Object.fromEntries(identifiersOf(names))

describe('a table’s name in SQL', () => {
  it('is its own in lower case, with "_" for what SQL would have to quote', () => {
    expect(identifiers('Orders', '2fa-tokens', '.hidden', 'Order', '...')).toEqual({
      Orders: 'orders',
      '2fa-tokens': '2fa_tokens',
      '.hidden': '_hidden',
      Order: 'order',
      '...': '___',
    })
  })

  it('has a hash in both of two that would be one, and in none beside them', () => {
    expect(identifiers('my.table', 'my-table', 'Customers')).toEqual({
      'my.table': 'my_table_f2807d1e',
      'my-table': 'my_table_481b63cb',
      Customers: 'customers',
    })
    expect(Object.values(identifiers('Orders', 'orders')).every(name => /^orders_[0-9a-f]{8}$/.test(name))).toBe(true)
  })

  it('has a hash where another table is called as what belongs to it', () => {
    for (const other of ['orders_deliveries', 'orders__by_item', 'Orders..checkpoints'])
      expect(identifiers('orders', other).orders).toMatch(/^orders_[0-9a-f]{8}$/)
  })

  it('never is that of a table which is called as another with its hash', () => {
    const [, hashed] = possibleIdentifiers('my.table') as [string, string]
    const names = identifiersOf(['my.table', 'my-table', hashed])
    expect(new Set(names.values()).size).toBe(3)
    expect(names.get('my.table')).toBe(hashed)
    expect(names.get(hashed)).not.toBe(hashed)
  })

  it('is one of its own although somebody looked for two names that share 8 hex', () => {
    const found = new Map<string, string>()
    let [one, other] = [undefined as string | undefined, '']
    for (let n = 0; one === undefined; n++) {
      other = [...n.toString(2).padStart(30, '0')].map(bit => (bit === '0' ? 'a' : 'A')).join('')
      const digest = hash('sha256', other).slice(0, 8)
      one = found.get(digest)
      found.set(digest, other)
    }
    const names = identifiersOf([one, other, 'orders'])
    expect(new Set(names.values()).size).toBe(3)
    expect(names.get(one)).toHaveLength(95)
    expect(names.get('orders')).toBe('orders')
  })

  it('leaves room in Glue for what belongs to it', () => {
    const [table] = nameTables([{ table: 'A'.repeat(255) }])
    expect(tableIdentifier(table as { table: string })).toMatch(/^a{233}_[0-9a-f]{8}$/)
    expect(checkpointsIdentifier(table as { table: string })).toHaveLength(255)
  })

  it('is no other’s, nor is what belongs to it, whatever the tables', () => {
    fc.assert(
      fc.property(fc.uniqueArray(tableNames, { minLength: 1, maxLength: 12 }), names => {
        const tables = nameTables(names.map(table => ({ table })))
        const all = tables.flatMap(table => [
          tableIdentifier(table),
          deliveriesIdentifier(table),
          copyIdentifier(table),
          checkpointsIdentifier(table),
          answersIdentifier(table),
        ])
        expect(new Set(all).size).toBe(5 * names.length)
        for (const name of all) expect(name).toMatch(/^[a-z0-9_]{1,255}$/)
        for (const table of tables) expect(possibleIdentifiers(table.table)).toContain(tableIdentifier(table))
        // neither the order nor saying a table twice decides anything
        expect(identifiersOf([...names].reverse().concat(names))).toEqual(identifiersOf(names))
      }),
      runs(300),
    )
  })
})

describe('a text that is too long', () => {
  it('is told by a hash where it is cut', () => {
    expect(shortened('short', 5)).toBe('short')
    expect(shortened('a'.repeat(20), 15)).toMatch(/^aaaaaa_[0-9a-f]{8}$/)
    expect(shortened(`${'a'.repeat(20)}b`, 15)).not.toBe(shortened(`${'a'.repeat(20)}c`, 15))
  })
})
