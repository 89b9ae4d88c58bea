import { hash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeFolder, renameDurably, writeDurably } from '../store/durable.js'

/**
 * Where this machine keeps what it knows of an archive: `$XDG_STATE_HOME/itemtrail`, else `~/.local/state/itemtrail`
 * (XDG base directories). Never in the archive: whoever could write there would vouch for himself.
 */
export function statePath(root: string, name: string, environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME: given } = environment
  const folder = given?.startsWith('/') ? given : join(homedir(), '.local', 'state')
  return join(folder, 'itemtrail', `${name}-${hash('sha256', realpathSync(root)).slice(0, 32)}`)
}

/** Replaces such a file as a whole; a folder that cannot be written costs the next run what it would have known. */
export function keepState(path: string, content: string): void {
  try {
    makeFolder(dirname(path))
    writeDurably(`${path}.${process.pid}`, content, 'w')
    renameDurably(`${path}.${process.pid}`, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}
