import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { temporaryFolder } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { archiveWrites, compareOnDesk, compareWindow, exportOf, FROM, type Write } from '../restore/window.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()

describe.skipIf(missing !== undefined)(
  `a night's comparison on Athena, by Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer
    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
    })
    afterAll(async () => {
      await server.stop()
      await trino.stop()
    })

    it('finds what DuckDB finds, of items that lost changes and of those that lost none', async () => {
      const root = temporaryFolder()
      const random = fc.sample(fc.tuple(fc.nat(60), fc.constantFrom('A', 'B', null), fc.nat(9)), {
        numRuns: 400,
        seed: 5,
      })
      const writes = random.map(([item, status, luck], i): Write => {
        const at = new Date(Date.parse(FROM) + (i - 100) * 5 * 60_000).toISOString()
        const isInside = Math.abs(Date.parse(at) - Date.parse(FROM) - 12 * 3_600_000) < 11 * 3_600_000
        return { id: `item-${item} ä'"`, at, status, ...(luck === 0 && isInside && { lost: true }) }
      })
      await archiveWrites(root, writes)
      const table = tableConfiguration({ table: 'Orders', since: '2026-11-01' })
      await createAuditTable(trino.client, root, table, '2026-11-01')
      const engine = openAthena(server, { database: trino.client.schema })
      const lines = exportOf(writes)
      const [onAthena, onDesk] = [await compareWindow(engine, table, lines), await compareOnDesk(root, lines)]
      const sorted = (found: ReadonlyMap<string, number | null>) => [...found].sort(([a], [b]) => (a < b ? -1 : 1))
      expect(sorted(onAthena.differing).length).toBeGreaterThan(5)
      expect(sorted(onAthena.differing)).toEqual(sorted(onDesk.differing))
      expect({ ...onAthena, differing: null }).toEqual({ ...onDesk, differing: null })
      expect(onAthena.items).toBeGreaterThan(onAthena.differing.size + 20)
    })
  },
)
