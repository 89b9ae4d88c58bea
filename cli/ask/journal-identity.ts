import type { JournalIdentity } from '../../journal/head.js'
import { CHECKPOINT, claimPath, type LogStore } from '../../journal/log-store.js'
import { parseCheckpoint } from '../../proof/checkpoint.js'
import { parseNote, type Verifier } from '../../proof/note.js'
import { ProofError } from '../../proof/proof-error.js'

/**
 * Whose journal lies in an archive: that of the key that is believed, else whoever signed it, unseen, so that it can be
 * held against itself. Undefined where nothing is there that names anybody.
 */
export async function identityOrAny(
  log: Pick<LogStore, 'read'>,
  believed: Verifier | undefined,
): Promise<JournalIdentity | undefined> {
  if (believed !== undefined) return { origin: believed.name, known: [believed] }
  for (const path of [claimPath(0), CHECKPOINT]) {
    const bytes = await log.read(path)
    const identity = bytes && signersOf(Buffer.from(bytes).toString('utf8'))
    if (identity !== undefined) return identity
  }
  return undefined
}

/** Whoever signed a checkpoint, believed without a look at the signature: nobody knows the key. */
function signersOf(checkpoint: string): JournalIdentity | undefined {
  try {
    const note = parseNote(checkpoint)
    const { origin } = parseCheckpoint(note.text)
    const signers = note.signatures.filter(({ name }) => name === origin)
    const known = signers.map(
      ({ name, id }) => ({ name, id, type: 1, publicKey: new Uint8Array(32), verifies }) as const,
    )
    return { origin, known }
  } catch (error) {
    if (error instanceof ProofError) return undefined
    throw error
  }
}

const verifies = () => true
