/** A text or file of a log that is not what its format allows, or that proves nothing. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
}
