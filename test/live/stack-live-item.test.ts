/** Whether a table holds something newer of an item than has arrived in the archive of a stack: DynamoDB Local. */
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

describe.skipIf(missingForDynamoDbLocal() !== undefined)('a question about an item of a stack', () => {
  const local = useDynamoDbLocal()
  let stack: StackStandIn
  let uploaded: StackStandIn['s3']['versions']

  beforeAll(async () => {
    stack = await startStackStandIn()
    await makeTable(local.client, 'Orders', { order_id: 'S' })
    const there = ['same', 'odd', 'changed', 'came', 'back'].map(id => orderOf(id))
    const held = there.map(item =>
      item.order_id?.S === 'odd' ? { ...item, ...ODD, raw: { B: Buffer.of(0, 1, 2) } } : item,
    )
    await putItems(local.client, 'Orders', held as SdkItem[])
    const root = await archiveOf([
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

  it.each([
    ['same', 'same', 'the table holds the same, read '],
    ['odd', 'same', 'the table holds the same, read '],
    ['deleted', 'same', 'the table holds the same, read '],
    ['changed', 'newer', 'the table holds something else than the newest change here left, read '],
    ['back', 'newer', 'the table holds something else than the newest change here left, read '],
    ['gone', 'newer', 'the table has no such item any more, read '],
  ])('of %s says on standard error and in JSON that it is %s', async (id, state, text) => {
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
    const erasable = [{ subject: ['buyer', 'id'], values: [{ path: ['status'] }] }]
    const table = tableConfiguration({ erasable })
    stack.s3.add({ key: configurationKey(table), bucket: BUCKET, body: Buffer.from(rowConfiguration(table)) })
    const { err } = await ask('history', 'Orders', 'changed')
    expect(err).toContain('its rows are sealed, so what the table holds cannot be compared')
  })
})
