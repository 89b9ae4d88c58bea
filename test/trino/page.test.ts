/** The page over a stack: Athena's protocol, behind which a real Trino answers. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openInput } from '../../capture/input.js'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import { openArchive } from '../../library/open-archive.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { DiskArchive } from '../../store/folder.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { temporaryFolder } from '../delivery/desk.js'
import { browse, type PageClient } from '../view/page-client.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()
const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname

describe.skipIf(missing !== undefined)(
  `the page over a stack${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer
    let athena: AthenaEngine
    let stack: PageClient
    let desk: PageClient
    let browseStack: () => Promise<PageClient>

    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
      const root = temporaryFolder()
      const orders = readConfiguration(join(ORDERS, 'itemtrail.config.json')).tables.get('Orders') as TableConfiguration
      const input = await openInput(join(ORDERS, 'orders.jsonl.gz'), process.stdin)
      await ingest(input.bytes, input.modifiedAt, { archive: new DiskArchive(root), configurationOf: () => orders })
      await createAuditTable(trino.client, root, orders, orders.since as string)
      athena = openAthena(server, {
        facts: new DiskArchive(root),
        sleep: ms => new Promise(done => setTimeout(done, ms / 20)),
      })
      const spending = { spent: () => `${athena.executions.length} queries`, limit: () => athena.scanLimit() }
      const open = () => openArchive({ engine: athena, tables: [orders], others: true })
      browseStack = () => browse('stack', { onAws: true, spending }, open)
      stack = await browseStack()
      desk = await browse(root)
    })

    afterAll(async () => {
      await stack?.close()
      await desk?.close()
      await server?.stop()
      await trino?.stop()
    })

    it('shows on each screen what the page over a folder shows', async () => {
      const { changes } = await desk.json('/t/Orders/i/ORD12345.json')
      const screens: readonly (readonly [path: string, ...fields: string[]])[] = [
        ['/t/Orders.json', 'days', 'counts', 'last_change'],
        ['/t/Orders/changes.json?event=REMOVE&from=2026-11-10', 'changes', 'found', 'repeats', 'facets'],
        ['/t/Orders/i/ORD12345.json', 'changes', 'confidence', 'receipt'],
        ['/t/Orders/i/ORD12345.json?between=2026-11-18T12:00:00Z&and=2026-11-20T12:00:00Z', 'differences'],
        [`/t/Orders/e/${changes[0].event_id}.json`, 'change', 'earlier', 'later'],
        ['/t/Orders/as-of/2026-11-19T12:00:00Z.json', 'items', 'counts'],
        ['/q/deletions.json?table=Orders&from=2026-11-19T00:00:00Z', 'rows', 'receipt'],
      ]
      for (const [path, ...fields] of screens) {
        const [here, there] = [await stack.json(path), await desk.json(path)]
        const of = (answer: Record<string, unknown>) => [path, ...fields.map(field => answer[field])]
        expect(of(here)).toEqual(of(there))
        expect([path, here.verdict.confidence]).toEqual([path, there.verdict.confidence])
      }
      const { tables } = await stack.json('/index.json')
      expect(tables).toEqual([expect.objectContaining({ table: 'Orders', confidence: 'UNBROKEN', changes: 2218 })])
    }, 240_000)

    it('says what it read, what it may read before it reads much, and asks nothing until it is told to', async () => {
      expect(await stack.text('/t/Orders/i/ORD12345')).toMatch(/\d+ queries/)
      server.workgroup.cutoffBytes = 10_000_000
      const limited = await browseStack()
      const before = athena.executions.length
      const path = '/t/Orders/changes?event=REMOVE'
      const html = await limited.text(path)
      expect(html).toMatch(/This reads up to [\d.]+ MB of Orders in each of its statements: shall it be asked\?/)
      expect(html).toContain('about USD 0.0001')
      const { status } = await limited.get('/t/Orders/changes.json?event=REMOVE')
      expect([status, athena.executions.length]).toEqual([400, before])
      const told = /<a href="([^"]+)">ask it</.exec(html)?.[1]?.replaceAll('&amp;', '&') as string
      expect(await limited.text(told)).toContain('What was removed in Orders?')
      // a day of it is little
      expect(await limited.text('/t/Orders/changes?from=2026-11-19&to=2026-11-20')).toContain('What changed in Orders')
      expect(athena.executions.length).toBeGreaterThan(before)
      server.workgroup.cutoffBytes = undefined
    }, 120_000)
  },
)
