import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readCanary } from '../../doctor/read-canary.js'
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
