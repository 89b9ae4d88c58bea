/** Evidence that cannot be given: rows that are not there, not sealed yet, or not what was sealed. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError'

  constructor(
    message: string,
    /** What to do about it. */
    readonly hint?: string,
  ) {
    super(message)
  }
}
