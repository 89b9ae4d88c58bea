/** What a desk derived, as tests look at it. */
import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { listDigest } from '../../derived/coverage.js'
import { ROWS_FILE } from '../../derived/duckdb-tables.js'
import { type Manifest, readManifest } from '../../derived/manifest.js'
import {
  answersFolderPrefix,
  bucketPrefix,
  checkpointFolderPrefix,
  coveredKey,
  manifestKey,
} from '../../transform/derived.js'

/** The manifest of a table in a folder. */
export function manifestIn(root: string, table = 'Orders'): Manifest {
  const key = manifestKey(table)
  return readManifest(readFileSync(join(root, key), 'utf8'), key, table)
}

/** The keys of the files of the clustered copy. */
export function rowFilesOf({ table, runs }: Manifest): readonly string[] {
  return runs.flatMap(run => Object.keys(run.files).map(bucket => `${bucketPrefix(table, run, bucket)}${ROWS_FILE}`))
}

/** Every key that a manifest names, itself included. */
export function keysOf(manifest: Manifest): readonly string[] {
  const { table, runs, checkpoints, answers } = manifest
  return [
    manifestKey(table),
    ...runs.map(({ name }) => coveredKey(table, name)),
    ...rowFilesOf(manifest),
    ...checkpoints.map(({ name }) => `${checkpointFolderPrefix(table, name)}${ROWS_FILE}`),
    ...answers.map(({ name }) => `${answersFolderPrefix(table, name)}${ROWS_FILE}`),
  ]
}

/** Makes the manifest agree with a file of a run, or of a checkpoint, that was written over. */
export function forgeManifest(root: string, key: string): Manifest {
  const manifest = manifestIn(root)
  const bytes = readFileSync(join(root, key))
  const files = listDigest([{ key, bytes: bytes.length, etag: hash('sha256', bytes) }])
  const runs = manifest.runs.map(run => {
    const bucket = Object.keys(run.files).find(name => key.startsWith(bucketPrefix('Orders', run, name)))
    return bucket === undefined ? run : { ...run, files: { ...run.files, [bucket]: files } }
  })
  const isOf = (name: string) => key.startsWith(checkpointFolderPrefix('Orders', name))
  const checkpoints = manifest.checkpoints.map(one => (isOf(one.name) ? { ...one, files } : one))
  const forged = { ...manifest, runs, checkpoints }
  writeFileSync(join(root, manifestKey('Orders')), JSON.stringify(forged))
  return forged
}

/** Writes a file over, as a query of its rows, which are `old`. */
export async function rewrite(path: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`create table old as select * from '${path}'`)
  await connection.run(`copy (${sql}) to '${path}' (format parquet)`)
  connection.closeSync()
  instance.closeSync()
}
