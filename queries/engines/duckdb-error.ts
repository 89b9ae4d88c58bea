/** DuckDB's errors have no codes; they begin with what they are of, and its appender's with what failed. */
const DUCKDB_ERROR = /^([A-Z]\w+( \w+)* (Error|Exception)|Failed to append): /

/** What DuckDB refused, as its first line; undefined for the error of anybody else. */
export function duckDbRefusal(error: unknown): string | undefined {
  const [line = ''] = error instanceof Error ? error.message.split('\n') : []
  return DUCKDB_ERROR.test(line) ? line : undefined
}
