/**
 * Alarms that are made to go off, and their pages of the runbook tried as they are written: the commands are taken from
 * the page, with the words in capitals and the dots replaced.
 */
import { join } from 'node:path'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand, GetObjectRetentionCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { asAdministrator, aws, inRole, itemtrail } from './acting.js'
import { command, commandsOf, lineOf, onCall } from './on-call.js'
import { clientsOf, keysBelow, runProgram, waitFor } from './stack.js'
import { openWorld, outputOf, physicalOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World
/** Version 1 of the command goes by an old name of this service, whatever the environment says. */
const AWS_OF_SQS = `aws() {
  if [ "$1" = sqs ]; then command aws "$@" --endpoint-url "$AWS_ENDPOINT_URL"; else command aws "$@"; fi
}`

describe.skipIf(typeof opened === 'string')(`an alarm${typeof opened === 'string' ? ` (${opened})` : ''}`, () => {
  let bucket: string
  beforeAll(() => {
    bucket = outputOf(world, 'ArchiveBucket')
  })
  const env = () => world.environment
  const { stateOf, goesOff, isOver, put, count, functionOf, call, run } = onCall(world)

  it('record-refused tells its topic, its page tells why, and redrive sends it again', async () => {
    const { QueueUrl } = await aws(world, ['sqs', 'create-queue', '--queue-name', `told-${process.pid}`])
    const { Attributes } = await aws(world, [
      ...['sqs', 'get-queue-attributes', '--queue-url', QueueUrl, '--attribute-names', 'QueueArn'],
    ])
    const queue = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage' }
    const Statement = [{ ...queue, Resource: Attributes.QueueArn }]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await aws(world, [
      ...['sqs', 'set-queue-attributes', '--queue-url', QueueUrl, '--attributes', JSON.stringify({ Policy })],
    ])
    const topic = ['--topic-arn', outputOf(world, 'AlarmTopicArn')]
    await aws(world, [
      ...['sns', 'subscribe', ...topic, '--protocol', 'sqs', '--notification-endpoint', Attributes.QueueArn],
    ])
    const stream = outputOf(world, 'OrdersReplayStream')
    // version 1 of the command encodes it by itself
    const record = JSON.stringify({ Data: 'no change at all\n' })
    await aws(world, ['firehose', 'put-record', '--delivery-stream-name', stream, '--record', record])
    expect(await goesOff('record-refused', 'Orders')).toBe('ALARM')
    const told = await waitFor(
      () => aws(world, ['sqs', 'receive-message', '--queue-url', QueueUrl, '--max-number-of-messages', '10']),
      answer => answer?.Messages !== undefined,
    )
    expect(JSON.stringify(told)).toContain('docs/runbook.md, record-refused')

    const page = command('record-refused', /filter @message/)
    const pattern = /like \/(\w+)\//.exec(page.join(' '))?.[1] as string
    const transform = physicalOf(world.resources, /Orders.*\/TransformFunctionLog[^/]*$/, 'AWS::Logs::LogGroup')
    const { events } = await aws(world, [
      ...['logs', 'filter-log-events', '--log-group-name', transform, '--filter-pattern', pattern],
    ])
    expect(JSON.stringify(events)).toMatch(/why/)
    expect(JSON.stringify(events)).not.toContain('no change at all')
    const operator = await inRole(world, 'OperatorRole')
    const listed = await itemtrail(world, ['redrive', 'Orders', '--bucket', bucket], operator)
    expect(listed.out).toContain('1 × Orders: record is not a JSON object, it starts with "no change at all')
  })

  it('stream-unread: a mapping that is off is found, and reads again once it is on', async () => {
    const forwarder = functionOf(/Orders.*\/ForwarderFunction[^/]*$/)
    const list = command('stream-unread', /list-event-source-mappings/, { FUNCTION: forwarder })
    const mapping = async () => {
      const { EventSourceMappings } = await run(list)
      return EventSourceMappings[0] as { UUID: string; State: string; EventSourceArn: string }
    }
    const { UUID, EventSourceArn } = await mapping()
    const off = command('delivery-late', /update-event-source-mapping/, { UUID })
    await run(off)
    const Item = { order_id: { S: 'UNREAD' }, status: { S: 'PENDING' } }
    const data = () => keysBelow(bucket, 'data/Orders/', env())
    const before = (await data()).length
    await clientsOf(env()).dynamodb.send(new PutItemCommand({ TableName: 'Orders', Item }))
    for (const minutes of [1, 61])
      await put('AWS/DynamoDB', 'ConsumedWriteCapacityUnits', [{ Name: 'TableName', Value: 'Orders' }], 1, minutes)
    expect(await goesOff('stream-unread', 'Orders')).toBe('ALARM')
    expect((await mapping()).State).toMatch(/Disabl/)
    const { Table } = await run(command('stream-unread', /describe-table/, { TABLE: 'Orders' }))
    expect(Table.LatestStreamArn).toBe(EventSourceArn)
    await run(off.map(word => (word === '--no-enabled' ? '--enabled' : word)))
    // it goes on where it was: what was written meanwhile arrives
    const after = await waitFor(data, keys => keys.length > before)
    expect(after.length).toBeGreaterThan(before)
  })

  it('refused-expiring counts what is about to be forgotten; refused-unwatched tells that nobody counts', async () => {
    // 340 of the 365 days that it is kept
    const day = new Date(Date.now() - 340 * 86_400_000).toISOString().slice(0, 10)
    const data = Buffer.from('old\n').toString('base64')
    const arrivalTimestamp = Date.parse(day)
    const line = { attemptsMade: 1, arrivalTimestamp, errorCode: 'Lambda.ProcessingFailedStatus', rawData: data }
    const Key = `refused/processing-failed/Orders/old-1-${day}-00-00-00-x`
    await clientsOf(env()).s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: `${JSON.stringify(line)}\n` }))
    // nobody has counted yet, and who may not list counts nothing either
    const role = physicalOf(world.resources, /RefusedWatchFunctionRole/, 'AWS::IAM::Role')
    const deny = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 's3:ListBucket', Resource: '*' }] }
    const policy = ['--role-name', role, '--policy-name', 'broken']
    await aws(world, ['iam', 'put-role-policy', ...policy, '--policy-document', JSON.stringify(deny)])
    await expect(call(/RefusedWatchFunction/)).rejects.toThrow(/AccessDenied|not authorized/)
    expect(await goesOff('refused-unwatched')).toBe('ALARM')
    await aws(world, ['iam', 'delete-role-policy', ...policy])
    await call(/RefusedWatchFunction/)
    expect(await isOver('refused-unwatched')).toBe('OK')
    expect(await goesOff('refused-expiring')).toBe('ALARM')
    const listed = await itemtrail(
      world,
      ['redrive', 'Orders', '--bucket', bucket],
      await inRole(world, 'OperatorRole'),
    )
    expect(listed.out).toContain('1 × Orders: record is not a JSON object, it starts with "old')
    expect(listed.out).toContain(`    ${day} 00:00:00Z`)
    await clientsOf(env()).s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
  })

  it('batch-given-up: what Lambda wrote is listed and read by redrive', async () => {
    const REFUSED = outputOf(world, 'RefusedBucket')
    const look = command('batch-given-up', /aws s3 ls/, { REFUSED })
    const record = { eventID: 'given-up', eventName: 'INSERT', eventSource: 'aws:dynamodb' }
    const batch = { requestContext: { condition: 'RetryAttemptsExhausted' }, payload: { Records: [record] } }
    const Key = 'aws/lambda/mapping/shard/2026/11/29/x'
    await clientsOf(env()).s3.send(new PutObjectCommand({ Bucket: REFUSED, Key, Body: JSON.stringify(batch) }))
    await count('batch-given-up', 'Orders', 1)
    expect(await goesOff('batch-given-up', 'Orders')).toBe('ALARM')
    const { out } = await runProgram(look, env(), world.folder)
    expect(out).toContain(Key)
    const read = await itemtrail(world, ['redrive', 'Orders', '--bucket', REFUSED], await inRole(world, 'OperatorRole'))
    expect(read.out).toContain(Key)
    // an erasure would have somebody look into what cannot be read
    await clientsOf(env()).s3.send(new DeleteObjectCommand({ Bucket: REFUSED, Key }))
  })

  it('delivery-late and stream-far-behind go off by the clock of their metrics, and not before', async () => {
    await count('delivery-late', 'Orders', 4000, [0, 1, 2, 3])
    expect(await stateOf('delivery-late', 'Orders')).not.toBe('ALARM')
    await count('delivery-late', 'Orders', 4000, [4])
    expect(await goesOff('delivery-late', 'Orders')).toBe('ALARM')
    await count('stream-far-behind', 'Orders', 3_700_000, [0, 1, 2, 3, 4])
    expect(await goesOff('stream-far-behind', 'Orders')).toBe('ALARM')
    expect(await stateOf('twelve-hours-to-loss', 'Orders')).not.toBe('ALARM')
  })

  it('object-unlocked: what failed is sent again, and locked', async () => {
    const { s3 } = clientsOf(env())
    const queue = physicalOf(world.resources, /AuditLockFailed[0-9A-F]{8}$/, 'AWS::SQS::Queue')
    const { Attributes } = await aws(world, [
      ...['sqs', 'get-queue-attributes', '--queue-url', queue, '--attribute-names', 'QueueArn'],
    ])
    const { VersionId } = await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'facts/Nothing/unlocked.json', Body: '{}' }),
    )
    const event = {
      time: new Date(Date.now() + 86_400_000).toISOString(),
      detail: { bucket: { name: bucket }, object: { key: 'facts/Nothing/unlocked.json', 'version-id': VersionId } },
    }
    await aws(world, ['sqs', 'send-message', '--queue-url', queue, '--message-body', JSON.stringify(event)])
    await count('object-unlocked', 'archive', 1)
    expect(await goesOff('object-unlocked')).toBe('ALARM')
    await run(command('object-unlocked', /start-message-move-task/, { FAILED_ARN: Attributes.QueueArn }))
    const untilOf = async () => {
      const asked = { Bucket: bucket, Key: 'facts/Nothing/unlocked.json', VersionId }
      const { Retention } = await s3.send(new GetObjectRetentionCommand(asked)).catch(() => ({ Retention: undefined }))
      return Number(Retention?.RetainUntilDate ?? 0)
    }
    // a day later than the event of its creation would have it, so it was this one
    const wanted = Date.now() + 30.5 * 86_400_000
    expect(await waitFor(untilOf, until => until > wanted)).toBeGreaterThan(wanted)
  })

  it('lock-event-lost: objects that no event told of are locked by the lines of the page', async () => {
    const { s3 } = clientsOf(env())
    const rule = physicalOf(world.resources, /AuditLockDelivered[0-9A-F]{8}$/, 'AWS::Events::Rule')
      .split('|')
      .at(-1)
    const since = new Date().toISOString().slice(0, 19)
    await aws(world, ['events', 'disable-rule', '--name', `${rule}`])
    const Key = 'facts/Nothing/lost.json'
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '{}' }))
    await count('lock-event-lost', 'archive', 1)
    expect(await goesOff('lock-event-lost')).toBe('ALARM')
    const { Rules } = await run(command('lock-event-lost', /list-rules/))
    expect(JSON.stringify(Rules)).toContain('"State":"DISABLED"')
    const version = { ARCHIVE: bucket, OBJECT: Key, VERSION: `${VersionId}` }
    const retention = command('lock-event-lost', /get-object-retention/, version)
    await expect(run(retention)).rejects.toThrow(/NoSuchObjectLockConfiguration/)
    await aws(world, ['events', 'enable-rule', '--name', `${rule}`])

    const queue = physicalOf(world.resources, /AuditLockWaiting[0-9A-F]{8}$/, 'AWS::SQS::Queue')
    const put = { ARCHIVE: bucket, WAITING: queue, PREFIX: 'facts/', SINCE: since }
    const lines = lineOf('lock-event-lost', /list-object-versions/, put)
    const sent = await runProgram(['bash', '-c', `${AWS_OF_SQS}\n${lines}`], await asAdministrator(world), world.folder)
    expect(sent).toMatchObject({ code: 0, out: expect.stringContaining('MessageId') })
    const isLocked = () =>
      run(retention).then(
        ({ Retention }) => Retention.Mode,
        () => undefined,
      )
    expect(await waitFor(isLocked, mode => mode !== undefined)).toBe('GOVERNANCE')
  })

  it('seal-late is over once there was a seal; object-altered and its repair', async () => {
    await call(/JournalSealer/)
    expect(await stateOf('seal-late')).toBe('OK')
    const { s3 } = clientsOf(env())
    const [Key] = (await keysBelow(bucket, 'config/Carts/', env())) as [string]
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '{"forged":true}' }))
    await call(/JournalCheck/)
    expect(await goesOff('object-altered')).toBe('ALARM')
    const log = physicalOf(world.resources, /JournalCheckLog/, 'AWS::Logs::LogGroup')
    const { events } = await aws(world, ['logs', 'filter-log-events', '--log-group-name', log])
    expect(JSON.stringify(events)).toContain(Key)
    const { Versions } = await run(command('journal-forked', /list-object-versions/, { ARCHIVE: bucket, OBJECT: Key }))
    expect(Versions.length).toBe(2)
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId, BypassGovernanceRetention: true }))
  })

  it('key-closing: a key whose deletion was asked for is brought back by the commands of the page', async () => {
    const KEY = outputOf(world, 'SealKeyArn')
    await aws(world, ['kms', 'schedule-key-deletion', '--key-id', KEY, '--pending-window-in-days', '7'])
    await call(/JournalSealer/).catch(() => undefined)
    expect(await goesOff('key-closing')).toBe('ALARM')
    const { KeyMetadata } = await run(command('key-closing', /describe-key/, { KEY }))
    expect(KeyMetadata.KeyState).toBe('PendingDeletion')
    await run(command('key-closing', /cancel-key-deletion/, { KEY }))
    await run(command('key-closing', /enable-key/, { KEY }))
    await call(/JournalSealer/)
  })

  it('has no command in its pages that aws does not take as it stands there', async () => {
    const checked = commandsOf('aws').filter(line => !/^aws s3 /.test(line))
    expect(checked.length).toBeGreaterThan(20)
    const refused: [string, string][] = []
    for (const line of checked) {
      // it parses the command and calls nobody; what it finds wrong with its own sample of an answer is no matter here
      const words = `${line.replace(/ \|$/, '')} --generate-cli-skeleton output`
      const { err } = await runProgram(['sh', '-c', words], env(), world.folder)
      const [, why] = /^aws: error: (.*)$/m.exec(err) ?? []
      if (why !== undefined || /not found|syntax error/i.test(err)) refused.push([line, why ?? err])
    }
    expect(refused).toEqual([])
  })

  it('has no command in its pages that itemtrail does not take as it stands there', async () => {
    const FILE = join(world.folder, 'mailed.checkpoint')
    await aws(world, ['s3api', 'get-object', '--bucket', bucket, '--key', 'log/checkpoint', FILE])
    const put = { ARCHIVE: bucket, REFUSED: outputOf(world, 'RefusedBucket'), FILE, Itemtrail: STACK }
    const asked = commandsOf('itemtrail').filter(line => !/--send|--export|FOLDER/.test(line))
    expect(asked.length).toBeGreaterThan(5)
    const ends: [string, number, string][] = []
    for (const line of asked) {
      // a comparison is a fact of its table from then on: that of Carts finds what it should
      const [role, TABLE] = /reconcile/.test(line) ? ['BaselineRole', 'Carts'] : ['OperatorRole', 'Orders']
      const words = Object.entries({ ...put, TABLE }).reduce((text, [word, to]) => text.replaceAll(word, to), line)
      const { code, err } = await itemtrail(world, words.split(/ +/).slice(1), await inRole(world, role))
      // 1: something is found; 3: the emulator does not measure all that status and doctor ask for
      if (code === 2 || (code === 3 && !/status|doctor/.test(line))) ends.push([line, code, err])
    }
    expect(ends).toEqual([])
  })
})
