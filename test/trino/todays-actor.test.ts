/**
 * Who made changes that were archived before an actor was configured: on Athena's engine, before a real Trino, as on
 * DuckDB.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerQuery } from '../../queries/answers/ask.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { baselineDocument, streamsRecord, tableConfiguration } from '../factories.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()
const ODD = `by:who's?"`
const { actor: _, ...UNCONFIGURED } = tableConfiguration()
const TODAY = tableConfiguration({ actor: ['meta', ODD] })
const Keys = { order_id: { S: 'A' } }

/**
 * Values that the attribute takes one after the other, and what is not on the way to it: `meta` is no map, or there is
 * none.
 */
const VALUES = [
  { M: { [ODD]: { S: 'alice' } } },
  { M: { [ODD]: { N: '7' } } },
  { M: { [ODD]: { NULL: true } } },
  { M: { [ODD]: { S: '' } } },
  { M: { [ODD]: { M: { b: { S: 'ü😀"\\\u0007/' }, B: { N: '1.50' }, l: { L: [{ BOOL: false }] } } } } },
  { M: { [ODD]: { SS: ['b', 'a'] } } },
  { M: { other: { S: 'x' } } },
  { S: 'no map' },
  { L: [{ S: 'no map' }] },
  { M: { [ODD]: { S: 'bob' } } },
] as const

const imageOf = (i: number) => ({ ...Keys, meta: VALUES[i] }) as never
const RECORDS = [
  baselineDocument({ Item: { ...Keys, meta: { M: { [ODD]: { S: 'zoe' } } } } as never }),
  streamsRecord({ SequenceNumber: '1', NewImage: imageOf(0), Keys }),
  ...VALUES.slice(1).map((_, i) =>
    streamsRecord({
      ...{ eventName: 'MODIFY', SequenceNumber: `${i + 2}`, Keys },
      ...{ OldImage: imageOf(i), NewImage: imageOf(i + 1) },
    }),
  ),
  streamsRecord({
    ...{ eventName: 'REMOVE', SequenceNumber: '99', Keys },
    ...{ OldImage: imageOf(VALUES.length - 1), NewImage: undefined },
  }),
]

describe.skipIf(missing !== undefined)(
  `today's actor on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer
    let duckDb: DuckDbEngine
    let athena: AthenaEngine
    let asConfigured: DuckDbEngine

    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
      const [root, configured] = [temporaryFolder(), temporaryFolder()]
      await ingestRecords(root, RECORDS, { configuration: UNCONFIGURED })
      await ingestRecords(configured, RECORDS, { configuration: TODAY })
      await createAuditTable(trino.client, root, TODAY, '2026-11-01')
      duckDb = await DuckDbEngine.open(root, [TODAY])
      asConfigured = await DuckDbEngine.open(configured, [TODAY])
      athena = openAthena(server, { facts: duckDb.facts })
    })
    afterAll(async () => {
      for (const engine of [duckDb, asConfigured, athena]) engine.close()
      await server.stop()
      await trino.stop()
    })

    it('is in the history of an item what rows would say had it been configured', async () => {
      const itemKey = JSON.stringify(Keys)
      // what was answered stands beside it, with the time that it took
      const { answer: _athena, ...found } = await readHistory(athena, TODAY, itemKey)
      const { answer: _duckDb, ...expected } = await readHistory(duckDb, TODAY, itemKey)
      expect(found).toEqual(expected)
      const who = async (engine: DuckDbEngine | AthenaEngine) =>
        (await readHistory(engine, TODAY, itemKey)).changes.map(({ sequence, actor, last_writer }) => [
          sequence,
          actor,
          last_writer,
        ])
      expect(await who(athena)).toEqual(await who(asConfigured))
      expect(found.changes.map(({ actor }) => actor)).toEqual(expect.arrayContaining(['alice', '7', 'bob']))
    })

    it.each([
      ['changes-by-actor', { actor: 'alice' }],
      ['changes-without-actor', {}],
      ['deletions', {}],
      ['mass-changes', { at_least: '1' }],
      ['changes-between', { from: '2026-11-22T00:00:00Z', to: '2026-11-23T00:00:00Z' }],
      ['blame', { item_key: JSON.stringify(Keys) }],
    ])('is the same in %s', async (name, parameters) => {
      const ask = async (engine: DuckDbEngine | AthenaEngine) => {
        const { asked, table } = await answerQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, TODAY, parameters)
        expect(asked.sql).toContain('by the attribute configured today')
        return [...rowsOf(table)]
      }
      const rows = await ask(athena)
      expect(rows).not.toEqual([])
      expect(rows).toEqual(await ask(duckDb))
    })
  },
)
