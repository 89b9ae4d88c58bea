import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readCanary, readCompared, readDigestAge } from '../../doctor/read-arrivals.js'
import { reconciliationFact } from '../../restore/reconciliation-fact.js'
import { writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'

let s3: S3Server
let client: S3Client
beforeAll(async () => {
  s3 = await startS3Server()
  client = new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 })
})
afterAll(() => s3.stop())

const NOW = Date.parse('2026-11-29T00:10:00Z')
const OUTPUTS = new Map([
  ['AuditArchiveBucketC0501D48', 'archive'],
  ['AuditCanaryTableC0501D48', 'audit_canary'],
])

it('finds how old the newest object of the canary is, over midnight, and of no other table', async () => {
  expect(await readCanary(client, OUTPUTS, NOW)).toEqual({ kind: 'found', value: undefined })
  for (const [table, day, at] of [
    ['audit_canary', '2026-11-28', '2026-11-28T23:58:00Z'],
    ['audit_canary', '2026-11-28', '2026-11-28T23:40:00Z'],
    ['Orders', '2026-11-29', '2026-11-29T00:09:00Z'],
  ] as const)
    s3.add({ key: `data/${table}/event_date=${day}/${at}.parquet`, lastModified: at })
  expect(await readCanary(client, OUTPUTS, NOW)).toEqual({ kind: 'found', value: 12 * 60_000 })
})

it('says why it cannot be looked at, and nothing of a stack without one', async () => {
  s3.fault = () => ({ status: 403, code: 'AccessDenied' })
  expect(await readCanary(client, OUTPUTS, NOW)).toMatchObject({ kind: 'unknown' })
  expect(await readCanary(client, new Map([['ArchiveBucket', 'archive']]), NOW)).toBeUndefined()
})

it('finds how old the newest digest of the trail of callers is, of this region, and nothing without a trail', async () => {
  s3.fault = () => undefined
  const arn = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Audit/id'
  const stack = { arn, outputs: new Map([['AuditCallersBucketC0501D48', 'calls']]) }
  for (const [place, at] of [
    ['CloudTrail-Digest/eu-west-1/2026/11/28', '2026-11-28T23:08:00Z'],
    ['CloudTrail-Digest/eu-central-1/2026/11/29', '2026-11-29T00:08:00Z'],
    ['CloudTrail/eu-west-1/2026/11/29', '2026-11-29T00:09:00Z'],
  ] as const)
    s3.add({ bucket: 'calls', key: `AWSLogs/111122223333/${place}/${at}.json.gz`, lastModified: at })
  expect(await readDigestAge(client, stack, NOW)).toEqual({ kind: 'found', value: 62 * 60_000 })
  expect(await readDigestAge(client, { ...stack, outputs: OUTPUTS }, NOW)).toBeUndefined()
})

it('finds how old is what was compared last, among other facts, and of the last week alone', async () => {
  s3.fault = () => undefined
  s3.versions.length = 0
  const age = () => readCompared(client, 'archive', 'Orders', NOW)
  const keep = (recorded: string, to: string) => {
    const source = { table: 'Orders', method: 'export', source: 'arn', fromUs: 0, toUs: Date.parse(to) * 1000 } as const
    const compared = { items: 0, differing: new Map(), unsettled: new Set<string>(), digest: '0'.repeat(64) }
    const fact = reconciliationFact(source, compared, Date.parse(recorded))
    s3.add({ key: factKey(fact), body: Buffer.from(writeFact(fact)) })
  }
  expect(await age()).toBeUndefined()
  keep('2026-11-01T01:00:00.000000Z', '2026-11-01T00:00:00.000000Z')
  s3.add({ key: 'facts/Orders/20261128T230000.000000Z-gap.json' })
  expect(await age()).toBeUndefined()
  keep('2026-11-28T02:10:00.000000Z', '2026-11-28T00:10:00.000000Z')
  expect(await age()).toBe(24 * 3_600_000)
  // kept this night, of a night three weeks ago
  keep('2026-11-29T00:05:00.000000Z', '2026-11-08T00:10:00.000000Z')
  expect(await age()).toBe(21 * 24 * 3_600_000)
  s3.add({ key: 'facts/Orders/20261129T000600.000000Z-reconciliation.json', body: Buffer.from('{}') })
  await expect(age()).rejects.toThrow('20261129T000600')
})
