/**
 * A folder that stands for a bucket: the archive of a desk and what a real Trino writes on this machine, as S3 lists
 * it.
 */
import { DiskArchive } from '../store/folder.js'
import type { ObjectEntry } from '../store/objects.js'

/** Trino's file system keeps a hidden checksum beside each file, which a bucket has not. */
const isHidden = (key: string) => (key.split('/').at(-1) as string).startsWith('.')

export class FolderBucket extends DiskArchive {
  override async entries(prefix: string): Promise<readonly ObjectEntry[]> {
    return (await super.entries(prefix)).filter(({ key }) => !isHidden(key))
  }

  override async list(prefix: string): Promise<readonly string[]> {
    return (await super.list(prefix)).filter(key => !isHidden(key))
  }
}
