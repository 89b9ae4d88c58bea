/** What a tail remembers beside an archive, in a folder that is no part of it: how far it is, and that it runs. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Checkpoint, CheckpointError, readCheckpoint, writeCheckpoint } from '../capture/checkpoint.js'
import { refuseLinks } from '../queries/links.js'

/** Not part of the archive: no key begins with a dot. */
const FOLDER = '.tail'

/** Where the checkpoint of a table is kept. */
export function checkpointPath(root: string, table: string): string {
  return join(root, FOLDER, `${table}.json`)
}

/** The checkpoint of a table; undefined where there is none. Throws a `CheckpointError` that names the file. */
export function loadCheckpoint(root: string, table: string): Checkpoint | undefined {
  const path = checkpointPath(root, table)
  const text = readIfThere(path)
  if (text === undefined) return undefined
  try {
    const checkpoint = readCheckpoint(text)
    if (checkpoint.table !== table) throw new CheckpointError(`it is of table ${JSON.stringify(checkpoint.table)}`)
    return checkpoint
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    throw new CheckpointError(`checkpoint ${path} cannot be read: ${error.message}`, { cause: error })
  }
}

/** Replaces the checkpoint of a table in one step: after a power cut there is the old one or the new one, whole. */
export function saveCheckpoint(root: string, checkpoint: Checkpoint): void {
  const path = checkpointPath(root, checkpoint.table)
  refuseLinks(root, `${FOLDER}/${checkpoint.table}.json.new`)
  writeDurably(`${path}.new`, writeCheckpoint(checkpoint))
  renameSync(`${path}.new`, path)
  syncFolder(join(root, FOLDER))
}

/** That a process tails a table into an archive. */
export interface TailLock {
  release(): void
}

/**
 * Says that this process tails a table, unless another one on this machine does: then it answers with that one's id. Each
 * process writes a file of its own and then looks for those of others, so of two that begin at once never both go on.
 */
export function lockTail(root: string, table: string): TailLock | number {
  const folder = join(root, FOLDER)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  refuseLinks(root, FOLDER)
  const own = `${table}.${process.pid}.lock`
  writeDurably(join(folder, own), startOf(process.pid))
  const release = () => rmSync(join(folder, own), { force: true })
  for (const name of readdirSync(folder)) {
    const pid = Number(
      name.startsWith(`${table}.`) ? /^(\d+)\.lock$/.exec(name.slice(table.length + 1))?.[1] : undefined,
    )
    if (Number.isNaN(pid) || pid === process.pid) continue
    if (isRunning(pid, readIfThere(join(folder, name)))) {
      release()
      return pid
    }
    rmSync(join(folder, name), { force: true })
  }
  return { release }
}

/** True where a process is there and is not a later one that was given the same id. */
function isRunning(pid: number, start: string | undefined): boolean {
  if (start === undefined) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return start === startOf(pid)
}

/** When a process began, as far as the system tells: Linux does, in clock ticks since it booted (proc(5), stat). */
function startOf(pid: number): string {
  // the command, the second field, may hold blanks and brackets; after it come the state and, as the 22nd, the start
  const fields =
    readIfThere(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, '')
      .split(' ') ?? []
  // a process that was killed stays there until its parent takes notice
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? 'unknown')
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
