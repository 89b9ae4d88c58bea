/** What is written to outlive a power cut, or no longer than its process; and whether that is still at work. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/**
 * Makes a folder and its parents, for their owner alone, so that they outlive a power cut: a new entry is durable once
 * its parent is synced.
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

/** Writes all of a text or of bytes to an open file; an error names `path`. */
export function writeAll(file: number, content: string | Uint8Array, path: string): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
  } catch (error) {
    throw Object.assign(error as Error, { path })
  }
}

/** The same, so that it outlives a power cut. */
export function writeAllDurably(file: number, content: string | Uint8Array, path: string): void {
  writeAll(file, content, path)
  try {
    fsyncSync(file)
  } catch (error) {
    throw Object.assign(error as Error, { path })
  }
}

/**
 * Writes a file whose content outlives a power cut. `flags` are those of `open`; it is for its owner alone, unless
 * `mode` is said.
 */
export function writeDurably(path: string, content: string | Uint8Array, flags: 'w' | 'wx' | 'a', mode = 0o600): void {
  const file = openSync(path, flags, mode)
  try {
    writeAllDurably(file, content, path)
  } finally {
    closeSync(file)
  }
}

/**
 * Gives a durable file its name, in place of one that has it: after a power cut there is the old one or the new, whole.
 */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to)
  sync(dirname(to))
}

/**
 * Gives a durable file another name that nobody has. Throws with the code EEXIST where somebody has it: of two
 * processes that want one name, one gets it. A file system without hard links is asked first and renamed on, which may
 * let both.
 */
export function linkDurably(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!WITHOUT_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    if (existsSync(to)) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST', path: to })
    renameSync(from, to)
  }
  sync(dirname(to))
}

/** link(2): EPERM where the file system has none; others say that it is not supported. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** True where a process is there, be it another user's. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * A new folder for what lasts no longer than this process and is for nobody else. Those of the same name that processes
 * left which were killed are removed.
 */
export function privateFolder(name: string): string {
  for (const found of readdirSync(tmpdir())) {
    const pid = found.startsWith(name) ? Number.parseInt(found.slice(name.length), 10) : Number.NaN
    if (Number.isInteger(pid) && !isRunning(pid)) rmSync(join(tmpdir(), found), { recursive: true, force: true })
  }
  return mkdtempSync(join(tmpdir(), `${name}${process.pid}-`))
}
