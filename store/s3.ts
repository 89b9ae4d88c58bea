import type { Readable } from 'node:stream'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2Output,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { FileError, tooLarge } from '../config/gate.js'
import { isMissing, type ObjectEntry, type ReplaceableObjects, type Survey, type TaggedText } from './objects.js'

/** The objects in a bucket, of S3 or of what speaks as S3 does. */
export class Bucket implements ReplaceableObjects {
  constructor(
    private readonly client: S3Client,
    readonly name: string,
  ) {}

  async list(prefix: string): Promise<readonly string[]> {
    return (await this.entries(prefix)).map(({ key }) => key)
  }

  async entries(prefix: string): Promise<readonly ObjectEntry[]> {
    const entries: ObjectEntry[] = []
    for await (const { Contents = [] } of this.pages(prefix)) {
      for (const { Key: key, Size: bytes = 0, ETag: etag = '', LastModified, StorageClass = 'STANDARD' } of Contents) {
        // what ends in "/" is a folder that the console made
        if (key === undefined || key.endsWith('/')) continue
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
    for await (const { CommonPrefixes = [] } of this.pages(prefix, '/'))
      for (const { Prefix: folder } of CommonPrefixes) if (folder !== undefined) folders.push(folder)
    return folders
  }

  private async *pages(prefix: string, delimiter?: string): AsyncGenerator<ListObjectsV2Output> {
    const about = { Bucket: this.name, Prefix: prefix, Delimiter: delimiter }
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

/** DeleteObjects takes so many keys (API reference). */
const MOST_REMOVED = 1000
