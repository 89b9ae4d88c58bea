import { describe, expect, it } from 'vitest'
import {
  configurationId,
  rowConfiguration,
  type TableConfiguration,
  unconfiguredTable,
} from '../../transform/table-configuration.js'
import { tableConfiguration } from '../factories.js'
import { sha256 } from './second-implementation.js'

const table = tableConfiguration({
  actor: ['updated_by'],
  columns: [
    { column: 'status', path: ['status'], type: 'string' },
    { column: 'total', path: ['total'], type: 'decimal(12,2)' },
  ],
})

describe('config_id', () => {
  it('is the hash of the text that the archive keeps', () => {
    expect(configurationId(table)).toBe(sha256(rowConfiguration(table)).slice(0, 16))
  })

  it('stays when nothing changes that decides a row', () => {
    const { table: name, capture, keys, actor, columns } = table
    const same: readonly TableConfiguration[] = [
      { columns, keys, capture, table: name, ...(actor && { actor }) },
      { ...table, columns: table.columns.toReversed() },
      { ...table, capture: 'kinesis' },
      { ...table, since: '2026-11-22' },
      { ...table, lifecycle: { path: ['status'], allowed: [] } },
    ]
    expect(new Set(same.map(configurationId))).toEqual(new Set([configurationId(table)]))
  })

  it('changes with everything that decides a row', () => {
    const others: readonly TableConfiguration[] = [
      table,
      { ...table, table: 'Customers' },
      { ...table, keys: [] },
      { ...table, keys: [{ column: 'id', attribute: 'order_id' }] },
      { ...table, actor: ['meta', 'updated_by'] },
      { ...table, actor: ['meta.updated_by'] },
      { ...table, columns: table.columns.slice(1) },
      { ...table, columns: [{ column: 'status', path: ['state'], type: 'string' }] },
      { ...table, columns: [{ column: 'status', path: ['state'], type: 'json' }] },
      { ...table, columns: [{ column: 'status', path: ['state'], type: 'timestamp', unit: 's' }] },
      { ...table, columns: [{ column: 'status', path: ['state'], type: 'timestamp', unit: 'ms' }] },
      unconfiguredTable('Orders'),
    ]
    expect(new Set(others.map(configurationId)).size).toBe(others.length)
  })
})
