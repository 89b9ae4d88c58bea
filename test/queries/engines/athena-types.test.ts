import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rowsOf } from '../../../queries/engines/rows.js'
import { asksForColumns, openAthena, success } from '../../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../../athena-server.js'

let server: AthenaServer
beforeEach(async () => {
  server = await startAthenaServer()
})
afterEach(() => server.stop())

/** The Arrow type and the values that a column of Athena becomes. */
async function read(type: string, values: readonly (string | null)[]) {
  server.answer = success(
    [`x ${type}`],
    values.map(value => [value]),
  )
  const table = await openAthena(server).run('select x from t')
  return { type: String(table.schema.fields[0]?.type), values: [...rowsOf(table)].map(row => row.x) }
}

describe('AthenaEngine', () => {
  it.each([
    ['varchar', 'Utf8', ['', 'null', 'ä😀', 'a\nb'], ['', 'null', 'ä😀', 'a\nb']],
    ['char', 'Utf8', ['ab  '], ['ab  ']],
    ['string', 'Utf8', ['orders'], ['orders']],
    ['json', 'Utf8', ['{"a":1}'], ['{"a":1}']],
    ['varbinary', 'Utf8', ['68 69'], ['68 69']],
    ['boolean', 'Bool', ['true', 'false'], [true, false]],
    ['tinyint', 'Int32', ['-128'], [-128]],
    ['smallint', 'Int32', ['32767'], [32767]],
    ['integer', 'Int32', ['-2147483648'], [-2147483648]],
    ['unknown', 'Int32', [], []],
    ['bigint', 'Int64', ['9007199254740993', '-9223372036854775808'], [9007199254740993n, -9223372036854775808n]],
    ['double', 'Float64', ['1.5', '1.0E10', 'NaN', '-Infinity'], [1.5, 1e10, Number.NaN, Number.NEGATIVE_INFINITY]],
    ['float', 'Float64', ['1.1'], [Math.fround(1.1)]],
    ['decimal(12,2)', 'Decimal[12e+2]', ['0.05', '-1.50', '9999999999.99'], ['0.05', '-1.50', '9999999999.99']],
    ['decimal(38,0)', 'Decimal[38e0]', [`-${'9'.repeat(38)}`], [`-${'9'.repeat(38)}`]],
    ['date', 'Date32<DAY>', ['2026-11-22', '1969-12-31', '0001-01-01'], ['2026-11-22', '1969-12-31', '0001-01-01']],
    [
      'timestamp',
      'Timestamp<MICROSECOND>',
      ['2026-11-22 10:00:00.123', '1969-12-31 23:59:59.999', '2026-11-22 10:00:00', '9999-12-31 23:59:59.999999999'],
      ['2026-11-22T10:00:00.123', '1969-12-31T23:59:59.999', '2026-11-22T10:00:00.000', '9999-12-31T23:59:59.999999'],
    ],
    [
      'timestamp with time zone',
      'Timestamp<MICROSECOND, UTC>',
      ['2026-11-22 10:00:00.123456 UTC'],
      ['2026-11-22T10:00:00.123456Z'],
    ],
  ])('reads a %s as %s', async (type, arrow, texts, values) => {
    expect(await read(type, [...texts, null])).toEqual({ type: arrow, values: [...values, null] })
  })

  it('says which value it cannot read', async () => {
    await expect(read('timestamp', ['yesterday'])).rejects.toThrow('athena answered the timestamp "yesterday"')
    await expect(read('date', ['tomorrow'])).rejects.toThrow('athena answered the date "tomorrow"')
  })

  it('calls the second column of a name as DuckDB does', async () => {
    server.answer = success(['a varchar', 'a varchar', 'b varchar', 'a varchar'], [['1', '2', '3', '4']])
    const table = await openAthena(server).run('select 1')
    expect([...rowsOf(table)]).toEqual([{ a: '1', 'a:1': '2', b: '3', 'a:2': '4' }])
  })
})

describe('AthenaEngine, asked for lists', () => {
  /** `types` are of what the arrays are, in the order of their columns. */
  const ask = async (
    columns: readonly string[],
    exact: readonly (readonly (string | null)[])[],
    { sql = 'select 1', types = ['array(varchar)'] }: { sql?: string; types?: readonly string[] } = {},
  ) => {
    const sent = [...columns, ...types].map((_, i) => `exact_${i} varchar`)
    server.answer = text =>
      asksForColumns(text)
        ? success(columns)(text, [])
        : success(
            sent,
            exact.map(row => [...row, ...types]),
          )(text, [])
    const table = await openAthena(server).run(sql)
    return { table, sent: server.queries[1]?.input.QueryString }
  }

  it('asks for them as JSON, from the statement as it was', async () => {
    const { sent } = await ask(['item_key varchar', 'changed array'], [], {
      sql: "select item_key, changed from t -- it's so\n;",
    })
    expect(
      sent,
    ).toBe(`select "item_key" as exact_0, json_format(cast("changed" as json)) as exact_1, typeof("changed") as type_1
from (
select item_key, changed from t
) as itemtrail_answer ("item_key", "changed")`)
  })

  it.each([
    ['order by n desc, changed', 'order by n desc, changed'],
    ['order by 2, 1 desc nulls first limit 3', 'order by "changed", "n" desc nulls first'],
    ['order by n + 1, 9', 'order by n + 1, 9'],
  ])('keeps the order of %s', async (order, outside) => {
    const { sent } = await ask(['n bigint', 'changed array'], [], { sql: `select n, changed from t ${order}` })
    expect(sent?.split('\n').slice(2)).toEqual([
      `select n, changed from t ${order}`,
      ') as itemtrail_answer ("n", "changed")',
      outside,
    ])
  })

  it('keeps an order by what is not selected', async () => {
    const { sent } = await ask(['changed array'], [], {
      sql: 'select changed from t as o order by a, lower(o.b) desc',
    })
    expect(sent?.split('\n').slice(2)).toEqual([
      'select changed, a as itemtrail_order_0, lower(o.b) as itemtrail_order_1',
      'from t as o order by a, lower(o.b) desc',
      ') as itemtrail_answer ("changed", itemtrail_order_0, itemtrail_order_1)',
      'order by itemtrail_order_0, itemtrail_order_1 desc',
    ])
  })

  it('tells columns of one name apart, and quotes whatever a name holds', async () => {
    const { sent } = await ask(['a array', 'A bigint', 'q"x array'], [])
    expect(sent).toMatch(/\("a", "itemtrail_1", "q""x"\)$/)
  })

  it('reads elements with commas, brackets, quotes and nulls, empty lists and none', async () => {
    const lists = [['a, b', '[x]', '"', "'", null, '', 'null', '\\', 'ä😀\n'], [], [''], null]
    const { table } = await ask(
      ['x array'],
      lists.map(list => [list === null ? null : JSON.stringify(list)]),
    )
    expect(String(table.schema.fields[0]?.type)).toBe('List<Utf8>')
    expect(table.schema.fields[0]?.name).toBe('x')
    expect([...rowsOf(table)].map(row => row.x)).toEqual(lists)
  })

  it('gives lists of something else, maps and rows as JSON text', async () => {
    const columns = ['x array', 'm map', 'r row', 'd array']
    const { table } = await ask(columns, [['[1,2]', '{"a":1}', '{"b":null}', '["2026-11-22"]']], {
      types: ['array(bigint)', 'array(date)'],
    })
    expect([...rowsOf(table)]).toEqual([{ x: '[1,2]', m: '{"a":1}', r: '{"b":null}', d: '["2026-11-22"]' }])
  })

  it('refuses those of a prepared statement, which it cannot read for sure', async () => {
    server.answer = success(['changed array'], [['[a, b]']])
    const error = await openAthena(server)
      .run("execute item_history_orders using 'x'")
      .catch(error => error)
    expect(error.message).toBe('column "changed" is of type array, which Athena writes as text that reads two ways')
    expect(error.hint).toMatch(/json_format\(cast\(changed as json\)\)/)
  })

  it('asks for a time with a zone as it was in UTC', async () => {
    const { sent, table } = await ask(['t timestamp with time zone'], [['2026-10-25 01:30:00.000 UTC']], { types: [] })
    expect(sent).toMatch(/^select cast\("t" at time zone 'UTC' as varchar\) as exact_0/)
    expect([...rowsOf(table)]).toEqual([{ t: '2026-10-25T01:30:00.000Z' }])
  })
})
