import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { FileError } from '../config/gate.js'

/**
 * Nothing in an archive's folder is reached through a link: it would lead out of what was copied or sent, and what is
 * written or swept there would be somebody else's. The archive's folder itself may be one.
 */

/** Why a link in an archive stands for nothing. */
export const IS_A_LINK = 'is a link, which an archive does not follow'

/** The first part of a key that is a link in the folder `root`; undefined where none is. */
export function linkIn(root: string, key: string): string | undefined {
  const parts = key.split('/').filter(part => part !== '')
  for (let i = 1; i <= parts.length; i++) {
    const found = lstatSync(join(root, ...parts.slice(0, i)), { throwIfNoEntry: false })
    if (found === undefined) return undefined
    if (found.isSymbolicLink()) return parts.slice(0, i).join('/')
  }
  return undefined
}

/** Throws a `FileError` where a part of a key is a link. */
export function refuseLinks(root: string, key: string): void {
  const link = linkIn(root, key)
  if (link !== undefined) throw new FileError(link, [IS_A_LINK])
}
