import { hash } from 'node:crypto'
import type { ArchiveObjects, FoundObject } from '../../journal/archive-objects.js'
import type { SealedEntry } from '../../journal/entry.js'
import type { LogStore } from '../../journal/log-store.js'

/** A store in memory. `before` is told each call and may wait, throw, or let it be done and throw afterwards. */
export class MemoryLog implements LogStore {
  readonly files = new Map<string, Uint8Array>()

  constructor(
    private readonly before: (call: string, path: string) => Promise<'do' | 'lose answer'> = async () => 'do',
  ) {}

  async read(path: string): Promise<Uint8Array | undefined> {
    await this.before('read', path)
    return this.files.get(path)
  }

  async add(path: string, bytes: Uint8Array): Promise<boolean> {
    const how = await this.before('add', path)
    const taken = this.files.has(path)
    if (!taken) this.files.set(path, Uint8Array.from(bytes))
    if (how === 'lose answer') throw new Error('the answer was lost')
    return !taken
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const how = await this.before('replace', path)
    this.files.set(path, Uint8Array.from(bytes))
    if (how === 'lose answer') throw new Error('the answer was lost')
  }

  async remove(path: string): Promise<void> {
    await this.before('remove', path)
    this.files.delete(path)
  }

  async list(prefix: string): Promise<readonly string[]> {
    await this.before('list', prefix)
    return [...this.files.keys()].filter(path => path.startsWith(prefix)).sort()
  }
}

/** An archive in memory whose objects are texts. */
export class MemoryObjects implements ArchiveObjects {
  readonly objects = new Map<string, { text: string; modified: number }>()

  put(key: string, text: string, modified = 0): void {
    this.objects.set(key, { text, modified })
  }

  async list(prefix: string) {
    return [...this.objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { text, modified }]) => ({ key, bytes: Buffer.byteLength(text), etag: hash('md5', text), modified }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async describe({ key }: FoundObject): Promise<SealedEntry | undefined> {
    const found = this.objects.get(key)
    if (found === undefined) return undefined
    return { type: 'object@1', key, bytes: Buffer.byteLength(found.text), sha256: hash('sha256', found.text) }
  }
}
