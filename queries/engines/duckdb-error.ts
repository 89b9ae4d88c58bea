/** DuckDB's errors have no codes; they begin with what they are of, and its appender's with what failed. */
const DUCKDB_ERROR = /^([A-Z]\w+( \w+)* (Error|Exception)|Failed to append): /

/** What DuckDB refused, as its first line; undefined for the error of anybody else. */
export function duckDbRefusal(error: unknown): string | undefined {
  const [line = ''] = error instanceof Error ? error.message.split('\n') : []
  return DUCKDB_ERROR.test(line) ? line : undefined
}

/** True where the memory that DuckDB was given did not suffice. */
export function isShortage(error: unknown): boolean {
  return /^Out of Memory/.test((error as Error).message)
}

/** What to do where what an archive holds cannot be read. */
export const DAMAGED = 'an object of the archive is damaged; a copy of it, such as the bucket has, puts it right'

/** What to do where the memory that DuckDB was given does not suffice. */
export const MORE_MEMORY = '--memory SIZE (of the library: memory) lets it hold more, such as 4GB'

/**
 * Where the memory that DuckDB was given did not suffice, or the disk for what goes beyond it, one sentence and what to
 * do; undefined for any other error.
 */
export function shortageOf(
  error: unknown,
  folder: string,
): { readonly message: string; readonly hint: string } | undefined {
  const { message } = error as Error
  if (/max_temp_directory_size|No space left on device|Disk quota exceeded/.test(message))
    return {
      message: `the disk of ${folder} is full, which takes what does not fit in memory`,
      hint: 'TMPDIR names another place for it, --memory SIZE (of the library: memory) leaves more in memory',
    }
  if (!isShortage(error)) return undefined
  return { message: duckDbRefusal(error) ?? message, hint: MORE_MEMORY }
}
