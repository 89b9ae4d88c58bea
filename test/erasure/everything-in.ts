import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'

/**
 * Every byte of a folder's files, as text of one byte a character, and every value of the Parquet files among them,
 * whose pages are compressed.
 */
export async function everythingIn(folder: string): Promise<string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
  const bytes = paths.map(path => readFileSync(path, 'latin1'))
  return [...bytes, ...(await valuesOf(paths.filter(path => path.endsWith('.parquet'))))].join('\n')
}

async function valuesOf(paths: readonly string[]): Promise<readonly string[]> {
  const instance = await openDuckDb(':memory:', { memory_limit: '1GB' })
  const connection = await instance.connect()
  try {
    const values: string[] = []
    for (const path of paths) {
      const quoted = `'${path.replaceAll("'", "''")}'`
      const read = await connection.runAndReadAll(
        `select cast(to_json(r) as varchar) from read_parquet(${quoted}, hive_partitioning = false) as r`,
      )
      // the image is a JSON text in the JSON of its row
      values.push(...read.getRows().map(([row]) => String(row).replaceAll('\\', '')))
    }
    return values
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
