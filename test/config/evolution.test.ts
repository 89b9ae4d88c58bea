import { expect, test } from 'vitest'
import { parseConfiguration } from '../../config/configuration.js'
import { checkEvolution } from '../../config/evolution.js'
import { rowConfiguration, type TableConfiguration } from '../../transform/table-configuration.js'

function orders(table: object): TableConfiguration {
  const text = JSON.stringify({ tables: { Orders: table } })
  return parseConfiguration(text, 'itemtrail.config.json').tables.get('Orders') as TableConfiguration
}

const kept = (table: object) => JSON.parse(rowConfiguration(orders(table))) as TableConfiguration

const BEFORE = { keys: ['id'], columns: { total: 'decimal(12,2)', at: { type: 'timestamp', unit: 's' } } }

test('accepts what it was, a column more and a column less, and what changes no row', () => {
  const history = [kept({}), kept(BEFORE)]
  expect(checkEvolution([], orders(BEFORE))).toEqual([])
  expect(checkEvolution(history, orders(BEFORE))).toEqual([])
  expect(checkEvolution(history, orders({ columns: { status: 'string' }, since: '2026-11-22' }))).toEqual([])
  expect(checkEvolution(history, orders({ columns: { key_id: 'string' } }))).toEqual([])
})

test('keeps a key a key, and a token a token', () => {
  const clear = orders({ keys: ['id'] })
  const token: TableConfiguration = { ...clear, keyIsPersonal: ['id'] }
  expect(checkEvolution([token], token)).toEqual([])
  for (const [kept, now, problem] of [
    [clear, token, 'table Orders has keyIsPersonal ["id"], but the archive has rows made with []: each item would'],
    [token, clear, 'table Orders has keyIsPersonal [], but the archive has rows made with ["id"]: each item would'],
  ] as const)
    expect(checkEvolution([kept], now)).toEqual([expect.stringContaining(problem)])
})

test.each([
  [
    { columns: { total: 'bigint' } },
    'column old_total as bigint from attribute "total", but the archive holds it as decimal(12,2) from attribute "total"',
  ],
  [
    { columns: { total: { attribute: 'sum.total', type: 'decimal(12,2)' } } },
    'column old_total as decimal(12,2) from attribute "sum"."total", but the archive holds it as decimal(12,2) from attribute "total"',
  ],
  [
    { columns: { at: { type: 'timestamp', unit: 'ms' } } },
    'column old_at as timestamp in ms from attribute "at", but the archive holds it as timestamp in s from attribute "at"',
  ],
  [
    { keys: [{ attribute: 'order', column: 'id' }] },
    'column key_id as key attribute "order", but the archive holds it as key attribute "id"',
  ],
])('wants a new name for %j', (table, change) => {
  expect(checkEvolution([kept(BEFORE), kept({})], orders(table))).toEqual([
    `table Orders declares the ${change}: the new one needs a new name`,
  ])
})
