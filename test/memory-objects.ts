/** Objects in memory, for tests of what reads or writes an archive wherever it lies. */
import { createHash } from 'node:crypto'
import { FileError, tooLarge } from '../config/gate.js'
import {
  type ObjectEntry,
  PreconditionFailed,
  type ReplaceableObjects,
  type Survey,
  type TaggedText,
} from '../store/objects.js'

export class MemoryObjects implements ReplaceableObjects {
  /** What it holds, by key. */
  readonly contents = new Map<string, Uint8Array>()
  private readonly times = new Map<string, number>()

  constructor(contents: Iterable<readonly [string, string | Uint8Array]> = []) {
    for (const [key, content] of contents) this.keep(key, Buffer.from(content))
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.contents.keys()].filter(key => key.startsWith(prefix)).sort()
  }

  async entries(prefix: string): Promise<readonly ObjectEntry[]> {
    return (await this.list(prefix)).map(key => {
      const content = this.contents.get(key) as Uint8Array
      const modified = this.times.get(key) ?? 0
      return { key, bytes: content.length, etag: etagOf(content), modified, storageClass: 'STANDARD' }
    })
  }

  async survey(prefix: string): Promise<Survey> {
    return { keys: await this.list(prefix), odd: [] }
  }

  async folders(prefix: string): Promise<readonly string[]> {
    const keys = await this.list(prefix)
    const deeper = keys.filter(key => key.includes('/', prefix.length))
    return [...new Set(deeper.map(key => key.slice(0, key.indexOf('/', prefix.length) + 1)))]
  }

  async open(key: string, maxBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    const content = this.contents.get(key)
    if (content === undefined) throw Object.assign(new Error(`object ${key} is not there`), { name: 'NoSuchKey' })
    if (content.length > maxBytes) throw new FileError(key, [tooLarge(content.length, maxBytes)])
    return content
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    yield await this.open(key)
  }

  async put(key: string, content: Uint8Array): Promise<void> {
    if (this.contents.has(key)) throw new PreconditionFailed(`object ${key} exists already`)
    this.keep(key, Buffer.from(content))
  }

  async openTagged(key: string): Promise<TaggedText | undefined> {
    const content = this.contents.get(key)
    return content && { text: Buffer.from(content).toString(), etag: etagOf(content) }
  }

  async replace(key: string, text: string, opened: TaggedText | undefined): Promise<void> {
    if ((await this.openTagged(key))?.etag !== opened?.etag)
      throw new PreconditionFailed(`object ${key} is not what was opened`)
    this.keep(key, Buffer.from(text))
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.contents.delete(key)
  }

  private keep(key: string, content: Uint8Array): void {
    this.contents.set(key, content)
    this.times.set(key, Date.now())
  }
}

function etagOf(content: Uint8Array): string {
  return `"${createHash('md5').update(content).digest('hex')}"`
}
