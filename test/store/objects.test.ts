import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DiskArchive } from '../../store/folder.js'
import { isConflict, isMissing, type ReplaceableObjects } from '../../store/objects.js'
import { Bucket } from '../../store/s3.js'
import { temporaryFolder } from '../delivery/desk.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { MemoryObjects } from '../memory-objects.js'
import { type S3Server, startS3Server } from '../s3-server.js'

let s3: S3Server
beforeAll(async () => {
  s3 = await startS3Server()
})
afterAll(() => s3.stop())

function bucket(): Bucket {
  s3.versions.length = 0
  return new Bucket(new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 }), 'archive')
}

/** Every place that objects may lie in: readers and writers of an archive know none of them by name. */
const PLACES: readonly (readonly [string, () => ReplaceableObjects])[] = [
  ['a folder', () => new DiskArchive(temporaryFolder())],
  ['a bucket', bucket],
  ['memory', () => new MemoryObjects()],
]

describe.each(PLACES)('objects in %s', (_, place) => {
  let objects: ReplaceableObjects
  beforeEach(() => {
    objects = place()
  })

  const bytes = (text: string) => Buffer.from(text)
  const textOf = async (key: string) => Buffer.from(await objects.open(key)).toString()
  const rejection = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      error => error,
    )

  it('come back as they were put, whole or piece by piece', async () => {
    await objects.put('data/a', Buffer.from([0, 255, 10]))
    await objects.put('data/b', new Uint8Array())
    expect([...(await objects.open('data/a'))]).toEqual([0, 255, 10])
    expect((await objects.open('data/b')).length).toBe(0)
    const pieces: Uint8Array[] = []
    for await (const piece of objects.stream('data/a')) pieces.push(piece)
    expect([...Buffer.concat(pieces)]).toEqual([0, 255, 10])
  })

  it('are not opened where they have more bytes than whoever asks wants to hold', async () => {
    await objects.put('facts/a', bytes('12345'))
    expect((await objects.open('facts/a', 5)).length).toBe(5)
    await expect(objects.open('facts/a', 4)).rejects.toThrow('facts/a: has 5 bytes, expected at most 4')
    expect(isMissing(await rejection(objects.open('facts/none', 4)))).toBe(true)
  })

  it('are listed by any prefix, in order, with their bytes and times', async () => {
    const keys = ['data/b/2', 'data/b/1', 'data/b/deep/er/x', 'data/bb/x', "data/a/it's ü", 'refused/x']
    for (const key of keys) await objects.put(key, bytes(key))
    const under = (prefix: string) => keys.filter(key => key.startsWith(prefix)).sort()
    for (const prefix of ['data/b/', 'data/b', 'data/', '', 'none/']) {
      expect(await objects.list(prefix)).toEqual(under(prefix))
      expect(await objects.survey(prefix)).toEqual({ keys: under(prefix), odd: [] })
    }
    expect(await objects.entries('data/b')).toEqual(
      under('data/b').map(key => ({
        ...{ key, bytes: key.length, etag: expect.stringMatching(/^".+"$/), storageClass: 'STANDARD' },
        modified: expect.any(Number),
      })),
    )
  })

  it('lie in folders, one "/" further each', async () => {
    for (const key of ['a/1/x', 'a/1/y', 'a/2/x', 'a/12/x/y', 'a/file', 'b/3/x']) await objects.put(key, bytes(key))
    expect(await objects.folders('a/')).toEqual(['a/1/', 'a/12/', 'a/2/'])
    expect(await objects.folders('a/1')).toEqual(['a/1/', 'a/12/'])
    expect(await objects.folders('')).toEqual(['a/', 'b/'])
    expect(await objects.folders('c/')).toEqual([])
  })

  it('are never rewritten', async () => {
    await objects.put('data/a', bytes('first'))
    expect(isConflict(await rejection(objects.put('data/a', bytes('second'))))).toBe(true)
    expect(await textOf('data/a')).toBe('first')
  })

  it('tell one that is not there from one that cannot be read', async () => {
    expect(isMissing(await rejection(objects.open('data/none')))).toBe(true)
    expect(isMissing(await rejection(objects.stream('data/none')[Symbol.asyncIterator]().next()))).toBe(true)
    expect(isMissing(new Error('access denied'))).toBe(false)
    expect(await objects.openTagged('data/none')).toBeUndefined()
  })

  it('are replaced only where a text is what was opened', async () => {
    await objects.replace('manifest', 'one', undefined)
    expect(isConflict(await rejection(objects.replace('manifest', 'other', undefined)))).toBe(true)
    const opened = await objects.openTagged('manifest')
    expect(opened?.etag).toBe((await objects.entries('manifest'))[0]?.etag)
    await objects.replace('manifest', 'two', opened)
    expect(isConflict(await rejection(objects.replace('manifest', 'three', opened)))).toBe(true)
    expect((await objects.openTagged('manifest'))?.text).toBe('two')
    expect(isConflict(await rejection(objects.replace('none', 'x', opened)))).toBe(true)
    expect(await objects.list('')).toEqual(['manifest'])
  })

  it('are removed, whether or not somebody was there before', async () => {
    for (const key of ['a/1', 'a/2', 'b']) await objects.put(key, bytes(key))
    await objects.remove(['a/1', 'a/2', 'a/3'])
    await objects.remove([])
    expect(await objects.list('')).toEqual(['b'])
  })
})
