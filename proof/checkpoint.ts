import { decodeBase64, type Note, parseNote, type Verifier, verifiedSignatures } from './note.js'
import { ProofError } from './proof-error.js'
import { EMPTY_ROOT, HASH_BYTES } from './tree.js'

/** What a log says of itself (C2SP tlog-checkpoint): as of `size` leaves its root is this. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** The text of the note that is a checkpoint. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const text = `${origin}\n${size}\n${root.toString('base64')}\n`
  parseCheckpoint(text)
  return text
}

/** Reads the text of a checkpoint; lines after the third are extensions. Throws `ProofError` for what is none. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', decimal = '', encoded = '', ...rest] = text.split('\n')
  if (origin === '' || rest.at(-1) !== '') throw new ProofError('checkpoint has less than three lines')
  if (rest.slice(0, -1).includes('')) throw new ProofError('checkpoint has an empty line')
  const size = Number(decimal)
  if (!/^(0|[1-9]\d*)$/.test(decimal) || !Number.isSafeInteger(size))
    throw new ProofError(`checkpoint of ${origin} has the size ${JSON.stringify(decimal)}, expected a whole number`)
  const root = decodeBase64(encoded)
  if (root?.length !== HASH_BYTES)
    throw new ProofError(`checkpoint of ${origin} has the root ${JSON.stringify(encoded)}, expected 32 bytes in base64`)
  if (size === 0 && !root.equals(EMPTY_ROOT))
    throw new ProofError(`checkpoint of ${origin} has a root for no entries that is not that of none`)
  return { origin, size, root }
}

/** A checkpoint with the signatures that were believed. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note
  /** Names of the keys whose signatures were verified. */
  readonly signedBy: readonly string[]
}

/**
 * Opens a signed checkpoint of a log. Throws `ProofError` where it is of another origin, where no key that is known
 * under the log's own name signed it, or where a known key's signature is wrong.
 */
export function openCheckpoint(text: string, origin: string, known: readonly Verifier[]): SignedCheckpoint {
  const note = parseNote(text)
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== origin)
    throw new ProofError(`checkpoint is of ${JSON.stringify(checkpoint.origin)}, expected ${JSON.stringify(origin)}`, {
      fault: 'origin',
    })
  const signedBy = verifiedSignatures(note, known).map(({ name }) => name)
  if (!signedBy.includes(origin))
    throw new ProofError(`checkpoint of ${origin} is signed by none of the keys given`, { fault: 'key' })
  return { ...checkpoint, note, signedBy }
}
