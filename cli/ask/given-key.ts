import { readVerifier } from '../../journal/key-file.js'
import type { Verifier } from '../../proof/note.js'
import { ProofError } from '../../proof/proof-error.js'
import { CommandError } from '../io.js'

/** Whom a key means, a vkey or a file. Throws a `CommandError` for what is none. */
export function verifierOfKey(given: string): Verifier {
  try {
    return readVerifier(given)
  } catch (error) {
    if (error instanceof ProofError) throw new CommandError(`--key cannot be read: ${error.message}`)
    throw error
  }
}
