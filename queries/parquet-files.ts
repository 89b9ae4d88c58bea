import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { quoted } from './literal.js'

/** The DynamoDB tables that an archive knows of: by their rows, or by a fact, such as that a table was found empty. */
export function tablesOf(root: string): readonly string[] {
  return [...new Set(['data', 'facts'].flatMap(folder => foldersIn(join(root, folder))))].sort()
}

function foldersIn(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { withFileTypes: true })
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

/** The paths of a table's objects, by partition and name. */
export function parquetFiles(root: string, table: string): readonly string[] {
  const folder = join(root, 'data', table)
  return foldersIn(folder).flatMap(partition =>
    readdirSync(join(folder, partition))
      .filter(isObject)
      .sort()
      .map(name => join(folder, partition, name)),
  )
}

/** Athena passes over names that begin with "_" or ".", so we do. */
function isObject(name: string): boolean {
  return name.endsWith('.parquet') && !name.startsWith('_') && !name.startsWith('.')
}

/** A list of files as DuckDB's `read_parquet` takes it. */
export function fileList(paths: readonly string[]): string {
  return `[${paths.map(path => quoted(literalPath(path))).join(', ')}]`
}

/**
 * DuckDB reads a path as a pattern, which an archive called `st*r` would share with its neighbours. Beside a backslash it
 * knows no way to escape; that pattern still finds the file itself.
 */
function literalPath(path: string): string {
  return path.includes('\\') ? path : path.replaceAll(/[*?[]/g, '[$&]')
}
