import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRefusedWatch, parseDays } from '../../functions/watch-refused.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'

let s3: S3Server
let client: S3Client
beforeAll(async () => {
  s3 = await startS3Server()
  client = new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 })
})
afterAll(() => s3.stop())
beforeEach(() => {
  s3.versions.length = 0
  s3.fault = () => undefined
})

const DAY_MS = 24 * 60 * 60 * 1000
const NOW = Date.UTC(2026, 10, 22, 10)
const daysAgo = (days: number) => new Date(NOW - days * DAY_MS).toISOString()

/** What one look counts, over buckets that the server answers for alike. */
async function count(refusedDays: number, buckets = ['archive']): Promise<object[]> {
  const counted: object[] = []
  const writeMetrics = (counts: object) => counted.push(counts)
  await createRefusedWatch({ s3: client, buckets, refusedDays, writeMetrics, now: () => NOW })()
  return counted
}

describe('the watch over refused objects', () => {
  it('counts those that have 30 days left or less', async () => {
    for (const days of [0, 334, 334.9, 335, 350, 364.9])
      s3.add({ key: `refused/processing-failed/Orders/${days}`, lastModified: daysAgo(days) })
    expect(await count(365)).toEqual([{ RefusedExpiring: 3 }])
  })

  it('counts none in the archive itself, however old', async () => {
    s3.add({ lastModified: daysAgo(3000) })
    expect(await count(365)).toEqual([{ RefusedExpiring: 0 }])
  })

  it('counts the second half of a short time', async () => {
    for (const days of [1, 4.9, 5, 9]) s3.add({ key: `refused/${days}`, lastModified: daysAgo(days) })
    expect(await count(10)).toEqual([{ RefusedExpiring: 2 }])
  })

  it('reads every page of every bucket', async () => {
    for (let i = 0; i < 1001; i++) s3.add({ key: `refused/${i}`, lastModified: daysAgo(360) })
    expect(await count(365, ['archive', 'refused'])).toEqual([{ RefusedExpiring: 2002 }])
  })

  it('fails rather than count half', async () => {
    s3.add({ key: 'refused/a', lastModified: daysAgo(360) })
    let lists = 0
    s3.fault = () => (++lists === 2 ? { status: 403, code: 'AccessDenied' } : undefined)
    const counted: object[] = []
    const watch = createRefusedWatch({
      s3: client,
      buckets: ['archive', 'refused'],
      refusedDays: 365,
      writeMetrics: counts => counted.push(counts),
      now: () => NOW,
    })
    await expect(watch()).rejects.toThrow()
    expect(counted).toEqual([])
  })

  it.each(['', '0', '-1', '1.5', 'x', '100000'])('does not start with %j days', text => {
    expect(() => parseDays(text)).toThrow(`refused days are ${JSON.stringify(text)}, expected a whole number`)
  })
})
