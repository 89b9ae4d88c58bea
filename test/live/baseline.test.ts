import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteItemCommand,
  PutItemCommand,
  type ScalarAttributeType,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { describe, expect, it } from 'vitest'
import type { LambdaRecord } from '../../capture/lambda-record.js'
import { describeTable, TableScan } from '../../capture/table-scan.js'
import { readStream } from '../../examples/orders/stream-reader.js'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import { type BaselineFact, StatesDigest } from '../../transform/fact.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { run } from '../cli/command-line.js'
import { askSql, ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { makeTable, putItems, type SdkItem, useDynamoDbLocal } from './local-table.js'

const missing = missingForDynamoDbLocal()

const EVERY_TYPE: SdkItem = {
  text: { S: 'ünïcode \u0000 \u2028 "quoted"' },
  empty: { S: '' },
  number: { N: '12345678901234567890123456789012345678' },
  small: { N: '-1E-130' },
  bytes: { B: Uint8Array.from([0, 255, 1]) },
  yes: { BOOL: true },
  nothing: { NULL: true },
  list: { L: [{ S: 'a' }, { L: [] }, { M: {} }, { B: Uint8Array.from([7]) }] },
  // DynamoDB writes numbers without zeros that say nothing, Local only those at the top
  map: { M: { deep: { M: { n: { N: '0.1' } } } } },
  zeros: { N: '0.10' },
  texts: { SS: ['b', 'a', 'é'] },
  numbers: { NS: ['10', '9', '-0.5'] },
  blobs: { BS: [Uint8Array.from([2]), Uint8Array.from([1])] },
  'a.b "c" 📦': { S: 'name' },
}

/** Records with times as DynamoDB has them, in whole seconds; Local cuts them to the minute. */
const timedBy = (records: readonly LambdaRecord[], secondOf: (i: number) => number) =>
  records.map((record, i) => ({
    ...record,
    dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: Math.floor(secondOf(i)) },
  }))

const streamed = (table: string): TableConfiguration => ({
  table,
  capture: 'streams',
  keys: [{ column: 'id', attribute: 'id' }],
  columns: [],
})

describe.skipIf(missing !== undefined)(
  `baseline and reconcile on DynamoDB Local${missing ? ` (${missing})` : ''}`,
  () => {
    const local = useDynamoDbLocal()

    /** Runs a command about a live table and an archive. */
    const live = (command: string, table: string, root: string, ...more: string[]) =>
      run([command, table, '--scan', '--endpoint', local.endpoint, '--archive', root, '--format', 'json', ...more])

    const factsOf = (root: string, table: string) => readFacts(new DiskArchive(root), table)

    const itemsOf = (root: string, table: string) =>
      askSql(root, `select item_key, new_image, new_hash from ${table.toLowerCase()} order by item_key`)

    /** All that a stream holds, in its order. */
    const recordsOf = async (arn: string) => {
      const client = new DynamoDBStreamsClient({ endpoint: local.endpoint, region: 'us-east-1' })
      const records: LambdaRecord[] = []
      for await (const record of readStream(client, arn)) records.push(record)
      const order = (a: LambdaRecord, b: LambdaRecord) =>
        BigInt(a.dynamodb.SequenceNumber) < BigInt(b.dynamodb.SequenceNumber) ? -1 : 1
      return records.sort(order)
    }

    it('keeps every type exact, and the table as its own judge finds it equal', async () => {
      await makeTable(local.client, 'Types')
      await putItems(local.client, 'Types', [{ id: { S: 'every' }, ...EVERY_TYPE }])
      // the SDK's serializer writes it, its deserializer loses it
      const proto = JSON.parse(
        '{"id":{"S":"proto"},"__proto__":{"M":{"__proto__":{"B":"AQI="},"n":{"N":"1"}}}}',
      ) as SdkItem
      await sendRaw(local.endpoint, { TableName: 'Types', Item: proto })
      const root = join(temporaryFolder(), 'archive')
      const { exit, out } = await live('baseline', 'Types', root)
      expect([exit, JSON.parse(out)]).toMatchObject([0, { complete: true, method: 'scan', items: 2 }])
      const rows = await itemsOf(root, 'Types')
      expect(rows.map(({ new_image }) => new_image)).toEqual([
        '{"a.b \\"c\\" 📦":{"S":"name"},"blobs":{"BS":["AQ==","Ag=="]},"bytes":{"B":"AP8B"},"empty":{"S":""},"id":{"S":"every"},' +
          '"list":{"L":[{"S":"a"},{"L":[]},{"M":{}},{"B":"Bw=="}]},"map":{"M":{"deep":{"M":{"n":{"N":"0.1"}}}}},"nothing":{"NULL":true},' +
          `"number":{"N":"12345678901234567890123456789012345678"},"numbers":{"NS":["-0.5","10","9"]},"small":{"N":"-0.${'0'.repeat(129)}1"},` +
          '"text":{"S":"ünïcode \\u0000 \u2028 \\"quoted\\""},"texts":{"SS":["a","b","é"]},"yes":{"BOOL":true},"zeros":{"N":"0.1"}}',
        '{"__proto__":{"M":{"__proto__":{"B":"AQI="},"n":{"N":"1"}}},"id":{"S":"proto"}}',
      ])
      const [fact] = (await factsOf(root, 'Types')) as [BaselineFact]
      const digest = new StatesDigest()
      for (const { item_key, new_hash } of rows) digest.add(String(item_key), String(new_hash))
      expect(fact).toMatchObject({ kind: 'baseline', method: 'scan', items: 2, digest: digest.hex() })
      expect(fact.source).toBe(`arn:aws:dynamodb:ddblocal:000000000000:table/Types/scan/${fact.from}`)
      expect(fact.to >= fact.from && fact.rowTime < fact.from).toBe(true)
      const compared = await live('reconcile', 'Types', root)
      expect([compared.exit, JSON.parse(compared.out)]).toMatchObject([0, { equal: true, items: 2 }])
    })

    it('is taken while items are written, within the minute that Local knows, and nothing is missing', async () => {
      await makeTable(local.client, 'Minute')
      const put = (id: number, v: number) =>
        local.client.send(new PutItemCommand({ TableName: 'Minute', Item: { id: { S: `${id}` }, v: { N: `${v}` } } }))
      for (let id = 0; id < 20; id++) await put(id, 0)
      const root = join(temporaryFolder(), 'archive')
      const taken = live('baseline', 'Minute', root)
      for (let v = 1; v < 100; v++) await put(v % 20, v)
      expect((await taken).exit).toBe(0)
      const tail = ['tail', 'Minute', '--until-caught-up', '--endpoint', local.endpoint, '--archive', root]
      expect((await run(tail)).exit).toBe(0)
      expect((await live('reconcile', 'Minute', root)).exit).toBe(0)
      expect((await run(['verify', 'continuity', 'Minute', '--archive', root])).exit).toBe(0)
    })

    it('reads items of 400 KB over many pages, in several segments, each once', async () => {
      await makeTable(local.client, 'Large')
      const size = 400 * 1024 - 'id'.length - 'large00'.length - 'x'.length
      const items = Array.from({ length: 12 }, (_, i) => ({
        id: { S: `large${String(i).padStart(2, '0')}` },
        x: { S: (i % 2 === 0 ? 'x' : '"').repeat(size) },
      }))
      for (const Item of items) await local.client.send(new PutItemCommand({ TableName: 'Large', Item }))
      for (const segments of ['1', '3']) {
        const root = join(temporaryFolder(), 'archive')
        const { exit } = await live('baseline', 'Large', root, '--segments', segments)
        expect(exit).toBe(0)
        const rows = await askSql(root, 'select item_key, length(new_image) as size from large order by item_key')
        expect(rows.map(({ item_key }) => item_key)).toEqual(items.map(({ id }) => `{"id":{"S":"${id.S}"}}`))
        expect((await live('reconcile', 'Large', root, '--segments', segments)).exit).toBe(0)
      }
    })

    it.each([
      [
        'a number and binary',
        { pk: 'N', sk: 'B' },
        { pk: { N: '1' }, sk: { B: Uint8Array.from([0, 1]) } },
        '{"pk":{"N":"1"},"sk":{"B":"AAE="}}',
      ],
      [
        'two texts',
        { tenant: 'S', order: 'S' },
        { tenant: { S: 'a' }, order: { S: '1' } },
        '{"order":{"S":"1"},"tenant":{"S":"a"}}',
      ],
    ] as const)('takes composite keys of %s from the table itself', async (name, keys, item, key) => {
      const table = `Composite-${name.replaceAll(' ', '.')}`
      await makeTable(local.client, table, keys as Readonly<Record<string, ScalarAttributeType>>)
      await putItems(local.client, table, [item as unknown as SdkItem])
      const root = join(temporaryFolder(), 'archive')
      expect((await live('baseline', table, root)).exit).toBe(0)
      const rows = await askSql(root, `select item_key from "${table.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}"`)
      expect(rows).toEqual([{ item_key: key }])
      await local.client.send(new DeleteItemCommand({ TableName: table, Key: item as unknown as SdkItem }))
      const { exit, out } = await live('reconcile', table, root)
      expect([exit, JSON.parse(out)]).toMatchObject([1, { missing_in_table: 1 }])
    })

    it('of an empty table is complete, and the table equal to it until it has an item', async () => {
      await makeTable(local.client, 'Empty')
      const root = join(temporaryFolder(), 'archive')
      const { exit, out } = await live('baseline', 'Empty', root)
      expect([exit, JSON.parse(out)]).toMatchObject([0, { complete: true, items: 0, digest: '0'.repeat(64) }])
      expect((await live('reconcile', 'Empty', root)).exit).toBe(0)
      await putItems(local.client, 'Empty', [{ id: { S: 'one' } }])
      const compared = await live('reconcile', 'Empty', root)
      expect([compared.exit, JSON.parse(compared.out)]).toMatchObject([1, { missing_in_archive: 1 }])
      expect(await factsOf(root, 'Empty')).toMatchObject([
        { kind: 'baseline' },
        { kind: 'reconciliation', differing: [] },
        { kind: 'reconciliation', differing: [{ key: '{"id":{"S":"one"}}', since: null }] },
      ])
    })

    it('finds a lost tail and a lost deletion, and the very items', async () => {
      const arn = await makeTable(local.client, 'Lost')
      const set = (id: string, value: string) =>
        local.client.send(new PutItemCommand({ TableName: 'Lost', Item: { id: { S: id }, v: { S: value } } }))
      for (const id of ['a', 'b', 'c', 'd']) await set(id, '1')
      await set('b', '2')
      await local.client.send(new DeleteItemCommand({ TableName: 'Lost', Key: { id: { S: 'c' } } }))
      const connection = { endpoint: local.endpoint, region: 'us-east-1' }
      const records = []
      for await (const record of readStream(new DynamoDBStreamsClient(connection), arn)) records.push(record)
      expect(records).toHaveLength(6)
      // Local cuts times to the minute, which may be ahead of nothing: the desk's clock here is the real one
      const root = join(temporaryFolder(), 'archive')
      const keys = [{ column: 'id', attribute: 'id' }]
      const ingested = await ingestRecords(root, records.slice(0, 4), {
        configuration: { table: 'Lost', capture: 'streams', keys, columns: [] },
        now: Date.now,
      })
      expect(ingested).toMatchObject([{ rows: 4, refused: 0 }])
      const { exit, out } = await live('reconcile', 'Lost', root)
      const answer = JSON.parse(out) as { findings: { item_key: { id: { S: string } }; finding: string }[] }
      expect(exit).toBe(1)
      expect(answer.findings.map(({ item_key, finding }) => [item_key.id.S, finding])).toEqual([
        ['b', 'different'],
        ['c', 'missing-in-table'],
      ])
    })

    it('is complete while the table is written to, and with what changed since the table is equal', async () => {
      const arn = await makeTable(local.client, 'Busy')
      const filler = 'x'.repeat(20_000)
      const item = (i: number) => ({ id: { S: `item${i}` }, v: { N: '0' }, filler: { S: filler } })
      await putItems(
        local.client,
        'Busy',
        Array.from({ length: 300 }, (_, i) => item(i)),
      )
      const inserted = Date.now()
      /** When each write returned. */
      const times: number[] = []
      let on = true
      const writer = (async () => {
        while (on) {
          const Key = { id: { S: `item${times.length % 300}` } }
          const set = { UpdateExpression: 'SET v = v + :one', ExpressionAttributeValues: { ':one': { N: '1' } } }
          await local.client.send(new UpdateItemCommand({ TableName: 'Busy', Key, ...set }))
          times.push(Date.now())
        }
      })()
      const root = join(temporaryFolder(), 'archive')
      const ending = await live('baseline', 'Busy', root, '--segments', '4')
      // nothing of the stream has arrived yet: whatever differs was changed since, and some may have moved under the
      // eyes
      const early = await live('reconcile', 'Busy', root, '--no-fact')
      on = false
      await writer
      expect([ending.exit, JSON.parse(ending.out)]).toMatchObject([0, { complete: true, items: 300 }])
      const moved = JSON.parse(early.out) as { readonly different: number; readonly changed_meanwhile: number }
      expect(moved).toMatchObject({ items: 300, missing_in_archive: 0, missing_in_table: 0, fact: null })
      expect(moved.different + moved.changed_meanwhile).toBeGreaterThan(0)
      expect(early.exit).toBe(moved.different > 0 ? 1 : 3)
      const records = await recordsOf(arn)
      expect(records).toHaveLength(300 + times.length)
      const timed = timedBy(records, i => (times[i - 300] ?? inserted) / 1000)
      await ingestRecords(root, timed, { configuration: streamed('Busy'), now: Date.now })
      const late = await live('reconcile', 'Busy', root)
      expect([late.exit, JSON.parse(late.out)]).toMatchObject([0, { equal: true, items: 300 }])
    })

    it('waits for a change that arrives late, and as long as it is told to for one that does not', async () => {
      const arn = await makeTable(local.client, 'Late')
      await putItems(local.client, 'Late', [{ id: { S: 'a' }, v: { N: '1' } }])
      const root = join(temporaryFolder(), 'archive')
      const record = async (from: number) =>
        timedBy((await recordsOf(arn)).slice(from), () => Date.now() / 1000 - (from === 0 ? 3600 : 0))
      await ingestRecords(root, await record(0), { configuration: streamed('Late'), now: Date.now })
      await putItems(local.client, 'Late', [{ id: { S: 'a' }, v: { N: '2' } }, { id: { S: 'b' } }])
      const impatient = await live('reconcile', 'Late', root, '--wait', '0.1', '--no-fact')
      expect([impatient.exit, JSON.parse(impatient.out)]).toMatchObject([1, { different: 1, missing_in_archive: 1 }])
      const [waiting] = await Promise.all([
        live('reconcile', 'Late', root, '--wait', '60'),
        sleep(1500).then(async () =>
          ingestRecords(root, await record(1), { configuration: streamed('Late'), now: Date.now }),
        ),
      ])
      expect([waiting.exit, JSON.parse(waiting.out)]).toMatchObject([0, { equal: true, items: 2, findings: [] }])
      expect(await factsOf(root, 'Late')).toMatchObject([{ kind: 'reconciliation', items: 2, differing: [] }])
    })

    it('says what it cannot read: no such table, nobody there', async () => {
      const root = join(temporaryFolder(), 'archive')
      const none = await live('baseline', 'Nowhere', root)
      expect(none).toMatchObject({ exit: 3, out: '' })
      expect(none.err).toContain('table "Nowhere" cannot be described: ResourceNotFoundException')
    })

    it('gives the scan a beginning no later than the clock of the server, and an end no earlier', async () => {
      await makeTable(local.client, 'Clock')
      const ahead = await describeTable(local.client, 'Clock', () => Date.now() + 3_600_000)
      const behind = await describeTable(local.client, 'Clock', () => 1_000_000)
      expect(ahead.askedUs).toBeLessThanOrEqual(Date.now() * 1000)
      expect(behind.askedUs).toBe(1_000_000_000)
      const scan = new TableScan(local.client, { name: 'Clock' }, 1, () => 1_000_000)
      const before = Date.now()
      for await (const _ of scan.items());
      expect(scan.untilUs).toBeGreaterThanOrEqual(before * 1000)
    })
  },
)

/** A request as JSON, for what the SDK's types and serializer have no words for. DynamoDB Local checks no signature. */
async function sendRaw(endpoint: string, body: object): Promise<void> {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.PutItem',
    authorization:
      'AWS4-HMAC-SHA256 Credential=local/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    'x-amz-date': '20261122T000000Z',
  }
  const answer = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) })
  expect([answer.status, await answer.text()]).toEqual([200, '{}'])
}
