import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FileError } from '../../config/gate.js'
import { readKeptConfiguration } from '../../config/kept-configuration.js'
import { configurationKey } from '../../transform/layout.js'
import { rowConfiguration } from '../../transform/table-configuration.js'
import { tableConfiguration } from '../factories.js'

const kept = tableConfiguration({
  keys: [{ column: 'order_id', attribute: 'orderId' }],
  actor: ['updated_by'],
  columns: [
    { column: 'total', path: ['total'], type: 'decimal(12,2)' },
    { column: 'at', path: ['a', 'b.c'], type: 'timestamp', unit: 'ms' },
  ],
})

const read = (value: unknown) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return readKeptConfiguration(Buffer.from(text), `config/Orders/${hash('sha256', text).slice(0, 16)}.json`)
}

describe('a configuration that an archive keeps', () => {
  const file = JSON.parse(rowConfiguration(kept)) as Record<string, unknown>

  test('is read as it was written, its columns in the order of the file', () => {
    const found = readKeptConfiguration(Buffer.from(rowConfiguration(kept)), configurationKey(kept))
    expect(found).toEqual({ ...kept, columns: kept.columns.toReversed() })
  })

  test('is not believed under another name than its content has', () => {
    const other = () =>
      readKeptConfiguration(Buffer.from(rowConfiguration(kept)), 'config/Orders/0000000000000000.json')
    expect(other).toThrow(FileError)
    expect(other).toThrow('expected that of its name')
  })

  test.each<[string, unknown, string]>([
    [
      'a column that ends its quotes',
      { ...file, columns: [{ column: 'x"; drop', path: ['x'], type: 'string' }] },
      'columns[0].column is "x\\"; drop", expected a name that a column can have',
    ],
    [
      'a type that none has',
      { ...file, columns: [{ column: 'x', path: ['x'], type: 'varchar; drop' }] },
      'columns[0].type is "varchar; drop", expected one of string, number',
    ],
    [
      'a column of every row',
      { ...file, columns: [{ column: 'image', path: ['x'], type: 'string' }] },
      'column old_image is there twice, or every audit row has it',
    ],
    ['another table', { ...file, table: 'Others' }, 'table is "Others", expected "Orders"'],
    ['nothing', null, 'it is null, expected an object'],
    ['no list', [], 'it is [], expected an object'],
    ['a column that is none', { ...file, columns: [null] }, 'columns[0] is null, expected an object'],
    ['no JSON', '{', 'is no JSON: the file ends at line 1, column 2'],
  ])('is not believed with %s', (_, value, message) => {
    expect(() => read(value)).toThrow(FileError)
    expect(() => read(value)).toThrow(message)
  })
})
