import type { Table } from 'apache-arrow'

/** A value bound to one `?` of a statement. */
export type BoundValue = string | number

/** Something that answers SQL over an archive: DuckDB on a desk, Athena on AWS. */
export interface QueryEngine {
  /** Runs one statement; `values` are bound to its `?` in order. Throws `QueryError` with the engine's own words. */
  run(sql: string, values?: readonly BoundValue[]): Promise<Table>
  close(): void
}

/** A statement that an engine would not run. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}
