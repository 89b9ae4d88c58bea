import { hash } from 'node:crypto'
import { closeSync, openSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeFolder, renameDurably, sync, writeAll } from './durable.js'

/**
 * What is remembered of an archive in a folder, so that it takes less time the next time. It lies in the user's own
 * state folder, never in the archive: whoever could write there would vouch for himself.
 */

/** What the root of an archive in a bucket begins with. */
const BUCKET = 's3://'

/**
 * Where it lies: in `$XDG_STATE_HOME/itemtrail`, else `~/.local/state/itemtrail` (XDG base directories). `name` is what
 * is remembered and its suffix; `part` of the archive has a file of its own.
 */
export function stateFile(
  root: string,
  [name, suffix]: readonly [name: string, suffix: string],
  part?: string,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const { XDG_STATE_HOME: given } = environment
  const folder = given?.startsWith('/') ? given : join(homedir(), '.local', 'state')
  // a bucket has one name, a folder may have several
  const where = root.startsWith(BUCKET) ? root : realpathSync(root)
  const whose = hash('sha256', [where, ...(part === undefined ? [] : [part])].join('\0')).slice(0, 32)
  return join(folder, 'itemtrail', `${name}-${whose}.${suffix}`)
}

/**
 * Replaces the file whole. False where the folder cannot be written, which of most that is remembered costs the next
 * run its time, and nothing else.
 */
export function keepState(path: string, parts: Iterable<string | Uint8Array>): boolean {
  const partial = `${path}.${process.pid}`
  try {
    makeFolder(dirname(path))
    const file = openSync(partial, 'w', 0o600)
    try {
      for (const part of parts) writeAll(file, part, partial)
    } finally {
      closeSync(file)
    }
    sync(partial)
    renameDurably(partial, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return false
  }
}
