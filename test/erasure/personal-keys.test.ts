import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive, ParameterError, readConfiguration } from '../../index.js'
import { linesOf, makeFolder, run } from '../cli/command-line.js'
import { incrementalSummary, writeExport } from '../table-export.js'
import { browse } from '../view/page-client.js'
import { everythingIn } from './everything-in.js'
import { recordOfTable } from './orders.js'

const ANN = 'USER#ann@secret.example'
const CLEAR = /ann@|USER#/
const TOKEN = /^token:[0-9a-f]{32}$/

const userOf = (pk: string, sk: string, status: string, name = 'Ann Secret') => ({
  pk: { S: pk },
  sk: { S: sk },
  status: { S: status },
  name: { S: name },
})

function recordOf(number: number, before: object | null, after: object | null) {
  const { pk, sk } = (after ?? before) as ReturnType<typeof userOf>
  return recordOfTable('Users', number, { pk, sk }, before, after)
}

const [NEW, PAID, SENT] = ['NEW', 'PAID', 'SENT'].map(status => userOf(ANN, 'PROFILE', status))
const ORDER = userOf(ANN, 'ORDER#1', 'NEW')
const BOB = userOf('USER#bob', 'PROFILE', 'NEW', 'Bob Shop')
const LIFE = [
  recordOf(1, null, NEW as object),
  recordOf(2, NEW as object, PAID as object),
  recordOf(3, null, ORDER),
  recordOf(4, null, BOB),
  recordOf(5, BOB, null),
]
const AFTER = '2026-09-21T15:00:00Z'

const ERASABLE = [{ subject: 'pk', attributes: ['name'] }]
const USERS = { keys: ['pk', 'sk'], columns: { pk: 'string' }, erasable: ERASABLE, keyIsPersonal: ['pk'] }

/** An archive of users whose keys name them, its key store and its configuration, in a folder of their own. */
async function makeUsers(records: readonly object[] = LIFE, users: object = USERS) {
  const folder = makeFolder()
  const [archive, keys, config] = ['archive', 'keys', 'itemtrail.config.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const configure = (table: object) =>
    writeFileSync(config, JSON.stringify({ erasure: { keys }, tables: { Users: table } }))
  configure(users)
  const ask = (...argv: readonly string[]) => run([...argv, '--archive', archive, '--config', config])
  const askJson = async (...argv: readonly string[]) => JSON.parse((await ask(...argv, '--format', 'json')).out)
  const ingest = (more: readonly object[]) =>
    run(['ingest', '-', '--archive', archive, '--config', config], { stdin: linesOf(more) })
  expect((await ask('subject', 'init')).exit).toBe(0)
  expect((await ingest(records)).exit).toBe(0)
  return { folder, archive, keys, config, configure, ask, askJson, ingest }
}

describe('a key that names a person', () => {
  let place: Awaited<ReturnType<typeof makeUsers>>
  let token: string
  beforeAll(async () => {
    place = await makeUsers()
    token = (await place.askJson('history', 'Users', `pk=${ANN},sk=PROFILE`)).item_key.pk.S
  })

  it('is in no file, and rows of one item have one token', async () => {
    const { archive, ask } = place
    expect(token).toMatch(TOKEN)
    const everything = await everythingIn(archive)
    expect(everything).not.toMatch(CLEAR)
    expect(everything).toContain(token)
    expect((await ask('verify', 'rows')).exit).toBe(0)
    expect((await ask('verify', 'continuity')).exit).toBe(0)
    const { out } = await ask(
      'sql',
      'select distinct key_pk, new_pk from users where event_id is not null and new_pk is not null',
      '--format',
      'json',
    )
    for (const { key_pk, new_pk } of JSON.parse(out).rows ?? JSON.parse(out)) expect(new_pk).toBe(key_pk)
  })

  it('is asked by in clear, by its token, and by either half', async () => {
    const { ask, askJson } = place
    const clear = await ask('history', 'Users', `pk=${ANN},sk=PROFILE`)
    expect(clear).toMatchObject({ exit: 0 })
    expect(clear.out).toContain('UNBROKEN')
    expect(clear.out + clear.err).not.toMatch(CLEAR)
    expect((await ask('history', 'Users', `pk=${token},sk=PROFILE`)).out).toBe(clear.out)
    const json = JSON.stringify({ pk: { S: ANN }, sk: 'PROFILE' })
    expect((await ask('history', 'Users', json)).out).toBe(clear.out)
    const both = await askJson('history', 'Users', `pk=${ANN}`)
    expect(both).toMatchObject({ partition: `pk=${token}`, items: [{}, {}] })
    expect(await askJson('as-of', 'Users', `pk=${ANN},sk=PROFILE`, AFTER)).toMatchObject({ state: 'present' })
    const diff = await ask('diff', 'Users', `pk=${ANN},sk=PROFILE`, '--from', '2026-09-21T14:13:21Z', '--to', AFTER)
    expect(diff.out).toContain('"PAID"')
    const blamed = await ask('query', 'blame', 'Users', '--param', `item_key=pk=${ANN},sk=ORDER#1`, '--format', 'json')
    expect(blamed.out).toContain('status')
  })

  it('is listed by the whole of it, and what cannot be meant is refused', async () => {
    const { ask } = place
    const whole = await ask('items', 'Users', `pk=${ANN}`, '--format', 'json', '--at', AFTER)
    expect(JSON.parse(whole.out).rows).toHaveLength(2)
    expect(whole.out).not.toMatch(CLEAR)
    expect(JSON.parse((await ask('items', 'Users', 'sk=PRO', '--format', 'json')).out).rows).toHaveLength(2)
    expect(
      JSON.parse((await ask('items', 'Users', `pk=${token.slice(0, 12)}`, '--format', 'json')).out).rows,
    ).toHaveLength(2)
    const either = await ask('items', 'Users', 'USER#')
    expect(either.exit).toBe(2)
    expect(either.err).toContain('tokens in the place of pk, expected pk=THE WHOLE VALUE or sk=BEGINNING')
  })

  it('is found where it is the key, and nobody believes that it was looked for elsewhere', async () => {
    const { ask } = place
    const found = await ask('find', 'Users', ANN, '--attribute', 'pk', '--format', 'json')
    expect(JSON.parse(found.out).rows.map(({ path }: { path: string }) => path)).toEqual(['pk', 'pk'])
    expect(found.out).not.toMatch(CLEAR)
    const anywhere = await ask('find', 'Users', ANN)
    expect(anywhere.err).toContain('tokens in the place of pk: --attribute pk looks for the value there')
  })

  it('is in no receipt of what was asked', async () => {
    const { folder, ask } = place
    const receipt = join(folder, 'receipt.json')
    const page = join(folder, 'page.html')
    const { exit } = await ask('history', 'Users', `pk=${ANN},sk=PROFILE`, '--receipt', receipt, '--output', page)
    expect(exit).toBe(0)
    for (const file of [receipt, page]) expect(readFileSync(file, 'utf8')).not.toMatch(CLEAR)
    expect((await run(['rerun', receipt, '--archive', place.archive])).exit).toBe(0)
  })

  it('is told for who asks on AWS', async () => {
    const { ask } = place
    const told = await ask('subject', 'token', `pk=${ANN},sk=PROFILE`, '--table', 'Users')
    expect(told).toMatchObject({ exit: 0, out: `pk=${token},sk=PROFILE\n` })
    const other = await ask('subject', 'token', 'x', '--table', 'Others')
    expect(other.err).toContain('has no "keyIsPersonal" here')
  })

  it('is asked by its token alone where the key store is not', async () => {
    const { archive } = place
    const bare = (...argv: readonly string[]) => run([...argv, '--archive', archive])
    const clear = await bare('history', 'Users', `pk=${ANN},sk=PROFILE`)
    expect(clear.exit).toBe(2)
    expect(clear.err).toMatch(/keys of Users have tokens in the place of pk, which only the key store makes/)
    expect((await bare('history', 'Users', `pk=${token},sk=PROFILE`)).exit).toBe(0)
    const library = await openArchive(archive)
    await expect(library.history('Users', { pk: ANN, sk: 'PROFILE' })).rejects.toThrow(ParameterError)
    expect((await library.history('Users', { pk: token, sk: 'PROFILE' })).changes).toHaveLength(2)
    await library.close()
    // a configuration that does not say it is no way around
    const silent = join(makeFolder(), 'silent.json')
    writeFileSync(silent, JSON.stringify({ tables: { Users: { keys: ['pk', 'sk'] } } }))
    expect((await bare('history', 'Users', `pk=${ANN},sk=PROFILE`, '--config', silent)).exit).toBe(2)
  })

  it('is not said of an archive that has rows already, and not taken back', async () => {
    const { configure, ingest, archive } = place
    configure({ ...USERS, keyIsPersonal: undefined })
    const { exit, err } = await ingest([recordOf(9, null, ORDER)])
    expect(exit).toBe(2)
    expect(err).toContain('keyIsPersonal [], but the archive has rows made with ["pk"]')
    configure(USERS)
    expect(await everythingIn(archive)).not.toMatch(CLEAR)
  })

  it('is written into no table', async () => {
    const { ask, folder } = place
    for (const more of [
      ['--against', 'archive'],
      ['--output', join(folder, 'export')],
    ]) {
      const { exit, err } = await ask('restore', 'Users', '--as-of', AFTER, ...more)
      expect(exit).toBe(2)
      expect(err).toContain('cannot be restored: its rows have tokens in the place of pk')
    }
    expect(existsSync(join(folder, 'export'))).toBe(false)
  })

  it('is compared by its token with what an export has in clear', async () => {
    const { ask } = place
    const folder = makeFolder()
    const change = (keys: object, before: object | null, after: object | null) => ({
      Metadata: { WriteTimestampMicros: { N: '1790000002000000' } },
      Keys: keys,
      ...(before !== null && { OldImage: before }),
      ...(after !== null && { NewImage: after }),
    })
    const { pk, sk } = PAID as ReturnType<typeof userOf>
    const exported = await writeExport(folder, {
      files: [
        [
          change({ pk, sk }, null, PAID as object),
          change({ pk, sk: { S: 'ORDER#1' } }, null, { ...ORDER, status: { S: 'LOST' } }),
        ],
      ],
      summary: {
        ...incrementalSummary(),
        tableArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/Users',
        exportArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/Users/export/01795341600000-a1b2c3d4',
        exportFromTime: '2026-09-21T14:00:00Z',
        exportToTime: '2026-09-21T15:00:00Z',
      },
    })
    const { out, err } = await ask('reconcile', 'Users', '--export', exported, '--format', 'json')
    expect(out, err).not.toMatch(CLEAR)
    if (out === '') throw new Error(err)
    expect(JSON.parse(out).findings).toMatchObject([
      { finding: 'different', item_key: { pk: { S: token }, sk: { S: 'ORDER#1' } } },
    ])
  })
})

describe('keys of other types', () => {
  it('are numbers and bytes, on a stream and in Kinesis, and asked for as they are typed', async () => {
    const users = {
      keys: ['no', 'id'],
      keyIsPersonal: ['no', 'id'],
      erasable: [{ subject: 'no', attributes: ['name'] }],
    }
    const item = (bytes: string) => ({ no: { N: '4917012345' }, id: { B: bytes }, name: { S: 'Ann Secret' } })
    const once = Buffer.from('ann@secret').toString('base64')
    const streams = { ...recordOf(1, null, NEW as object) }
    const record = (bytes: string) => {
      const { no, id } = item(bytes)
      return { ...streams.dynamodb, Keys: { no, id }, NewImage: item(bytes) }
    }
    const { SequenceNumber: _, ...content } = record(Buffer.from(once).toString('base64'))
    const kinesis = {
      eventID: 'k1',
      eventName: 'INSERT',
      tableName: 'Users',
      awsRegion: 'eu-central-1',
      dynamodb: { ...content, ApproximateCreationDateTime: 1_790_000_100_000 },
    }
    const { archive, ask, askJson } = await makeUsers([{ ...streams, dynamodb: record(once) }, kinesis], users)
    expect(await everythingIn(archive)).not.toMatch(/4917012345|ann@secret|YW5uQHNlY3JldA|Ann Secret/)
    const { item_key: key, changes } = await askJson('history', 'Users', `no=+4917012345,id=${once}`)
    expect([changes.length, key.no.N]).toEqual([2, expect.stringMatching(/^1\d{36}1$/)])
    expect(Buffer.from(key.id.B, 'base64').toString('latin1')).toMatch(/^token:.{16}$/s)
    const byToken = await askJson('history', 'Users', JSON.stringify(key))
    expect(byToken.changes).toHaveLength(2)
    const unsaid = await ask('subject', 'token', '4917012345', '--table', 'Users')
    expect(unsaid.err).toContain('may be a number or a text')
    const said = await ask(
      'subject',
      'token',
      JSON.stringify({ no: { N: '4917012345' }, id: { B: once } }),
      '--table',
      'Users',
      '--format',
      'json',
    )
    expect(JSON.parse(said.out).key).toEqual(key)
  })
})

describe('a page about a key that names a person', () => {
  it('is found by it in clear, and does not tell it again', async () => {
    const { archive, keys } = await makeUsers()
    const page = await browse(archive, {}, () => openArchive(archive, { keys }))
    const typed = encodeURIComponent(`pk=${ANN},sk=PROFILE`)
    const moved = await page.get(`/go?table=Users&key=${typed}`)
    expect(decodeURIComponent(moved.headers.get('location') ?? '')).toMatch(/pk=token:[0-9a-f]{32},sk=PROFILE$/)
    for (const path of [`/t/Users/i/${typed}`, `/t/Users/i/${typed}.json`, '/t/Users', '/t/Users/changes']) {
      const answer = await page.get(path)
      expect([path, answer.status]).toEqual([path, 200])
      expect(await answer.text()).not.toMatch(CLEAR)
    }
    await page.close()
  })
})

describe('an erasure of whom a key names', () => {
  it('leaves the item its key, also for what comes later, and the person is nowhere', async () => {
    const { archive, ask, askJson, ingest } = await makeUsers()
    const before = await askJson('history', 'Users', `pk=${ANN},sk=PROFILE`)
    const erased = await ask('subject', 'erase', ANN, '--reason', 'asked', '--format', 'json')
    expect(erased.exit).toBe(0)
    expect(JSON.parse(erased.out).certificates).toMatchObject([{ rows: 3, pending: [] }])
    expect((await ingest([...LIFE, recordOf(6, PAID as object, SENT as object)])).exit).toBe(0)
    const after = await askJson('history', 'Users', `pk=${ANN},sk=PROFILE`)
    expect(after.item_key).toEqual(before.item_key)
    expect(after.changes).toHaveLength(3)
    expect(JSON.stringify(after)).not.toContain('CONFLICT')
    expect((await ask('verify', 'rows')).exit).toBe(0)
    expect((await ask('verify', 'continuity')).exit).toBe(0)
    expect(await everythingIn(archive)).not.toMatch(/Ann Secret|ann@|USER#/)
  })

  it('finds an image without a subject under the item as its rows name it', async () => {
    const erasable = [{ subject: 'owner', attributes: ['name'] }]
    const { ask, askJson } = await makeUsers([recordOf(1, null, NEW as object)], { ...USERS, erasable })
    const { item_key: key } = await askJson('history', 'Users', `pk=${ANN},sk=PROFILE`)
    const lone = `item:Users:${JSON.stringify(key)}`
    expect((await ask('subject', 'export', lone)).out).toContain('Ann Secret')
  })

  it('asks nobody for a key that nobody has: the store gone, nothing is stored in clear', async () => {
    const { archive, keys, config, ingest } = await makeUsers([])
    rmSync(keys, { recursive: true })
    expect((await ingest(LIFE)).exit).not.toBe(0)
    expect(existsSync(archive) ? await everythingIn(archive) : '').not.toMatch(CLEAR)
    const { tables } = readConfiguration(config)
    expect(tables.get('Users')?.keyIsPersonal).toEqual(['pk'])
  })
})
