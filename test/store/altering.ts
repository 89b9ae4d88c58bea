/**
 * What somebody, or a bit that turned, does to an archive's objects: SQL over each of them, written back in its place.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { quoted } from '../../queries/engines/literal.js'

/** The Parquet files below a folder. */
export function parquetUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.parquet'))
    .sort()
    .map(name => join(folder, name))
}

/** Sets columns of the rows that a condition names, hashes left as they are; how many there were. */
export async function alterRows(
  files: readonly string[],
  columns: Readonly<Record<string, string>>,
  where: string,
): Promise<number> {
  const sets = Object.entries(columns).map(
    ([name, value]) => `case when ${where} then ${value} else ${name} end as ${name}`,
  )
  return rewriteRows(files, `select * replace (${sets.join(', ')}) from object`, where)
}

/** Writes what a statement makes of `object` in the place of each object that has rows of a condition. */
export async function rewriteRows(files: readonly string[], select: string, where: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  let altered = 0
  for (const file of files) {
    await connection.run(
      `create or replace table object as select * from read_parquet(${quoted(file)}, hive_partitioning = false)`,
    )
    const [[count]] = (await connection.runAndReadAll(`select count(*) from object where ${where}`)).getRows() as [
      [bigint],
    ]
    if (count > 0n) await connection.run(`copy (${select}) to ${quoted(file)} (format parquet, compression zstd)`)
    altered += Number(count)
  }
  connection.closeSync()
  instance.closeSync()
  return altered
}
