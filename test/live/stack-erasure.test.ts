/** A person in a stack, from the deployment of the keys to the certificate, by the command line. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { run } from '../cli/command-line.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { CHANGED_AT } from '../factories.js'
import { findNode24 } from '../lambda-runtime.js'
import { createKeyTable } from './key-table.js'
import { changeOf, lackingOf, needsWhile, orderOf, useSealingStack } from './sealing-stack.js'

const missing = missingForDynamoDbLocal()
const node = await findNode24()
/** What `keep` keeps of an address stays. */
const CLEAR = /Ann|Bob|ann@/
const LATER = new Date(CHANGED_AT * 1000 + 60_000).toISOString()

describe.skipIf(missing !== undefined || node === undefined)('a person in a stack', () => {
  const { local, config, servers, answered, state, items, transform, deliver, makeStore } = useSealingStack(node)

  const ask = (...argv: readonly string[]) => run([...argv, '--stack', 'Stack', '--config', config])
  const subject = (act: string, id: string, ...more: readonly string[]) => ask('subject', act, id, ...more)
  const factsKept = () =>
    servers.s3.versions
      .filter(({ key }) => key.startsWith('facts/'))
      .map(({ key, body }) => ({ key, fact: JSON.parse(body.toString()) }))

  it('has a key store once it is deployed, and the same after every deployment', async () => {
    for (const type of ['Create', 'Update', 'Delete']) await makeStore(type)
    expect(answered).toEqual(
      ['Create', 'Update', 'Delete'].map(RequestId =>
        expect.objectContaining({ RequestId, Status: 'SUCCESS', PhysicalResourceId: 'Stack-Keys/store' }),
      ),
    )
    expect(await items()).toHaveLength(1)
  })

  it('is sealed by the function, under the same key in every container', async () => {
    const first = await deliver(changeOf(1, 'NEW', 'PAID'), changeOf(2, 'PAID', 'SENT'))
    expect(first).not.toMatch(CLEAR)
    expect(first).toContain('secret.example')
    const [after] = first.split('\n').map(line => line && JSON.parse(line).new_hash)
    const second = await deliver(changeOf(3, 'PAID', 'DONE'))
    // the same image, by another container
    expect(JSON.parse(second.split('\n')[0] as string).old_hash).toBe(after)
    expect((await items()).map(item => item.entry?.S).sort()).toEqual(['key/1', 'key/1', 'store'])
  })

  it('is found and told what is kept of him, and nothing of others', async () => {
    const found = await subject('find', 'u-4711', '--format', 'json')
    expect(found.err).toBe('')
    expect(JSON.parse(found.out)).toMatchObject({
      state: 'readable',
      generation: 1,
      tables: [{ table: 'Orders', rows: 3, objects: 2, values: 12, clear: 0 }],
    })
    const { out, exit } = await subject('export', 'u-4711')
    expect(exit).toBe(0)
    const rows = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.map(row => row.new_image.buyer)).toEqual(['PAID', 'SENT', 'DONE'].map(it => orderOf(it).buyer))
    expect(out).not.toContain('Bob')
  })

  it('is read in every answer by who may, and found by a token that is made here', async () => {
    expect((await ask('history', 'Orders', 'A')).out).not.toMatch(CLEAR)
    const now = LATER
    const before = new Date(CHANGED_AT * 1000 - 60_000).toISOString()
    const questions = [
      ['history', 'Orders', 'A'],
      ['as-of', 'Orders', 'A', now],
      ['as-of', 'Orders', now],
      ['query', 'item-history', 'Orders', '--param', 'item_key=A'],
      ['sql', 'select new_image, subjects from orders order by sequence'],
    ] as const
    for (const question of questions) {
      const { out, err } = await ask(...question, '--reveal', '--format', 'json')
      expect([question, out + err]).toEqual([question, expect.stringMatching(/Ann/)])
      expect([question, out]).toEqual([question, expect.stringMatching(/Bob/)])
      expect([question, out]).toEqual([question, expect.not.stringMatching(/\$enc/)])
    }
    const page = await ask('as-of', 'Orders', 'A', now, '--reveal')
    expect(page.out).toMatch(/"Ann"[\s\S]*"Bob"/)
    expect((await ask('as-of', 'Orders', 'A', now)).out).toMatch(/\[sealed [\w-]{6}, kept "secret.example"\]/)
    expect((await ask('diff', 'Orders', 'A', '--from', before, '--to', now)).exit).toBe(3)
    const [first] = JSON.parse((await ask('history', 'Orders', 'A', '--format', 'json')).out).changes
    expect((await ask('show', 'Orders', first.event_id, '--reveal')).out).toMatch(/Ann[\s\S]*Bob/)
    const found = await ask('query', 'changes-of-subject', 'Orders', '--subject', 'u-4711', '--format', 'json')
    expect(JSON.parse(found.out).rows ?? JSON.parse(found.out)).toHaveLength(3)
  })

  it('is not read without the stack that has the keys, nor where KMS gives none', async () => {
    const without = ['--workgroup', 'people', '--database', 'audit', '--config', config]
    const { exit, err } = await run(['history', 'Orders', 'A', '--reveal', ...without])
    expect([exit, err]).toEqual([2, expect.stringContaining('keys of persons on AWS are those of a stack')])
    servers.kms.answers.set('Decrypt', 'AccessDeniedException')
    const denied = await ask('history', 'Orders', 'A', '--reveal')
    expect([denied.exit, denied.out]).toEqual([3, ''])
    expect(denied.err).toMatch(/secret "\w+" of the key store is not opened by KMS: AccessDeniedException/)
    servers.kms.answers.delete('Decrypt')
  })

  it('is not erased while a case holds that back', async () => {
    expect((await subject('hold', 'u-4711', '--case', 'C-1', '--reason', 'a suit')).exit).toBe(0)
    expect(await subject('erase', 'u-4711', '--reason', 'asked')).toMatchObject({ exit: 1 })
    expect(factsKept()).toEqual([])
    expect((await subject('release', 'u-4711', '--case', 'C-1')).exit).toBe(0)
  })

  it('is erased: a fence, then the key, then a certificate that says what is left and when it is effective', async () => {
    const rawData = Buffer.from(JSON.stringify(changeOf(9, 'NEW', 'PAID'))).toString('base64')
    const line = JSON.stringify({ attemptsMade: 4, arrivalTimestamp: 1795341600000, errorCode: 'x', rawData })
    const { s3, kms } = servers
    const refused = s3.add({ key: 'refused/processing-failed/Orders/x', body: Buffer.from(`${line}\n`) })
    kms.requests.length = 0
    const first = await subject('erase', 'u-4711', '--reason', 'asked', '--ticket', 'T-1', '--format', 'json')
    expect(first.exit).toBe(1)
    expect(JSON.parse(first.out).certificates[0].pending).toEqual(
      ['archive', 'refused'].map(bucket =>
        expect.stringMatching(`^s3://${bucket}/refused/processing-failed/Orders/x has 1`),
      ),
    )
    // who erases opens no key
    expect(kms.requests.map(({ body }) => (body.EncryptionContext as object)['itemtrail:purpose' as never])).toEqual([
      'tokens',
    ])
    s3.versions.splice(s3.versions.indexOf(refused), 1)
    const { exit, out } = await subject('erase', 'u-4711', '--reason', 'asked', '--format', 'json')
    expect(exit).toBe(0)
    const [certificate] = JSON.parse(out).certificates
    expect(certificate).toMatchObject({
      kind: 'erasure',
      table: 'Orders',
      rows: 3,
      objects: 2,
      values: 12,
      pending: [],
    })
    const lingers = Date.parse(certificate.effective) - Date.parse(certificate.destroyed)
    expect(lingers).toBe((7 * 24 * 60 + 5 + 2) * 60_000)
    expect(factsKept().map(({ fact }) => fact.kind)).toEqual(['erasing', 'erasure', 'erasure'])
    expect(await items()).toContainEqual(
      expect.objectContaining({ entry: { S: 'key/1' }, erased: { S: expect.any(String) } }),
    )
  })

  it('leaves nothing of late records, which make no key; the other one stays whole', async () => {
    const late = await deliver(changeOf(4, 'DONE', 'GONE'))
    expect(late).not.toMatch(CLEAR)
    expect((await subject('export', 'u-4711')).out).not.toMatch(CLEAR)
    expect((await subject('export', 'u-2')).out.match(/"Bob"/g)).toHaveLength(8)
    expect(JSON.parse((await subject('find', 'u-4711', '--format', 'json')).out)).toMatchObject({
      state: 'erased',
      certificates: [{ ticket: 'T-1' }, { pending: [] }],
    })
    const { exit, err } = await subject('hold', 'u-4711', '--case', 'C-2', '--reason', 'late')
    expect({ exit, err }).toMatchObject({ exit: 1, err: expect.stringContaining('nothing left to hold') })
    // whatever is asked, the answer says what was erased, and by which certificate
    for (const reveal of [[], ['--reveal']]) {
      const { out } = await ask('as-of', 'Orders', 'A', LATER, ...reveal)
      expect(out).toMatch(/\[erased \d{4}-\d\d-\d\d, certificate [0-9a-f]{8}\]/)
      expect(out).not.toMatch(/Ann|ann@/)
      expect(out.includes('"Bob"')).toBe(reveal.length > 0)
    }
  })

  it('does not come back with a table that was restored, which is refused until it is adopted', async () => {
    const old = (await items()).map(({ erased: _, ...item }) =>
      // as it was before the erasure
      item.entry?.S === 'key/1' && !item.wrappedKey ? { ...item, wrappedKey: { B: Buffer.alloc(60) } } : item,
    )
    state.keyTable = 'Stack-Restored'
    await createKeyTable(local.client, state.keyTable)
    for (const Item of old) await local.client.send(new PutItemCommand({ TableName: state.keyTable, Item }))
    const refused = await subject('find', 'u-4711')
    expect(refused).toMatchObject({ exit: 3, err: expect.stringContaining('"Stack-Restored" is a copy of arn:') })
    const failed = await transform([changeOf(7, 'NEW', 'PAID')])
    expect(failed.error?.errorMessage).toContain('is a copy of arn:')
    const { exit, out } = await ask('subject', 'adopt', '--format', 'json')
    expect([exit, JSON.parse(out)]).toEqual([0, { table: 'Stack-Restored', destroyed: 1 }])
    expect((await items()).filter(item => item.erased && !item.wrappedKey)).toHaveLength(1)
    expect((await subject('export', 'u-4711')).out).not.toMatch(CLEAR)
    expect((await subject('export', 'u-2')).out).toContain('"Bob"')
    expect(await deliver(changeOf(8, 'GONE', 'LATE'))).not.toMatch(CLEAR)
  })

  it('has its certificate in the end where it was not kept at first, and tells so', async () => {
    const { s3 } = servers
    s3.fault = (operation, key) =>
      operation === 'PutObject' && key.endsWith('-erasure.json') ? { status: 403, code: 'AccessDenied' } : undefined
    const { exit, err } = await subject('erase', 'u-2', '--reason', 'asked')
    expect([exit, err]).toEqual([expect.any(Number), expect.stringContaining('AccessDenied')])
    expect(exit).not.toBe(0)
    s3.fault = () => undefined
    expect((await subject('erase', 'u-2', '--reason', 'asked')).exit).toBe(0)
    const ofBob = factsKept().slice(-2)
    expect(ofBob.map(({ fact }) => fact.kind)).toEqual(['erasing', 'erasure'])
    expect((await subject('export', 'u-2')).out).not.toContain('"Bob"')
  })

  it('gets a new key for a new life, and only then', async () => {
    expect((await subject('renew', 'u-4711')).exit).toBe(0)
    const renewed = await deliver(changeOf(5, 'NEW', 'BACK'))
    expect(renewed).toMatch(/"1\.2\.[0-9a-f]{32}\.[A-Za-z0-9_-]{40,}"|1\.2\.[0-9a-f]{32}\.[A-Za-z0-9_-]{40,}/)
    const { out } = await subject('export', 'u-4711')
    expect(out.match(/"Ann"/g)).toHaveLength(2)
  })

  it.each([
    ['AuditPersonsRolesEraser', ['token', 'find', 'hold', 'release', 'erase', 'renew'], []],
    [
      'AuditPersonsRolesRevealer',
      ['token', 'find', 'export'],
      [
        ['as-of', 'Orders', 'A', LATER, '--reveal'],
        ['query', 'changes-of-subject', 'Orders', '--subject', 'u-2', '--reveal'],
      ],
    ],
  ] as const)('is what the role %s may act about, and no other role', async (role, acts, questions) => {
    const needs = await needsWhile(async () => {
      for (const act of acts) {
        const { err } = await subject(act, `${role}-1`, '--reason', 'asked', '--case', 'C-1')
        const told = err.replaceAll(
          /^(athena:|\d+ rows? of|no row is of|itemtrail seal|records on their way).*\n/gm,
          '',
        )
        expect([act, told]).toEqual([act, ''])
      }
      for (const question of questions) expect((await ask(...question)).out).not.toBe('')
    })
    expect(needs.length).toBeGreaterThan(5)
    expect(lackingOf(role, needs)).toEqual([])
    for (const other of ['QueryUser', 'Auditor', 'Operator'])
      expect(lackingOf(`AuditRoles${other}`, needs)).toContain('kms:Decrypt <AuditPersonsKeysKey.Arn>')
  })

  it('is never named to Athena, which keeps what it was asked', () => {
    expect(servers.athena.requests.length).toBeGreaterThan(10)
    expect(JSON.stringify(servers.athena.requests)).not.toContain('u-4711')
  })

  it('has the function throw where a key cannot be had, so that nothing is stored in clear', async () => {
    const { kms } = servers
    kms.answers.set('Decrypt', 'AccessDeniedException')
    const { answer, error } = await transform([changeOf(6, 'NEW', 'PAID')])
    expect(answer).toBeUndefined()
    expect(error?.errorMessage).toMatch(/secret "\w+" of the key store is not opened by KMS: AccessDeniedException/)
    kms.answers.delete('Decrypt')
  })
})
