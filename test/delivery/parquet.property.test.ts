import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AttributeValue } from 'aws-lambda'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ParquetConverter } from '../../delivery/parquet-conversion.js'
import { type AuditRow, type Column, columnsOf, rowLine } from '../../transform/audit-row.js'
import { type Attributes, kinesisDocument, streamsRecord, tableConfiguration } from '../factories.js'
import { changeDocument, runs, typedTable } from '../transform/arbitraries.js'
import { wrongHashes } from '../transform/second-implementation.js'
import { rowsOfRecord, temporaryFolder } from './desk.js'
import { codecsOf, type ParquetRow, type ParquetValue, readParquet, readSchema } from './parquet-reader.js'

/** A flat column of every type, and decimals as each of Parquet's physical types holds them. */
const TABLE = tableConfiguration({
  ...typedTable,
  columns: [
    ...typedTable.columns,
    ...(['decimal(4,2)', 'decimal(9,9)', 'decimal(18,0)', 'decimal(38,9)', 'decimal(38,38)'] as const).map(
      (type, i) => ({
        column: `exact_${i}`,
        path: [`exact_${i}`],
        type,
      }),
    ),
  ],
})
const COLUMNS = columnsOf(TABLE)

let folder: string
let converter: ParquetConverter
let files = 0
beforeAll(async () => {
  folder = temporaryFolder()
  converter = await ParquetConverter.create()
})
afterAll(() => converter.close())

async function convert(rows: readonly AuditRow[], columns: readonly Column[] = COLUMNS): Promise<string> {
  const [lines, parquet] = [join(folder, `${++files}.ndjson`), join(folder, `${files}.parquet`)]
  writeFileSync(lines, rows.map(rowLine).join(''))
  await converter.convert(lines, parquet, columns, rows.length)
  return parquet
}

/** What the file must hold of a row: the very values of its row line, null where it has none. */
function expectedOf(row: AuditRow, columns: readonly Column[]): ParquetRow {
  const values: Readonly<Record<string, unknown>> = { ...row, ...Object.fromEntries(row.flat) }
  return Object.fromEntries(columns.map(({ name, type }) => [name, expectedValue(values[name] ?? null, type)]))
}

function expectedValue(value: unknown, type: Column['type']): ParquetValue {
  if (value === null) return null
  if (type === 'timestamp') return `${(value as string).replace(' ', 'T')}Z`
  if (type === 'bigint') return BigInt(value as number | bigint)
  if (type === 'double') return Number(value)
  return value as ParquetValue
}

describe('a Parquet object', () => {
  it('holds every value of every row line, as another reader reads it', async () => {
    const rows = fc.array(changeDocument, { minLength: 150, maxLength: 150 })
    await fc.assert(
      fc.asyncProperty(rows, async documents => {
        const written = documents.flatMap(document => rowsOfRecord(document, TABLE))
        const read = await readParquet(await convert(written))
        expect(read).toEqual(written.map(row => expectedOf(row, COLUMNS)))
      }),
      { ...runs(5), endOnFailure: true },
    )
  }, 60_000)

  it('holds rows whose hashes still agree with what was hashed', async () => {
    const written = fc.sample(changeDocument, { ...runs(100) }).flatMap(document => rowsOfRecord(document, TABLE))
    for (const row of await readParquet(await convert(written))) {
      expect(wrongHashes(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))).toEqual([])
    }
  })

  it('holds the limits of every type exactly', async () => {
    const nines = (n: number) => '9'.repeat(n)
    const limits: Readonly<Record<string, readonly AttributeValue[]>> = {
      bigint: [{ N: '9223372036854775807' }, { N: '-9223372036854775808' }, { N: '9007199254740993' }, { N: '0' }],
      number: [{ N: '9.9E+125' }, { N: '-1E-130' }, { N: '0.1' }, { N: `${nines(38)}` }, { N: '-0' }],
      exact_0: [{ N: '99.99' }, { N: '-99.99' }, { N: '0.01' }],
      exact_1: [{ N: `0.${nines(9)}` }, { N: '-1E-9' }],
      exact_2: [{ N: nines(18) }, { N: `-${nines(18)}` }],
      exact_3: [{ N: `${nines(29)}.${nines(9)}` }, { N: `-${nines(29)}.${nines(9)}` }, { N: '1E-9' }],
      exact_4: [{ N: `0.${nines(38)}` }, { N: '-1E-38' }],
      timestamp: [{ N: '-11676096000' }, { S: '9999-12-31T23:59:59.999Z' }, { S: '1969-12-31T23:59:59.999Z' }],
      boolean: [{ BOOL: false }, { BOOL: true }],
      string: [
        { S: '' },
        { S: '\0' },
        { S: 'a\0b' },
        { S: '～😀\u{10ffff}\uffff' },
        { S: '"\\\n\r\t\u2028' },
        { S: 'null' },
      ],
    }
    const written = Object.entries(limits).flatMap(([name, values]) =>
      values.flatMap(value => rowsOfRecord(streamsRecord(insertOf({ [name]: value })), TABLE)),
    )
    const read = await readParquet(await convert(written))
    expect(read).toEqual(written.map(row => expectedOf(row, COLUMNS)))
    // and that none of them was quietly left out
    const flat = (name: string) => read.map(row => row[name]).filter(value => value !== null)
    expect(flat('new_bigint')).toEqual([9223372036854775807n, -9223372036854775808n, 9007199254740993n, 0n])
    expect(flat('new_exact_3')).toEqual([`${nines(29)}.${nines(9)}`, `-${nines(29)}.${nines(9)}`, '0.000000001'])
    expect(flat('new_exact_4')).toEqual([`0.${nines(38)}`, `-0.${'0'.repeat(37)}1`])
    expect(flat('new_timestamp')).toEqual([
      '1600-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
      '1969-12-31T23:59:59.999Z',
    ])
    expect(flat('new_string')).toEqual(limits.string?.map(value => value.S))
  })

  it('holds items as large and as deep as DynamoDB allows', async () => {
    const large = 'ü'.repeat(200 * 1024)
    const deep = Array.from({ length: 31 }).reduce<AttributeValue>(inner => ({ M: { l: { L: [inner] } } }), { S: 'x' })
    const binary = Buffer.alloc(300 * 1024, 0xab).toString('base64')
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`attribute ${i}`, { N: String(i) }]))
    const before = { large: { S: large } }
    const written = [
      streamsRecord(insertOf({ large: { S: large } })),
      streamsRecord({ ...insertOf({ large: { S: `${large.slice(1)}!` } }), OldImage: insertOf(before).NewImage }),
      streamsRecord(insertOf({ deep })),
      streamsRecord(insertOf({ binary: { B: binary } })),
      kinesisDocument(insertOf({ binary: { B: binary } })),
      streamsRecord(insertOf(wide)),
      streamsRecord(insertOf({ control: { S: '\x01'.repeat(50_000) } })),
    ].flatMap(record => rowsOfRecord(record, TABLE))
    const read = await readParquet(await convert(written))
    expect(read).toEqual(written.map(row => expectedOf(row, COLUMNS)))
    expect(read[5]?.changed).toHaveLength(5001)
  })

  it('has the columns of the table in their order, with the types that Glue names', async () => {
    const path = await convert(rowsOfRecord(streamsRecord(), TABLE))
    const types = { bigint: 'int64', timestamp: 'timestamp in MILLIS', 'array<string>': 'string' } as const
    const expected = COLUMNS.map(({ name, type }) => [
      type === 'array<string>' ? 'element' : name,
      types[type as keyof typeof types] ?? type,
    ])
    expect(readSchema(path)).toEqual(expected)
    expect(codecsOf(path)).toEqual(new Set(['ZSTD']))
  })

  it('may hold no flat columns, or many rows', async () => {
    const bare = tableConfiguration({ keys: [] })
    const written = Array.from({ length: 5000 }, (_, i) => streamsRecord({ SequenceNumber: String(i) })).flatMap(
      record => rowsOfRecord(record, bare),
    )
    const read = await readParquet(await convert(written, columnsOf(bare)))
    expect(read.map(row => row.sequence)).toEqual(written.map(row => row.sequence))
  })

  it('is not made where a line is lost or cannot be read', async () => {
    const [lines, parquet] = [join(folder, 'bad.ndjson'), join(folder, 'bad.parquet')]
    const [row] = rowsOfRecord(streamsRecord(), TABLE)
    const line = rowLine(row as AuditRow)
    writeFileSync(lines, line)
    await expect(converter.convert(lines, parquet, COLUMNS, 2)).rejects.toThrow('has 2 rows, 1 were converted')
    writeFileSync(lines, `${line}${line.slice(0, 50)}`)
    await expect(converter.convert(lines, parquet, COLUMNS, 2)).rejects.toThrow()
  })
})

describe('parquetjs-lite', () => {
  it('cannot read what DuckDB writes (format 2 with dictionaries, ZSTD), so it checks nothing here', async () => {
    const { ParquetReader } = createRequire(import.meta.url)('parquetjs-lite') as {
      ParquetReader: { openFile(path: string): Promise<{ getCursor(): { next(): Promise<unknown> } }> }
    }
    const path = await convert(rowsOfRecord(streamsRecord(), TABLE))
    await expect(ParquetReader.openFile(path).then(reader => reader.getCursor().next())).rejects.toThrow()
  })
})

function insertOf(attributes: Attributes) {
  const Keys = { order_id: { S: 'ORD12345' } }
  return { Keys, NewImage: { ...Keys, ...attributes } }
}
