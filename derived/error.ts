/**
 * Something that is derived, or was to be, and is not as it should be: it is not used, and nothing of it is published.
 */
export class DerivedError extends Error {
  override readonly name = 'DerivedError'

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

/** One that is not to be tried with less: somebody else is at it, or has to look. */
export class NotToBeRetried extends DerivedError {}

/** The error of rows that have one `row_hash` and differ. */
export function disagreement(table: string, rows: readonly Readonly<Record<string, unknown>>[]): DerivedError {
  return new DerivedError(
    `rows of ${table} have one row_hash and differ all the same: the archive was tampered with or is damaged`,
    rows.map(row => `event ${row.event_id}`),
  )
}
