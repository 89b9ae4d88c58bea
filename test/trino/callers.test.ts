/** The saved query about calls, on Trino over the very records as CloudTrail writes them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { readDocuments } from '../../capture/document-reader.js'
import { bindQuery } from '../../queries/bind.js'
import { savedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { temporaryFolder } from '../delivery/desk.js'
import { CASES_PERIOD, callersDesk, SEATS } from '../queries/callers.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable, createEventsTable, rowsOfTrino } from './tables.js'

const missing = missingForTrino()
const FIXTURES = new URL('../fixtures/cloudtrail/', import.meta.url)

describe.skipIf(missing !== undefined)(
  `who called, on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let desk: DuckDbEngine

    beforeAll(async () => {
      trino = await startTrino()
      const { root, trail } = await callersDesk()
      desk = await DuckDbEngine.open(root, [SEATS], { cloudtrail: trail })
      await createEventsTable(trino.client, await linesOfRecords(), '2026-11-01')
      await createAuditTable(trino.client, root, SEATS, '2026-11-01')
    })

    afterAll(async () => {
      desk.close()
      await trino.stop()
    })

    it.each([
      ['changes-with-caller', 'of all items', CASES_PERIOD],
      ['changes-with-caller', 'of one item', { ...CASES_PERIOD, key: '"hall":{"S":"update"}' }],
      ['changes-with-caller', 'of a day without calls', { from: '2026-12-01T00:00:00Z', to: '2026-12-02T00:00:00Z' }],
      ['write-calls', 'of all callers', CASES_PERIOD],
      ['write-calls', 'of one caller', { ...CASES_PERIOD, caller: 'role/admin/' }],
      ['write-calls', 'of a day without calls', { from: '2026-12-01T00:00:00Z', to: '2026-12-02T00:00:00Z' }],
    ] as const)('%s answers the same %s', async (name, _, given) => {
      const { values, ...statement } = bindQuery(savedQuery(name), SEATS, given)
      const [onDesk, onTrino] = [await desk.run(statement.sql, values), await trino.client.run(statement.sql, values)]
      expect(rowsOfTrino(onTrino)).toEqual([...rowsOf(onDesk)])
    })
  },
)

/**
 * Athena's `CloudTrailInputFormat` takes the records out of a file; Trino has none, so here each stands on a line of its
 * own. The SerDe and the columns are those of the table.
 */
async function linesOfRecords(): Promise<string> {
  const root = temporaryFolder('lines')
  const folder = join(root, '2026/11/19')
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(FIXTURES)) {
    const lines: string[] = []
    for await (const record of readDocuments(bytesOf(readFileSync(new URL(file, FIXTURES)))))
      lines.push(
        Buffer.from(record as Uint8Array)
          .toString()
          .replaceAll('\n', ' '),
      )
    writeFileSync(join(folder, file), `${lines.join('\n')}\n`)
  }
  return root
}

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
