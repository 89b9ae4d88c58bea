import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Bucket } from '../../store/s3.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'

let s3: S3Server
let bucket: Bucket
beforeAll(async () => {
  s3 = await startS3Server()
  bucket = new Bucket(new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 }), 'derived')
})
afterAll(() => s3.stop())
beforeEach(() => {
  s3.versions.length = 0
  s3.fault = () => undefined
})

describe('a bucket', () => {
  it('lists keys with sizes and times, page by page, without folders', async () => {
    for (const key of ['a/1', 'a/2', 'a/3', 'a/4', 'a/', 'b/5'])
      s3.add({ key, body: Buffer.from(key), lastModified: '2026-11-20T10:00:00Z' })
    const modified = Date.UTC(2026, 10, 20, 10)
    expect(await bucket.entries('a/')).toEqual(
      ['a/1', 'a/2', 'a/3', 'a/4'].map(key => ({
        key,
        bytes: 3,
        modified,
        etag: expect.any(String),
        storageClass: 'STANDARD',
      })),
    )
    expect(await bucket.list('a/')).toEqual(['a/1', 'a/2', 'a/3', 'a/4'])
  })

  it('lists folders', async () => {
    for (const key of ['a/1/x', 'a/1/y', 'a/2/x', 'a/3/x', 'a/4/x', 'a/5/x/y', 'a/file']) s3.add({ key })
    expect(await bucket.folders('a/')).toEqual(['a/1/', 'a/2/', 'a/3/', 'a/4/', 'a/5/'])
  })

  it('replaces a text only where it is what was opened', async () => {
    expect(await bucket.openTagged('manifest')).toBeUndefined()
    await bucket.replace('manifest', 'one', undefined)
    await expect(bucket.replace('manifest', 'other', undefined)).rejects.toThrow(/PreconditionFailed|on demand/)
    const opened = await bucket.openTagged('manifest')
    await bucket.replace('manifest', 'two', opened)
    await expect(bucket.replace('manifest', 'three', opened)).rejects.toMatchObject({ name: 'PreconditionFailed' })
    expect((await bucket.openTagged('manifest'))?.text).toBe('two')
  })

  it('does not take what it may not read for what is not there', async () => {
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    await expect(bucket.openTagged('manifest')).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  it('removes objects, a thousand at a time', async () => {
    const keys = Array.from({ length: 2100 }, (_, i) => `a/${i}`)
    for (const key of [...keys, 'b']) s3.add({ key })
    const before = s3.requests.length
    await bucket.remove(keys)
    expect([s3.versions.map(({ key }) => key), s3.requests.length - before]).toEqual([['b'], 3])
  })
})
