/** A compaction that does not go on, and published nothing. */
export class CompactionError extends Error {
  override readonly name = 'CompactionError'

  constructor(
    message: string,
    /** What stands in its way, one by one. */
    readonly details: readonly string[] = [],
    /** What to do about it. */
    readonly hint?: string,
  ) {
    super(message)
  }
}
