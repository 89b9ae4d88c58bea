import type { Table } from 'apache-arrow'

/** A value bound to one `?` of a statement. */
export type BoundValue = string | number

/** How a statement is run. */
export interface RunOptions {
  /** Ends the statement, on the engine too; what was asked is then rejected with a `QueryError` of the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Something that answers SQL over an archive: DuckDB on a desk, Athena on AWS. */
export interface QueryEngine {
  /** Runs one statement; `values` are bound to its `?` in order. Throws `QueryError` with the engine's own words. */
  run(sql: string, values?: readonly BoundValue[], options?: RunOptions): Promise<Table>
  close(): void
}

/** A statement that an engine would not run, or did not run to its end. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  /** What to do about it, where the engine's words do not tell. */
  readonly hint: string | undefined

  constructor(message: string, options: { readonly cause?: unknown; readonly hint?: string | undefined } = {}) {
    super(message, options)
    this.hint = options.hint
  }
}

/** The error of a statement that its signal ended. */
export function stoppedError(signal: AbortSignal): QueryError {
  return new QueryError('the statement was stopped', { cause: signal.reason })
}
