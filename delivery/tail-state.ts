/** What a tail remembers beside an archive, in a folder that is no part of it: how far it is, and that it runs. */

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readCheckpoint, type TailCheckpoint, writeCheckpoint } from '../capture/tail-checkpoint.js'
import { FileError, readBounded } from '../config/gate.js'
import { isRunning, makeFolder, renameDurably, writeDurably } from '../store/durable.js'
import { linkIn, refuseLinks } from '../store/links.js'
import { TAIL_FOLDER } from '../transform/layout.js'

/** Where the checkpoint of a table is kept. */
export function checkpointPath(root: string, table: string): string {
  return join(root, TAIL_FOLDER, `${table}.json`)
}

/** The checkpoint of a table; undefined where there is none. Throws a `FileError` for one that cannot be read. */
export function loadCheckpoint(root: string, table: string): TailCheckpoint | undefined {
  const path = checkpointPath(root, table)
  refuseLinks(root, `${TAIL_FOLDER}/${table}.json`)
  const bytes = readBounded(path, path)
  if (bytes === undefined) return undefined
  const checkpoint = readCheckpoint(bytes, path)
  if (checkpoint.table === table) return checkpoint
  throw new FileError(path, [`table is ${JSON.stringify(checkpoint.table)}, expected ${JSON.stringify(table)}`])
}

/** Replaces the checkpoint of a table in one step: after a power cut there is the old one or the new one, whole. */
export function saveCheckpoint(root: string, checkpoint: TailCheckpoint): void {
  const path = checkpointPath(root, checkpoint.table)
  refuseLinks(root, `${TAIL_FOLDER}/${checkpoint.table}.json.new`)
  writeDurably(`${path}.new`, writeCheckpoint(checkpoint), 'w')
  renameDurably(`${path}.new`, path)
}

/** That a process tails a table into an archive. */
export interface TailLock {
  release(): void
}

/**
 * Says that this process tails a table, unless another one on this machine does: then it answers with that one's id.
 * Each process writes a file of its own and then looks for those of others, so of two that begin at once never both go
 * on.
 */
export function lockTail(root: string, table: string): TailLock | number {
  const folder = join(root, TAIL_FOLDER)
  const own = `${table}.${process.pid}.lock`
  refuseLinks(root, `${TAIL_FOLDER}/${own}`)
  makeFolder(folder)
  writeDurably(join(folder, own), startOf(process.pid), 'w')
  const release = () => rmSync(join(folder, own), { force: true })
  for (const { name, pid } of locksOf(root, table)) {
    if (pid === process.pid) continue
    if (isRunningSince(pid, lockedAt(root, name))) {
      release()
      return pid
    }
    rmSync(join(folder, name), { force: true })
  }
  return { release }
}

/** The process on this machine that tails a table into the archive; undefined where none does. */
export function tailerOf(root: string, table: string): number | undefined {
  if (!existsSync(join(root, TAIL_FOLDER))) return undefined
  return locksOf(root, table).find(({ name, pid }) => isRunningSince(pid, lockedAt(root, name)))?.pid
}

/** The files by which processes say that they tail a table. */
function locksOf(root: string, table: string): readonly { readonly name: string; readonly pid: number }[] {
  const pidOf = (name: string) => /^(\d+)\.lock$/.exec(name.slice(table.length + 1))?.[1]
  return readdirSync(join(root, TAIL_FOLDER))
    .filter(name => name.startsWith(`${table}.`) && pidOf(name) !== undefined)
    .map(name => ({ name, pid: Number(pidOf(name)) }))
}

/** True where a process is there and is not a later one that was given the same id. */
function isRunningSince(pid: number, start: string | undefined): boolean {
  return start !== undefined && isRunning(pid) && start === startOf(pid)
}

/** When the process of a lock began, as it wrote; undefined where the file is none of a process. */
function lockedAt(root: string, name: string): string | undefined {
  if (linkIn(root, `${TAIL_FOLDER}/${name}`) !== undefined) return undefined
  try {
    return readBounded(join(root, TAIL_FOLDER, name), name, { maxBytes: 100 })?.toString()
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return undefined
  }
}

/** When a process began, as far as the system tells: Linux does, in clock ticks since it booted (proc(5), stat). */
function startOf(pid: number): string {
  // the command, the second field, may hold blanks and brackets; after it come the state and, as the 22nd, the start
  const fields =
    statOf(pid)
      ?.replace(/^.*\) /s, '')
      .split(' ') ?? []
  // a process that was killed stays there until its parent takes notice
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? 'unknown')
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}
