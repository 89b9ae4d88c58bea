/** What names, keys, sizes and configurations may look like. */
import { describe, expect, it } from 'vitest'
import { checkCopy } from '../../derived/check.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { digitsFor } from '../../derived/lots.js'
import { openDesk } from '../../library/open-archive.js'
import { askQuery } from '../../queries/answers/ask.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { savedQuery } from '../../queries/catalog.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { type Attributes, streamsRecord, tableConfiguration } from '../factories.js'
import { canonicalForm } from '../transform/second-implementation.js'

const KEYS: readonly Attributes[] = [
  ...[
    "it's",
    '"quoted"',
    'a\\b',
    'a\nb',
    '\0',
    '? :item_key {changes}',
    '😀',
    '\uffff',
    'é',
    'e\u0301',
    '__proto__',
  ].map(S => ({
    order_id: { S },
  })),
  { order_id: { N: '-1.5E+125' } },
  { order_id: { B: 'AAECA/8=' } },
  { __proto__name: { S: 'x' }, order_id: { S: 'x'.repeat(2000) } },
]

describe('a compacted archive', () => {
  it('is found by every key, in a folder of any name', async () => {
    const root = temporaryFolder("it's [st*r]? bucket=zz event_date=2020-01-01 é")
    const table = tableConfiguration({ keys: [] })
    const rows = KEYS.flatMap(Keys =>
      rowsOfRecord(streamsRecord({ Keys, NewImage: { ...Keys, v: { S: '__proto__' } } }), table),
    )
    await writeRows(root, rows)
    await compactTable(root, 'Orders')
    expect((await checkCopy(root, 'Orders')).problems).toEqual([])
    const engine = await openDesk(root)
    for (const Keys of KEYS) {
      const { changes } = await readHistory(engine, tableConfiguration(), canonicalForm(Keys))
      expect(changes.map(change => change.new_image)).toEqual([canonicalForm({ ...Keys, v: { S: '__proto__' } })])
    }
    expect(engine.remarks()).toEqual([])
    engine.close()
  })

  it('has the columns of every configuration, each in its type, when one is added', async () => {
    const root = temporaryFolder()
    const later = tableConfiguration({ columns: [{ column: 'total', path: ['total'], type: 'decimal(12,2)' }] })
    const record = (v: number) =>
      streamsRecord({
        Keys: { order_id: { S: 'A' } },
        NewImage: { order_id: { S: 'A' }, total: { N: '12345678.25' }, v: { N: String(v) } },
        SequenceNumber: String(1000 + v),
        eventID: String(v),
      })
    await writeRows(root, rowsOfRecord(record(0)))
    await compactTable(root, 'Orders')
    await writeRows(root, rowsOfRecord(record(1), later), later)
    await compactTable(root, 'Orders', { configuration: later })
    const engine = await openDesk(root, [later])
    const scope = { table: 'Orders', itemKey: '{"order_id":{"S":"A"}}' }
    const sql = 'select new_total, old_total from orders order by event_time_us, sequence'
    expect([...rowsOf(await engine.run(sql, [], { scope }))]).toEqual([
      { new_total: null, old_total: null },
      { new_total: '12345678.25', old_total: null },
    ])
    const asked = await askQuery(engine, savedQuery('items-as-of'), later, {
      column: 'total',
      at: '2030-01-01T00:00:00Z',
      value: '12345678.25',
    })
    expect(asked.numRows).toBe(1)
    engine.close()
  })

  it('fails in one line where memory does not do, and publishes nothing', async () => {
    const root = temporaryFolder()
    const big = 'x'.repeat(300_000)
    const rows = Array.from({ length: 30 }, (_, i) => {
      const Keys = { order_id: { S: `ORD${i}` } }
      return rowsOfRecord(streamsRecord({ Keys, NewImage: { ...Keys, big: { S: `${i}${big}` } } }))
    })
    await writeRows(root, rows.flat())
    await expect(compactTable(root, 'Orders', { memory: '2MB' })).rejects.toThrow(
      /^compaction of Orders failed: Out of Memory/,
    )
    expect((await compactTable(root, 'Orders', { memory: '200MB' })).changed).toBe(true)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([])
  }, 30_000)

  it('has finer buckets the more rows there are, and the larger they are', () => {
    expect([1, 262_144, 262_145, 16_777_216, 16_777_217].map(n => digitsFor(n, 1))).toEqual([1, 1, 2, 2, 3])
    expect([1, 2 ** 30, 2 ** 30 + 1, 2 ** 34, 2 ** 34 + 1].map(n => digitsFor(1, n))).toEqual([1, 1, 2, 2, 3])
  })
})
