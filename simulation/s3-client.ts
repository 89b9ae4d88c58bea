/** S3 as a process of ours sees it: its client, with the commands that our code sends. */
import { S3Client } from '@aws-sdk/client-s3'
import type { Retention, SimulatedBucket, StoredVersion } from './bucket.js'
import { operationOf, type Process, passingError, serviceError } from './process.js'
import { sequencesIn } from './story.js'

/** The input of a command as far as the model understands it. */
interface Input {
  readonly Bucket: string
  readonly Key: string
  readonly Prefix?: string
  readonly Delimiter?: string
  readonly StartAfter?: string
  readonly ContinuationToken?: string
  readonly KeyMarker?: string
  readonly IfNoneMatch?: string
  readonly IfMatch?: string
  readonly Range?: string
  readonly Body?: string | Uint8Array
  readonly VersionId?: string
  readonly Delete?: { readonly Objects: readonly { readonly Key: string }[] }
  readonly Retention?: { readonly Mode: Retention['mode']; readonly RetainUntilDate: Date }
}

interface Command {
  readonly constructor: { readonly name: string }
  readonly input: Input
}

/** The client that a process is given. */
export function s3ClientOf(process: Process, buckets: readonly SimulatedBucket[]): S3Client {
  const { faults, dice, story } = process.world
  const send = ({ constructor: { name }, input }: Command) => {
    const bucket = buckets.find(bucket => bucket.name === input.Bucket)
    const answer = ANSWERS[name]
    if (bucket === undefined || answer === undefined) throw new Error(`${name} of ${input.Bucket} is not simulated`)
    if (name === 'PutObjectCommand') story.detail(process.name, () => `puts ${nameOf(input)}`)
    if (name.endsWith('RetentionCommand')) story.detail(process.name, () => `asks about the lock of ${input.Key}`)
    return process.call({
      operation: `s3 ${operationOf(name)} ${placeOf(input)}`,
      about: `${bucket.name}/${thingOf(input)}`,
      slowMs: faults.strike('s3-slow') ? dice.between(1000, 30_000) : 0,
      serve: () => {
        if (faults.strike('s3-refuses')) throw passingError('SlowDown', 503)
        return answer(bucket, input)
      },
      isUnheard: () => name === 'PutObjectCommand' && faults.strike('s3-unheard'),
    })
  }
  return Object.assign(Object.create(S3Client.prototype) as S3Client, { send })
}

/** What an object is, by the first folder of its key: rows, facts, a journal. */
function placeOf({ Key, Prefix = '', Delete }: Input): string {
  return (Key ?? Delete?.Objects[0]?.Key ?? Prefix).split('/')[0] as string
}

/** Of a list also where it goes on. */
function thingOf({ Key, Prefix, ContinuationToken, KeyMarker, StartAfter, VersionId }: Input): string {
  return [Key ?? Prefix, ContinuationToken ?? KeyMarker ?? StartAfter, VersionId].filter(Boolean).join(' ')
}

/** S3 as the judge sees it: it answers at once, and without a fault. */
export function s3AtOnce(buckets: readonly SimulatedBucket[]): S3Client {
  const send = async ({ constructor: { name }, input }: Command) => {
    const bucket = buckets.find(bucket => bucket.name === input.Bucket)
    if (bucket === undefined) throw new Error(`${name} of ${input.Bucket} is not simulated`)
    return ANSWERS[name]?.(bucket, input)
  }
  return Object.assign(Object.create(S3Client.prototype) as S3Client, { send })
}

/** An object's key, with the changes that it keeps. */
function nameOf({ Key, Body = '' }: Input): string {
  const raw = /"rawData":"([^"]*)"/.exec(Buffer.from(Body as Uint8Array).toString('latin1'))?.[1]
  return [Key, ...(raw === undefined ? [] : sequencesIn([Buffer.from(raw, 'base64').toString()]))].join(' ')
}

/** A page of a list; S3 has 1000, fewer here so that lists have several. */
export const PAGE_KEYS = 50

const ANSWERS: { readonly [command: string]: (bucket: SimulatedBucket, input: Input) => unknown } = {
  PutObjectCommand: (bucket, { Key, Body = '', IfNoneMatch, IfMatch }) => {
    bucket.put(Key, Buffer.from(Body as Uint8Array), { isNew: IfNoneMatch === '*', etag: IfMatch })
    return {}
  },
  GetObjectCommand: (bucket, { Key, IfMatch, Range }) => {
    const { bytes, etag, versionId, retention } = bucket.get(Key)
    if (IfMatch !== undefined && IfMatch !== etag) throw serviceError('PreconditionFailed', 412)
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(Range ?? '') ?? []
    const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1)
    const locked = retention && { ObjectLockRetainUntilDate: new Date(retention.untilMs) }
    return { Body: bodyOf(part), ContentLength: part.length, ETag: etag, VersionId: versionId, ...locked }
  },
  DeleteObjectsCommand: (bucket, { Delete }) => {
    for (const { Key } of Delete?.Objects ?? []) bucket.remove(Key)
    return {}
  },
  GetObjectRetentionCommand: (bucket, { Key, VersionId }) => {
    const { retention } = bucket.version(Key, VersionId)
    if (retention === undefined) throw serviceError('NoSuchObjectLockConfiguration', 404)
    return { Retention: { Mode: retention.mode, RetainUntilDate: new Date(retention.untilMs) } }
  },
  PutObjectRetentionCommand: (bucket, { Key, VersionId, Retention }) => {
    if (Retention === undefined) throw serviceError('MalformedXML', 400)
    bucket.lock(Key, VersionId, { mode: Retention.Mode, untilMs: Number(Retention.RetainUntilDate) })
    return {}
  },
  ListObjectsV2Command: (bucket, { Prefix = '', Delimiter, StartAfter = '', ContinuationToken = StartAfter }) => {
    if (Delimiter !== undefined) {
      const folders = foldersOf(bucket.keys(Prefix, ContinuationToken), Prefix)
      return { CommonPrefixes: folders.map(folder => ({ Prefix: folder })) }
    }
    const keys = bucket.keys(Prefix, ContinuationToken, PAGE_KEYS + 1)
    const page = keys.slice(0, PAGE_KEYS)
    const next = page.length < keys.length ? { NextContinuationToken: page.at(-1) } : {}
    return { Contents: page.map(key => ({ Key: key, ...listed(bucket.get(key)) })), ...next }
  },
  ListObjectVersionsCommand: (bucket, { Prefix = '', KeyMarker = '' }) => {
    const keys = bucket.keys(Prefix, KeyMarker, PAGE_KEYS + 1)
    const page = keys.slice(0, PAGE_KEYS)
    const Versions = page.flatMap(key =>
      [...(bucket.objects.get(key) ?? [])]
        .reverse()
        .map((version, i) => ({ Key: key, VersionId: version.versionId, IsLatest: i === 0, ...listed(version) })),
    )
    return { Versions, ...(page.length < keys.length && { NextKeyMarker: page.at(-1) }) }
  },
}

function listed({ bytes, etag, modifiedMs }: StoredVersion) {
  return { Size: bytes.length, ETag: etag, LastModified: new Date(modifiedMs), StorageClass: 'STANDARD' }
}

function foldersOf(keys: readonly string[], prefix: string): readonly string[] {
  const deeper = keys.filter(key => key.includes('/', prefix.length))
  return [...new Set(deeper.map(key => key.slice(0, key.indexOf('/', prefix.length) + 1)))]
}

function bodyOf(bytes: Uint8Array) {
  return {
    transformToByteArray: async () => bytes,
    transformToString: async () => Buffer.from(bytes).toString(),
    async *[Symbol.asyncIterator]() {
      yield bytes
    },
    destroy: () => {},
  }
}
