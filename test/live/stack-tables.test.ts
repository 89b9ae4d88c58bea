/** Tables beside an archive on AWS whose values are sealed: baseline, reconcile and restore, by the stack's keys. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { baselineDocument, rowTimeOf } from '../../capture/baseline.js'
import { dateOf } from '../../transform/partition.js'
import { run } from '../cli/command-line.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { everythingIn } from '../erasure/everything-in.js'
import { type FirehoseServer, startFirehoseServer } from '../firehose-server.js'
import { findNode24 } from '../lambda-runtime.js'
import { EXPORT_ARN, EXPORT_TIME, writeExport } from '../table-export.js'
import { createTable } from './live-table.js'
import { changeOf, lackingOf, type Need, needsWhile, orderOf, useSealingStack } from './sealing-stack.js'

const missing = missingForDynamoDbLocal()
const node = await findNode24()
const CLEAR = /Ann|Bob|ann@/

describe.skipIf(missing !== undefined || node === undefined)('a table beside a stack that seals', () => {
  const stack = useSealingStack(node)
  const { local, folder, root, config, servers, deliver, deliverOn, copyArchive, makeStore } = stack
  let firehose: FirehoseServer
  const needs = new Map<string, readonly Need[]>()

  const put = (item: object) =>
    local.client.send(new PutItemCommand({ TableName: 'Orders', Item: item as ReturnType<typeof orderOf> }))
  const found = async () =>
    (await local.client.send(new GetItemCommand({ TableName: 'Orders', Key: { order_id: { S: 'A' } } }))).Item
  const ask = (...argv: readonly string[]) => run([...argv, '--config', config])
  const onTable = (...argv: readonly string[]) => ask(...argv, '--archive', root, '--keys-of', 'Stack')
  /** As JSON, and what its role was asked for. */
  async function asRole(role: string, act: () => ReturnType<typeof run>) {
    let answered: Awaited<ReturnType<typeof run>> | undefined
    const asked = await needsWhile(async () => {
      answered = await act()
    })
    needs.set(role, [...(needs.get(role) ?? []), ...asked])
    const { out, err, exit } = answered as Awaited<ReturnType<typeof run>>
    return { exit, err, said: out === '' ? undefined : JSON.parse(out) }
  }
  const reconcile = (...flags: readonly string[]) =>
    asRole('Baseline', () => onTable('reconcile', 'Orders', '--scan', '--format', 'json', ...flags))
  const restore = (...flags: readonly string[]) =>
    asRole('Restorer', () =>
      onTable(
        'restore',
        'Orders',
        '--as-of',
        new Date().toISOString(),
        '--accept',
        'LATE',
        '--format',
        'json',
        ...flags,
      ),
    )
  const planFile = () => join(folder, `plan-${Math.random()}.jsonl`)

  beforeAll(async () => {
    firehose = await startFirehoseServer()
    vi.stubEnv('AWS_ENDPOINT_URL_FIREHOSE', firehose.endpoint)
    firehose.stream('replay').description = { status: 'ACTIVE', type: 'DirectPut', prefix: 'data/Orders/event_date=' }
    await createTable(local.client, 'Orders')
    await makeStore()
    return () => firehose.stop()
  })

  it('has a baseline, of the very states that the function sealed', async () => {
    const exported = writeExport(folder, { files: [[`{"Item":${JSON.stringify(orderOf('NEW'))}}`]] })
    const origin = { method: 'export', source: EXPORT_ARN, fromUs: Date.parse(EXPORT_TIME) * 1000 } as const
    const date = dateOf(rowTimeOf(origin))
    // as an earlier run that was interrupted has sent it
    const document = JSON.parse(baselineDocument(JSON.stringify(orderOf('NEW')), 'Orders', origin))
    expect(await deliverOn(date, [document])).not.toMatch(CLEAR)
    const key = `data/Orders/event_date=${date}/1.parquet`
    servers.s3.add({ key, body: readFileSync(join(root, key)) })
    const onAws = ['--delivery-stream', 'replay', '--bucket', 'archive', '--format', 'json']
    const baseline = (...more: readonly string[]) => ask('baseline', 'Orders', '--export', exported, ...onAws, ...more)
    const without = await baseline()
    expect([without.exit, without.err]).toEqual([2, expect.stringContaining('--keys-of STACK names it')])
    const { exit, err, said } = await asRole('Baseline', () => baseline('--keys-of', 'Stack'))
    expect([exit, err]).toEqual([0, expect.not.stringMatching(/error/i)])
    expect(said).toMatchObject({ complete: true, items: 1, refused: 0 })
    const [fact] = servers.s3.versions.filter(version => version.key.startsWith('facts/'))
    expect(JSON.parse(`${fact?.body}`).digest).toBe(said.digest)
  })

  it('is compared with a copy of the archive, and is equal only as long as it is', async () => {
    await deliver(changeOf(1, 'NEW', 'PAID'))
    await put(orderOf('PAID'))
    copyArchive()
    expect(await reconcile()).toMatchObject({ exit: 0, said: { equal: true, items: 1 } })
    await put(orderOf('PAID', 'Eve'))
    const { exit, said } = await reconcile('--no-fact')
    expect([exit, said]).toMatchObject([1, { equal: false, different: 1 }])
    // one of a length, which the ciphertext alone tells from the other
    expect(JSON.stringify(said)).not.toMatch(/Ann|Eve/)
    // a person who is in no row yet
    const unseen = { M: { id: { S: 'u-new' }, name: { S: 'Zoe' } } }
    await put({ ...orderOf('NEW'), order_id: { S: 'B' }, buyer: unseen })
    expect((await reconcile('--no-fact')).said).toMatchObject({ missing_in_archive: 1 })
    await local.client.send(new DeleteItemCommand({ TableName: 'Orders', Key: { order_id: { S: 'B' } } }))
  })

  it('is put back in clear, by a plan in which nothing is', async () => {
    const plan = planFile()
    const planned = await restore('--plan', plan)
    expect(planned.said).toMatchObject({ counts: { update: 1, skip: 0 } })
    expect(JSON.stringify(planned.said) + readFileSync(plan, 'utf8')).not.toMatch(/Ann|Eve|Bob/)
    expect(planned.said.items[0].differences.map((it: { path: string }) => it.path)).toEqual(['buyer.name'])
    const applied = await asRole('Restorer', () => onTable('restore', '--apply', '--plan', plan, '--format', 'json'))
    expect([applied.exit, applied.said]).toMatchObject([0, { applied: { done: 1, refused: 0 } }])
    expect(await found()).toEqual(orderOf('PAID'))
    expect((await restore()).said).toMatchObject({ counts: { same: 1, update: 0, skip: 0 } })
    expect(await everythingIn(root)).not.toMatch(/Ann|Eve|Bob/)
  })

  it('is left alone where nobody has the keys, and where a person was erased', async () => {
    await put(orderOf('PAID', 'Eve'))
    const blind = await ask('restore', 'Orders', '--as-of', new Date().toISOString(), '--archive', root)
    expect(blind.out).toMatch(/skip: values of it are sealed/)
    expect(blind.err).toContain('--keys-of STACK takes the keys of a stack')
    const plan = planFile()
    expect((await restore('--plan', plan)).said).toMatchObject({ counts: { update: 1 } })
    const erased = await ask('subject', 'erase', 'u-4711', '--reason', 'asked', '--stack', 'Stack')
    expect(erased.exit).toBe(0)
    copyArchive()
    // the plan was made before
    const late = await onTable('restore', '--apply', '--plan', plan, '--format', 'json')
    expect([late.exit, JSON.parse(late.out)]).toMatchObject([
      1,
      { outcomes: [{ outcome: 'refused', reason: expect.stringMatching(/^ERASED: .* certificate [0-9a-f]{8}$/) }] },
    ])
    const { exit, said } = await restore('--apply')
    expect([exit, said.items]).toMatchObject([
      1,
      [{ action: 'skip', wanted: null, reason: expect.stringMatching(/^ERASED: .* certificate [0-9a-f]{8}$/) }],
    ])
    expect(await found()).toEqual(orderOf('PAID', 'Eve'))
    expect((await reconcile()).said).toMatchObject({ equal: true, erased: 1, different: 0 })
    expect(await everythingIn(root)).not.toMatch(/Ann|Eve|Bob/)
  })

  it('is read and written by the roles that are for it', () => {
    for (const role of ['Baseline', 'Restorer'] as const) {
      const asked = needs.get(role) ?? []
      expect(asked.map(([action]) => action)).toContain('kms:Decrypt')
      expect([role, lackingOf(`AuditRoles${role}`, asked)]).toEqual([role, []])
    }
    expect(lackingOf('AuditRolesRestorer', needs.get('Baseline') ?? [])).toContain(
      'dynamodb:PutItem <AuditPersonsKeysTable.Arn>',
    )
  })
})
