import type { Readable } from 'node:stream'
import {
  type DeleteMarkerEntry,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2Output,
  type ListObjectsV2Request,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { FileError, tooLarge } from '../config/gate.js'
import {
  isMissing,
  type KeyRange,
  type ObjectEntry,
  type ReplaceableObjects,
  type Survey,
  type TaggedText,
  type VersionedEntry,
} from './objects.js'

/** The objects in a bucket, of S3 or of what speaks as S3 does. */
export class Bucket implements ReplaceableObjects {
  constructor(
    private readonly client: S3Client,
    readonly name: string,
  ) {}

  async list(prefix: string): Promise<readonly string[]> {
    return (await this.entries(prefix)).map(({ key }) => key)
  }

  entries(prefix: string): Promise<readonly ObjectEntry[]> {
    return this.between(prefix)
  }

  /** The same of the keys of a range alone. @default - of all keys */
  async between(prefix: string, { after, before }: Partial<KeyRange> = {}): Promise<readonly ObjectEntry[]> {
    const entries: ObjectEntry[] = []
    for await (const { Contents = [] } of this.pages(prefix, { StartAfter: after || undefined })) {
      for (const { Key: key, Size: bytes = 0, ETag: etag = '', LastModified, StorageClass = 'STANDARD' } of Contents) {
        // what ends in "/" is a folder that the console made
        if (key === undefined || key.endsWith('/')) continue
        if (before !== undefined && key >= before) return entries
        entries.push({ key, bytes, etag, modified: Number(LastModified ?? 0), storageClass: StorageClass })
      }
    }
    return entries
  }

  async survey(prefix: string): Promise<Survey> {
    return { keys: await this.list(prefix), odd: [] }
  }

  async folders(prefix: string): Promise<readonly string[]> {
    const folders: string[] = []
    for await (const { CommonPrefixes = [] } of this.pages(prefix, { Delimiter: '/' }))
      for (const { Prefix: folder } of CommonPrefixes) if (folder !== undefined) folders.push(folder)
    return folders
  }

  private async *pages(
    prefix: string,
    options: Pick<ListObjectsV2Request, 'Delimiter' | 'StartAfter'> = {},
  ): AsyncGenerator<ListObjectsV2Output> {
    const about = { Bucket: this.name, Prefix: prefix, ...options }
    let next: string | undefined
    do {
      const page = await this.client.send(new ListObjectsV2Command({ ...about, ContinuationToken: next }))
      yield page
      next = page.NextContinuationToken
    } while (next !== undefined)
  }

  async open(key: string, maxBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    const { Body, ContentLength: bytes = 0 } = await this.client.send(
      new GetObjectCommand({ Bucket: this.name, Key: key }),
    )
    if (Body === undefined) throw new Error(`object ${key} came without a body`)
    if (bytes > maxBytes) {
      ;(Body as Readable).destroy()
      throw new FileError(key, [tooLarge(bytes, maxBytes)])
    }
    return Body.transformToByteArray()
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }))
    if (Body === undefined) throw new Error(`object ${key} came without a body`)
    yield* Body as AsyncIterable<Uint8Array>
  }

  /** The newest version of an object, with what S3 says of it; undefined where there is none. */
  async openVersion(key: string): Promise<ObjectVersion | undefined> {
    try {
      const found = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }))
      if (found.Body === undefined) throw new Error(`object ${key} came without a body`)
      const { ETag: etag = '', VersionId: versionId, ObjectLockRetainUntilDate: retainUntil } = found
      return { etag, versionId, retainUntil, pieces: found.Body as AsyncIterable<Uint8Array> }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** Bytes `from` to `to - 1` of an object. Throws where it is not the one of this ETag any more. */
  async openPart(key: string, { from, to, etag }: ObjectPart): Promise<Uint8Array> {
    const about = { Bucket: this.name, Key: key, IfMatch: etag, Range: `bytes=${from}-${to - 1}` }
    const { Body } = await this.client.send(new GetObjectCommand(about))
    if (Body === undefined) throw new Error(`object ${key} came without a body`)
    return Body.transformToByteArray()
  }

  async versioned(prefix: string, { after, before }: KeyRange): Promise<readonly VersionedEntry[]> {
    const found: VersionedEntry[] = []
    for await (const { key, versionId: version, isLatest, bytes, etag, modified } of this.versions(prefix, after)) {
      if (key >= before) break
      if (isLatest && bytes !== undefined && !key.endsWith('/'))
        found.push({ key, bytes, etag, modified, storageClass: 'STANDARD', version })
    }
    return found
  }

  /** Every version of the objects below a prefix, those that only say that an object was deleted among them. */
  async *versions(prefix: string, after?: string): AsyncGenerator<ListedVersion> {
    let next: { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined } = {
      KeyMarker: after,
    }
    do {
      const command = new ListObjectVersionsCommand({ Bucket: this.name, Prefix: prefix, ...next })
      const { Versions = [], DeleteMarkers = [], ...page } = await this.client.send(command)
      for (const version of Versions)
        yield { ...toVersion(version), bytes: version.Size ?? 0, etag: version.ETag ?? '' }
      for (const marker of DeleteMarkers) yield { ...toVersion(marker), bytes: undefined, etag: '' }
      next = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
    } while (next.KeyMarker !== undefined)
  }

  async put(key: string, content: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.name, Key: key, Body: content, IfNoneMatch: '*' })
    await this.client.send(command)
  }

  async openTagged(key: string): Promise<TaggedText | undefined> {
    try {
      const { Body, ETag = '' } = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }))
      return { text: (await Body?.transformToString()) ?? '', etag: ETag }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async replace(key: string, text: string, opened: TaggedText | undefined): Promise<void> {
    const condition = opened === undefined ? { IfNoneMatch: '*' } : { IfMatch: opened.etag }
    await this.client.send(new PutObjectCommand({ Bucket: this.name, Key: key, Body: text, ...condition }))
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += MOST_REMOVED) {
      const Objects = keys.slice(i, i + MOST_REMOVED).map(Key => ({ Key }))
      const { Errors: [error] = [] } = await this.client.send(
        new DeleteObjectsCommand({ Bucket: this.name, Delete: { Objects, Quiet: true } }),
      )
      if (error !== undefined) throw new Error(`object ${error.Key} could not be removed: ${error.Code}`)
    }
  }
}

/** A version of an object that is being read. */
export interface ObjectVersion {
  readonly etag: string
  /** Undefined in a bucket that keeps no versions. */
  readonly versionId: string | undefined
  /** Undefined of one that is not locked, and for whoever may not read locks. */
  readonly retainUntil: Date | undefined
  readonly pieces: AsyncIterable<Uint8Array>
}

/** Bytes `from` to `to - 1` of the object that has this ETag. */
export interface ObjectPart {
  readonly from: number
  readonly to: number
  readonly etag: string
}

/** A version as a list tells of it. */
export interface ListedVersion {
  readonly key: string
  readonly versionId: string
  readonly isLatest: boolean
  /** Undefined of a delete marker, which hides the versions before it. */
  readonly bytes: number | undefined
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
}

function toVersion({ Key: key = '', VersionId: versionId = '', IsLatest, LastModified }: DeleteMarkerEntry) {
  return { key, versionId, isLatest: IsLatest === true, modified: Number(LastModified ?? 0) }
}

/** DeleteObjects takes so many keys (API reference). */
const MOST_REMOVED = 1000
