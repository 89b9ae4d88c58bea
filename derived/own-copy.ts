import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FileError, readBounded } from '../config/gate.js'
import { keepState, stateFile } from '../store/state-file.js'
import { LOG_PREFIX } from '../transform/layout.js'

/**
 * Which manifests of derived files this machine wrote. No journal speaks of what is derived: whoever can write it could
 * put rows there that were never in the archive, with every hash right. So of an archive that is sealed only a copy is
 * read that was made here, which was held against the archive row for row.
 */

/** A hash, and the one before it. */
const MAX_BYTES = 256

/** The same within one process, for whoever has no state folder. */
const written = new Set<string>()

/** Remembers the manifest that is about to be written at a key in the place of another. */
export function keepOwn(root: string, key: string, text: string, replaced: string | undefined): void {
  const [next, before] = [hash('sha256', text), replaced && hash('sha256', replaced)]
  // whoever reads meanwhile may find either
  const kept = before !== undefined && isOwn(root, key, before) ? [next, before] : [next]
  written.add(nameOf(root, key, next))
  keepState(ownFile(root, key), [kept.map(line => `${line}\n`).join('')])
}

/** Why the manifest at a key is not to be used; undefined of one of our own, or beside no journal. */
export function whyForeign(root: string, key: string, text: string): string | undefined {
  if (!existsSync(join(root, LOG_PREFIX)) || isOwn(root, key, hash('sha256', text))) return undefined
  return 'it was not made on this machine, and no seal is of it; itemtrail compact makes it anew'
}

function isOwn(root: string, key: string, sha256: string): boolean {
  return written.has(nameOf(root, key, sha256)) || keptOf(root, key).includes(sha256)
}

function keptOf(root: string, key: string): readonly string[] {
  const path = ownFile(root, key)
  try {
    return readBounded(path, path, { maxBytes: MAX_BYTES })?.toString('utf8').split('\n') ?? []
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return []
  }
}

function ownFile(root: string, key: string): string {
  return stateFile(root, ['copy', 'txt'], key)
}

function nameOf(root: string, key: string, sha256: string): string {
  return [root, key, sha256].join('\n')
}
