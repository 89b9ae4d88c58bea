import { quoted } from './literal.js'

/** A list of files as DuckDB's `read_parquet` takes it. */
export function fileList(paths: readonly string[]): string {
  return `[${paths.map(path => quoted(literalPath(path))).join(', ')}]`
}

/**
 * DuckDB reads a path as a pattern, which an archive called `st*r` would share with its neighbours. Beside a backslash
 * it knows no way to escape; that pattern still finds the file itself.
 */
export function literalPath(path: string): string {
  return path.includes('\\') ? path : path.replaceAll(/[*?[]/g, '[$&]')
}
