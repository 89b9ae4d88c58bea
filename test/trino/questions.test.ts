/**
 * The command line and the library on Athena's engine: the protocol server before a real Trino, beside the same folder
 * on DuckDB.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import { makeReceipt, openArchive, rerun } from '../../index.js'
import type { OpenArchive } from '../../library/archive.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { fileOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from '../cli/command-line.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()

describe.skipIf(missing !== undefined)(
  `questions on Athena's engine${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer
    let root: string
    let onDesk: OpenArchive
    let onAws: OpenArchive

    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
      root = join(makeFolder(), 'archive')
      await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
      const orders = readConfiguration(ORDERS_CONFIG).tables.get('Orders') as TableConfiguration
      await createAuditTable(trino.client, root, orders, orders.since as string)
      onDesk = await openArchive(root, { tables: [orders] })
      const engine = openAthena(server)
      onAws = await openArchive({ engine, tables: [orders] })
      vi.stubEnv('AWS_ENDPOINT_URL_ATHENA', server.endpoint)
      vi.stubEnv('AWS_REGION', 'us-east-1')
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'loopback')
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'loopback')
    })

    afterAll(async () => {
      vi.unstubAllEnvs()
      await onDesk.close()
      await onAws.close()
      await server.stop()
      await trino.stop()
    })

    const desk = (...argv: string[]) => run([...argv, '--config', ORDERS_CONFIG, '--archive', root])
    const aws = (...argv: string[]) =>
      run([...argv, '--config', ORDERS_CONFIG, '--workgroup', 'itemtrail', '--database', 'audit'])

    it.each([
      ['history', 'Orders', 'ORD12345', '--format', 'json'],
      ['history', 'Orders', 'ORD12345'],
      ['as-of', 'Orders', 'ORD12345', '2026-11-19T12:00:00Z', '--format', 'json'],
      ['as-of', 'Orders', 'ORD12345', '2026-11-19T12:00:00Z', '--format', 'dynamodb'],
      ['as-of', 'Orders', '2026-11-01T00:00:00Z', '--format', 'ndjson'],
      ['diff', 'Orders', 'ORD12345', '--from', '2026-11-18T12:00:00Z', '--to', '2026-11-20T12:00:00Z'],
      ['query', 'deletions', 'Orders', '--param', 'from=2026-11-01T00:00:00Z', '--format', 'csv'],
      [
        'query',
        'items-as-of',
        'orders',
        '--param',
        'column=status',
        '--param',
        'value=SHIPPED',
        '--param',
        'at=2026-11-19T00:00:00Z',
      ],
      ['query', 'blame', 'Orders', '--param', 'item_key=ORD12345', '--format', 'html'],
      [
        'sql',
        'select event_id, changed, old_total, event_time_us from orders order by event_id limit 50',
        '--format',
        'json',
      ],
    ])('%s %s is answered as on a desk', async (...argv) => {
      const [expected, found] = [await desk(...argv), await aws(...argv)]
      const withoutTime = (page: string) => page.replace(/<dd>20\S+ by itemtrail/, '<dd>now by itemtrail')
      expect(onAnyPlace(withoutTime(found.out))).toBe(onAnyPlace(withoutTime(expected.out)))
      expect(found.exit).toBe(expected.exit)
      expect(found.err).toMatch(/^athena: \d+ queries, \S+ (bytes|kB|MB) scanned, [\d.]+ s, about USD 0\.\d{4}$/m)
    })

    it.each([
      ['history', 'Orders', 'ORD12345'],
      ['as-of', 'Orders', '2026-11-01T00:00:00Z'],
      ['query', 'status-transitions', 'Orders'],
    ])('a receipt of %s made on either engine is the same on the other', async (...argv) => {
      const [deskReceipt, awsReceipt] = [join(makeFolder(), 'desk.json'), join(makeFolder(), 'aws.json')]
      await desk(...argv, '--receipt', deskReceipt)
      await aws(...argv, '--receipt', awsReceipt)
      const [first, second] = [deskReceipt, awsReceipt].map(path => JSON.parse(readFileSync(path, 'utf8')) as Receipt)
      expect(second?.result).toEqual(first?.result)
      expect(second?.statement).toEqual(first?.statement)
      expect(second?.items).toEqual(first?.items)
      const onOther = await run([
        'rerun',
        deskReceipt,
        '--config',
        ORDERS_CONFIG,
        '--workgroup',
        'itemtrail',
        '--database',
        'audit',
      ])
      expect([onOther.exit, onOther.out]).toEqual([
        0,
        expect.stringContaining('the same answer, to the byte\n- the engine was duckdb'),
      ])
      expect(
        (await run(['rerun', awsReceipt, '--config', ORDERS_CONFIG, '--engine', 'duckdb', '--archive', root])).exit,
      ).toBe(0)
      // the receipt's engine, at the place that the configuration and the environment say
      vi.stubEnv('ITEMTRAIL_DATABASE', 'audit')
      vi.stubEnv('ITEMTRAIL_WORKGROUP', 'itemtrail')
      expect((await run(['rerun', awsReceipt, '--config', ORDERS_CONFIG])).exit).toBe(0)
      vi.stubEnv('ITEMTRAIL_DATABASE', '')
      vi.stubEnv('ITEMTRAIL_WORKGROUP', '')
    })

    it('a receipt says which rows are new where the archive has more by now', async () => {
      const receipt = fileOf('receipt.json', '')
      const asked = ['query', 'deletions', 'Orders', '--param', 'to=2026-11-10T00:00:00Z']
      await desk(...asked, '--receipt', receipt, '--force')
      const less = JSON.parse(readFileSync(receipt, 'utf8')) as Receipt
      const answer = await onAws.run('deletions', 'Orders', { to: '2026-11-20T00:00:00Z' })
      expect(answer.length).toBeGreaterThan(less.result.rows)
      const same = await makeReceipt(await onAws.run('deletions', 'Orders', { to: '2026-11-10T00:00:00Z' }), onAws)
      expect(same.result).toEqual(less.result)
      expect((await rerun(same, onAws)).outcome).toBe('same')
    })

    it('the library answers as on a folder', async () => {
      const both = async <T>(ask: (archive: OpenArchive) => Promise<T>) => {
        const [found, expected] = [await ask(onAws), await ask(onDesk)]
        expect(found).toEqual(expected)
        return found
      }
      const { changes } = await both(archive => archive.history('Orders', 'ORD12345'))
      expect(changes).toHaveLength(11)
      await both(archive => archive.asOf('orders', { order_id: 'ORD12345' }, '2026-11-19T12:00:00Z'))
      await both(archive =>
        archive.diff('Orders', 'ORD12345', { from: '2026-11-18T12:00:00Z', to: '2026-11-20T12:00:00Z' }),
      )
      await both(async archive => [...(await archive.run('hot-items', 'Orders', { limit: 3 }))])
      await both(async archive => [
        ...(await archive.sql('select item_key from orders where actor = ? order by 1', ['svc-payments'])),
      ])
      const gathered = await both(async archive => {
        const rows = []
        for await (const row of archive.stream('select event_id, new_image from orders order by event_id'))
          rows.push(row)
        return rows
      })
      expect(gathered.length).toBeGreaterThan(2000)
      const items = await both(async archive => {
        const rows = []
        for await (const item of archive.tableAsOf('Orders', '2026-11-01T00:00:00Z')) rows.push(item)
        return rows
      })
      expect(items.length).toBeGreaterThan(100)
    })

    describe.each([
      ['an injection', "' OR 1=1 --"],
      ['line feeds', 'a\r\nb\n'],
      ['a NUL', 'a\0b'],
      ['100 KB', "it's ".repeat(20_480)],
      ['marks and names', '? :at {changes} %s $1 \\ "x"'],
    ])('%s', (_, value) => {
      it.each([
        ['as a key', ['history', 'Orders', value], 1],
        ['as the actor of a saved query', ['query', 'changes-by-actor', 'Orders', '--param', `actor=${value}`], 0],
        [
          'as a value of a column',
          [
            'query',
            'items-as-of',
            'Orders',
            '--param',
            'column=status',
            '--param',
            `value=${value}`,
            '--param',
            'at=now',
          ],
          0,
        ],
        ['as an attribute', ['query', 'changes-by-attribute', 'Orders', '--param', `attribute=${value}`], 2],
      ] as const)('is a value %s, on every engine', async (_where, argv, exit) => {
        for (const ending of [await desk(...argv, '--format', 'json'), await aws(...argv, '--format', 'json')]) {
          expect(ending.exit).toBe(exit)
          if (exit === 0) expect(JSON.parse(ending.out)).toMatchObject({ rows: [], verdict: { doubtful: false } })
          else expect(ending.out).toBe('')
          if (exit === 2) expect(ending.err).toContain(', which no item ever had, expected ')
          if (exit === 1) expect(ending.err).toContain('was never seen: the archive has no change of it')
        }
      })
    })

    it('refuses such a value where a name is wanted', async () => {
      for (const ask of [desk, aws]) {
        const { exit, out } = await ask(
          'query',
          'items-as-of',
          'Orders',
          '--param',
          "column=' OR 1=1 --",
          '--param',
          'value=x',
          '--param',
          'at=now',
        )
        expect([exit, out]).toEqual([2, ''])
        expect((await ask('history', "Orders' OR 1=1 --", 'x')).exit).toBe(2)
      }
    })
  },
)

/** A page without what only a desk looks at for a verdict: refused records, and rows against their hashes. */
function onAnyPlace(page: string): string {
  return page
    .replaceAll(/"(refused|altered_rows|unchecked_rows)":(?:\d+|null)/g, '"$1":"not compared"')
    .replaceAll(/(?:; |^)rows were not held against their hashes(\n)?/gm, '')
}
