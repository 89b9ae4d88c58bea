import { beforeAll, describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { ingestRecords, temporaryFolder } from '../../delivery/desk.js'
import { streamsRecord, tableConfiguration } from '../../factories.js'

describe('a table’s name in SQL', () => {
  const column = (name: string) => ({ column: name, path: [name], type: 'string' as const })
  const [earlier, later] = [tableConfiguration({ columns: [] }), tableConfiguration({ columns: [column('status')] })]
  const root = temporaryFolder()
  const ask = async (sql: string, configured = [later]) => {
    const engine = await DuckDbEngine.open(root, configured)
    try {
      return [...rowsOf(await engine.run(sql))]
    } finally {
      engine.close()
    }
  }
  const records = Array.from({ length: 12 }, (_, i) =>
    streamsRecord({ eventID: `e${i}`, SequenceNumber: `${100 + i}` }),
  )
  beforeAll(async () => {
    for (const configuration of [earlier, later, earlier, later]) await ingestRecords(root, records, { configuration })
  })

  it('counts each change once, and its deliveries as they came', async () => {
    expect(await ask('select count(*) as n, count(distinct event_id) as changes from orders')).toEqual([
      { n: 12n, changes: 12n },
    ])
    expect(await ask('select count(*) as n from orders_deliveries')).toEqual([{ n: 48n }])
  })

  it('prefers the row of today’s configuration, whatever its hash', async () => {
    for (const configured of [later, earlier]) {
      const rows = await ask('select distinct config_id from orders', [configured])
      expect(rows).toHaveLength(1)
      expect(await ask('select distinct config_id from orders', [configured])).toEqual(rows)
    }
    const [one] = await ask('select distinct config_id from orders', [later])
    const [other] = await ask('select distinct config_id from orders', [earlier])
    expect(one).not.toEqual(other)
  })

  it('opens no file of other days, and reads no column that nobody asked for', async () => {
    const [plan] = await ask("explain analyze select count(*) from orders where event_date = '2001-01-01'")
    const text = Object.values(plan ?? {}).join('\n')
    expect(text).toMatch(/Total Files Read: 0/)
    expect(text).not.toMatch(/new_image|old_image/)
  })
})
