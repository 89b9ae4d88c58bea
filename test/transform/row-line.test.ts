import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Column, columnsOf, rowLine } from '../../transform/audit-row.js'
import { checkRowLine } from '../../transform/row-line.js'
import { rowsOfRecord } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { changeDocument, runs, typedTable } from './arbitraries.js'

const column = (name: string, type: Column['type'], required = false): Column => ({
  name,
  type,
  required,
  meaning: 'm',
})
const COLUMNS = new Map(
  [
    column('id', 'string', true),
    column('text', 'string'),
    column('whole', 'bigint'),
    column('real', 'double'),
    column('price', 'decimal(6,2)'),
    column('exact', 'decimal(38,9)'),
    column('tiny', 'decimal(2,2)'),
    column('flag', 'boolean'),
    column('moment', 'timestamp'),
    column('names', 'array<string>'),
  ].map(c => [c.name, c]),
)

const check = (name: string, json: string) => checkRowLine(`{"id":"x","${name}":${json}}`, COLUMNS)

const TAKEN: Readonly<Record<string, readonly string[]>> = {
  text: ['""', '"\\u0000"', '"\\ud83d\\ude00"', '",\\"whole\\":9999999999999999999,"'],
  whole: ['0', '-1', '9007199254740993', '9223372036854775807', '-9223372036854775808', '1e3'],
  real: ['"0"', '"-1.5"', '"1e+300"', '"5e-324"', '"1.7976931348623157e+308"'],
  price: ['"0"', '"0.00"', '"-9999.99"', '"1.5"', '"0001.50"', '"1.500"'],
  exact: ['"12345678901234567890123456789.123456789"'],
  tiny: ['"0.99"', '"-0.01"', '"0"'],
  flag: ['true', 'false'],
  moment: ['"2026-11-22 10:00:00.123"', '"1600-02-29 00:00:00.000"', '"9999-12-31 23:59:59.999"'],
  names: ['[]', '["a",""]'],
}

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  text: ['1', 'null', 'true', '["a"]', '{"a":"b"}', '"\\ud800"'],
  whole: ['"1"', '1.5', '9223372036854775808', '-9223372036854775809', '1e19', '1e18', 'null', 'true'],
  real: ['1.5', '"NaN"', '"Infinity"', '"1e999"', '""', '"1,5"', '"0x10"', '".5"'],
  price: ['1.5', '"1.005"', '"10000"', '"10000.00"', '"1e2"', '""', '"1."', '"+1"', '"."'],
  exact: ['"123456789012345678901234567890"', '"0.1234567891"'],
  tiny: ['"1"', '"1.00"', '"0.999"'],
  flag: ['"true"', '1', '0', 'null'],
  moment: [
    '"2026-11-22T10:00:00.123Z"',
    '"2026-11-22 10:00:00"',
    '"2026-02-30 10:00:00.000"',
    '"2026-11-22 24:00:00.000"',
    '1',
  ],
  names: ['"a"', '[1]', '[null]', '["\\ud800"]', '{}'],
}

describe('checkRowLine', () => {
  for (const [name, values] of Object.entries(TAKEN)) {
    it(`takes what fits ${COLUMNS.get(name)?.type}`, () => {
      for (const json of values) expect(check(name, json), json).toBeUndefined()
    })
  }

  for (const [name, values] of Object.entries(REFUSED)) {
    it(`refuses what a converter would round, or fail for, in ${COLUMNS.get(name)?.type}`, () => {
      for (const json of values) expect(check(name, json), json).toContain(`column ${name} has `)
    })
  }

  it('says what is wrong with a line that is no row', () => {
    expect(checkRowLine('', COLUMNS)).toBe('line is not JSON')
    expect(checkRowLine('{"id":"x"', COLUMNS)).toBe('line is not JSON')
    expect(checkRowLine('[]', COLUMNS)).toBe('line is not a JSON object')
    expect(checkRowLine('null', COLUMNS)).toBe('line is not a JSON object')
    expect(checkRowLine('{}', COLUMNS)).toBe('column id is missing')
    expect(checkRowLine('{"id":"x","other":1}', COLUMNS)).toBe('column "other" is not in the table')
    expect(checkRowLine('{"id":"x","__proto__":1}', COLUMNS)).toBe('column "__proto__" is not in the table')
  })

  it('takes every line that the transform writes', () => {
    const columns = new Map(columnsOf(typedTable).map(c => [c.name, c]))
    fc.assert(
      fc.property(changeDocument, document => {
        for (const row of rowsOfRecord(document, typedTable))
          expect(checkRowLine(rowLine(row), columns)).toBeUndefined()
      }),
      runs(300),
    )
  })

  it('knows the columns of a table from its configuration', () => {
    const columns = new Map(columnsOf(tableConfiguration()).map(c => [c.name, c]))
    const [row] = rowsOfRecord({ ...JSON.parse(JSON.stringify(RECORD)) })
    expect(checkRowLine(rowLine(row as NonNullable<typeof row>).replace('"event_name"', '"event_nome"'), columns)).toBe(
      'column "event_nome" is not in the table',
    )
  })
})

const RECORD = {
  eventName: 'INSERT',
  tableName: 'Orders',
  dynamodb: { ApproximateCreationDateTime: 1795341600000, Keys: { order_id: { S: 'A' } } },
}
