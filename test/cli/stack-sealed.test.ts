/** Questions to a sealed archive on AWS: Athena's protocol, S3 and KMS on loopback, rows by DuckDB. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createArchiveSealer } from '../../functions/seal-archive.js'
import { quoted } from '../../queries/engines/literal.js'
import { DiskArchive } from '../../store/folder.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { describedStack } from '../described-stack.js'
import { answerFromFolder } from '../desk-athena.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'
import { ORIGIN, SEED } from '../proof/vectors.js'
import { change } from '../queries/story.js'
import { type S3Server, type StoredVersion, startS3Server } from '../s3-server.js'
import { alterRows, parquetUnder } from '../store/altering.js'
import { archiveOf, run } from './command-line.js'

const v = (N: string) => ({ v: { N } })
const RECORDS = [
  change('one', '20T10:00:00', undefined, v('1')),
  change('two', '20T11:00:00', undefined, v('1')),
  change('one', '21T10:00:00', v('1'), v('2')),
  change('one', '22T10:00:00', v('2'), v('3')),
]
const BUCKET = 'bucket-1'
const HOUR = 3_600_000

let athena: AthenaServer
let s3: S3Server
let kms: KmsServer
let stacks: Loopback
let outputs: Record<string, string>
let root: string

/** The bucket, sealed three times. */
let sealed: readonly StoredVersion[]

beforeAll(async () => {
  ;[athena, s3, kms] = [await startAthenaServer(), await startS3Server(), await startKmsServer(SEED)]
  athena.states = []
  stacks = await startLoopback((_, _body, response) => response.end(describedStack('Itemtrail', outputs)))
  root = await archiveOf(RECORDS)
  await compressAsFirehose(parquetUnder(root))
  athena.answer = answerFromFolder(root, BUCKET)
  for (const key of await new DiskArchive(root).list('')) if (!key.startsWith('.')) upload(key, 80 * HOUR)
  // the first of each day takes everything
  for (const hours of [72, 48, 24]) await seal(hours * HOUR)
  sealed = [...s3.versions]
})
afterAll(() => Promise.all([athena.stop(), s3.stop(), kms.stop(), stacks.stop()]))

beforeEach(() => {
  s3.versions.splice(0, s3.versions.length, ...sealed)
  s3.requests.length = 0
  s3.fault = () => undefined
  kms.answers.clear()
  outputs = {
    ArchiveBucket: BUCKET,
    DatabaseName: 'audit',
    WorkgroupName: 'itemtrail',
    JournalOrigin: ORIGIN,
    SealKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/seal',
  }
  const place = {
    AWS_ENDPOINT_URL_ATHENA: athena.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'loopback',
    AWS_SECRET_ACCESS_KEY: 'loopback',
  }
  for (const [name, value] of Object.entries(place)) vi.stubEnv(name, value)
})
afterEach(() => vi.unstubAllEnvs())

/** A function on Node 20 reads Snappy alone. */
async function compressAsFirehose(files: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const file of files) {
    const rows = `read_parquet(${quoted(file)}, hive_partitioning = false)`
    await connection.run(`create or replace table object as select * from ${rows}`)
    await connection.run(`copy object to ${quoted(file)} (format parquet, compression snappy)`)
  }
  connection.closeSync()
  instance.closeSync()
}

const upload = (key: string, agoMs: number, body = readFileSync(join(root, key))) =>
  s3.add({ key, body, lastModified: new Date(Date.now() - agoMs).toISOString() })

async function seal(agoMs: number): Promise<void> {
  const about = { ...LOOPBACK_CONNECTION, maxAttempts: 1 }
  await createArchiveSealer({
    s3: new S3Client({ ...about, endpoint: s3.endpoint }),
    kms: new KMSClient({ ...about, endpoint: kms.endpoint }),
    bucket: BUCKET,
    origin: ORIGIN,
    sealKey: 'seal-key',
    archiveKey: 'archive-key',
    isForeignKey: true,
    name: 'sealer',
    report: () => {},
    writeMetrics: () => {},
    now: () => Date.now() - agoMs,
  })({ remaining: () => 900_000 })
}

const keyOf = (day: number) =>
  s3.versions.find(({ key }) => key.startsWith(`data/Orders/event_date=2026-11-${day}/`))?.key as string

/** What a removal leaves in a bucket that keeps versions. */
const remove = (key: string) => s3.add({ key, isMarker: true })

const period = (from: string, to: string) => ['--param', `from=2026-11-${from}`, '--param', `to=2026-11-${to}`]
const DAYS_20_TO_22 = period('20T00:00:00Z', '22T10:00:00.000001Z')

const QUESTIONS: readonly (readonly [string, ...(readonly string[])])[] = [
  ['history', 'Orders', 'one'],
  ['as-of', 'Orders', 'one', '2026-11-23T00:00:00Z'],
  ['as-of', 'Orders', '2026-11-22T10:00:00Z'],
  ['diff', 'Orders', 'two', '--from', '2026-11-20T12:00:00Z', '--to', '2026-11-23T00:00:00Z'],
  ['query', 'first-and-last-seen', 'Orders'],
  ['query', 'changes-between', 'Orders', ...DAYS_20_TO_22],
]

async function ask(argv: readonly string[]) {
  const { exit, out, err } = await run([...argv, '--stack', 'Itemtrail'])
  return { exit, said: out + err }
}

describe.each(QUESTIONS)('%s %s %s, of a sealed archive on AWS', (...argv) => {
  it('says when it was sealed and is no worse for it', async () => {
    const { exit, said } = await ask(argv)
    expect(said).toMatch(/held against the journal of \S+ by the bytes of each object/)
    expect(said).not.toContain('no key')
    expect({ exit, said }).toEqual({ exit: 0, said: expect.not.stringMatching(/\bGAP|ALTERED/) })
  })

  it('finds what is missing, names it, and is GAP', async () => {
    const key = keyOf(22)
    remove(key)
    const { exit, said } = await ask(argv)
    expect(said).toContain(`an object that was sealed is missing: ${key}`)
    expect([exit, said]).toEqual([1, expect.stringContaining('GAP')])
  })

  it('finds another version of the same size, and is ALTERED', async () => {
    const key = keyOf(20)
    const body = readFileSync(join(root, key))
    body[5] = (body[5] as number) ^ 1
    upload(key, 0, body)
    const { exit, said } = await ask(argv)
    expect([exit, said]).toEqual([1, expect.stringMatching(/ALTERED[\s\S]*has the SHA-256/)])
  })

  it('could not check where the journal is gone', async () => {
    for (const { key } of [...s3.versions]) if (key.startsWith('log/')) remove(key)
    const { exit, said } = await ask(argv)
    expect(said).toContain('the journal is gone, or nothing was sealed yet: log/ is empty, against the stack')
    expect(exit).toBe(3)
  })
})

describe('a sealed archive on AWS', () => {
  const day21 = ['query', 'changes-between', 'Orders', ...period('21T00:00:00Z', '22T00:00:00Z')]

  it('is listed for the days in question alone', async () => {
    remove(keyOf(20))
    const { exit, said } = await ask(day21)
    expect([exit, said]).toEqual([0, expect.not.stringContaining('missing')])
    const listed = s3.requests.filter(({ operation }) => operation === 'ListObjectVersions')
    // of each prefix a page: configurations, facts, refused, and the day
    expect(listed).toHaveLength(4)
    const read = s3.requests.filter(({ operation, key }) => operation === 'GetObject' && key.startsWith('data/'))
    expect(read).toEqual([])
  })

  it('is not asked for more of its journal than there is, once', async () => {
    await ask(day21)
    const read = s3.requests.filter(({ operation, key }) => operation === 'GetObject' && key.startsWith('log/'))
    expect(read.length).toBeLessThan(8)
  })

  it('tells what is unlisted, and what is not sealed yet', async () => {
    const key = keyOf(21)
    upload(key.replace('rows', 'old'), 81 * HOUR, readFileSync(join(root, key)))
    upload(key.replace('rows', 'new'), 0, readFileSync(join(root, key)))
    const { said } = await ask(day21)
    expect(said).toContain('an object is not in the journal, though two sealings passed it: data/')
    expect(said).toMatch(/1 object is not sealed yet, since the seal of/)
  })

  it('is not believed under another key, which is no answer that anything is missing', async () => {
    const other = await startKmsServer()
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', other.endpoint)
    const { exit, said } = await ask(day21)
    expect([exit, said]).toEqual([3, expect.stringContaining('is signed by none of the keys given')])
    await other.stop()
  })

  it('is held against no key where the caller may not see it, and says so', async () => {
    kms.answers.set('GetPublicKey', 'AccessDeniedException')
    const { exit, said } = await ask(day21)
    expect([exit, said]).toEqual([0, expect.stringContaining('whose signature was held against no key')])
  })

  it('gives no answer where the caller may not read its journal, and says what is needed', async () => {
    s3.fault = (_, key) => (key.startsWith('log/') ? { status: 403, code: 'AccessDenied' } : undefined)
    const { exit, said } = await ask(day21)
    expect([exit, said]).toEqual([3, expect.stringMatching(/cannot be read[\s\S]*s3:GetObject on log\//)])
  })

  it('is ALTERED for whom a forged version has rows of, and for nobody else', async () => {
    const key = keyOf(20)
    upload(key, 0, Buffer.concat([readFileSync(join(root, key)), Buffer.from('x')]))
    const word = async (item: string) => {
      const { out } = await run(['history', 'Orders', item, '--stack', 'Itemtrail', '--format', 'json'])
      return JSON.parse(out).confidence
    }
    expect([await word('one'), await word('two')]).toEqual(['ALTERED', 'ALTERED'])
    upload(key, 0, readFileSync(join(root, key)))
    // the bytes that were sealed, under another version
    expect(await word('one')).toBe('UNBROKEN')
  })
})

describe('verify of a stack', () => {
  const verify = (...argv: readonly string[]) => run(['verify', ...argv, '--stack', 'Itemtrail'])
  const desk = async (...argv: readonly string[]) => {
    const { exit, out } = await run(['verify', ...argv, '--archive', root, '--format', 'json'])
    return { exit, json: JSON.parse(out) }
  }

  it('holds log, objects, rows and continuity against what vouches for each, and tells what Athena read', async () => {
    const { exit, out, err } = await verify()
    expect(out).toMatch(/what was sealed until \S+ is as itemtrail\.\S+ signed it, by the key given/)
    expect(out).toContain('in the version that was sealed, which S3 never changes: --full hashes them again')
    expect(out).toContain('Orders: 4 rows are what they were when they were made')
    expect(out).toContain('not looked at on AWS: changed, misfits and flat columns')
    expect(out).toContain('UNBROKEN 2')
    expect([exit, err]).toEqual([0, expect.stringMatching(/athena: \d+ queries, .* scanned/)])
  })

  it('finds in rows and continuity what it finds on a desk', async () => {
    for (const period of [[], ['--from', '2026-11-21', '--to', '2026-11-22']]) {
      const rows = await verify('rows', '--format', 'json', ...period)
      const [{ underived, ...told }] = JSON.parse(rows.out)
      const [{ underived: onDesk, ...same }] = (await desk('rows', ...period)).json
      expect([rows.exit, told]).toEqual([0, same])
      expect(underived.columns).toEqual([...onDesk.columns, 'changed', 'misfits'])
      const continuity = await verify('continuity', 'Orders', '--format', 'json', ...period)
      const expected = await desk('continuity', 'Orders', ...period)
      expect({ exit: continuity.exit, json: JSON.parse(continuity.out) }).toEqual(expected)
    }
  })

  it('finds a row that is another than it was made', async () => {
    const altered = await archiveOf(RECORDS)
    await alterRows(parquetUnder(altered), { new_image: `'{"v":{"N":"9"}}'` }, 'true')
    athena.answer = answerFromFolder(altered, BUCKET)
    const { exit, out } = await verify('rows', 'Orders', '--format', 'json')
    athena.answer = answerFromFolder(root, BUCKET)
    const [{ altered: found }] = JSON.parse(out)
    expect([exit, found.map((one: { altered: string; object?: string }) => [one.altered, one.object])]).toEqual([
      1,
      expect.arrayContaining([['new_image', undefined]]),
    ])
  })

  it('hashes every object where it is told to, and of a version that was not sealed in any case', async () => {
    const whole = JSON.parse((await verify('objects', '--full', '--format', 'json')).out)
    expect([whole.objects.hashed, whole.objects.sound]).toEqual([whole.objects.sound, expect.any(Number)])
    expect(JSON.parse((await verify('objects', '--format', 'json')).out).objects.hashed).toBe(0)
    const key = keyOf(20)
    upload(key, 0, Buffer.concat([readFileSync(join(root, key)), Buffer.from('x')]))
    remove(keyOf(22))
    const { exit, out } = await verify('objects')
    expect([exit, out]).toEqual([1, expect.stringContaining(key)])
    expect(out).toContain(keyOf(22))
  })

  it('finds a file of the journal that was written twice, another key, and that the journal is gone', async () => {
    const claim = sealed.find(({ key }) => key.startsWith('log/next/')) as StoredVersion
    s3.add({ key: claim.key, body: claim.body })
    const twice = await verify('log')
    expect([twice.exit, twice.out]).toEqual([1, expect.stringContaining('has 2 versions, expected one')])
    s3.versions.splice(0, s3.versions.length, ...sealed)
    const other = await startKmsServer()
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', other.endpoint)
    expect((await verify('log')).exit).toBe(1)
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', kms.endpoint)
    await other.stop()
    for (const { key } of [...s3.versions]) if (key.startsWith('log/')) remove(key)
    const gone = await verify('log')
    expect([gone.exit, gone.out]).toEqual([
      1,
      expect.stringMatching(/is empty, and .* is of its size \d+: the journal is gone/),
    ])
  })

  it('says who is not believed where the caller may not see the key', async () => {
    kms.answers.set('GetPublicKey', 'AccessDeniedException')
    const { exit, out } = await verify('log')
    expect([exit, out]).toEqual([0, expect.stringContaining('who signed: --key takes the key')])
  })

  it('sends what is no matter of a stack back in words', async () => {
    expect(await verify('proof', 'x.tlog-proof')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('verify proof is of a file that was handed out, not of a stack'),
    })
    const { exit, err } = await run(['verify', 'log', '--workgroup', 'itemtrail', '--database', 'audit'])
    expect([exit, err]).toEqual([2, expect.stringContaining('the journal lies in the bucket of the archive')])
  })
})
