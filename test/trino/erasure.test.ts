/** Sealed rows by Athena's engine, before a real Trino, as by DuckDB: whose chain an erasure breaks, and whose a loss. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import { sealedWhole, sealedWholeIn } from '../../erasure/sealed-whole.js'
import { countUnsealed, deliveredRows } from '../../erasure/stack-rows.js'
import { openArchive } from '../../library/open-archive.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { readArchiveFacts } from '../../queries/verdict/archive-facts.js'
import { findingsByItem } from '../../queries/verdict/continuity.js'
import type { StoredRow } from '../../queries/verdict/stored-rows.js'
import { judgeTable } from '../../queries/verdict/table-verdict.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type NamedTable, nameTables } from '../../transform/table-names.js'
import { openAthena } from '../athena-engine.js'
import { startAthenaServer } from '../athena-server.js'
import { temporaryFolder, writeRows } from '../delivery/desk.js'
import { ERASABLE, LATER, LIFE, makePlace, orderOf, recordOf } from '../erasure/orders.js'
import { findingsTold, historiesTold } from '../queries/verdict/ask-sealed-twice.js'
import { SEALED_TWICE, TWICE } from '../queries/verdict/sealed-twice.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()

describe.skipIf(missing !== undefined)(
  `sealed rows on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let table: TableConfiguration
    let place: Awaited<ReturnType<typeof makePlace>>
    let engines: { readonly duckDb: DuckDbEngine; readonly athena: AthenaEngine }
    const ends: (() => unknown)[] = []

    beforeAll(async () => {
      place = await makePlace()
      const [first, last] = [orderOf('o2', 'NEW'), orderOf('o2', 'SENT')]
      const ofZed = (status: string) => ({
        ...orderOf('o3', status),
        buyer: { M: { id: { S: 'u-9' }, name: { S: 'Zed' } } },
      })
      await place.ingest([...LIFE, recordOf(11, 'o2', null, first), recordOf(21, 'o3', null, ofZed('NEW'))])
      await place.erase('u-1')
      await place.ingest([LATER, recordOf(12, 'o2', orderOf('o2', 'PAID'), last)])
      // what the seller is called is clear from now on
      place.configure(ERASABLE.slice(0, 1))
      await place.ingest([recordOf(22, 'o3', ofZed('NEW'), ofZed('SENT'))])
      table = readConfiguration(place.config).tables.get('Orders') as TableConfiguration
      const trino = await startTrino()
      const server = await startAthenaServer()
      serveTrino(server, trino.client)
      await createAuditTable(trino.client, place.archive, table, '2026-09-01')
      const twice = temporaryFolder()
      await writeRows(
        twice,
        SEALED_TWICE.flatMap(({ rows }) => rows),
        TWICE,
      )
      await createAuditTable(trino.client, twice, TWICE, '2026-09-01')
      const duckDb = await DuckDbEngine.open(place.archive, [table])
      const athena = openAthena(server, {
        facts: duckDb.facts,
        sleep: ms => new Promise(done => setTimeout(done, ms / 10)),
      })
      engines = { duckDb, athena }
      ends.push(
        () => duckDb.close(),
        () => server.stop(),
        () => trino.stop(),
      )
    })
    afterAll(async () => {
      for (const end of ends) await end()
    })

    it('tells an erasure from a loss, and finds no row altered', async () => {
      for (const engine of [engines.athena, engines.duckDb]) {
        const found: string[] = []
        for await (const { itemKey, findings } of findingsByItem(engine, table, await readArchiveFacts(engine, table)))
          for (const { finding, erasures } of findings) found.push(`${itemKey} ${finding} ${erasures.length}`)
        expect(found).toEqual([
          '{"id":{"S":"o1"}} ERASED 1',
          '{"id":{"S":"o2"}} GAP 0',
          '{"id":{"S":"o3"}} CONFIG-BOUNDARY 0',
        ])
        const asked = { kind: 'period', fromUs: null, toUs: null } as const
        const { altered, verdicts } = await judgeTable(engine, table, asked, { hashes: true })
        expect({ altered, erased: verdicts.ERASED, gaps: verdicts.GAP, others: verdicts['CONFIG-BOUNDARY'] }).toEqual({
          altered: 0,
          erased: 1,
          gaps: 1,
          others: 1,
        })
      }
    })

    it('tells what was sealed again from what contradicts it', async () => {
      const told = await historiesTold(engines.athena)
      expect(told.map(({ said, conflict }) => ({ said, isConflict: conflict }))).toEqual(
        SEALED_TWICE.map(({ said, isConflict }) => ({ said, isConflict })),
      )
      const { byItem, queried } = await findingsTold(engines.athena)
      expect(queried).toEqual(byItem)
      expect(queried.map(({ finding }) => finding)).toEqual(
        SEALED_TWICE.map(({ isConflict }) => (isConflict ? 'CONFLICT' : 'DUPLICATE')),
      )
    })

    it('finds a person by the token, as a desk does, and says the same in the saved query of continuity', async () => {
      const { token, tables } = await place.askJson('subject', 'find', 'u-1')
      const [named] = nameTables([table])
      const rows: StoredRow[] = []
      for await (const { object, row } of deliveredRows(engines.athena, named as NamedTable, token)) {
        expect(object).toMatch(/\.parquet$/)
        rows.push(row)
      }
      expect(rows).toHaveLength(tables[0].rows)
      // what was made under a configuration that sealed less is counted for everybody, and nobody asks for the id
      const sealed = await sealedWholeIn(engines.duckDb.facts, 'Orders', table)
      expect(await countUnsealed(engines.athena, named as NamedTable, sealed)).toBe(1)
      const more = [{ subject: ['buyer', 'id'], values: [{ path: ['total'] }] }]
      const later = sealedWhole([table, { ...table, erasable: [...(table.erasable ?? []), ...more] }])
      expect(await countUnsealed(engines.athena, named as NamedTable, later)).toBeGreaterThanOrEqual(rows.length)
      const found: unknown[] = []
      for (const engine of [engines.athena, engines.duckDb]) {
        const archive = await openArchive({ engine, tables: [table] })
        const answer = await archive.run('continuity', 'Orders', {})
        found.push([...answer.rows()].map(({ item_key: key, finding }) => `${key} ${finding}`).sort())
      }
      expect(found[0]).toEqual(found[1])
      expect(found[0]).toEqual(
        expect.arrayContaining([
          '{"id":{"S":"o1"}} ERASED',
          '{"id":{"S":"o2"}} GAP',
          '{"id":{"S":"o3"}} CONFIG-BOUNDARY',
        ]),
      )
    })
  },
)
