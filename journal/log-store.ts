/** What a journal needs of the place where it is kept: a folder, a bucket. Paths are relative to `log/`. */
export interface LogStore {
  /** Undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Adds a file, whole or not at all; false where one is there already, whatever is in it. */
  add(path: string, bytes: Uint8Array): Promise<boolean>
  /** Puts a file in the place of whatever is there, whole or not at all. */
  replace(path: string, bytes: Uint8Array): Promise<void>
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>
  /** Paths that begin with a prefix, in order. */
  list(prefix: string): Promise<readonly string[]>
}

/** The newest checkpoint that is known; only a cache of where the chain of claims ends. */
export const CHECKPOINT = 'checkpoint'

/**
 * Where the one successor of a checkpoint is claimed. It is named by the size that it follows, so that two sealers who
 * begin at one size and see different objects race for one name.
 */
export function claimPath(size: number): string {
  return `next/${String(size).padStart(20, '0')}`
}

/** Where all that a sealing will write is kept until it is written. */
export function stagingPath(size: number, root: Uint8Array): string {
  return `staging/${size}-${Buffer.from(root).toString('hex')}`
}

/** True of a file that is there only where something was sealed; what is staged may never be claimed. */
export function isOfHistory(path: string): boolean {
  return !path.startsWith('staging/')
}
