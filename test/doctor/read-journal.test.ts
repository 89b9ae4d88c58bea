import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readJournal, readLocks } from '../../doctor/read-journal.js'
import { createArchiveSealer } from '../../functions/seal-archive.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { ORIGIN, SEED, VKEY } from '../proof/vectors.js'
import { type S3Server, startS3Server } from '../s3-server.js'

let s3: S3Server
let kms: KmsServer
let clients: { readonly s3: S3Client; readonly kms: KMSClient }
beforeAll(async () => {
  s3 = await startS3Server()
  kms = await startKmsServer(SEED)
  clients = {
    s3: new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 }),
    kms: new KMSClient({ ...LOOPBACK_CONNECTION, endpoint: kms.endpoint, maxAttempts: 1 }),
  }
})
afterAll(() => Promise.all([s3.stop(), kms.stop()]))
beforeEach(() => {
  s3.versions.length = 0
  kms.answers.clear()
  kms.answers.set('GetKeyPolicy', { Policy: '{"Statement":[]}' })
  kms.answers.set('ListGrants', {
    Grants: [
      { Operations: ['Sign'], GranteePrincipal: 'arn:aws:iam::123456789012:role/Mallory' },
      { Operations: ['DescribeKey'], GranteePrincipal: 'arn:aws:iam::123456789012:role/Reader' },
    ],
  })
})

const NOW = Date.parse('2026-11-29T12:00:00Z')
const OUTPUTS = new Map([
  ['AuditArchiveBucketC0501D48', 'archive'],
  ['AuditJournalOriginC0501D48', ORIGIN],
  ['AuditSealKeyArnC0501D48', 'arn:aws:kms:us-east-1:123456789012:key/seal'],
])

const seal = (now: number) =>
  createArchiveSealer({
    ...clients,
    bucket: 'archive',
    origin: ORIGIN,
    sealKey: 'seal',
    archiveKey: 'archive',
    isForeignKey: false,
    report: () => {},
    name: 'sealer',
    writeMetrics: () => {},
    now: () => now,
  })({ remaining: () => 900_000 })

describe('what is found of a journal', () => {
  it('is how old its last seal is, its key, and who may sign besides', async () => {
    s3.add({ key: 'facts/Orders/a.json' })
    await seal(NOW - 7_200_000)
    await seal(NOW - 60_000)
    expect(await readJournal(clients, OUTPUTS, NOW)).toMatchObject({
      key: { value: { state: 'Enabled', signingGrants: { value: ['arn:aws:iam::123456789012:role/Mallory'] } } },
      found: { value: { vkey: VKEY, sealedAgoMs: 60_000, rewritten: [], strangeUse: { value: undefined } } },
    })
    s3.add({ key: 'log/next/00000000000000000000', isMarker: true })
    expect(await readJournal(clients, OUTPUTS, NOW)).toMatchObject({
      found: { value: { rewritten: ['log/next/00000000000000000000'] } },
    })
  })

  it('is nothing where nothing was sealed, and where the stack keeps none', async () => {
    expect(await readJournal(clients, OUTPUTS, NOW)).toMatchObject({ found: { value: { sealedAgoMs: undefined } } })
    expect(await readJournal(clients, new Map([['ArchiveBucket', 'archive']]), NOW)).toBeUndefined()
  })

  it('is why a checkpoint is not believed that another key signed', async () => {
    const other = await startKmsServer()
    s3.add({ key: 'facts/Orders/a.json' })
    await seal(NOW)
    const strangers = { ...clients, kms: new KMSClient({ ...LOOPBACK_CONNECTION, endpoint: other.endpoint }) }
    expect(await readJournal(strangers, OUTPUTS, NOW)).toMatchObject({
      found: { value: { sealedAgoMs: expect.stringContaining('is signed by none of the keys given') } },
    })
    await other.stop()
  })
})

describe('what is found of locks', () => {
  it('is the newest object of each prefix that has been there for an hour', async () => {
    const retention = { mode: 'COMPLIANCE', until: '2033-01-01T00:00:00Z' }
    s3.add({ key: 'data/Orders/event_date=2026-11-27/a', lastModified: '2026-11-27T10:00:00Z' })
    s3.add({ key: 'data/Orders/event_date=2026-11-28/b', lastModified: '2026-11-28T10:00:00Z', retention })
    s3.add({ key: 'data/Orders/event_date=2026-11-29/c', lastModified: '2026-11-29T11:59:00Z' })
    s3.add({ key: 'facts/Orders/a.json', lastModified: '2026-11-28T10:00:00Z' })
    s3.add({ key: 'log/tile/0/000.p/3', lastModified: '2026-11-28T10:00:00Z' })
    expect(await readLocks(clients.s3, 'archive', NOW)).toEqual([
      { key: 'data/Orders/event_date=2026-11-28/b', mode: 'COMPLIANCE' },
      { key: 'facts/Orders/a.json', mode: undefined },
    ])
  })
})
