/** The archive of a stack against its table: one item, as a question looks at it, and all of them. DynamoDB Local. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { configurationKey } from '../../transform/layout.js'
import { rowConfiguration } from '../../transform/table-configuration.js'
import { archiveOf, run } from '../cli/command-line.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { streamsRecord, tableConfiguration } from '../factories.js'
import { BUCKET, STACK, type StackStandIn, startStackStandIn } from '../stack-stand-in.js'
import { makeTable, putItems, type SdkItem, useDynamoDbLocal } from './local-table.js'

const orderOf = (id: string, more: SdkItem = {}): SdkItem => ({ order_id: { S: id }, ...more })
const changeOf = (id: string, image: SdkItem | undefined) =>
  streamsRecord({
    eventID: `${id}-${image === undefined}`,
    eventName: image === undefined ? 'REMOVE' : 'INSERT',
    Keys: { order_id: { S: id } },
    ...(image === undefined ? { OldImage: orderOf(id) } : { NewImage: image }),
  } as never)
/** As the stream told it, in another order and with another form of number than the table gives back. */
const ODD = { 'ж\u{1F600}': { S: 'a\u0000b' }, total: { N: '12.50' }, tags: { SS: ['b', 'a'] }, raw: { B: 'AAEC' } }

describe.skipIf(missingForDynamoDbLocal() !== undefined)('the archive of a stack', () => {
  const local = useDynamoDbLocal()
  let stack: StackStandIn
  let uploaded: StackStandIn['s3']['versions']
  let root: string

  beforeAll(async () => {
    stack = await startStackStandIn()
    await makeTable(local.client, 'Orders', { order_id: 'S' })
    const there = ['same', 'odd', 'changed', 'came', 'back'].map(id => orderOf(id))
    const held = there.map(item =>
      item.order_id?.S === 'odd' ? { ...item, ...ODD, raw: { B: Buffer.of(0, 1, 2) } } : item,
    )
    await putItems(local.client, 'Orders', held as SdkItem[])
    root = await archiveOf([
      changeOf('same', orderOf('same')),
      changeOf('odd', orderOf('odd', ODD as never)),
      changeOf('changed', orderOf('changed', { status: { S: 'OLD' } })),
      changeOf('gone', orderOf('gone')),
      changeOf('back', undefined),
      changeOf('deleted', undefined),
    ])
    await stack.upload(root)
    uploaded = [...stack.s3.versions]
  })
  afterAll(() => stack.stop())
  beforeEach(() => {
    stack.stub()
    stack.s3.versions.splice(0, stack.s3.versions.length, ...uploaded)
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', local.endpoint)
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'local')
  })
  afterEach(() => vi.unstubAllEnvs())

  const ask = (...argv: readonly string[]) => run([...argv, '--stack', STACK])
  /** The archive knows then that values of the table are sealed. */
  const keepErasable = () => {
    const table = tableConfiguration({ erasable: [{ subject: ['buyer', 'id'], values: [{ path: ['status'] }] }] })
    stack.s3.add({ key: configurationKey(table), bucket: BUCKET, body: Buffer.from(rowConfiguration(table)) })
  }

  it.each([
    ['same', 'same', 'the table holds the same, read '],
    ['odd', 'same', 'the table holds the same, read '],
    ['deleted', 'same', 'the table holds the same, read '],
    ['changed', 'newer', 'the table holds something else than the newest change here left, read '],
    ['back', 'newer', 'the table holds something else than the newest change here left, read '],
    ['gone', 'newer', 'the table has no such item any more, read '],
  ])('of the item %s says on standard error and in JSON that the table holds %s', async (id, state, text) => {
    const { out, err, exit } = await ask('history', 'Orders', id, '--format', 'json')
    expect([exit, err]).toEqual([id === 'back' || id === 'deleted' ? 1 : 0, expect.stringContaining(text)])
    const live = { state, read: expect.stringMatching(/^\d{4}-.*Z$/), text: expect.stringContaining(text) }
    expect(JSON.parse(out).live).toEqual(live)
  })

  it('tells the same of what an item is now', async () => {
    const { out, err } = await ask('as-of', 'Orders', 'changed', 'now', '--format', 'json')
    expect([JSON.parse(out).live.state, err]).toEqual(['newer', expect.stringContaining('something else')])
  })

  it('tells of one that never arrived whether the table holds it', async () => {
    const came = await ask('history', 'Orders', 'came')
    expect([came.exit, came.err]).toEqual([
      1,
      expect.stringMatching(/holds this item, .* of which nothing has arrived/),
    ])
    const nowhere = await ask('history', 'Orders', 'nowhere')
    expect([nowhere.exit, nowhere.err]).toEqual([1, expect.stringContaining('the table has no such item either')])
  })

  it('does not look where it is told not to, or asks of another moment', async () => {
    for (const question of [
      ['history', 'Orders', 'changed', '--no-live'],
      ['as-of', 'Orders', 'changed', '2026-11-30'],
    ]) {
      const { out, err } = await ask(...question, '--format', 'json')
      expect([JSON.parse(out).live, err]).toEqual([null, expect.not.stringContaining('the table')])
    }
  })

  it('says in one line that nobody looked, and answers all the same', async () => {
    await local.client.send(new DeleteItemCommand({ TableName: 'Orders', Key: { order_id: { S: 'x' } } }))
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'another')
    const { exit, out, err } = await ask('history', 'Orders', 'same')
    expect([exit, out]).toEqual([0, expect.stringContaining('Orders same')])
    expect(err).toMatch(/^the table itself was not looked at: ResourceNotFoundException: .*$/m)
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', 'http://127.0.0.1:9')
    const { out: json } = await ask('history', 'Orders', 'same', '--format', 'json')
    expect(JSON.parse(json).live).toEqual({
      state: 'unknown',
      read: null,
      text: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('compares nothing that the archive has sealed, by what it keeps of its configurations', async () => {
    keepErasable()
    const { err } = await ask('history', 'Orders', 'changed')
    expect(err).toContain('its rows are sealed, so what the table holds cannot be compared')
  })

  describe('compared with all of its table', () => {
    const reconcile = (...flags: readonly string[]) => ask('reconcile', 'Orders', '--scan', ...flags)
    const facts = () => stack.s3.versions.filter(({ key }) => key.endsWith('-reconciliation.json'))

    it('tells what a desk tells, keeps the fact in the bucket, and says what Athena read', async () => {
      const { exit, out, err } = await reconcile('--format', 'json')
      const onDesk = await run(['reconcile', 'Orders', '--scan', '--archive', root, '--no-fact', '--format', 'json'])
      const [there, here] = [out, onDesk.out].map(text => JSON.parse(text))
      const findings = (told: { findings: { finding: string; item_key: object }[] }) =>
        told.findings.map(({ finding, item_key: key }) => [finding, key])
      expect([exit, onDesk.exit]).toEqual([1, 1])
      expect(findings(there)).toEqual(findings(here))
      expect(
        findings(there)
          .map(([finding]) => finding)
          .sort(),
      ).toEqual(['different', 'missing-in-archive', 'missing-in-archive', 'missing-in-table'])
      expect(err).toMatch(/^athena: \d+ queries, .* scanned/m)
      expect([there.fact, there.items, here.fact]).toEqual([facts()[0]?.key, here.items, null])
      const { exit: found, out: status } = await run(['status', '--stack', STACK])
      expect([found, status]).toEqual([1, expect.stringMatching(/compared {5}compared .*: 4 items differed/)])
    })

    it('waits for what has not arrived, and leaves nothing behind where it is told to', async () => {
      const { exit, err } = await reconcile('--no-fact', '--wait', '1')
      expect([exit, facts()]).toEqual([1, []])
      expect(err).not.toContain('no fact')
    })

    it('says that no fact is kept where the caller may not, which costs the comparison nothing', async () => {
      stack.s3.fault = operation => (operation === 'PutObject' ? { status: 403, code: 'AccessDenied' } : undefined)
      const { exit, out, err } = await reconcile('--format', 'json')
      stack.s3.fault = () => undefined
      expect([exit, JSON.parse(out).fact]).toEqual([1, null])
      expect(err).toContain('no fact of the comparison is kept: AccessDenied')
    })

    it('refuses what it cannot compare rightly, in words', async () => {
      keepErasable()
      const sealed = await reconcile()
      expect([sealed.exit, sealed.err]).toEqual([
        2,
        expect.stringContaining('has erasable values, and is not configured'),
      ])
      const both = await reconcile('--archive', root)
      expect([both.exit, both.err]).toEqual([2, expect.stringContaining('--archive names a folder')])
    })
  })
})
