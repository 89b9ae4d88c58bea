import { weigh } from '../store/file-hash.js'
import type { KeyRange } from '../store/objects.js'
import type { Bucket } from '../store/s3.js'
import type { ArchiveObjects, FoundObject } from './archive-objects.js'
import { type ArchivePart, listPart } from './archive-part.js'
import type { SealedEntry } from './entry.js'
import { describeRows, isAnother } from './kept-objects.js'
import { rowHashesOfParquet } from './parquet-row-hashes.js'
import type { ListedForVerifying, VerifiedArchive } from './verify-objects.js'

/** The objects of an archive on S3, with their versions and locks, read without DuckDB. */
export class BucketObjects implements ArchiveObjects {
  constructor(private readonly bucket: Bucket) {}

  list(prefix: string): Promise<readonly FoundObject[]> {
    return this.bucket.entries(prefix)
  }

  listPart(part: ArchivePart): Promise<readonly FoundObject[]> {
    return listPart(this.bucket, part)
  }

  async describe({ key }: FoundObject, sealed?: Pick<SealedEntry, 'sha256'>): Promise<SealedEntry | undefined> {
    const version = await this.bucket.openVersion(key)
    if (version === undefined) return undefined
    const { etag, versionId, retainUntil } = version
    const whole = await weigh(version.pieces)
    const read = (from: number, to: number) => this.bucket.openPart(key, { from, to, etag })
    return {
      type: 'object@1',
      key,
      ...whole,
      ...(!isAnother(whole, sealed) &&
        (await describeRows(key, () => rowHashesOfParquet({ bytes: whole.bytes, read })))),
      ...(versionId !== undefined && { version_id: versionId }),
      ...(retainUntil !== undefined && { retain_until: retainUntil.toISOString() }),
    }
  }
}

/** The same archive as it is held against its journal. That an object is the same is told by its version. */
export class BucketVersions extends BucketObjects implements VerifiedArchive {
  constructor(private readonly versioned: Bucket) {
    super(versioned)
  }

  override async listPart(part: ArchivePart): Promise<readonly ListedForVerifying[]> {
    const between = (prefix: string, range: KeyRange) => this.versioned.versioned(prefix, range)
    const listed = await listPart({ between, folders: prefix => this.versioned.folders(prefix) }, part)
    return listed.map(({ version = '', ...object }) => ({ ...object, etag: version }))
  }

  override async list(prefix: string): Promise<readonly ListedForVerifying[]> {
    const found: ListedForVerifying[] = []
    for await (const { key, versionId: etag, isLatest, bytes, modified } of this.versioned.versions(prefix))
      if (isLatest && bytes !== undefined && !key.endsWith('/')) found.push({ key, bytes, etag, modified })
    return found
  }
}
