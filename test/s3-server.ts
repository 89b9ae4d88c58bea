/**
 * What our functions use of S3, on loopback: versions, conditional puts, checksums and Object Lock. It fails on demand.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { crc32 } from 'node:zlib'
import { type Loopback, startLoopback } from './loopback.js'

export interface Retention {
  readonly mode: string
  readonly until: string
}

/** One version of an object. */
export interface StoredVersion {
  readonly key: string
  readonly versionId: string
  readonly body: Buffer
  retention: Retention | undefined
  /** ISO 8601; left out of lists where it is undefined. */
  readonly lastModified?: string
  /** The bucket that it is in. @default - every one: most tests have one */
  readonly bucket?: string
  /** True of a delete marker, which hides the versions before it. */
  readonly isMarker?: true
}

export type S3Operation =
  | 'PutObject'
  | 'GetObject'
  | 'DeleteObjects'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'GetObjectRetention'
  | 'PutObjectRetention'

/**
 * What a request meets with before it is looked at: an error of the service, no answer ever, or a broken connection.
 */
export type S3Fault = { readonly status: number; readonly code: string } | 'silence' | 'reset' | undefined

export interface S3Server extends Loopback {
  readonly versions: StoredVersion[]
  /** Operations in order, with the key of each. */
  readonly requests: { readonly operation: S3Operation; readonly key: string; readonly headers: object }[]
  fault: (operation: S3Operation, key: string) => S3Fault
  /** Adds a version as another writer would. */
  add(version: Partial<StoredVersion>): StoredVersion
}

export async function startS3Server(): Promise<S3Server> {
  const versions: StoredVersion[] = []
  const add = (version: Partial<StoredVersion>) => {
    const added: StoredVersion = {
      key: 'data/Orders/event_date=2026-11-22/object.parquet',
      versionId: `version${versions.length}`,
      body: Buffer.of(),
      retention: undefined,
      ...version,
    }
    versions.push(added)
    return added
  }
  const loopback = await startLoopback((request, body, response) => {
    const url = new URL(request.url ?? '', 'http://s3')
    const [, bucket, ...path] = decodeURIComponent(url.pathname).split('/')
    const key = path.join('/')
    const there = versions.filter(version => version.bucket === undefined || version.bucket === bucket)
    const operation = operationOf(request, url)
    server.requests.push({ operation, key, headers: request.headers })
    const fault = server.fault(operation, key)
    if (fault === 'silence') return
    if (fault === 'reset') return response.destroy()
    if (fault !== undefined) return refuse(response, fault.status, fault.code)
    if (operation === 'PutObject') return putObject(request, body, response, key)
    if (operation === 'DeleteObjects') return deleteObjects(body, response)
    if (operation === 'ListObjectsV2') return listObjects(url, response, there)
    if (operation === 'ListObjectVersions') return listVersions(url, response, there)
    if (operation === 'GetObject') return getObject(request, response, there, key)
    const versionId = url.searchParams.get('versionId')
    const isMeant = (one: StoredVersion) => one.key === key && (versionId === null || one.versionId === versionId)
    const version = versions.findLast(isMeant)
    if (version === undefined) return refuse(response, 404, 'NoSuchVersion')
    if (operation === 'GetObjectRetention') return getRetention(response, version)
    return putRetention(request, body, response, version)
  })
  function putObject(request: IncomingMessage, body: Buffer, response: ServerResponse, key: string): ServerResponse {
    if (!hasChecksum(request, body)) return refuse(response, 400, 'BadDigest')
    if (request.headers['if-none-match'] === '*' && versions.some(version => version.key === key)) {
      return refuse(response, 412, 'PreconditionFailed')
    }
    const present = versions.findLast(version => version.key === key)
    const wanted = request.headers['if-match']
    if (wanted !== undefined && (present === undefined || etagOf(present) !== wanted)) {
      return refuse(response, 412, 'PreconditionFailed')
    }
    const { versionId } = add({ key, body })
    return response.writeHead(200, { 'x-amz-version-id': versionId }).end()
  }
  function deleteObjects(body: Buffer, response: ServerResponse): ServerResponse {
    for (const [, key = ''] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) {
      const kept = versions.filter(version => version.key !== key)
      versions.splice(0, versions.length, ...kept)
    }
    return response.writeHead(200, { 'content-type': 'application/xml' }).end('<DeleteResult></DeleteResult>')
  }
  const server: S3Server = { ...loopback, versions, requests: [], fault: () => undefined, add }
  return server
}

function operationOf(request: IncomingMessage, url: URL): S3Operation {
  if (url.searchParams.has('list-type')) return 'ListObjectsV2'
  if (url.searchParams.has('versions')) return 'ListObjectVersions'
  if (url.searchParams.has('delete')) return 'DeleteObjects'
  if (request.method === 'GET') return url.searchParams.has('retention') ? 'GetObjectRetention' : 'GetObject'
  return url.searchParams.has('retention') ? 'PutObjectRetention' : 'PutObject'
}

/** So few keys a page that a test with a handful of objects turns one. */
const PAGE_KEYS = 3

function modifiedTag(time: string | undefined): string {
  return time === undefined ? '' : `<LastModified>${time}</LastModified>`
}

function listObjects(url: URL, response: ServerResponse, versions: readonly StoredVersion[]): ServerResponse {
  const prefix = url.searchParams.get('prefix') ?? ''
  const after = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? ''
  const delimiter = url.searchParams.get('delimiter')
  const newest = new Map(versions.map(version => [version.key, version]))
  for (const [key, { isMarker }] of newest) if (isMarker) newest.delete(key)
  const named = [...newest.keys()].filter(key => key.startsWith(prefix)).map(key => upTo(key, delimiter, prefix.length))
  const names = [...new Set(named)].filter(name => name > after).sort()
  const page = names.slice(0, PAGE_KEYS)
  const isTruncated = names.length > PAGE_KEYS
  const contents = page
    .map(name => {
      const version = newest.get(name)
      if (version === undefined || name.endsWith(delimiter ?? '\0'))
        return `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`
      const about = `<Size>${version.body.length}</Size><ETag>${etagOf(version)}</ETag>${modifiedTag(version.lastModified)}`
      return `<Contents><Key>${name}</Key>${about}</Contents>`
    })
    .join('')
  const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(`<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents}</ListBucketResult>`)
}

/** A key up to the first delimiter after a prefix, or all of it. */
function upTo(key: string, delimiter: string | null, from: number): string {
  const end = delimiter === null ? -1 : key.indexOf(delimiter, from)
  return end < 0 ? key : key.slice(0, end + 1)
}

/** Newest first, as S3 lists them. */
function listVersions(url: URL, response: ServerResponse, versions: readonly StoredVersion[]): ServerResponse {
  const prefix = url.searchParams.get('prefix') ?? ''
  const newest = new Map(versions.map(version => [version.key, version]))
  const token = url.searchParams.get('version-id-marker')
  const after = token === null ? (url.searchParams.get('key-marker') ?? '') : (token.split('|')[1] ?? '')
  const all = versions.filter(({ key }) => key.startsWith(prefix) && key > after).reverse()
  const sorted = all.sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1))
  const from = Number(token?.split('|')[0] ?? 0)
  const listed = sorted.slice(from, from + PAGE_KEYS).map(version => {
    const about = `<Key>${version.key}</Key><VersionId>${version.versionId}</VersionId>`
    const isLatest = `<IsLatest>${newest.get(version.key) === version}</IsLatest>${modifiedTag(version.lastModified)}`
    if (version.isMarker) return `<DeleteMarker>${about}${isLatest}</DeleteMarker>`
    return `<Version>${about}${isLatest}<Size>${version.body.length}</Size><ETag>${etagOf(version)}</ETag></Version>`
  })
  const isTruncated = sorted.length > from + PAGE_KEYS
  const next = `<NextKeyMarker>x</NextKeyMarker><NextVersionIdMarker>${from + PAGE_KEYS}|${after}</NextVersionIdMarker>`
  return response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(`<ListVersionsResult>${isTruncated ? next : ''}${listed.join('')}</ListVersionsResult>`)
}

function getObject(
  { headers }: IncomingMessage,
  response: ServerResponse,
  versions: readonly StoredVersion[],
  key: string,
): ServerResponse {
  const version = versions.findLast(candidate => candidate.key === key)
  if (version === undefined || version.isMarker) return refuse(response, 404, 'NoSuchKey')
  const { retention, versionId } = version
  if (![undefined, etagOf(version)].includes(headers['if-match'])) return refuse(response, 412, 'PreconditionFailed')
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
  const body = version.body.subarray(Number(from), to === '' ? undefined : Number(to) + 1)
  const about = { 'content-length': body.length, etag: etagOf(version), 'x-amz-version-id': versionId }
  const lock = retention && { 'x-amz-object-lock-retain-until-date': retention.until }
  return response.writeHead(to === '' ? 200 : 206, { ...about, ...lock }).end(body)
}

function etagOf({ body }: StoredVersion): string {
  return `"${createHash('md5').update(body).digest('hex')}"`
}

function getRetention(response: ServerResponse, { retention }: StoredVersion): ServerResponse {
  if (retention === undefined) return refuse(response, 404, 'NoSuchObjectLockConfiguration')
  const { mode, until } = retention
  return response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(`<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`)
}

/** As S3 does it: a checksum is required, and without the right to bypass it a lock is only ever made stronger. */
function putRetention(
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  version: StoredVersion,
): ServerResponse {
  if (!hasChecksum(request, body)) return refuse(response, 400, 'InvalidRequest')
  const mode = /<Mode>(.*)<\/Mode>/.exec(body.toString())?.[1] as string
  const until = /<RetainUntilDate>(.*)<\/RetainUntilDate>/.exec(body.toString())?.[1] as string
  const present = version.retention
  if (present !== undefined && (present.mode !== mode || new Date(until) < new Date(present.until))) {
    return refuse(response, 403, 'AccessDenied')
  }
  version.retention = { mode, until }
  return response.writeHead(200).end()
}

function hasChecksum(request: IncomingMessage, body: Buffer): boolean {
  const expected = Buffer.alloc(4)
  expected.writeUInt32BE(crc32(body))
  return request.headers['x-amz-checksum-crc32'] === expected.toString('base64')
}

function refuse(response: ServerResponse, status: number, code: string): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>on demand</Message></Error>`)
}
