import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditRow, columnsOf, rowLine } from '../../transform/audit-row.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { changeDocument, typedTable } from '../transform/arbitraries.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable, createLinesTable } from './tables.js'

const missing = missingForTrino()

describe.skipIf(missing !== undefined)(
  `row lines through Firehose's SerDe${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    const root = temporaryFolder()
    const lines = temporaryFolder('lines')
    let rows: readonly AuditRow[]

    beforeAll(async () => {
      trino = await startTrino()
      rows = randomRows()
      await writeRows(root, rows, typedTable)
      mkdirSync(lines, { recursive: true })
      writeFileSync(join(lines, 'lines.json'), rows.map(rowLine).join(''))
      await createAuditTable(trino.client, root, typedTable, '2020-01-01')
      await createLinesTable(trino.client, 'row_lines', lines, columnsOf(typedTable))
    })

    afterAll(async () => {
      await trino.stop()
      rmSync(lines, { recursive: true, force: true })
    })

    it.each(columnsOf(typedTable).map(column => column.name))(
      'gives %s as it is in the Parquet of the desk',
      async name => {
        const sql = (table: string) => `select event_id, "${name}" as value from ${table} order by event_id, row_hash`
        const fromLines = await trino.client.run(sql('row_lines'))
        const fromParquet = await trino.client.run(sql('orders'))
        expect(fromLines.types).toEqual(fromParquet.types)
        expect(fromLines.rows.length).toBe(rows.length)
        expect(fromLines.rows).toEqual(fromParquet.rows)
      },
    )
  },
)

/** Rows of documents of every kind, in a table with a column of every declared type. */
function randomRows(): readonly AuditRow[] {
  return fc
    .sample(changeDocument, { seed: 20261122, numRuns: 300 })
    .flatMap(document => rowsOfRecord(document, typedTable))
}
