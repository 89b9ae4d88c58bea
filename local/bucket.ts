import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Objects } from './refused-reader.js'

/** A bucket, read as an archive is: the same keys, the same order. */
export class Bucket implements Objects {
  constructor(
    private readonly client: S3Client,
    readonly name: string,
  ) {}

  async list(prefix: string): Promise<readonly string[]> {
    const keys: string[] = []
    let next: string | undefined
    do {
      const page = await this.client.send(
        new ListObjectsV2Command({ Bucket: this.name, Prefix: prefix, ContinuationToken: next }),
      )
      // what ends in "/" is a folder that the console made
      for (const { Key } of page.Contents ?? []) if (Key !== undefined && !Key.endsWith('/')) keys.push(Key)
      next = page.NextContinuationToken
    } while (next !== undefined)
    return keys
  }

  async open(key: string): Promise<Uint8Array> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }))
    if (Body === undefined) throw new Error(`object ${key} came without a body`)
    return Body.transformToByteArray()
  }

  /** Adds an object. Throws if the key is taken: objects of an archive are never rewritten. */
  async put(key: string, content: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.name, Key: key, Body: content, IfNoneMatch: '*' })
    await this.client.send(command)
  }
}
