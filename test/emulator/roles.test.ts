/**
 * Who may do what, where IAM is enforced: each role does what the documents say that its holder does, by the very
 * commands; and of everything else that may be tried it is refused everything.
 */
import { AthenaClient, StartQueryExecutionCommand } from '@aws-sdk/client-athena'
import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import { KMSClient, SignCommand } from '@aws-sdk/client-kms'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { copyArchive, inRole, itemtrail, outcomes } from './acting.js'
import type { Environment } from './emulator.js'
import { clientsOf, connectionOf, keysBelow, waitFor } from './stack.js'
import { openWorld, outputOf, physicalOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World
const asks = typeof opened === 'string' ? opened : opened.noQuestions

const ROLES = [
  'QueryUserRole',
  'AuditorRole',
  'OperatorRole',
  'BaselineRole',
  'RestorerRole',
  'EraserRole',
  'RevealerRole',
] as const
type RoleName = (typeof ROLES)[number]

const COPIES = ['read data', 'read config', 'read facts', 'read log', 'read refused']
const READS = ['read data', 'read config', 'read facts', 'read log', 'list versions']
/** What each may, of all that is attempted. */
const MAY: Readonly<Record<RoleName, readonly string[]>> = {
  QueryUserRole: [...READS, 'ask', 'read answers'],
  AuditorRole: [...READS, 'ask as auditor', 'read answers of auditors', 'read a version'],
  OperatorRole: [...READS, 'ask', 'read answers', 'read refused', 'send again', 'read an item'],
  BaselineRole: [...READS, 'ask', 'read answers', 'read refused', 'write facts', 'send again', 'read an item'],
  RestorerRole: [...COPIES, 'read items', 'write an item'],
  EraserRole: [...READS, 'ask', 'read answers', 'read refused', 'write facts'],
  RevealerRole: [...READS, 'ask', 'read answers'],
}

const REFUSED = expect.stringMatching(/^(AccessDenied|AccessDeniedException|NotAuthorized)$/)

describe.skipIf(typeof opened === 'string')(`a role${typeof opened === 'string' ? ` (${opened})` : ''}`, () => {
  const env = {} as Record<RoleName, Environment>
  let bucket: string
  let copy: string
  beforeAll(async () => {
    for (const role of ROLES) env[role] = await inRole(world, role)
    bucket = outputOf(world, 'ArchiveBucket')
    copy = `copy-${process.pid}`
  })
  const as = (role: RoleName, ...argv: string[]) => itemtrail(world, argv, env[role])

  it.each(ROLES)('%s may do what is listed, and nothing else', async role => {
    const found = await outcomes(await attempts(env[role]))
    const expected = Object.keys(found).map(name => [name, MAY[role].includes(name) ? 'done' : REFUSED])
    expect(found).toEqual(Object.fromEntries(expected))
    expect(MAY[role].filter(name => found[name] === undefined)).toEqual([])
  })

  it.skipIf(asks !== undefined).each(['QueryUserRole', 'AuditorRole', 'OperatorRole'] as const)(
    '%s asks of the stack, where there are facts, too',
    async role => {
      expect(await as(role, 'history', 'Orders', 'ORD12345', '--stack', STACK)).toMatchObject({ code: 0 })
      expect(await as(role, 'history', 'Carts', 'pk=c#1,sk=1.5', '--stack', STACK)).toMatchObject({ code: 0 })
      expect(await as(role, 'query', 'deletions', 'Orders', '--stack', STACK)).toMatchObject({ code: 0 })
    },
  )

  it('OperatorRole finds what is deployed as it should be', async () => {
    const { out } = await as('OperatorRole', 'doctor', '--stack', STACK)
    const count = (sign: string) => out.split('\n').filter(line => line.startsWith(sign)).length
    // what other files of a run make of this world, before this one or after it
    const later =
      /nightly comparison: none is kept|the trail of callers: delivery: none came|who hears: 0 confirmed, 1 not confirmed|canary: nothing of it arrived/
    expect(out.split('\n').filter(line => line.startsWith('WRONG') && !later.test(line))).toEqual([])
    expect(count('ok')).toBeGreaterThan(20)
  })

  it('OperatorRole sends the good half of a refused pack again', async () => {
    const pack = `${kinesisRecord('pack#1')}\nnot json\n`
    const refused = () => keysBelow(bucket, 'refused/processing-failed/Carts/', world.environment)
    const before = (await refused()).length
    await sendRecord(world.environment, outputOf(world, 'CartsReplayStream'), pack)
    await waitFor(refused, keys => keys.length > before)
    const stream = ['--delivery-stream', outputOf(world, 'CartsReplayStream')]
    const sent = await as('OperatorRole', 'redrive', 'Carts', '--bucket', bucket, '--send', ...stream)
    expect(sent.out).toMatch(/\b1 sent again/)
    const arrived = () => keysBelow(bucket, 'data/Carts/', world.environment)
    const then = (await arrived()).length
    expect((await waitFor(arrived, keys => keys.length >= then)).length).toBeGreaterThan(0)
  })

  it('BaselineRole takes a baseline, and compares a copy with its table', async () => {
    const stream = outputOf(world, 'CartsReplayStream')
    const taken = await as(
      'BaselineRole',
      'baseline',
      'Carts',
      '--scan',
      '--delivery-stream',
      stream,
      '--bucket',
      bucket,
    )
    expect(taken).toMatchObject({ code: 0 })
    expect(await keysBelow(bucket, 'facts/Carts/', world.environment)).not.toEqual([])
    const folder = await copyArchive(world, env.BaselineRole, copy)
    const compared = await as('BaselineRole', 'reconcile', 'Carts', '--scan', '--archive', folder)
    expect(compared.out).toMatch(/^equal +15 items/m)
    const members = ['--keys-of', STACK, '--archive', folder]
    expect((await as('BaselineRole', 'reconcile', 'Members', '--scan', ...members)).out).toMatch(/^equal +2 items/m)
  })

  it('RestorerRole puts an item back from a copy of its own', async () => {
    const folder = await copyArchive(world, env.RestorerRole, `${copy}-restorer`)
    const { dynamodb } = clientsOf(world.environment)
    const Key = { order_id: { S: 'LIVE3' } }
    const read = async () => (await dynamodb.send(new GetItemCommand({ TableName: 'Orders', Key }))).Item
    const before = await read()
    const now = new Date(Date.now() - 1000).toISOString()
    await dynamodb.send(new PutItemCommand({ TableName: 'Orders', Item: { ...Key, status: { S: 'BROKEN' } } }))
    const restored = await as(
      'RestorerRole',
      ...['restore', 'Orders', 'LIVE3', '--as-of', now, '--archive', folder, '--actor', 'me', '--apply'],
      ...['--accept', 'DIFFERS', '--accept', 'LATE'],
    )
    expect(restored).toMatchObject({ code: 0 })
    const sorted = (item: typeof before) => ({ ...item, tags: { SS: item?.tags?.SS?.toSorted() } })
    expect(sorted(await read())).toEqual(sorted({ ...before, updated_by: { S: 'me' } }))
  })

  it.skipIf(asks !== undefined)(
    'RevealerRole reads a person until EraserRole has erased him, who reads nobody',
    async () => {
      const history = ['history', 'Members', 'u-2', '--stack', STACK, '--format', 'json']
      const clear = await as('RevealerRole', ...history, '--reveal')
      expect(clear).toMatchObject({ code: 0, out: expect.stringContaining('Bob') })
      expect((await as('RevealerRole', ...history)).out).not.toContain('Bob')
      expect((await as('EraserRole', ...history, '--reveal')).out).not.toContain('Bob')
      const reason = ['--stack', STACK, '--reason', 'asked by the person']
      expect((await as('RevealerRole', 'subject', 'erase', 'u-2', ...reason)).code).toBe(3)
      expect(await as('EraserRole', 'subject', 'erase', 'u-2', ...reason)).toMatchObject({ code: 0 })
      const after = await as('RevealerRole', ...history, '--reveal')
      expect(after.out).not.toContain('Bob')
      expect(after.out).toContain('$erased')
      // somebody else's values still open
      const other = history.map(word => (word === 'u-2' ? 'u-1' : word))
      expect((await as('RevealerRole', ...other, '--reveal')).out).toContain('Anna')
    },
  )

  /** Everything that is attempted by everybody. */
  async function attempts(who: Environment): Promise<Readonly<Record<string, () => Promise<unknown>>>> {
    const { s3, dynamodb } = clientsOf(who)
    const connection = connectionOf(who)
    const [data, config, results] = [
      await first(bucket, 'data/Orders/'),
      await first(bucket, 'config/'),
      physicalOf(world.resources, /WorkgroupResults/, 'AWS::S3::Bucket'),
    ]
    const read = (Bucket: string, Key: string) => () => s3.send(new GetObjectCommand({ Bucket, Key }))
    const write = (Bucket: string, Key: string) => () => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    const start = (WorkGroup: string) => () =>
      new AthenaClient(connection).send(
        new StartQueryExecutionCommand({ QueryString: 'select 1', WorkGroup, ClientRequestToken: token() }),
      )
    const version = await newest(bucket, data)
    const order = { order_id: { S: 'ATTEMPT' } }
    const again = `${kinesisRecord('c#1')}\n`
    return {
      'read data': read(bucket, data),
      'read config': read(bucket, config),
      'read facts': read(bucket, await seeded(bucket, 'facts/Nothing/seen.json')),
      'read log': read(bucket, 'log/checkpoint'),
      'read refused': read(bucket, await seeded(bucket, 'refused/processing-failed/Nothing/seen', REFUSED_LINE)),
      'read answers': read(results, await seeded(results, 'people/seen.csv')),
      'read answers of auditors': read(results, await seeded(results, 'auditors/seen.csv')),
      'list versions': () => s3.send(new ListObjectVersionsCommand({ Bucket: bucket, MaxKeys: 1 })),
      'read a version': () => s3.send(new GetObjectCommand({ Bucket: bucket, Key: data, VersionId: version })),
      'write data': write(bucket, 'data/Orders/event_date=2026-11-01/x.parquet'),
      'write config': write(bucket, 'config/Nothing/x.json'),
      'write facts': write(bucket, 'facts/Nothing/x.json'),
      'write log': write(bucket, 'log/checkpoint'),
      'write refused': write(bucket, 'refused/x'),
      'write derived': write(outputOf(world, 'DerivedBucket'), 'derived/Orders/x'),
      'delete a version': () => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: data, VersionId: version })),
      'delete an object': () => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: data })),
      lock: () =>
        s3.send(
          new PutObjectRetentionCommand({
            ...{ Bucket: bucket, Key: data, VersionId: version },
            Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 1e12) },
          }),
        ),
      ask: start(outputOf(world, 'WorkgroupName')),
      'ask as auditor': start(outputOf(world, 'AuditorWorkgroup')),
      'send again': () => sendRecord(who, outputOf(world, 'CartsReplayStream'), again),
      'read an item': () => dynamodb.send(new GetItemCommand({ TableName: 'Orders', Key: order })),
      'read items': () => dynamodb.send(new BatchGetItemCommand({ RequestItems: { Orders: { Keys: [order] } } })),
      'write an item': () => dynamodb.send(new PutItemCommand({ TableName: 'Orders', Item: order })),
      sign: () =>
        new KMSClient(connection).send(
          new SignCommand({
            KeyId: outputOf(world, 'SealKeyArn'),
            Message: Buffer.from('x'),
            MessageType: 'RAW',
            SigningAlgorithm: 'ED25519_SHA_512',
          }),
        ),
    }
  }
})

const token = () => `${Date.now()}-${Math.floor(Math.random() * 1e9)}`.padEnd(40, '0')

function kinesisRecord(pk: string): string {
  const Keys = { pk: { S: pk }, sk: { N: '1' } }
  return JSON.stringify({
    ...{ awsRegion: 'us-east-1', eventID: pk, eventName: 'INSERT', userIdentity: null, tableName: 'Carts' },
    ...{ recordFormat: 'application/json', eventSource: 'aws:dynamodb' },
    dynamodb: {
      ApproximateCreationDateTime: Date.now() * 1000,
      ApproximateCreationDateTimePrecision: 'MICROSECOND',
      SizeBytes: 9,
      Keys,
      NewImage: Keys,
    },
  })
}

function sendRecord(who: Environment, DeliveryStreamName: string, text: string): Promise<unknown> {
  const client = new FirehoseClient(connectionOf(who))
  return client.send(new PutRecordBatchCommand({ DeliveryStreamName, Records: [{ Data: Buffer.from(text) }] }))
}

async function first(bucket: string, prefix: string): Promise<string> {
  return (await keysBelow(bucket, prefix, world.environment))[0] as string
}

async function newest(bucket: string, key: string): Promise<string> {
  const command = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key })
  const { Versions = [] } = await clientsOf(world.environment).s3.send(command)
  return Versions[0]?.VersionId as string
}

/** An object that the account's root put there, whom no policy binds. */
async function seeded(bucket: string, key: string, Body = '{}'): Promise<string> {
  if ((await keysBelow(bucket, key, world.environment)).length === 0)
    await clientsOf(world.environment).s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }))
  return key
}

/** What Firehose keeps of a record that was refused, in which an erasure looks for the person. */
const REFUSED_LINE = `${JSON.stringify({
  attemptsMade: 1,
  errorCode: 'Lambda.ProcessingFailedStatus',
  rawData: Buffer.from('nobody\n').toString('base64'),
})}\n`
