import { FileError, readBounded } from '../config/gate.js'
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from '../proof/checkpoint.js'
import { ProofError } from '../proof/proof-error.js'
import { keepState, stateFile } from '../store/state-file.js'
import type { Head } from './head.js'

/**
 * Where an archive's journal ended when this machine last sealed or verified it: whoever cuts it, begins it anew or
 * removes it would have to be here, too. It lies in the user's own state folder, never in the archive.
 */
export interface SeenHead extends Checkpoint {
  /** The file that says so. */
  readonly where: string
}

/** Its name and suffix in that folder. */
const SEEN = ['checkpoint', 'txt'] as const

/** A name, a number and a hash. */
const MAX_BYTES = 4096

/** What this machine saw; undefined where it never did. Throws a `FileError` for a file that says something else. */
export function readSeen(root: string): SeenHead | undefined {
  const where = stateFile(root, SEEN)
  const bytes = readBounded(where, where, { maxBytes: MAX_BYTES })
  if (bytes === undefined) return undefined
  try {
    return { ...parseCheckpoint(bytes.toString('utf8')), where }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    throw new FileError(where, [`is not where this machine saw a journal end: ${error.message}`], { cause: error })
  }
}

/** Keeps where a journal ended that was found to be whole. Returns the file if it cannot be written, else undefined. */
export function keepSeen(
  root: string,
  origin: string,
  { size, root: hash }: Pick<Head, 'size' | 'root'>,
): string | undefined {
  const where = stateFile(root, SEEN)
  return keepState(where, [formatCheckpoint({ origin, size, root: hash })]) ? undefined : where
}
