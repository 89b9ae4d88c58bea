/** Persons of a live table, sealed by `itemtrail tail` as a process, and one of them erased. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../cli/command-line.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'
import { everythingIn } from '../erasure/everything-in.js'
import { connect, createTable, startItemtrail } from './live-table.js'
import { startTimeProxy } from './time-proxy.js'

const missing = missingForDynamoDbLocal()

const CHANGES = 800
const ITEMS = 50
const ANN = /Ann Plaintext|ann@plain\.example/
const BOB = 'Bob Plaintext'

/** The items of an export. */
async function readExported(at: string): Promise<string> {
  const files = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.json.gz'))
  return files.map(name => gunzipSync(readFileSync(join(at, name))).toString()).join('')
}

const orderOf = (id: number, version: number) => ({
  order_id: { S: `o${id}` },
  version: { N: `${version}` },
  buyer: { M: { id: { S: 'u-1' }, name: { S: `Ann Plaintext ${version % 3}` }, mail: { S: 'ann@plain.example' } } },
  seller: { M: { id: { S: 'u-2' }, name: { S: `${BOB} ${version % 2}` } } },
})

describe.skipIf(missing !== undefined)(`erasure on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  let table: DynamoDBClient
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-erasure-'))
  const temporary = process.env.TMPDIR
  beforeAll(async () => {
    local = await startDynamoDbLocal()
    table = connect(local.endpoint)
    process.env.TMPDIR = join(folder, 'temporary')
    mkdirSync(process.env.TMPDIR)
  })
  afterAll(async () => {
    if (temporary === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = temporary
    await local?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const everything = () => everythingIn(folder)

  it(`leaves no clear byte of ${CHANGES} changes, and breaks nothing`, async () => {
    const [archive, config] = [join(folder, 'archive'), join(folder, 'itemtrail.config.json')]
    const erasable = [
      { subject: 'buyer.id', attributes: ['buyer.name', 'buyer.mail'] },
      { subject: 'seller.id', attributes: ['seller.name'] },
    ]
    const tables = { Orders: { keys: ['order_id'], erasable } }
    writeFileSync(config, JSON.stringify({ erasure: { keys: join(folder, 'keys') }, tables }))
    const ask = (...argv: readonly string[]) => run([...argv, '--archive', archive, '--config', config])
    const live = (...argv: readonly string[]) =>
      startItemtrail([...argv, '--archive', archive, '--config', config], local.endpoint).ended
    await createTable(table, 'Orders')
    expect((await ask('subject', 'init')).exit).toBe(0)
    for (let change = 0; change < CHANGES; change += ITEMS)
      await Promise.all(
        Array.from({ length: ITEMS }, (_, id) =>
          table.send(new PutItemCommand({ TableName: 'Orders', Item: orderOf(id, change / ITEMS) })),
        ),
      )
    expect(await live('tail', 'Orders', '--until-caught-up')).toMatchObject({ exit: 0 })
    expect(await everything()).not.toMatch(ANN)
    // the table is clear and the archive is sealed, and they hold the same
    expect(await live('reconcile', 'Orders', '--scan')).toMatchObject({ exit: 0 })
    expect((await ask('compact', 'Orders')).exit).toBe(0)

    const verifyAll = async () => {
      expect((await ask('verify', 'rows')).exit).toBe(0)
      expect((await ask('verify', 'continuity')).exit).toBe(0)
    }
    await verifyAll()
    expect((await ask('subject', 'export', 'u-1')).out.match(/Ann Plaintext/g)?.length).toBe(2 * CHANGES - ITEMS)
    const bobs = (await ask('subject', 'export', 'u-2')).out
    expect(bobs.match(new RegExp(BOB, 'g'))?.length).toBe(2 * CHANGES - ITEMS)

    const erased = await ask('subject', 'erase', 'u-1', '--reason', 'asked', '--format', 'json')
    expect(JSON.parse(erased.out)).toMatchObject({ erased: true, certificates: [{ rows: CHANGES, pending: [] }] })
    await verifyAll()
    expect((await ask('subject', 'export', 'u-1')).out).not.toMatch(ANN)
    expect((await ask('subject', 'export', 'u-2')).out).toBe(bobs)
    expect(await everything()).not.toMatch(ANN)
    expect(await everything()).not.toContain(BOB)

    // the table still has her in clear, the archive cannot know any more whether it is the same
    const again = await live('reconcile', 'Orders', '--scan', '--format', 'json')
    expect(again.exit).toBe(0)
    expect(JSON.parse(again.out)).toMatchObject({ equal: true, erased: ITEMS, different: 0 })
    // a change that nobody saw is one all the same
    const other = { ...orderOf(7, 0), version: { N: '99' } }
    await table.send(new PutItemCommand({ TableName: 'Orders', Item: other }))
    const differing = await live('reconcile', 'Orders', '--scan', '--format', 'json', '--no-fact')
    expect(JSON.parse(differing.out)).toMatchObject({ equal: false, erased: ITEMS - 1, different: 1 })
    expect(await live('tail', 'Orders', '--until-caught-up')).toMatchObject({ exit: 0 })
    const verified = await ask('verify', 'continuity', '--format', 'json')
    expect(verified.exit).toBe(0)
    expect(JSON.parse(verified.out)).toMatchObject([{ verdicts: { erased: 1, gap: 0 } }])
    // what was sealed is never written into a table
    const plan = await live(
      'restore',
      'Orders',
      '--as-of',
      new Date().toISOString(),
      '--plan',
      join(folder, 'plan.json'),
    )
    expect(plan.out + plan.err).toMatch(/skip/)
    expect(plan.out + plan.err).not.toContain('$enc')
  })

  it('has tokens for the keys of a table that name persons, and compares by them', async () => {
    const [archive, config] = [join(folder, 'users'), join(folder, 'users.config.json')]
    const erasable = [{ subject: 'mail', attributes: ['name'] }]
    const tables = { Users: { keys: ['mail', 'no'], erasable, keyIsPersonal: ['mail', 'no'] } }
    writeFileSync(config, JSON.stringify({ erasure: { keys: join(folder, 'user-keys') }, tables }))
    const ask = (...argv: readonly string[]) => run([...argv, '--archive', archive, '--config', config])
    const live = (...argv: readonly string[]) =>
      startItemtrail([...argv, '--archive', archive, '--config', config], local.endpoint).ended
    const userOf = (no: number, name: string) => ({
      mail: { S: `user${no}@plain.example` },
      no: { N: `${no}` },
      name: { S: name },
    })
    const put = (no: number, name: string) =>
      table.send(new PutItemCommand({ TableName: 'Users', Item: userOf(no, name) }))
    await createTable(table, 'Users', {
      AttributeDefinitions: [
        { AttributeName: 'mail', AttributeType: 'S' },
        { AttributeName: 'no', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'mail', KeyType: 'HASH' },
        { AttributeName: 'no', KeyType: 'RANGE' },
      ],
    })
    expect((await ask('subject', 'init')).exit).toBe(0)
    await put(1, 'Ann Plaintext')
    // one is there before the archive begins, so that a baseline has it
    expect(await live('baseline', 'Users', '--scan')).toMatchObject({ exit: 0 })
    for (const no of [1, 2, 3]) await put(no, 'Ann Plaintext 2')
    expect(await live('tail', 'Users', '--until-caught-up')).toMatchObject({ exit: 0 })
    expect(await everything()).not.toMatch(/plain\.example|Ann Plaintext/)
    expect(await live('reconcile', 'Users', '--scan')).toMatchObject({ exit: 0 })
    const history = JSON.parse((await ask('history', 'Users', 'mail=user1@plain.example,no=1', '--format', 'json')).out)
    expect(history.changes.map(({ event_name: name }: { event_name: string }) => name)).toEqual(
      expect.arrayContaining(['BASELINE', 'MODIFY']),
    )
    expect(history.item_key.no.N).toMatch(/^1\d{36}1$/)

    const erased = await ask('subject', 'erase', 'user1@plain.example', '--reason', 'asked', '--format', 'json')
    expect(JSON.parse(erased.out)).toMatchObject({ erased: true, certificates: [{ pending: [] }] })
    await put(1, 'Ann Plaintext 3')
    expect(await live('tail', 'Users', '--until-caught-up')).toMatchObject({ exit: 0 })
    expect(
      JSON.parse((await ask('history', 'Users', 'mail=user1@plain.example,no=1', '--format', 'json')).out).item_key,
    ).toEqual(history.item_key)
    expect(await live('reconcile', 'Users', '--scan')).toMatchObject({ exit: 0 })
    await put(2, 'somebody whose change is not in the archive yet')
    const late = await live('reconcile', 'Users', '--scan', '--format', 'json', '--no-fact')
    expect(late.out + late.err).not.toContain('plain.example')
    expect(JSON.parse(late.out).findings).toHaveLength(1)
    const restored = await live('restore', 'Users', '--as-of', new Date().toISOString())
    expect(restored).toMatchObject({ exit: 2, err: expect.stringContaining('cannot be restored') })
    expect(await everything()).not.toMatch(/plain\.example|Ann Plaintext/)
  })

  it('puts a sealed item back in clear, and knows the change that this made', async () => {
    // by times of the minute, what comes after a moment may be before it
    const proxy = await startTimeProxy(local.endpoint)
    onTestFinished(() => proxy.stop())
    const client = connect(proxy.endpoint)
    const at = join(folder, 'carts')
    mkdirSync(at)
    const [archive, config, plan] = ['archive', 'config.json', 'plan.jsonl'].map(name => join(at, name)) as [
      string,
      string,
      string,
    ]
    const erasable = [{ subject: 'buyer.id', attributes: ['buyer.name', 'buyer.mail'] }]
    const tables = { Carts: { keys: ['order_id'], erasable } }
    writeFileSync(config, JSON.stringify({ erasure: { keys: join(folder, 'keys-of-carts') }, tables }))
    const ask = (...argv: readonly string[]) => run([...argv, '--archive', archive, '--config', config])
    const live = (...argv: readonly string[]) =>
      startItemtrail([...argv, '--archive', archive, '--config', config, '--format', 'json'], proxy.endpoint).ended
    const put = (item: ReturnType<typeof orderOf>) =>
      client.send(new PutItemCommand({ TableName: 'Carts', Item: item }))
    await createTable(client, 'Carts')
    expect((await ask('subject', 'init')).exit).toBe(0)
    for (const id of [1, 2]) await put(orderOf(id, 0))
    expect(await live('tail', 'Carts', '--until-caught-up')).toMatchObject({ exit: 0 })
    const asOf = new Date().toISOString()
    const wrong = orderOf(1, 0)
    wrong.buyer.M.name.S = 'Eve Plaintext'
    await put(wrong)
    const restore = (...flags: readonly string[]) =>
      live('restore', 'Carts', '--as-of', asOf, '--accept', 'LATE', ...flags)
    const applied = await restore('--apply', '--plan', plan)
    expect([applied.exit, applied.err]).toEqual([0, expect.stringContaining('kept in the archive')])
    expect(JSON.parse(applied.out)).toMatchObject({ applied: { done: 1 }, counts: { same: 1, update: 1, skip: 0 } })
    expect(applied.out).not.toMatch(/Ann|Eve/)
    const { Item } = await table.send(
      new GetItemCommand({ TableName: 'Carts', Key: { order_id: { S: 'o1' } }, ConsistentRead: true }),
    )
    expect(Item).toEqual(orderOf(1, 0))
    expect(await everythingIn(at)).not.toMatch(/Ann Plain|Eve Plain|ann@plain/)
    expect(await live('tail', 'Carts', '--until-caught-up')).toMatchObject({ exit: 0 })
    const { changes } = JSON.parse((await ask('history', 'Carts', 'o1', '--format', 'json')).out)
    // told by the hash of what is stored; the first change left the same, mostly less than a minute before
    const told = changes.map((change: { restored: object | null }) => change.restored !== null)
    expect([changes.length, ...told.slice(0, 2)]).toEqual([3, true, false])
    expect((await ask('verify', 'continuity')).exit).toBe(0)
    // an export is for a table, in which nothing is sealed
    const exported = await restore('--output', join(folder, 'export-of-carts'))
    expect(exported.exit).toBe(0)
    expect(await readExported(join(folder, 'export-of-carts'))).toMatch(/Ann Plaintext 0[\s\S]*Ann Plaintext 0/)
    expect((await ask('subject', 'erase', 'u-1', '--reason', 'asked')).exit).toBe(0)
    expect(JSON.parse((await restore('--apply')).out)).toMatchObject({ counts: { put: 0, update: 0, skip: 2 } })
  })
})
