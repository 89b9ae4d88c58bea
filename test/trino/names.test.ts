import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderQuery, savedQuery } from '../../queries/catalog.js'
import { deliveriesOf, quotedName } from '../../queries/engines/literal.js'
import { nameTables, tableIdentifier } from '../../transform/table-names.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { streamsRecord, tableConfiguration } from '../factories.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()
const NAMES = ['Order', '2fa-tokens', 'my.table', 'my-table', '_x.', 'Orders', 'Orders_deliveries']

describe.skipIf(missing !== undefined)(
  `tables of any names on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const tables = nameTables(NAMES.map(table => tableConfiguration({ table })))
    const root = temporaryFolder()
    let trino: TrinoServer
    beforeAll(async () => {
      trino = await startTrino()
      for (const table of tables) {
        const arn = `arn:aws:dynamodb:us-east-1:1:table/${table.table}/stream/2026`
        const records = ['a', 'b', 'a'].map(eventID => streamsRecord({ eventID, eventSourceARN: arn }))
        await ingestRecords(root, records, { configuration: table })
        await createAuditTable(trino.client, root, table, '2026-11-01')
      }
    }, 120_000)
    afterAll(() => trino?.stop())

    it('each has a view that counts each change once, and its deliveries', async () => {
      for (const table of tables) {
        const count = (from: string) => trino.client.run(`select count(*), min(table_name) from ${from}`)
        expect((await count(quotedName(tableIdentifier(table)))).rows).toEqual([[2, table.table]])
        expect((await count(deliveriesOf(table))).rows).toEqual([[3, table.table]])
        const { sql } = renderQuery(savedQuery('attribute-catalogue'), {
          changes: deliveriesOf(table),
        })
        const values = sql.split('?').length - 1
        if (values === 0) await trino.client.run(sql)
      }
    })

    it('a view reads the days that are asked for', async () => {
      const view = quotedName(tableIdentifier(tables[0] as (typeof tables)[number]))
      const explained = await trino.client.run(
        `explain (type io) select count(*) from ${view} where event_date = '2026-11-22'`,
      )
      const text = JSON.stringify(explained.rows)
      expect(text).toContain('event_date')
      expect(text).toContain('2026-11-22')
    })
  },
)
