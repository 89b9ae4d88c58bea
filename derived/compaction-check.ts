import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import { TRINO_MACROS } from '../queries/engines/trino-macros.js'
import { answersKey, checkpointKey, runKey } from '../transform/derived.js'
import { sumDigests } from './compaction.js'
import { alteredImagesSql, deliveriesSql, writtenSql } from './compaction-sql.js'
import { CopyError, checkedFile, type DerivedCopy, findCopy, readCovered, type WrittenFile } from './derived-copy.js'

/** What a check of a copy came to. */
export interface CopyCheck {
  readonly table: string
  /** False where there is no copy, so there was nothing to check. */
  readonly found: boolean
  /** Everything that does not fit together. */
  readonly problems: readonly string[]
  /** Objects that the copy covers, and those that have come since. */
  readonly covered: number
  readonly uncovered: number
}

/**
 * Reads a copy and all objects it covers, and compares: each file is the one that was written, the same rows of the same
 * changes, as often, each row once in its file and in the bucket of its item, each image what its hash says. Changes nothing.
 */
export async function checkCopy(root: string, table: string): Promise<CopyCheck> {
  const found = await findCopy(root, table)
  const nothing = { table, covered: 0, uncovered: 0 }
  if (found.kind === 'none') return { ...nothing, found: false, problems: [] }
  if (found.kind === 'unusable') return { ...nothing, found: true, problems: [found.remark] }
  const { manifest, uncovered } = found.copy
  const about = { table, found: true, covered: manifest.covered.objects, uncovered: uncovered.length }
  const covered = readCovered(root, manifest)
  if (typeof covered === 'string') return { ...about, problems: [covered] }
  const instance = await openDuckDb(':memory:', { memory_limit: '1GB' })
  const connection = await instance.connect()
  try {
    for (const statement of TRINO_MACROS) await connection.run(statement)
    const paths = covered.map(({ key }) => join(root, ...key.split('/')))
    const objects = await sumBuckets(connection, paths, files => deliveriesSql(files, manifest.digits))
    const files = checkFiles(found.copy)
    const copy = await sumBuckets(connection, files.runs, some => writtenSql(some, manifest.digits))
    const altered = [
      ...(await findAltered(connection, root, files.runs, ['old', 'new'])),
      ...(await findAltered(connection, root, files.checkpoints, ['new'])),
    ]
    // of a bucket that lacks a file the rows need not be counted
    for (const bucket of files.damaged) for (const sums of [objects, copy]) sums.delete(bucket)
    return { ...about, problems: [...files.problems, ...compare(objects, copy), ...altered] }
  } catch (error) {
    return { ...about, problems: [`reading failed: ${(error as Error).message.split('\n')[0]}`] }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The files of a copy that are the ones that were written, and what is wrong with the others. */
function checkFiles({ root, manifest }: DerivedCopy) {
  const { table, runs, checkpoints, answers } = manifest
  const problems: string[] = []
  const check = (key: string, file: WrittenFile) => {
    try {
      return [checkedFile(root, key, file)]
    } catch (error) {
      if (!(error instanceof CopyError)) throw error
      problems.push(error.message)
      return []
    }
  }
  const sound = runs.map(run => ({ bucket: run.bucket, paths: check(runKey(table, run.bucket, run.name), run) }))
  for (const answer of answers) check(answersKey(table, answer.name), answer)
  return {
    runs: sound.flatMap(({ paths }) => paths),
    damaged: sound.flatMap(({ bucket, paths }) => (paths.length === 0 ? [bucket] : [])),
    checkpoints: checkpoints.flatMap(one => check(checkpointKey(table, one.day, one.name), one)),
    problems,
  }
}

async function findAltered(
  connection: DuckDBConnection,
  root: string,
  files: readonly string[],
  sides: readonly ('old' | 'new')[],
): Promise<readonly string[]> {
  const problems: string[] = []
  for (let i = 0; i < files.length; i += AT_ONCE) {
    const result = await connection.runAndReadAll(alteredImagesSql(files.slice(i, i + AT_ONCE), sides))
    for (const { filename, altered } of result.getRowObjects())
      problems.push(
        `${String(filename).slice(root.length + 1)} has ${altered} images that are not what their hashes say`,
      )
  }
  return problems
}

interface Sum {
  readonly deliveries: number
  readonly digest: string
  readonly strange: number
}

const AT_ONCE = 200

async function sumBuckets(
  connection: DuckDBConnection,
  paths: readonly string[],
  sql: (files: readonly string[]) => string,
): Promise<Map<string, Sum>> {
  const sums = new Map<string, Sum>()
  for (let i = 0; i < paths.length; i += AT_ONCE) {
    const result = await connection.runAndReadAll(sql(paths.slice(i, i + AT_ONCE)))
    for (const row of result.getRowObjects()) {
      const known = sums.get(String(row.bucket)) ?? { deliveries: 0, digest: '0-0', strange: 0 }
      sums.set(String(row.bucket), {
        deliveries: known.deliveries + Number(row.deliveries),
        digest: sumDigests([known.digest, String(row.digest)]),
        strange: known.strange + Number(row.strange ?? 0),
      })
    }
  }
  return sums
}

function* compare(objects: ReadonlyMap<string, Sum>, copy: ReadonlyMap<string, Sum>): Generator<string> {
  for (const bucket of [...new Set([...objects.keys(), ...copy.keys()])].sort()) {
    const [archived, kept] = [objects.get(bucket), copy.get(bucket)]
    if (archived?.deliveries !== kept?.deliveries)
      yield `bucket ${bucket} stands for ${kept?.deliveries ?? 0} deliveries, the archive has ${archived?.deliveries ?? 0}`
    else if (archived?.digest !== kept?.digest) yield `bucket ${bucket} holds other rows than the archive`
    if (kept !== undefined && kept.strange > 0)
      yield `bucket ${bucket} has ${kept.strange} rows that are there twice or belong elsewhere`
  }
}
