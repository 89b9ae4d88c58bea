import { randomUUID } from 'node:crypto'
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  createReadStream,
  type Dirent,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { READ_BYTES } from '../capture/input.js'
import { FileError, readBounded } from '../config/gate.js'
import { isNameOfObject, STAGING_FOLDER, TOP_NAMES } from '../transform/layout.js'
import { isRunning, linkDurably, makeFolder, renameDurably, sync, writeDurably } from './durable.js'
import { IS_A_LINK, linkIn, refuseLinks } from './links.js'
import {
  isMissing,
  type ObjectEntry,
  type Odd,
  PreconditionFailed,
  type ReplaceableObjects,
  type Survey,
  type TaggedText,
} from './objects.js'

/** A file of up to this size is read as a whole. */
const SMALL_BYTES = 64 * 1024

/** A file on the archive's own file system, as `stage` names one, on its way to become an object. */
export interface StagedFile {
  readonly path: string
}

/** The names that `stage` gives: the process, then what no other file has. */
const STAGED = /^(\d+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z]+$/

/**
 * The objects in a folder. Nothing is written, listed or removed through a link in it: each throws a `FileError` that
 * names the link. What it makes is for its owner alone, because it holds what the table holds.
 */
export class DiskArchive implements ReplaceableObjects {
  constructor(readonly root: string) {}

  /** True for the folder of an archive, be it empty; false for one that holds something else only. */
  isArchive(): boolean {
    const names = readdirSync(this.root)
    return names.length === 0 || names.some(name => TOP_NAMES.includes(name))
  }

  /**
   * A path in the staging folder that nobody else uses; it is on the archive's own file system, so it can be renamed.
   */
  stage(extension: string): StagedFile {
    const folder = this.ownPath(STAGING_FOLDER)
    if (!existsSync(folder)) makeFolder(folder)
    return { path: join(folder, `${process.pid}-${randomUUID()}${extension}`) }
  }

  /** Removes what processes that are gone left in the staging folder. */
  sweep(): void {
    const folder = this.ownPath(STAGING_FOLDER)
    if (!existsSync(folder)) return
    for (const name of readdirSync(folder)) {
      const pid = STAGED.exec(name)?.[1]
      if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(folder, name), { force: true })
    }
  }

  /** Adds an object from bytes, or by taking over a staged file. Throws if the key is taken. */
  async put(key: string, content: Uint8Array | StagedFile): Promise<void> {
    await this.place(key, content, (staged, target) => {
      // a link fails where the key is taken: if two processes add one key, one of them fails
      try {
        linkDurably(staged, target)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        const message = `object ${key} exists already, an archive's objects are never rewritten`
        throw new PreconditionFailed(message, { cause: error })
      }
    })
  }

  /**
   * What is opened here is compared and then replaced: of two processes only one may do so, which holds a lock for it.
   */
  async replace(key: string, text: string, opened: TaggedText | undefined): Promise<void> {
    await this.place(key, Buffer.from(text), (staged, target) => {
      const found = statSync(target, { bigint: true, throwIfNoEntry: false })
      if ((found && etagOf(found)) !== opened?.etag)
        throw new PreconditionFailed(`object ${key} is not what was opened, somebody else replaced it meanwhile`)
      renameDurably(staged, target)
    })
  }

  private async place(
    key: string,
    content: Uint8Array | StagedFile,
    put: (staged: string, target: string) => void,
  ): Promise<void> {
    const target = this.ownPath(key)
    const staged = content instanceof Uint8Array ? this.stage('.object') : content
    try {
      if (content instanceof Uint8Array) writeDurably(staged.path, content, 'wx')
      else {
        chmodSync(staged.path, 0o600)
        sync(staged.path)
      }
      makeFolder(dirname(target))
      put(staged.path, target)
    } finally {
      rmSync(staged.path, { force: true })
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const { keys, odd } = this.look(prefix)
    if (odd[0] !== undefined) throw new FileError(odd[0].key, [odd[0].reason])
    return keys
  }

  async entries(prefix: string): Promise<readonly ObjectEntry[]> {
    return this.look(prefix).keys.map(key => {
      const found = statSync(this.pathOf(key), { bigint: true })
      const modified = Number(found.mtimeNs / 1_000_000n)
      return { key, bytes: Number(found.size), etag: etagOf(found), modified, storageClass: 'STANDARD' }
    })
  }

  async survey(prefix: string): Promise<Survey> {
    return this.look(prefix)
  }

  async folders(prefix: string): Promise<readonly string[]> {
    return [...this.entriesUnder(prefix, false)]
      .filter(({ entry }) => entry.isDirectory() || entry.isSymbolicLink())
      .map(({ key }) => `${key}/`)
      .filter(key => key.startsWith(prefix))
      .sort()
  }

  async open(key: string, maxBytes?: number): Promise<Uint8Array> {
    const path = this.readablePath(key)
    // what somebody else put there may be of any size, or not to be read
    return (maxBytes === undefined ? undefined : readBounded(path, key, { maxBytes })) ?? readFileSync(path)
  }

  stream(key: string): AsyncIterable<Uint8Array> {
    return piecesOf(this.readablePath(key))
  }

  async openTagged(key: string): Promise<TaggedText | undefined> {
    const path = this.readablePath(key)
    let file: number
    try {
      file = openSync(path, 'r')
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    try {
      return { etag: etagOf(fstatSync(file, { bigint: true })), text: readFileSync(file, 'utf8') }
    } finally {
      closeSync(file)
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) rmSync(this.ownPath(key), { force: true })
  }

  /**
   * The file that holds an object, for engines that open files themselves. Throws a `FileError` where a link leads to
   * it.
   */
  ownPath(key: string): string {
    if (key.split('/').some(part => part === '.' || part === '..'))
      throw new FileError(key, ['leads out of the archive'])
    refuseLinks(this.root, key)
    return this.pathOf(key)
  }

  /** The same for reading: whoever opened a pipe would wait for good. */
  private readablePath(key: string): string {
    const path = this.ownPath(key)
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new FileError(key, ['is no file'])
    return path
  }

  /** The file that holds an object. */
  pathOf(key: string): string {
    return join(this.root, ...key.split('/'))
  }

  private look(prefix: string): Survey {
    const link = linkIn(this.root, folderOf(prefix))
    if (link !== undefined) return { keys: [], odd: [{ key: link, reason: IS_A_LINK }] }
    const keys: string[] = []
    const odd: Odd[] = []
    for (const { key, entry } of this.entriesUnder(prefix, true)) {
      const reason = whyOdd(key, entry)
      if (reason !== undefined) odd.push({ key, reason })
      else if (entry.isFile()) keys.push(key)
    }
    return { keys: keys.sort(), odd: odd.sort((a, b) => (a.key < b.key ? -1 : 1)) }
  }

  private *entriesUnder(
    prefix: string,
    recursive: boolean,
  ): Generator<{ readonly key: string; readonly entry: Dirent }> {
    const folder = this.pathOf(folderOf(prefix))
    if (!existsSync(folder)) return
    const parents = new Map<string, string>()
    for (const entry of readdirSync(folder, { recursive, withFileTypes: true })) {
      const { parentPath, name } = entry
      const parent = parents.get(parentPath) ?? relative(this.root, parentPath).split(sep).join('/')
      parents.set(parentPath, parent)
      const key = parent === '' ? name : `${parent}/${name}`
      if (isUnder(key, prefix)) yield { key, entry }
    }
  }
}

/** The folder that a prefix is in. */
function folderOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1)
}

/** No key begins with a dot, so what does is listed for those only who ask for it by name. */
function isUnder(key: string, prefix: string): boolean {
  return key.startsWith(prefix) && (prefix !== '' || !key.startsWith('.'))
}

/**
 * A link, a pipe, a device or a folder in the place of an object would be passed over, and what it stands for be missed
 * by nobody.
 */
function whyOdd(key: string, entry: Dirent): string | undefined {
  if (entry.isSymbolicLink()) return IS_A_LINK
  if (entry.isDirectory()) return isNameOfObject(key) ? 'is a folder, where an object belongs' : undefined
  return entry.isFile() ? undefined : 'is no file'
}

/** A file that was replaced is another one, whatever its content: each gets its name by a rename. */
function etagOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `"${size}-${mtimeNs}-${ino}"`
}

async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  // a stream takes longer to begin than a small file to read
  if (statSync(path).size <= SMALL_BYTES) yield readFileSync(path)
  else yield* createReadStream(path, { highWaterMark: READ_BYTES })
}
