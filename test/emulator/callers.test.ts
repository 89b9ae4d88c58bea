/** Who called for a write, by the trail that the stack keeps: its selectors, its bucket, its Glue table, `who`. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { asAdministrator, aws, inRole, itemtrail } from './acting.js'
import type { Environment } from './emulator.js'
import { clientsOf, keysBelow, waitFor } from './stack.js'
import { openWorld, outputOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World
const ORDER = `CALLED${process.pid}`
const asks = typeof opened === 'string' ? opened : opened.noQuestions

describe.skipIf(asks !== undefined)(`callers${asks === undefined ? '' : ` (${asks})`}`, () => {
  let bucket: string
  let somebody: Environment
  let auditor: Environment
  let arn: string
  beforeAll(async () => {
    bucket = outputOf(world, 'CallersBucket')
    somebody = await asAdministrator(world)
    auditor = await inRole(world, 'AuditorRole')
    arn = (await aws(world, ['sts', 'get-caller-identity'], somebody)).Arn
    const { dynamodb } = clientsOf(somebody)
    const put = { TableName: 'Orders', Item: { order_id: { S: ORDER }, status: { S: 'PENDING' } } }
    await dynamodb.send(new PutItemCommand(put))
    const again = { ...put, ConditionExpression: 'attribute_not_exists(order_id)' }
    await dynamodb.send(new PutItemCommand(again)).catch(() => undefined)
    await waitFor(
      async () => (await history()).code,
      code => code === 0,
    )
  })
  const files = () => keysBelow(bucket, 'AWSLogs/', world.environment)
  const as = (env: Environment, ...argv: string[]) => itemtrail(world, [...argv, '--stack', STACK], env)
  const history = () => as(auditor, 'history', 'Orders', ORDER)
  const who = (env: Environment, ...flags: string[]) => as(env, 'who', 'Orders', ORDER, ...flags)

  async function eventOf(key: string) {
    const { Body } = await clientsOf(world.environment).s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return JSON.parse(gunzipSync((await Body?.transformToByteArray()) ?? '').toString())
  }

  it('are kept of writes of the captured tables, where nobody else writes', async () => {
    const { Trail } = await aws(world, ['cloudtrail', 'get-trail', '--name', 'itemtrail-emu'])
    expect(Trail).toMatchObject({ S3BucketName: bucket, LogFileValidationEnabled: true })
    const { AdvancedEventSelectors: selectors } = await aws(world, [
      ...['cloudtrail', 'get-event-selectors', '--trail-name', 'itemtrail-emu'],
    ])
    for (const table of ['Boxes', 'Carts', 'Members', 'Orders'])
      expect(JSON.stringify(selectors)).toContain(`:table/${table}"`)
    const put = new PutObjectCommand({ Bucket: bucket, Key: 'AWSLogs/000000000000/x', Body: '{}' })
    await expect(clientsOf(somebody).s3.send(put)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  it('of a change are pending until the trail shows what came later, and certain then, failed calls beside', async () => {
    const soon = await who(auditor)
    expect(soon).toMatchObject({ code: 3, out: expect.stringContaining(`until now ${arn}`) })
    expect(soon.out).toMatch(/PutItem .*an attempt that failed \(ConditionalCheckFailedException\), by /)
    const [newest] = (await files()).toSorted().slice(-1) as [string]
    const event = { ...(await eventOf(newest)), eventID: 'later', requestID: 'later', userAgent: 'later' }
    const eventTime = `${new Date(Date.now() + 20 * 60_000).toISOString().slice(0, 19)}Z`
    const day = eventTime.slice(0, 10).replaceAll('-', '/')
    const Key = `${newest.replace(/\d{4}\/\d\d\/\d\d\/[^/]*$/, day)}/later.json.gz`
    const Body = gzipSync(JSON.stringify({ ...event, eventTime }))
    await clientsOf(world.environment).s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
    const { code, out, err } = await who(auditor)
    expect({ code, out, err }).toEqual({
      code: 0,
      out: expect.stringContaining(`certain: ${arn}`),
      err: expect.anything(),
    })
  })

  it('of a period are told by the saved query, to an auditor alone', async () => {
    const [from, to] = [-1, 1].map(hours => new Date(Date.now() + hours * 3_600_000).toISOString())
    const period = [
      '--from',
      `${from}`,
      '--to',
      `${to}`,
      '--param',
      `key="order_id":{"S":"${ORDER}"}`,
      '--format',
      'json',
    ]
    const { code, out, err } = await as(auditor, 'query', 'changes-with-caller', 'Orders', ...period)
    expect({ code, err }).toEqual({ code: 0, err: expect.anything() })
    expect(JSON.parse(out).rows).toContainEqual(
      expect.objectContaining({ event_name: 'INSERT', caller: arn, fit: 'key' }),
    )
    // Trino asks with the root's rights, so what a role may not read is tried by itself
    const [Key] = await files()
    const read = async (env: Environment) => clientsOf(env).s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
    await read(auditor)
    for (const role of ['QueryUserRole', 'OperatorRole', 'BaselineRole'])
      await expect(read(await inRole(world, role))).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})
