import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLocker, type LockEvent, parseRule } from '../../functions/lock-objects.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { type S3Server, type StoredVersion, startS3Server } from '../s3-server.js'

let s3: S3Server
let client: S3Client
beforeAll(async () => {
  s3 = await startS3Server()
  client = new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 })
})
afterAll(() => s3.stop())
beforeEach(() => {
  s3.versions.length = 0
  s3.requests.length = 0
  s3.fault = () => undefined
})

const TIME = '2026-11-22T10:15:00Z'
const UNTIL = '2026-12-02T10:15:00Z'
const LATER = '2027-01-01T00:00:00.000Z'
const EARLIER = '2026-11-30T00:00:00.000Z'

/** What EventBridge sends of an object that Firehose delivered, as the S3 user guide shows it. */
const created = ({ key, versionId }: StoredVersion, time = TIME) => ({
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '123456789012',
  time,
  region: 'us-east-1',
  resources: ['arn:aws:s3:::archive'],
  detail: {
    version: '0',
    bucket: { name: 'archive' },
    object: {
      key,
      size: 5,
      etag: 'b1946ac92492d2347c6235b4d2611184',
      'version-id': versionId,
      sequencer: '00617F08299329D189',
    },
    'request-id': 'N4N7GDK58NMKJ12R',
    requester: '123456789012',
    'source-ip-address': '1.2.3.4',
    reason: 'PutObject',
  },
})

const queued = (...events: readonly object[]) => ({
  Records: events.map((event, i) => ({
    messageId: `message${i}`,
    eventSource: 'aws:sqs',
    body: JSON.stringify(event),
  })),
})

const lock = (event: LockEvent, mode = 'GOVERNANCE') => createLocker(client, parseRule(mode, '10'))(event)

describe('an object', () => {
  it.each(['GOVERNANCE', 'COMPLIANCE'])('is locked by its version for the days of the rule, %s', async mode => {
    const version = s3.add({})
    const newer = s3.add({ key: version.key })
    await lock(queued(created(version)), mode)
    expect(version.retention).toEqual({ mode, until: UNTIL })
    expect(newer.retention).toBeUndefined()
  })

  it('of any key is found: an event has it unescaped', async () => {
    const version = s3.add({ key: 'data/Orders-2_x.y/event_date=2026-11-22/a b+c%20d é.parquet' })
    await lock(queued(created(version)))
    expect(version.retention?.until).toBe(UNTIL)
  })

  it('is left alone when it comes again', async () => {
    const version = s3.add({})
    for (let i = 0; i < 3; i++) await lock(queued(created(version)))
    expect(s3.requests.filter(({ operation }) => operation === 'PutObjectRetention')).toHaveLength(1)
  })

  it.each([
    ['GOVERNANCE', 'GOVERNANCE', UNTIL],
    ['GOVERNANCE', 'GOVERNANCE', LATER],
    ['GOVERNANCE', 'COMPLIANCE', LATER],
    ['COMPLIANCE', 'COMPLIANCE', LATER],
  ])('for %s keeps a lock that is as strict and as long: %s until %s', async (rule, mode, until) => {
    const version = s3.add({ retention: { mode, until } })
    await lock(queued(created(version)), rule)
    expect(version.retention).toEqual({ mode, until })
    expect(s3.requests.map(({ operation }) => operation)).toEqual(['GetObjectRetention'])
  })

  it.each([
    ['GOVERNANCE', 'GOVERNANCE'],
    ['GOVERNANCE', 'COMPLIANCE'],
    ['COMPLIANCE', 'COMPLIANCE'],
  ])('for %s gets a shorter lock prolonged, and a stricter one stays: %s', async (rule, mode) => {
    const version = s3.add({ retention: { mode, until: EARLIER } })
    await lock(queued(created(version)), rule)
    expect(version.retention).toEqual({ mode, until: UNTIL })
  })

  it('under a weaker lock than the rule wants is a failure, if S3 does not let it be made stricter', async () => {
    const retention = { mode: 'GOVERNANCE', until: LATER }
    const version = s3.add({ retention })
    await expect(lock(queued(created(version)), 'COMPLIANCE')).rejects.toThrow('AccessDenied')
    expect(version.retention).toEqual(retention)
  })
})

it('never asks to bypass governance, and sends a checksum, which S3 wants', async () => {
  await lock(queued(created(s3.add({}))))
  const put = s3.requests.find(({ operation }) => operation === 'PutObjectRetention')
  expect(put?.headers).not.toHaveProperty('x-amz-bypass-governance-retention')
  expect(put?.headers).toHaveProperty('x-amz-checksum-crc32')
})

describe('a failure', () => {
  it('is thrown with every object that is not locked, after all were tried', async () => {
    const versions = ['a', 'b', 'c'].map(name => s3.add({ key: `data/Orders/event_date=2026-11-22/${name}` }))
    s3.fault = (operation, key) =>
      operation === 'PutObjectRetention' && !key.endsWith('b') ? { status: 403, code: 'AccessDenied' } : undefined
    const locking = lock(queued(...versions.map(version => created(version))))
    await expect(locking).rejects.toThrow(/\/a version version0: AccessDenied.*\/c version version2: AccessDenied/)
    expect(versions.map(({ retention }) => retention?.until)).toEqual([undefined, UNTIL, undefined])
  })

  it.each(['GetObjectRetention', 'PutObjectRetention'] as const)(
    'of %s heals when it is tried again',
    async failing => {
      const version = s3.add({})
      s3.fault = operation => (operation === failing ? { status: 503, code: 'SlowDown' } : undefined)
      await expect(lock(queued(created(version)))).rejects.toThrow('SlowDown')
      s3.fault = () => undefined
      await lock(queued(created(version)))
      expect(version.retention?.until).toBe(UNTIL)
    },
  )

  it('is what a version that is gone makes: it should have been locked', async () => {
    await expect(lock(queued(created({ ...s3.add({}), versionId: 'gone' })))).rejects.toThrow('NoSuchVersion')
  })

  it.each<readonly [string, object]>([
    ['without a version', { ...created({ key: 'k' } as StoredVersion) }],
    ['without a time', { ...created({ key: 'k', versionId: 'v' } as StoredVersion), time: undefined }],
    ['of another kind', { detail: { state: 'STOPPED' } }],
    ['that is empty', {}],
  ])('is what an event makes %s', async (_about, event) => {
    await expect(lock(queued(event))).rejects.toThrow('event is not "Object Created" of a versioned bucket')
  })
})

describe('the rule', () => {
  it('is read from text', () => {
    expect(parseRule('COMPLIANCE', '2557')).toEqual({ mode: 'COMPLIANCE', days: 2557 })
  })

  it.each([
    ['governance', '10', 'lock mode is "governance", expected GOVERNANCE or COMPLIANCE'],
    ['', '10', 'lock mode is ""'],
    ['GOVERNANCE', '0', 'lock days are "0", expected a whole number from 1 to 36500'],
    ['GOVERNANCE', '1.5', 'lock days are "1.5"'],
    ['GOVERNANCE', '36501', 'lock days are "36501"'],
    ['GOVERNANCE', 'ten', 'lock days are "ten"'],
  ])('%s, %s is refused', (mode, days, message) => {
    expect(() => parseRule(mode, days)).toThrow(message)
  })
})
