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
import { answerFromFolder } from '../desk-athena.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'
import { ORIGIN, SEED } from '../proof/vectors.js'
import { change } from '../queries/story.js'
import { type S3Server, type StoredVersion, startS3Server } from '../s3-server.js'
import { parquetUnder } from '../store/altering.js'
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
  stacks = await startLoopback((_, _body, response) => {
    const members = Object.entries(outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    )
    return response.end(`<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>Itemtrail</StackName>
      <Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
  })
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
