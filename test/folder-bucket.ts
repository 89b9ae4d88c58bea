/** A folder that stands for a bucket: the archive of a desk and what a real Trino writes on this machine, as S3 lists it. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { ObjectEntry, TaggedText } from '../store/objects.js'
import type { Bucket } from '../store/s3.js'

export class FolderBucket
  implements Pick<Bucket, 'entries' | 'folders' | 'open' | 'openTagged' | 'replace' | 'remove'>
{
  constructor(readonly root: string) {}

  async entries(prefix: string): Promise<readonly ObjectEntry[]> {
    const folder = join(this.root, prefix.slice(0, prefix.lastIndexOf('/') + 1))
    if (!existsSync(folder)) return []
    const found = await readdir(folder, { recursive: true, withFileTypes: true })
    return found
      .filter(entry => entry.isFile() && !entry.name.startsWith('.'))
      .map(entry => relative(this.root, join(entry.parentPath, entry.name)))
      .filter(key => key.startsWith(prefix))
      .sort()
      .map(key => {
        const path = join(this.root, key)
        const { size, mtimeMs } = statSync(path)
        const etag = createHash('md5').update(readFileSync(path)).digest('hex')
        return { key, bytes: size, etag, modified: mtimeMs, storageClass: 'STANDARD' }
      })
  }

  async folders(prefix: string): Promise<readonly string[]> {
    const rest = (await this.entries(prefix)).map(({ key }) => key.slice(prefix.length))
    const names = rest.filter(key => key.includes('/')).map(key => key.slice(0, key.indexOf('/') + 1))
    return [...new Set(names)].map(name => `${prefix}${name}`)
  }

  async open(key: string): Promise<Uint8Array> {
    const opened = await this.openTagged(key)
    if (opened === undefined) throw Object.assign(new Error(`no object ${key}`), { name: 'NoSuchKey' })
    return Buffer.from(opened.text)
  }

  async openTagged(key: string): Promise<TaggedText | undefined> {
    const path = join(this.root, key)
    if (!existsSync(path)) return undefined
    const text = readFileSync(path, 'utf8')
    return { text, etag: createHash('md5').update(text).digest('hex') }
  }

  async replace(key: string, text: string, opened: TaggedText | undefined): Promise<void> {
    const present = await this.openTagged(key)
    if (present?.etag !== opened?.etag)
      throw Object.assign(new Error('At least one of the pre-conditions you specified did not hold'), {
        name: 'PreconditionFailed',
      })
    await mkdir(dirname(join(this.root, key)), { recursive: true })
    await writeFile(join(this.root, key), text)
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) rmSync(join(this.root, key))
  }
}
