import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In memory, where a system has such a folder: an archive makes sure of each of its files, for which a disk takes long. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A new folder of a world, which whoever asked for it removes. */
export function makeFastFolder(name: string): string {
  return mkdtempSync(join(FAST, `itemtrail-${name}-`))
}
