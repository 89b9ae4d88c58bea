import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { checkJson, exactly, FileError, instant, readBounded, record, text } from '../config/gate.js'
import { linkDurably, makeFolder, renameDurably, writeDurably } from '../store/durable.js'
import { SealingError } from '../transform/sealed-field.js'
import type { Fence } from './fences.js'
import { fieldKeyOf } from './field.js'
import { type Hold, holdsOf, placeHold, releaseHold } from './holds.js'
import type { KeyName, KeyStore, ReadingKeys, SubjectKey, SubjectKeys } from './subject-keys.js'
import { KEYS_VERSION, tokenUnder, unwrapKey, wrapKey } from './wrapping.js'

/** How long a process may use a key that it has read, after another process destroyed it. */
const CACHE_MS = 60_000

const STORE_FILE = 'store.json'

const storeFile = record({ version: exactly(KEYS_VERSION), secret: text, wrapping: text })

const keyFile = z.discriminatedUnion(
  'state',
  [
    record({ version: exactly(KEYS_VERSION), state: exactly('live'), wrapped: text }),
    record({ version: exactly(KEYS_VERSION), state: exactly('erased'), at: instant }),
  ],
  { error: issue => (issue.code === 'invalid_union' ? '"live" or "erased"' : 'an object') },
)
type KeyFile = z.output<typeof keyFile>

/** Makes a key store, for its owner alone. Throws with the code EEXIST where there is one. */
export function createFolderKeys(folder: string): void {
  makeFolder(folder)
  const [secret, wrapping] = [randomBytes(32), randomBytes(32)].map(bytes => bytes.toString('base64'))
  writeDurably(join(folder, STORE_FILE), `${JSON.stringify({ version: KEYS_VERSION, secret, wrapping })}\n`, 'wx')
}

/**
 * Keys in a folder outside the archive, a file each. The name of a key that was destroyed is taken by what says so, and
 * a key is made only under a name that nobody has: so none comes back. What `fenceOf` says of erasures is kept in the
 * archive, and goes before what is found here: the folder may be an old copy.
 */
export class FolderKeys implements SubjectKeys, ReadingKeys, KeyStore {
  readonly lingersMs = CACHE_MS
  private readonly known = new Map<string, { readonly key: SubjectKey; readonly until: number }>()

  private constructor(
    readonly folder: string,
    private readonly secret: Buffer,
    private readonly wrapping: Buffer,
    private readonly fenceOf: (name: KeyName) => Fence | undefined,
    private readonly now: () => number,
  ) {}

  /** Opens a key store. Throws a `SealingError` where there is none, or it cannot be read. */
  static open(folder: string, fenceOf: (name: KeyName) => Fence | undefined, now = Date.now): FolderKeys {
    const file = join(folder, STORE_FILE)
    const store = unlessUnreadable(() => {
      const bytes = readBounded(file, file)
      return bytes && checkJson(bytes, storeFile, file)
    })
    if (store === undefined)
      throw new SealingError(`key store ${JSON.stringify(folder)} is not there: itemtrail subject init makes one`)
    const [secret, wrapping] = [store.secret, store.wrapping].map(key => Buffer.from(key, 'base64'))
    if (secret?.length !== 32 || wrapping?.length !== 32)
      throw new SealingError(`${file}: secret and wrapping are to be 32 bytes in base64`)
    return new FolderKeys(folder, secret, wrapping, fenceOf, now)
  }

  tokenOf(id: string): string {
    return tokenUnder(this.secret, id)
  }

  current(token: string): SubjectKey {
    const known = this.known.get(token)
    if (known !== undefined && known.until > this.now()) return known.key
    const key = this.keyFor(token)
    this.known.set(token, { key, until: this.now() + CACHE_MS })
    return key
  }

  /** While somebody erases, what is there can still be read, and nothing new is sealed under it. */
  private keyFor(token: string): SubjectKey {
    const first = { token, generation: 1 }
    const isNew = this.read(first) === 'absent'
    if (isNew && this.fenceOf(first) === undefined) this.make(first)
    const key = this.newest(token) ?? ({ state: 'erased', generation: 1 } as const)
    const isFenced = this.fenceOf({ token, generation: key.generation }) !== undefined
    return isFenced ? { state: 'erased', generation: key.generation } : key
  }

  async fetch(): Promise<void> {}

  find(name: KeyName): SubjectKey | undefined {
    const { generation } = name
    const found = this.read(name)
    if (this.fenceOf(name) === 'erased') {
      // an old copy of the folder brought it back
      if (found !== 'absent' && found !== 'damaged' && found.state === 'live') this.destroy(name)
      return { state: 'erased', generation }
    }
    if (found === 'absent') return undefined
    if (found === 'damaged') throw new SealingError(`key ${this.fileOf(name)} is damaged, and no erasure explains it`)
    if (found.state === 'erased') return { state: 'erased', generation }
    return { state: 'live', generation, fieldKey: fieldKeyOf(this.unwrap(found.wrapped, name)) }
  }

  /** The key of the last generation that a subject has; undefined where it has none. */
  newest(token: string): SubjectKey | undefined {
    let newest: SubjectKey | undefined
    for (let generation = 1; ; generation++) {
      const key = this.find({ token, generation })
      if (key === undefined) return newest
      newest = key
    }
  }

  /** The archive's own facts are the fence of a key in a folder. */
  fence(): void {}

  holdsOf(token: string): readonly Hold[] {
    return holdsOf(this.folder, token)
  }

  placeHold(hold: Hold): boolean {
    return placeHold(this.folder, hold)
  }

  releaseHold(token: string, name: string, by: string, at: string): boolean {
    return releaseHold(this.folder, token, name, by, at)
  }

  /** Makes a key, unless somebody had the name first. */
  make(name: KeyName): void {
    this.claim(name, {
      version: KEYS_VERSION,
      state: 'live',
      wrapped: wrapKey(this.wrapping, randomBytes(32), name).toString('base64'),
    })
  }

  /** Destroys a key for good, or takes the name of one that was never made. Can be repeated. */
  destroy(name: KeyName): void {
    const tombstone = { version: KEYS_VERSION, state: 'erased', at: new Date(this.now()).toISOString() } as const
    this.claim(name, tombstone)
    this.known.delete(name.token)
    const found = this.read(name)
    if (found !== 'absent' && found !== 'damaged' && found.state === 'erased') return
    const path = this.fileOf(name)
    // its blocks, and another name that a killed process left of it, hold zeros first
    overwrite(path)
    const made = this.stage(name, tombstone)
    renameDurably(made, path)
  }

  private read(name: KeyName): KeyFile | 'absent' | 'damaged' {
    const path = this.fileOf(name)
    try {
      const bytes = readBounded(path, path)
      return bytes === undefined ? 'absent' : checkJson(bytes, keyFile, path)
    } catch (error) {
      if (error instanceof FileError) return 'damaged'
      throw error
    }
  }

  private claim(name: KeyName, content: KeyFile): void {
    const made = this.stage(name, content)
    try {
      linkDurably(made, this.fileOf(name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(made, { force: true })
    }
  }

  private stage(name: KeyName, content: KeyFile): string {
    const path = this.fileOf(name)
    makeFolder(join(path, '..'))
    const made = `${path}-${randomUUID()}`
    writeDurably(made, `${JSON.stringify(content)}\n`, 'wx')
    return made
  }

  private fileOf({ token, generation }: KeyName): string {
    return join(this.folder, 'subjects', token.slice(0, 2), `${token}.${generation}.json`)
  }

  private unwrap(wrapped: string, name: KeyName): Uint8Array {
    const key = unwrapKey(this.wrapping, Buffer.from(wrapped, 'base64'), name)
    if (key !== undefined) return key
    throw new SealingError(`key ${this.fileOf(name)} is another store's, or was altered`)
  }
}

function overwrite(path: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, Buffer.alloc(fstatSync(file).size), 0, undefined, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function unlessUnreadable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FileError) throw new SealingError(error.message, { cause: error })
    throw error
  }
}
