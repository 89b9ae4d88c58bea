import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Counts } from '../../capture/write-metrics.js'
import { createJournalCheck } from '../../functions/check-journal.js'
import { checkpointMail } from '../../functions/checkpoint-mail.js'
import { createArchiveSealer } from '../../functions/seal-archive.js'
import { readEntries } from '../../journal/entries.js'
import type { Entry } from '../../journal/entry.js'
import type { JournalFinding } from '../../journal/finding.js'
import { type Head, openHead } from '../../journal/head.js'
import { KeptLog } from '../../journal/kept-log.js'
import { rowHashesOfFile } from '../../journal/row-hashes.js'
import { verifierOf } from '../../proof/note.js'
import { rootOf } from '../../proof/tree.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { Bucket } from '../../store/s3.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { ORIGIN, SEED } from '../proof/vectors.js'
import { type S3Server, type StoredVersion, startS3Server } from '../s3-server.js'

let s3: S3Server
let kms: KmsServer
let clients: { readonly s3: S3Client; readonly kms: KMSClient }
let parquet: Buffer
let parquetRoot: string
beforeAll(async () => {
  s3 = await startS3Server()
  kms = await startKmsServer(SEED)
  clients = {
    s3: new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 }),
    kms: new KMSClient({ ...LOOPBACK_CONNECTION, endpoint: kms.endpoint, maxAttempts: 1 }),
  }
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-journal-'))
  const path = join(folder, 'rows.parquet')
  const duckDb = await openDuckDb()
  const connection = await duckDb.connect()
  const rows = `select sha256(i::varchar) as row_hash, 1795910400000000 + i as event_time_us from range(40) t(i)`
  await connection.run(`copy (${rows}) to '${path}' (format parquet, compression snappy)`)
  parquet = readFileSync(path)
  parquetRoot = rootOf((await rowHashesOfFile(duckDb, path))?.hashes ?? []).toString('hex')
  connection.closeSync()
  duckDb.closeSync()
  rmSync(folder, { recursive: true })
})
afterAll(() => Promise.all([s3.stop(), kms.stop()]))
beforeEach(() => {
  s3.versions.length = 0
  s3.requests.length = 0
  s3.fault = () => undefined
  kms.requests.length = 0
  kms.answers.clear()
  now = NOON
})

const NOON = Date.parse('2026-11-29T12:00:00Z')
const HOUR = 3_600_000
let now = NOON

const add = (key: string, version: Partial<StoredVersion> = {}) =>
  s3.add({ key, body: Buffer.from(key), lastModified: new Date(now).toISOString(), ...version })
const dataKey = (day: string, name = 'a', table = 'Orders') => `data/${table}/event_date=${day}/${name}.parquet`
const about = () => ({ ...clients, bucket: 'archive', origin: ORIGIN, sealKey: 'seal-key', now: () => now })

async function seal(remaining = () => 900_000, isForeignKey = false) {
  const reported: string[] = []
  const report = (message: string) => reported.push(message)
  const metrics: Counts[] = []
  const writeMetrics = (counts: Counts) => metrics.push(counts)
  const sealer = createArchiveSealer({
    ...about(),
    archiveKey: 'archive-key',
    isForeignKey,
    name: 'sealer',
    report,
    writeMetrics,
  })
  const sealed = await sealer({ remaining }).catch((error: Error) => error)
  const counted = Object.assign({}, ...metrics) as Counts
  return { sealed, counted, reported }
}

async function check(remaining = () => 900_000) {
  const counted: Record<string, number> = {}
  const findings: JournalFinding[] = []
  const published: Head[] = []
  const checked = await createJournalCheck({
    ...about(),
    refusedDays: 365,
    writeMetrics: counts => {
      Object.assign(counted, counts)
    },
    report: finding => findings.push(finding),
    publish: async head => {
      published.push(head)
    },
  })({ remaining })
  return { checked, counted, findings, published }
}

async function entries(): Promise<readonly Entry[]> {
  const log = new KeptLog(new Bucket(clients.s3, 'archive'))
  const known = [verifierOf(ORIGIN, 0x01, kms.publicKey)]
  const { size } = openHead((await log.read('checkpoint')) as Uint8Array, 'checkpoint', { origin: ORIGIN, known })
  const found: Entry[] = []
  for await (const { entry } of readEntries(path => log.read(path), { from: 0, to: size, size }))
    if (entry !== undefined) found.push(entry)
  return found
}

const keysIn = (found: readonly Entry[]) => found.flatMap(entry => (entry.type === 'object@1' ? [entry.key] : []))

describe('the sealer', () => {
  it('seals what is there with its versions, locks and rows, and signs by KMS as a key in a file would', async () => {
    const retention = { mode: 'COMPLIANCE', until: '2033-11-29T12:00:00Z' }
    const { versionId } = add(dataKey('2026-11-29'), { body: parquet, retention })
    add('config/Orders/1.json')
    add('refused/processing-failed/Orders/x')
    const { sealed, counted } = await seal()
    expect(sealed).toMatchObject({ objects: 3, rows: 40, left: 0, vanished: [] })
    expect(counted).toEqual({ Seals: 1, ObjectsSealed: 3, ObjectsLeft: 0, KeysClosing: 0, KeyUsedOtherwise: 0 })
    const object = (await entries()).find(entry => entry.type === 'object@1' && entry.key.startsWith('data/'))
    expect(object).toMatchObject({
      version_id: versionId,
      retain_until: '2033-11-29T12:00:00.000Z',
      rows: 40,
      rows_root: parquetRoot,
      min_us: 1795910400000000,
    })
    expect(kms.requests.filter(({ operation }) => operation === 'Sign').map(({ body }) => body)).toMatchObject([
      { KeyId: 'seal-key', MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' },
    ])
  })

  it('lists everything once a day, and in between no day before yesterday', async () => {
    add(dataKey('2026-01-01'))
    await seal()
    s3.requests.length = 0
    now += HOUR
    add(dataKey('2026-01-01', 'late'))
    add(dataKey('2026-11-28', 'yesterday'))
    add(dataKey('2026-11-29', 'today', 'Sessions'))
    await seal()
    expect(keysIn(await entries()).slice(1)).toEqual([
      dataKey('2026-11-28', 'yesterday'),
      dataKey('2026-11-29', 'today', 'Sessions'),
    ])
    now += 24 * HOUR
    await seal()
    expect(keysIn(await entries())).toContain(dataKey('2026-01-01', 'late'))
    const seals = (await entries()).filter(entry => entry.type === 'seal@1')
    expect(seals.map(({ partial }) => partial)).toEqual([undefined, true, undefined])
  })

  it('stops when its time is short, leaves nothing half, and goes on where it stopped', async () => {
    for (let i = 0; i < 40; i++) add(`facts/Orders/${String(i).padStart(2, '0')}.json`)
    let calls = 0
    const first = await seal(() => (++calls < 12 ? 900_000 : 1000))
    expect(first.sealed).toMatchObject({ head: { size: expect.any(Number) } })
    expect(first.counted.ObjectsLeft).toBeGreaterThan(0)
    expect(first.counted.Seals).toBe(1)
    const { findings } = await check()
    expect(findings).toEqual([])
    // the same day: what was left is not taken for what had been listed
    expect((await seal()).counted).toMatchObject({ ObjectsLeft: 0 })
    expect(keysIn(await entries())).toHaveLength(40)
  })

  it('deletes nothing, and writes nothing but the checkpoint twice', async () => {
    for (let i = 0; i < 5; i++) {
      add(`facts/Orders/${i}.json`)
      await seal()
      now += HOUR
    }
    expect(s3.requests.filter(({ operation }) => operation === 'DeleteObjects')).toEqual([])
    const written = s3.versions.map(({ key }) => key)
    expect(new Set(written.filter((key, i) => written.indexOf(key) !== i))).toEqual(new Set(['log/checkpoint']))
  })

  it('finishes what a call that died had claimed', async () => {
    add('facts/Orders/a.json')
    s3.fault = (operation, key) =>
      operation === 'PutObject' && key.startsWith('log/tile/') ? { status: 500, code: 'InternalError' } : undefined
    expect((await seal()).sealed).toBeInstanceOf(Error)
    s3.fault = () => undefined
    // until then a check finds what is not written where it was staged
    expect(await check()).toMatchObject({ findings: [], counted: { JournalForked: 0 } })
    now += HOUR
    expect((await seal()).sealed).toMatchObject({ objects: 0 })
    expect(keysIn(await entries())).toEqual(['facts/Orders/a.json'])
    expect((await check()).findings).toEqual([])
  })

  it('counts a file of the journal that is another than it sealed', async () => {
    add('facts/Orders/a.json')
    await seal()
    add('log/tile/0/000.p/3', { body: Buffer.alloc(96) })
    const { sealed, counted } = await seal()
    expect(sealed).toMatchObject({
      message: expect.stringMatching(/^log\/tile\/0\/000.p\/3 is there, and no claim led to it/),
    })
    expect(counted).toMatchObject({ JournalForked: 1 })
    expect(counted.Seals).toBeUndefined()
  })

  it.each(['PendingDeletion', 'Disabled'])('counts keys that are %s', async KeyState => {
    kms.answers.set('DescribeKey', { KeyMetadata: { KeyId: 'x', KeyState } })
    kms.answers.set('Sign', 'KMSInvalidStateException')
    const { sealed, counted } = await seal()
    expect(sealed).toMatchObject({ name: 'KMSInvalidStateException' })
    expect(counted).toEqual({ KeysClosing: 2, KeyUsedOtherwise: 0 })
  })

  it('counts a use of its key that was no sealing, and seals all the same', async () => {
    const used = (time: number) =>
      kms.answers.set('GetKeyLastUsage', {
        KeyLastUsage: { Operation: 'Sign', Timestamp: time / 1000, CloudTrailEventId: 'event-1' },
      })
    used(now - HOUR)
    expect((await seal()).counted).toMatchObject({ Seals: 1, KeyUsedOtherwise: 1 })
    used(now + 60_000)
    now += HOUR
    expect((await seal()).counted).toMatchObject({ KeyUsedOtherwise: 0 })
    used(now + 0.5 * HOUR)
    now += HOUR
    const { counted, reported } = await seal()
    expect(counted).toMatchObject({ Seals: 1, KeyUsedOtherwise: 1 })
    expect(reported).toEqual([
      'the key of the journal was used by no sealing: Sign at 2026-11-29T13:30:00.000Z, CloudTrail event event-1',
    ])
    kms.requests.length = 0
    await seal(undefined, true)
    expect(kms.requests.map(({ operation }) => operation)).not.toContain('GetKeyLastUsage')
  })

  it('seals where nobody tells how its keys are, and says so afterwards', async () => {
    kms.answers.set('DescribeKey', 'AccessDeniedException')
    add('facts/Orders/a.json')
    const { sealed, counted } = await seal()
    expect(sealed).toMatchObject({ name: 'AccessDeniedException' })
    expect(counted).toEqual({ Seals: 1, ObjectsSealed: 1, ObjectsLeft: 0, KeyUsedOtherwise: 0 })
  })

  it('signs nothing where nobody tells who used its key before', async () => {
    kms.answers.set('GetKeyLastUsage', 'AccessDeniedException')
    add('facts/Orders/a.json')
    const { sealed, counted } = await seal()
    expect(sealed).toMatchObject({ name: 'AccessDeniedException' })
    expect(counted).toEqual({ KeysClosing: 0 })
    expect(kms.requests.filter(({ operation }) => operation === 'Sign')).toEqual([])
  })

  it('tells of a use of its key before it signs, whichever request to S3 failed in the call before', async () => {
    add('facts/Orders/a.json')
    await seal()
    const sealed = [...s3.versions]
    now += HOUR
    const failed: string[] = []
    for (let nth = 1, isLooked = false; !isLooked; nth++) {
      s3.versions.splice(0, s3.versions.length, ...sealed)
      kms.requests.length = 0
      kms.answers.set('GetKeyLastUsage', { KeyLastUsage: { Timestamp: (now - HOUR / 2) / 1000 } })
      let count = 0
      s3.fault = (operation, key) => {
        if (++count !== nth) return undefined
        failed.push(`${operation} ${key}`)
        return { status: 503, code: 'SlowDown' }
      }
      const first = await seal()
      s3.fault = () => undefined
      const asked = kms.requests.map(({ operation }) => operation)
      isLooked = asked.includes('GetKeyLastUsage')
      // from a signature on KMS tells of the sealer's own use alone
      const told = asked.includes('Sign') || isLooked ? first : await seal()
      expect(told.counted.KeyUsedOtherwise, failed.at(-1)).toBe(1)
    }
    expect(failed[0]).toBe('GetObject log/checkpoint')
    expect(failed.length).toBeGreaterThan(2)
  })

  it('claims nothing with a signature that is not of its key', async () => {
    kms.answers.set('Sign', { Signature: Buffer.alloc(64).toString('base64') })
    expect((await seal()).sealed).toMatchObject({ message: expect.stringContaining('is not that of its public key') })
    expect(s3.versions.filter(({ key }) => key.startsWith('log/'))).toEqual([])
  })

  it('refuses a key of another kind', async () => {
    kms.answers.set('GetPublicKey', { KeySpec: 'ECC_NIST_P256', PublicKey: 'AAAA' })
    expect((await seal()).sealed).toMatchObject({
      message: 'KMS key seal-key has the spec ECC_NIST_P256, expected ECC_NIST_EDWARDS25519',
    })
  })
})

describe('a sealer whose clock is ahead', () => {
  it('counts and names an object that two sealings passed over, which no check finds once it is sealed', async () => {
    add('facts/Orders/a.json')
    await seal()
    now += 24 * HOUR
    await seal()
    add('facts/Orders/b.json', { lastModified: '2026-11-29T00:00:00Z' })
    now += 24 * HOUR
    const { sealed, counted, reported } = await seal()
    expect(sealed).toMatchObject({ objects: 1, unlisted: ['facts/Orders/b.json'] })
    expect(counted).toMatchObject({ ObjectsUnlisted: 1, Seals: 1 })
    expect(reported).toEqual(['facts/Orders/b.json was passed over by two sealings'])
    expect((await seal()).counted).not.toHaveProperty('ObjectsUnlisted')
  })

  it('has no object found unlisted that came after it looked', async () => {
    add('facts/Orders/a.json')
    for (const days of [1, 2, 3]) {
      now = NOON + days * 24 * HOUR
      await seal()
    }
    now = NOON + HOUR
    add('facts/Orders/b.json')
    const { checked, findings } = await check()
    expect([findings, checked.notSealed]).toEqual([[], 1])
    // what is older than what it listed would have been listed
    add('facts/Orders/c.json', { lastModified: new Date(NOON - HOUR).toISOString() })
    expect((await check()).findings).toMatchObject([{ kind: 'unlisted', key: 'facts/Orders/c.json' }])
  })
})

describe('a turn of the check', () => {
  const DAY = 24 * HOUR
  // time enough for what is new, and for nothing else
  const short = () => 60_000
  const lateAfter = async (days: number, remaining?: () => number) => {
    now += days * DAY
    const { counted, checked } = await check(remaining)
    expect(counted.JournalChecks).toBe(1)
    return [counted.TurnsLate, checked.since]
  }

  it('is late when it did not come round for 90 days, however many checks ended', async () => {
    await seal()
    // all of the journal was verified for the first time, and no day before the last ones was held
    const began = now
    expect(await lateAfter(0, short)).toEqual([0, { again: began, days: began }])
    expect(await lateAfter(90, short)).toEqual([0, { again: began, days: began }])
    expect(await lateAfter(1, short)).toEqual([2, { again: began, days: began }])
    // the days come first where a call's time is short
    expect(await lateAfter(1, () => 200_000)).toEqual([1, { again: began, days: began + 92 * DAY }])
    expect(await lateAfter(1)).toEqual([0, { again: began + 93 * DAY, days: began + 93 * DAY }])
    expect(await lateAfter(91, short)).toEqual([2, expect.anything()])
  })

  it('begins where none was kept, as by an older check', async () => {
    await seal()
    await check(short)
    const kept = s3.versions.findLast(({ key }) => key === 'checked/journal.json') as StoredVersion
    const line = kept.body.indexOf('\n')
    const { since, ...older } = JSON.parse(kept.body.subarray(0, line).toString()) as Record<string, unknown>
    expect(since).toEqual({ again: now, days: now })
    add(kept.key, { body: Buffer.concat([Buffer.from(JSON.stringify(older)), kept.body.subarray(line)]) })
    expect(await lateAfter(100, short)).toEqual([0, { again: now, days: now }])
  })

  it('is of no check that cannot keep how far it came: that counts as none', async () => {
    await seal()
    s3.fault = operation => (operation === 'PutObject' ? { status: 403, code: 'AccessDenied' } : undefined)
    const counts: Counts[] = []
    const failed = createJournalCheck({
      ...about(),
      refusedDays: 365,
      writeMetrics: counted => counts.push(counted),
      report: () => {},
    })({ remaining: () => 900_000 })
    await expect(failed).rejects.toThrow()
    expect(counts).toEqual([{ JournalForked: 0, ObjectsAltered: 0, ObjectsUnlisted: 0 }])
  })
})

describe('the check', () => {
  const sealTwice = async () => {
    await seal()
    now += 24 * HOUR
    await seal()
    now += 24 * HOUR
    await seal()
  }

  it('finds nothing in an honest archive, and hands its checkpoint on', async () => {
    add(dataKey('2026-11-29'), { body: parquet })
    for (let i = 0; i < 200; i++) add(`facts/Orders/${i}.json`)
    await sealTwice()
    s3.requests.length = 0
    const { checked, counted, findings, published } = await check()
    expect(findings).toEqual([])
    expect(counted).toEqual({
      JournalForked: 0,
      ObjectsAltered: 0,
      ObjectsUnlisted: 0,
      JournalChecks: 1,
      TurnsLate: 0,
    })
    expect(checked).toMatchObject({ sound: 201, notSealed: 0 })
    // a sample, neither nothing nor everything
    expect(checked.hashed).toBeGreaterThan(20)
    expect(checked.hashed).toBeLessThan(120)
    expect(published.map(({ size }) => size)).toEqual([checked.size])
    expect(s3.requests.filter(({ operation }) => operation === 'PutObject').map(({ key }) => key)).toEqual([
      'checked/journal.json',
    ])
    const mail = checkpointMail(published[0] as Head, ORIGIN)
    expect(mail.Subject).toBe(`Itemtrail checkpoint ${checked.size} of ${ORIGIN}`)
    const kept = mail.Message.slice(mail.Message.indexOf(`${ORIGIN}\n`))
    const known = [verifierOf(ORIGIN, 0x01, kms.publicKey)]
    expect(openHead(Buffer.from(kept), 'kept', { origin: ORIGIN, known }).size).toBe(checked.size)
    now += 8 * 24 * HOUR
    expect((await check()).checked).toMatchObject({ sound: 201, hashed: 0, findings: 0 })
  })

  it.each<[string, (key: string) => void, Partial<JournalFinding>, Counts]>([
    [
      'an object that was overwritten',
      key => add(key, { body: Buffer.from('other') }),
      { kind: 'altered' },
      { ObjectsAltered: 1 },
    ],
    [
      'an object of the same length that was overwritten',
      key => add(key, { body: Buffer.from(key.toUpperCase()) }),
      { kind: 'altered' },
      { ObjectsAltered: 1 },
    ],
    [
      'an object behind a delete marker',
      key => add(key, { isMarker: true }),
      { kind: 'missing' },
      { ObjectsAltered: 1 },
    ],
    [
      'an object that is gone',
      key => s3.versions.splice(0, s3.versions.length, ...s3.versions.filter(version => version.key !== key)),
      { kind: 'missing' },
      { ObjectsAltered: 1 },
    ],
    [
      'an object that no sealing took',
      () => add('facts/Orders/b.json', { lastModified: '2026-11-29T00:00:00Z' }),
      { kind: 'unlisted', key: 'facts/Orders/b.json' },
      { ObjectsUnlisted: 1 },
    ],
    [
      'a second claim',
      () => add('log/next/00000000000000000000', { isMarker: true }),
      { kind: 'forked', key: 'log/next/00000000000000000000' },
      {},
    ],
  ])('finds %s', async (_, tamper, finding, counts) => {
    const key = 'facts/Orders/a.json'
    add(key)
    await sealTwice()
    tamper(key)
    const { findings, counted, published } = await check()
    expect(findings).toContainEqual(expect.objectContaining({ key, ...finding }))
    expect(counted).toMatchObject(counts)
    expect(published).toEqual([])
  })

  it('forgives that S3 forgot a refused object when its days were over, and not before', async () => {
    add('facts/Orders/a.json')
    await seal()
    now += 24 * HOUR
    add('refused/processing-failed/Orders/x')
    await seal()
    s3.versions.splice(0, s3.versions.length, ...s3.versions.filter(({ key }) => !key.startsWith('refused/')))
    expect((await check()).findings).toMatchObject([{ kind: 'missing', key: 'refused/processing-failed/Orders/x' }])
    now += 365 * 24 * HOUR
    expect((await check()).findings).toEqual([])
  })

  it.each([
    ['all of it', 'log/', 'log/'],
    ['claims and checkpoint', 'log/next/', 'log/next/00000000000000000000'],
  ])('misses a journal that was erased with its versions: %s', async (_, prefix, key) => {
    add('facts/Orders/a.json')
    await sealTwice()
    const isErased = (of: string) => of.startsWith(prefix) || of === 'log/checkpoint'
    s3.versions.splice(0, s3.versions.length, ...s3.versions.filter(version => !isErased(version.key)))
    const { findings, counted, published } = await check()
    expect(findings).toMatchObject([{ kind: 'missing', key }])
    expect(counted.JournalForked).toBe(1)
    expect(published).toEqual([])
  })

  it('misses none in an archive that is younger than a day', async () => {
    add('facts/Orders/a.json')
    expect((await check()).findings).toEqual([])
  })

  it('believes no other key than the one in KMS', async () => {
    add('facts/Orders/a.json')
    await seal()
    const other = await startKmsServer()
    const mine = clients
    clients = { ...mine, kms: new KMSClient({ ...LOOPBACK_CONNECTION, endpoint: other.endpoint }) }
    const { findings, counted } = await check()
    clients = mine
    await other.stop()
    expect(findings.map(({ kind }) => kind)).toContain('foreign-key')
    expect(counted.JournalForked).toBeGreaterThan(0)
  })
})
