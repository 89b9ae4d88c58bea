import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  createReadStream,
  type Dirent,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { READ_BYTES } from '../capture/input.js'
import { FileError } from '../config/gate.js'
import { refuseLinks } from './links.js'

/**
 * Where objects are kept: the bucket on AWS, a folder on a desk, with the same keys. An object appears whole or not at
 * all and is never rewritten.
 */
export interface Archive {
  /** Adds an object from bytes, or by taking over a staged file. Throws if the key is taken. */
  put(key: string, content: Uint8Array | StagedFile): Promise<void>
  /** Keys that begin with a prefix ending in "/", in order. */
  list(prefix: string): Promise<readonly string[]>
  open(key: string): Promise<Uint8Array>
  /** The same piece by piece, for what may be larger than memory. */
  stream(key: string): AsyncIterable<Uint8Array>
}

/** A file in the archive's own staging folder, on its way to become an object. */
export interface StagedFile {
  readonly path: string
}

/** Not part of the archive: no key begins with a dot. */
export const STAGING = '.staging'

/** The names that `stage` gives: the process, then what no other file has. */
const STAGED = /^(\d+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z]+$/

/**
 * The archive in a folder. Nothing is written, listed or removed through a link in it: each throws a `FileError` that names
 * the link. What it makes is for its owner alone, because it holds what the table holds.
 */
export class DiskArchive implements Archive {
  constructor(readonly root: string) {}

  /** A path in the staging folder that nobody else uses; it is on the archive's own file system, so it can be renamed. */
  stage(extension: string): StagedFile {
    const folder = this.ownPath(STAGING)
    if (!existsSync(folder)) makeFolder(folder)
    return { path: join(folder, `${process.pid}-${randomUUID()}${extension}`) }
  }

  /** Removes what processes that are gone left in the staging folder. */
  sweep(): void {
    const folder = this.ownPath(STAGING)
    if (!existsSync(folder)) return
    for (const name of readdirSync(folder)) {
      const pid = STAGED.exec(name)?.[1]
      if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(folder, name), { force: true })
    }
  }

  async put(key: string, content: Uint8Array | StagedFile): Promise<void> {
    const target = this.ownPath(key)
    const staged = content instanceof Uint8Array ? this.stage('.object') : content
    try {
      if (content instanceof Uint8Array) writeFileSync(staged.path, content, { flag: 'wx' })
      chmodSync(staged.path, 0o600)
      sync(staged.path)
      makeFolder(dirname(target))
      // keys hold a random part or a hash of the content, so two writers never race for one
      if (existsSync(target)) throw new Error(`object ${key} exists already, an archive's objects are never rewritten`)
      renameSync(staged.path, target)
      sync(dirname(target))
    } finally {
      rmSync(staged.path, { force: true })
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const folder = this.ownPath(prefix)
    if (!existsSync(folder)) return []
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .map(entry => this.refuseOdd(entry))
      .filter(entry => entry.isFile())
      .map(entry => relative(this.root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort()
  }

  async open(key: string): Promise<Uint8Array> {
    return readFileSync(this.ownPath(key))
  }

  private ownPath(key: string): string {
    refuseLinks(this.root, key)
    return this.pathOf(key)
  }

  /** A link, a pipe or a device in the place of an object would be passed over, and what it stands for be missed by nobody. */
  private refuseOdd(entry: Dirent): Dirent {
    const key = relative(this.root, join(entry.parentPath, entry.name)).split(sep).join('/')
    if (entry.isSymbolicLink()) refuseLinks(this.root, key)
    if (!entry.isFile() && !entry.isDirectory()) throw new FileError(key, ['is no file'])
    return entry
  }

  stream(key: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.ownPath(key), { highWaterMark: READ_BYTES })
  }

  /** The file that holds an object. */
  pathOf(key: string): string {
    return join(this.root, ...key.split('/'))
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Makes a folder and its parents, for their owner alone, so that they outlive a power cut: a new entry is durable once its
 * parent is synced.
 */
export function makeFolder(folder: string): void {
  const whole = resolve(folder)
  if (existsSync(whole)) return
  const parent = dirname(whole)
  makeFolder(parent)
  try {
    // one at a time: where the file system cannot be written, Node says of a recursive one that the folder is not there
    mkdirSync(whole, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  sync(parent)
}

/** Makes a file's content, or a folder's entries, outlive a power cut. */
export function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
