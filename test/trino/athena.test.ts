import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Table } from 'apache-arrow'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openInput } from '../../capture/input.js'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import { readHistory } from '../../queries/answers/read-history.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { expenseOf, formatExpense } from '../../queries/engines/athena-cost.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { BoundValue } from '../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { inUtc } from '../../queries/engines/utc.js'
import { DiskArchive } from '../../store/folder.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { temporaryFolder } from '../delivery/desk.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()
const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname
const ITEM = '{"order_id":{"S":"ORD12345"}}'

describe.skipIf(missing !== undefined)(
  `AthenaEngine on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer
    let athena: AthenaEngine
    let duckDb: DuckDbEngine
    let orders: TableConfiguration

    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
      athena = openAthena(server)
      const root = temporaryFolder()
      orders = readConfiguration(join(ORDERS, 'itemtrail.config.json')).tables.get('Orders') as TableConfiguration
      const input = await openInput(join(ORDERS, 'orders.jsonl.gz'), process.stdin)
      await ingest(input.bytes, input.modifiedAt, { archive: new DiskArchive(root), configurationOf: () => orders })
      await createAuditTable(trino.client, root, orders, orders.since as string)
      duckDb = await DuckDbEngine.open(root, [orders])
    })

    afterEach(() => {
      server.workgroup.cutoffBytes = undefined
    })

    afterAll(async () => {
      console.log(`AthenaEngine on Trino: ${formatExpense(expenseOf(athena.executions))}`)
      duckDb.close()
      athena.close()
      await server.stop()
      await trino.stop()
    })

    /** Asks both engines, expects the same columns and rows, and gives them. */
    async function askBoth(sql: string, values: readonly BoundValue[] = []): Promise<readonly Row[]> {
      return expectSame(await athena.run(sql, values), await duckDb.run(sql, values))
    }

    it('reads an item’s history as DuckDB does', async () => {
      // what was answered stands beside it, with the time that it took
      const { answer: _athena, facts: onAws, ...read } = await readHistory(athena, orders, ITEM)
      const { answer: _duckDb, facts, ...expected } = await readHistory(duckDb, orders, ITEM)
      expect(read).toEqual(expected)
      // configurations are kept in a folder, which this engine was not given
      expect({ ...onAws, boundaries: facts.boundaries }).toEqual(facts)
    })

    it.each([
      ['text', "select x from (values (1, 'a'), (2, ''), (3, null), (4, 'null'), (5, 'ä😀')) as t(n, x) order by n"],
      [
        'whole numbers',
        'select cast(1 as tinyint) as a, cast(-2 as smallint) as b, 3 as c, cast(null as integer) as d',
      ],
      [
        'whole numbers of 64 bits',
        'select x from (values (9007199254740993), (-9223372036854775807), (9223372036854775807), (null)) as t(x) order by x',
      ],
      ['a count', 'select count(*) as n, count(actor) as m from orders'],
      [
        'doubles',
        "select cast('1.5' as double) as a, 1e300 as b, cast('NaN' as double) as c, cast('-Infinity' as double) as d",
      ],
      [
        'doubles as Java writes them',
        'select 1e0 as a, 123456789e0 as b, 1e-7 as c, 1.2345678901234567e16 as d, -0e0 as e',
      ],
      ['floats', "select cast('1.1' as real) as a, cast('16777216' as real) as b, cast(null as real) as c"],
      ['truth', 'select true as a, false as b, cast(null as boolean) as c'],
      [
        'decimals',
        `select cast('1.10' as decimal(12,2)) as a, cast('-0.05' as decimal(38,9)) as b, cast(null as decimal(5,0)) as c,
           cast('-${'9'.repeat(38)}' as decimal(38,0)) as d, cast('0' as decimal(3,3)) as e`,
      ],
      [
        'dates',
        "select date '2026-11-22' as a, date '1969-12-31' as b, date '0001-01-01' as c, cast(null as date) as d",
      ],
      [
        'times',
        "select timestamp '2026-11-22 10:00:00.123' as a, timestamp '1969-12-31 23:59:59.999' as b, cast(null as timestamp) as c",
      ],
      [
        'an archive’s times as the clock of a place',
        `select event_time_us, hour(event_time at time zone 'Europe/Berlin') as hour, day(arrived_at at time zone 'Asia/Tokyo') as day
           from orders order by event_id`,
      ],
      [
        'times with a zone, to the microsecond',
        `select from_iso8601_timestamp('2026-10-25T01:30:00.123+02:00') as a,
           from_iso8601_timestamp_nanos('2026-11-22T10:00:00.123456Z') as b`,
      ],
      ['a bare null', 'select null as x, 1 as y'],
      ['JSON', `select json_parse('{"a":[1,"b"]}') as x, json_format(json_parse('[]')) as y`],
      ['numbers in a list, as JSON', 'select array[1, 2, null] as x'],
      ['two columns of a name', 'select 1 as a, 2 as a, event_name as a from orders order by event_id limit 3'],
    ])('gives %s as DuckDB does', async (_, sql) => {
      await askBoth(sql)
    })

    it('gives an archive’s times as DuckDB does, but for the zone, which no column of Athena’s can carry', async () => {
      const sql = 'select event_time, arrived_at, event_time_us from orders order by event_id'
      const answer = await athena.run(sql)
      expect([...rowsOf(answer)][0]?.event_time).toMatch(/^2026-\d\d-\d\dT[\d:.]+$/)
      expectSame(await inUtc(answer), await duckDb.run(sql))
    })

    it('gives lists exactly: commas, brackets, quotes, nulls, empty ones, none', async () => {
      const rows = await askBoth(`
        select n, x
        from (values
          (1, array['a, b', '[c]', '"d"', '''e''', 'f\\g', '{h=i}']),
          (2, array['a', 'b']),
          (3, array['a, b']),
          (4, array['', null, 'null']),
          (5, array['']),
          (6, array_remove(array['x'], 'x')),
          (7, case when 1 = 0 then array['x'] end),
          (8, array['ä😀', 'line
feed'])
        ) as t(n, x)
        order by n`)
      expect(rows.map(row => row.x)).toEqual([
        ['a, b', '[c]', '"d"', "'e'", 'f\\g', '{h=i}'],
        ['a', 'b'],
        ['a, b'],
        ['', null, 'null'],
        [''],
        [],
        null,
        ['ä😀', 'line\nfeed'],
      ])
    })

    it.each([
      'select event_id, changed from orders order by event_time_us desc, event_id',
      'select event_id, changed from orders order by 1 desc',
      'select changed, event_id from orders order by changed, 2',
      'select changed, event_id from orders order by 1 desc nulls last, event_id desc limit 7',
      'select *, 1 as event_id from (select changed, sequence from orders) order by sequence desc limit 5',
      'select changed, item_key from orders order by event_time_us desc nulls first, event_id limit 20',
      'select * from (select changed, event_date from orders) order by length(event_date), changed, event_date desc',
      'select changed, o.actor from orders as o order by length(new_hash) + event_time_us desc, event_id',
      'select o.changed from orders as o order by o.event_time_us, o.event_id',
      'select array_agg(event_id order by event_id) as ids from orders group by item_key order by count(*) desc, min(event_id)',
      "select distinct changed, event_name is distinct from 'MODIFY' as other from orders order by changed, 2",
      "select event_name is distinct from 'MODIFY' as other, changed from orders order by event_id",
      "select lower(event_name) as event_name, changed, event_id from orders order by event_name || 'x' desc, event_id",
      '(select changed, event_id from orders order by event_id)',
      'select changed, event_id from orders union all select array[item_key], actor from orders order by 2, 1',
      'with o as (select * from orders order by event_id limit 9) select changed, event_id from o order by event_id; -- so',
      `select array_agg(event_id order by sequence) as ids, item_key from orders group by item_key order by item_key`,
    ])('keeps the order of %s', async sql => {
      const rows = await askBoth(sql)
      expect(rows.length).toBeGreaterThan(4)
    })

    it('says what is wrong where an order mixes columns of the answer with others', async () => {
      const sql = 'select lower(event_name) as event_name, changed from orders order by event_name || event_id'
      const error = await athena.run(sql).catch(error => error)
      expect(error.message).toMatch(/Column 'event_id' cannot be resolved/)
      expect(error.hint).toMatch(/not by both in one expression/)
    })

    it('tells both moments apart that a clock shows as one', async () => {
      const local = (utc: string) => `at_timezone(from_iso8601_timestamp('${utc}'), 'Europe/Berlin')`
      const sql = `select ${local('2026-10-25T00:30:00Z')} as a, ${local('2026-10-25T01:30:00Z')} as b`
      expect([...rowsOf(await athena.run(sql))]).toEqual([
        { a: '2026-10-25T00:30:00.000Z', b: '2026-10-25T01:30:00.000Z' },
      ])
    })

    it('gives maps and rows as JSON text, and what no question asks for as Athena’s text', async () => {
      const table = await athena.run(`select map(array['a, b'], array[1]) as m, x'6869' as b, time '10:00:00' as t,
        cast(row(1, 'x') as row(a integer, b varchar)) as r, array[array['y']] as l`)
      expect([...rowsOf(table)]).toEqual([
        { m: '{"a, b":1}', b: '68 69', t: '10:00:00.000', r: '{"a":1,"b":"x"}', l: '[["y"]]' },
      ])
    })

    it('is not fooled by Athena’s own text of lists, which is the same for different ones', async () => {
      const texts = await server.answer("select array['a', 'b'] as x, array['a, b'] as y", [])
      expect(texts).toMatchObject({ rows: [['[a, b]', '[a, b]']] })
    })

    it.each([
      ['an injection', "' OR 1=1 --"],
      ['another', "x'; drop table orders; --"],
      ['line feeds', 'a\r\nb\n'],
      ['a NUL', 'a\0b'],
      ['100 KB', "it's ".repeat(20_480)],
      ['100 KB of emoji', '😀'.repeat(25_600)],
      ['backslashes', 'a\\b\\\\\'\\"'],
      ['a question mark', '? :at {changes} %s $1'],
      ['nothing', ''],
      ['quotes', "''\"''`"],
      ['a character that is 1024 bytes in', `${'x'.repeat(1021)}😀`],
    ])('keeps %s a value', async (_, value) => {
      const digest = createHash('sha256').update(value).digest('hex').toUpperCase()
      const sql = 'select x from (values (1)) as t(x) where to_hex(sha256(to_utf8(?))) = ? and x < ?'
      expect(await askBoth(sql, [value, digest, 2])).toEqual([{ x: 1 }])
      expect(await askBoth('select event_id from orders where item_key = ?', [value])).toEqual([])
      for (const { input } of server.queries.slice(-2)) expect(input.QueryString).not.toContain(value || '\0')
    })

    it('gives Trino’s own words for a mistake, by the line of the statement as it was written', async () => {
      const error = async (sql: string) => (await athena.run(sql).catch(error => error)) as Error & { hint: string }
      expect(await error('select *\nfrom nowhere')).toMatchObject({
        message: expect.stringMatching(/TABLE_NOT_FOUND: line 2:6: Table 'hive\..*\.nowhere' does not exist/),
        hint: expect.stringContaining('database audit'),
      })
      expect((await error('selec 1')).message).toMatch(/SYNTAX_ERROR: line 1:1: mismatched input 'selec'/)
      expect((await error('select nothing from orders')).hint).toMatch(/show columns/)
      expect((await error('select 1 / (event_time_us - event_time_us) from orders')).message).toMatch(
        /DIVISION_BY_ZERO/,
      )
    })

    it('is cut off by the bytes that Trino reads', async () => {
      await athena.run('select old_image, new_image from orders')
      expect(athena.executions.at(-1)?.bytesScanned).toBeGreaterThan(10_000)
      expect(athena.executions.at(-2)?.bytesScanned).toBe(0)
      server.workgroup.cutoffBytes = 10_000
      await expect(athena.run('select old_image, new_image from orders')).rejects.toThrow(/9\.8 kB allowed/)
    })

    it('shows what there is', async () => {
      expect([...rowsOf(await athena.run('show tables'))]).toEqual([
        { Table: 'cloudtrail_events' },
        { Table: 'orders' },
        { Table: 'orders_deliveries' },
      ])
    })
  },
)

function expectSame(actual: Table, expected: Table): readonly Row[] {
  expect(actual.schema.fields.map(String)).toEqual(expected.schema.fields.map(String))
  const rows = [...rowsOf(actual)]
  expect(rows).toEqual([...rowsOf(expected)])
  return rows
}
