import { DataType, tableFromIPC, tableToIPC } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { type Row, rowsOf, type Value } from '../../../queries/engines/rows.js'
import { temporaryFolder } from '../../delivery/desk.js'
import { runs } from '../../transform/arbitraries.js'

let engine: DuckDbEngine
beforeAll(async () => {
  engine = await DuckDbEngine.open(temporaryFolder())
})
afterAll(() => engine.close())

/** What DuckDB has, as SQL, and what a row of an answer shows. */
const VALUES: readonly (readonly [sql: string, value: Value])[] = [
  ["'ü 😀'::varchar", 'ü 😀'],
  ["''::varchar", ''],
  ['chr(0)::varchar', '\0'],
  ['\'{"a": 1}\'::json', '{"a": 1}'],
  ['true', true],
  ['false', false],
  ['(-128)::tinyint', -128],
  ['(-32768)::smallint', -32768],
  ['(-2147483648)::integer', -2147483648],
  ['255::utinyint', 255],
  ['65535::usmallint', 65535],
  ['4294967295::uinteger', 4294967295n],
  ['(-9223372036854775808)::bigint', -9223372036854775808n],
  ['9223372036854775807::bigint', 9223372036854775807n],
  ['9007199254740993::bigint', 9007199254740993n],
  ['18446744073709551615::ubigint', '18446744073709551615'],
  ["'-170141183460469231731687303715884105728'::hugeint", '-170141183460469231731687303715884105728'],
  ['170141183460469231731687303715884105727::hugeint', '170141183460469231731687303715884105727'],
  ['(-1)::hugeint', '-1'],
  ['1.5::float', 1.5],
  ['1e308::double', 1e308],
  ["'-inf'::double", Number.NEGATIVE_INFINITY],
  ["'nan'::double", Number.NaN],
  ['12.34::decimal(4,2)', '12.34'],
  ['(-0.01)::decimal(4,2)', '-0.01'],
  ['(-99.99)::decimal(4,2)', '-99.99'],
  ['0::decimal(9,3)', '0.000'],
  ['(-123456.789)::decimal(9,3)', '-123456.789'],
  ['(-123456789012.345678)::decimal(18,6)', '-123456789012.345678'],
  ["'99999999999999999999999999999999999999'::decimal(38,0)", '99999999999999999999999999999999999999'],
  ["'-0.00000000000000000000000000000000000001'::decimal(38,38)", '-0.00000000000000000000000000000000000001'],
  ["date '2026-11-22'", '2026-11-22'],
  ["date '1969-12-31'", '1969-12-31'],
  ["date '0001-01-01'", '0001-01-01'],
  ["date '9999-12-31'", '9999-12-31'],
  ["timestamp '2026-11-22 10:00:00'", '2026-11-22T10:00:00.000'],
  ["timestamp '2026-11-22 10:00:00.123456'", '2026-11-22T10:00:00.123456'],
  ["timestamp '1969-12-31 23:59:59.999999'", '1969-12-31T23:59:59.999999'],
  ["timestamp '1600-02-29 00:00:00.001'", '1600-02-29T00:00:00.001'],
  ["timestamp '9999-12-31 23:59:59.999'", '9999-12-31T23:59:59.999'],
  ["timestamp '9999-12-31 23:59:59.999999'", '9999-12-31T23:59:59.999999'],
  ["timestamp 'infinity'", '9223372036854775807 us'],
  ["timestamp_ms '1969-12-31 23:59:59.999'", '1969-12-31T23:59:59.999'],
  ["timestamptz '2026-11-22 12:00:00.000001+02'", '2026-11-22T10:00:00.000001Z'],
  ["['b', '', null, 'ü']::varchar[]", ['b', '', null, 'ü']],
  ['[]::varchar[]', []],
  // what no saved query answers with comes as JSON
  ["timestamp_s '1969-12-31 23:59:59'", '"1969-12-31 23:59:59"'],
  ["timestamp_ns '2026-11-22 10:00:00.123456789'", '"2026-11-22 10:00:00.123456789"'],
  ["time '10:00:00.5'", '"10:00:00.5"'],
  ["interval '1' day", '{"months":0,"days":1,"micros":"0"}'],
  ["uuid 'f4014eae-a9c8-4bab-b693-49f4630d742a'", '"f4014eae-a9c8-4bab-b693-49f4630d742a"'],
  ["'a'::enum('a', 'b')", '"a"'],
  ["{'a': 1, 'b': null}", '{"a":1,"b":null}'],
  ["map {'k': 9007199254740993}", '[{"key":"k","value":"9007199254740993"}]'],
  ['[1, null]', '[1,null]'],
  ["'\\x00\\xFF'::blob", '"\\\\x00\\\\xFF"'],
  ["'101'::bit", '"101"'],
  ['340282366920938463463374607431768211455::uhugeint', '"340282366920938463463374607431768211455"'],
]

describe('a value of DuckDB through Arrow into a row', () => {
  for (const [sql, value] of VALUES) {
    it(`${sql} is ${String(value)}, beside null`, async () => {
      const table = await engine.run(`select unnest([true, false, true]) as here, case when here then ${sql} end as v`)
      expect([...rowsOf(table)].map(row => row.v)).toEqual([value, null, value])
    })
  }

  it('is the same where it is streamed as a row, which leaves Arrow out', async () => {
    const columns = VALUES.map(([sql], i) => `case when here then ${sql} end as c${i}`)
    const rows: Row[] = []
    const sql = `select ${columns}, 1 as "__proto__" from (select unnest([true, false, true]) as here)`
    for await (const some of engine.rows(sql)) rows.push(...some)
    const names = [...VALUES.keys()].map(i => `c${i}`)
    const seen = rows.map(row => names.map(name => row[name]))
    const [values, nulls] = [VALUES.map(([, value]) => value), VALUES.map(() => null)]
    expect(seen).toEqual([values, nulls, values])
    expect(rows.map(row => Object.keys(row))).toEqual(rows.map(() => [...names, '__proto__']))
  })

  it('is that of its row among thousands, too', async () => {
    const columns = [
      "case when i % 3 > 0 then 'text ' || i end as text",
      'i % 2 = 0 as flag',
      "timestamp '2026-11-22 10:00:00' + i * interval '1 second' as time",
      'cast(i as decimal(9, 2)) as amount',
      '[cast(i as varchar)] as list',
    ]
    const sql = `select ${columns}, i from range(5000) as t(i) order by i`
    const rows: Row[] = []
    for await (const some of engine.rows(sql)) rows.push(...some)
    expect(rows).toEqual([...rowsOf(await engine.run(sql))])
    expect(rows[4321]).toEqual({
      text: 'text 4321',
      flag: false,
      time: '2026-11-22T11:12:01.000',
      amount: '4321.00',
      list: ['4321'],
      i: 4321n,
    })
  })

  it('keeps its type in an answer without rows', async () => {
    const columns = VALUES.map(([sql], i) => `${sql} as c${i}`)
    const [some, none] = [await engine.run(`select ${columns}`), await engine.run(`select ${columns} where false`)]
    expect(none.numRows).toBe(0)
    expect([...rowsOf(none)]).toEqual([])
    expect(none.schema.fields.map(String)).toEqual(some.schema.fields.map(String))
  })

  it('is null in a column that holds nothing else', async () => {
    const columns = VALUES.map(([sql], i) => `case when false then ${sql} end as c${i}`)
    const [row] = [...rowsOf(await engine.run(`select ${columns}, null as nothing`))]
    expect(new Set(Object.values(row ?? {}))).toEqual(new Set([null]))
    expect(Object.keys(row ?? {})).toHaveLength(VALUES.length + 1)
  })
})

describe('an answer', () => {
  it('may have many chunks', async () => {
    const table = await engine.run(`
      select i, case when i % 3 = 0 then null else i::varchar end as t, case when i % 5 > 0 then [i::varchar] end as l,
        (i - 2500)::decimal(12,2) / 4 as d, case when i % 7 > 0 then to_timestamp(i - 2500) end as z
      from range(5000) as r(i) order by i`)
    expect(table.batches.length).toBeGreaterThan(1)
    const rows = [...rowsOf(table)]
    expect(rows).toHaveLength(5000)
    for (const [i, row] of rows.entries()) {
      expect(row.i).toBe(BigInt(i))
      expect(row.t).toBe(i % 3 === 0 ? null : String(i))
      expect(row.l).toEqual(i % 5 === 0 ? null : [String(i)])
      expect(row.z).toBe(i % 7 === 0 ? null : new Date((i - 2500) * 1000).toISOString())
    }
  })

  it('keeps columns apart that have one name', async () => {
    const table = await engine.run('select 1 as a, 2 as a, 3 as "__proto__"')
    expect([...rowsOf(table)].map(Object.values)).toEqual([[1, 2, 3]])
  })

  it('is Arrow that others can read: decimals and timestamps are of their own types', async () => {
    const { schema } = await engine.run("select 1.5::decimal(12,2) as d, now() as z, now()::timestamp as t, ['a'] as l")
    const [d, z, t, l] = schema.fields.map(field => field.type)
    expect(DataType.isDecimal(d) && [d.precision, d.scale]).toEqual([12, 2])
    expect(DataType.isTimestamp(z) && z.timezone).toBe('UTC')
    expect(DataType.isTimestamp(t) && (t.timezone ?? 'none')).toBe('none')
    expect(DataType.isList(l)).toBe(true)
  })

  it('comes back from a file of Arrow', async () => {
    const columns = VALUES.map(([sql], i) => `case when here then ${sql} end as c${i}`)
    const table = await engine.run(`select ${columns} from (select unnest([true, false, true]) as here)`)
    for (const format of ['file', 'stream'] as const) {
      expect([...rowsOf(tableFromIPC(tableToIPC(table, format)))]).toEqual([...rowsOf(table)])
    }
  })

  it('holds any text, whole number and decimal exactly', async () => {
    const digits = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })
    const value = fc.record({
      text: fc.string({ unit: 'binary' }),
      whole: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      digits,
      us: fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
    })
    await fc.assert(
      fc.asyncProperty(value, async ({ text, whole, digits, us }) => {
        const table = await engine.run(
          `select ? as text, ?::bigint as whole, ?::decimal(38,0) as digits,
            make_timestamp(?::bigint) as moment, ? || '|' as marked`,
          [text, String(whole), String(digits), String(us), text],
        )
        const [row] = [...rowsOf(table)]
        expect(row).toMatchObject({ text, whole, digits: String(digits), marked: `${text}|` })
        const fraction = String(((us % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0')
        const shown = row?.moment as string
        expect(shown.slice(20).padEnd(6, '0')).toBe(fraction)
        expect(BigInt(Date.parse(`${shown.slice(0, 19)}Z`)) * 1000n + BigInt(fraction)).toBe(us)
      }),
      runs(200),
    )
  })
})
