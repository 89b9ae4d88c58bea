import { parseCheckpoint } from '../proof/checkpoint.js'
import { parseNote, type Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import type { JournalIdentity } from './head.js'
import { CHECKPOINT, claimPath, type LogStore } from './log-store.js'

/**
 * Whose journal is expected in an archive: that of the key that is believed, else of whoever signed the checkpoint that
 * somebody kept, else of whoever signed what is there, so that it can be held against itself. Undefined where nothing
 * names anybody.
 */
export async function identityOrAny(
  log: Pick<LogStore, 'read'>,
  believed: Verifier | undefined,
  kept?: string,
): Promise<JournalIdentity | undefined> {
  if (believed !== undefined) return { origin: believed.name, known: [believed] }
  if (kept !== undefined) return signersOf(Buffer.from(kept))
  for (const path of [claimPath(0), CHECKPOINT]) {
    const bytes = await log.read(path)
    const identity = bytes && signersOf(bytes)
    if (identity !== undefined) return identity
  }
  return undefined
}

/** Whoever signed a checkpoint, believed without a look at the signature: nobody knows the key. */
export function signersOf(checkpoint: Uint8Array): JournalIdentity | undefined {
  try {
    const note = parseNote(Buffer.from(checkpoint).toString('utf8'))
    const { origin } = parseCheckpoint(note.text)
    const signers = note.signatures.filter(({ name }) => name === origin)
    const known = signers.map(({ name, id }) => ({ name, id, type: 1, publicKey: NO_KEY, verifies }) as const)
    return { origin, known }
  } catch (error) {
    if (error instanceof ProofError) return undefined
    throw error
  }
}

const NO_KEY = new Uint8Array(32)
const verifies = () => true
