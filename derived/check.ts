import type { DuckDBConnection } from '@duckdb/node-api'
import { FileError } from '../config/gate.js'
import { MEMORY, openDuckDb, SpillFolder } from '../queries/engines/duckdb-instance.js'
import type { BoundValue } from '../queries/engines/engine.js'
import { TRINO_MACROS } from '../queries/engines/trino-macros.js'
import {
  answersFolderPrefix,
  bucketPrefix,
  changesPrefix,
  checkpointFolderPrefix,
  manifestKey,
} from '../transform/derived.js'
import { derivedPrefix } from '../transform/layout.js'
import { checkStates } from './check-checkpoints.js'
import {
  type Coverage,
  type Days,
  lostOf,
  type RunInUse,
  readCoverage,
  runsInUse,
  usableCheckpoints,
  whyOther,
} from './coverage.js'
import { DerivedFolder, daysIn } from './derived-folder.js'
import { sumDigests } from './digest.js'
import { alteredImagesSql, deliveriesSql, writtenSql } from './duckdb-statements.js'
import { DuckDbTables, ROWS_FILE } from './duckdb-tables.js'
import { firstLine } from './duckdb-writer.js'
import { DerivedError } from './error.js'
import { type Manifest, readManifest, type StateCheckpoint } from './manifest.js'

/** What a check of a copy came to. */
export interface CopyCheck {
  readonly table: string
  /** False where there is no copy, so there was nothing to check. */
  readonly found: boolean
  /** Everything that does not fit together. */
  readonly problems: readonly string[]
  /** Objects that the copy covers, and those that have come since or lie on a day that is another by now. */
  readonly covered: number
  readonly uncovered: number
}

/**
 * Reads a copy and all objects it covers, and compares: each file is the one that was written, the same rows of the
 * same changes, as often, each row once in its file and in the bucket of its item, each image what its hash says, and
 * each item of each checkpoint what the copy says that it was. Changes nothing.
 */
export async function checkCopy(root: string, table: string, memory = MEMORY): Promise<CopyCheck> {
  const nothing = { table, covered: 0, uncovered: 0 }
  const folder = new DerivedFolder(root)
  const key = manifestKey(table)
  try {
    const opened = await folder.openTagged(key)
    if (opened === undefined) return { ...nothing, found: false, problems: [] }
    return await checkManifest(root, folder, readManifest(opened.text, key, table), memory)
  } catch (error) {
    if (!(error instanceof FileError || error instanceof DerivedError)) throw error
    return { ...nothing, found: true, problems: [`copy of ${table} cannot be used: ${error.message}`] }
  }
}

async function checkManifest(
  root: string,
  folder: DerivedFolder,
  manifest: Manifest,
  memory: string,
): Promise<CopyCheck> {
  const { table } = manifest
  const listed = await daysIn(root, table)
  const coverage = await readCoverage(folder, table, manifest, listed)
  const count = (days: Iterable<string>) =>
    [...days].reduce((sum, day) => sum + (listed.get(day)?.objects.length ?? 0), 0)
  const covered = count(coverage.days.keys())
  const about = { table, found: true, covered, uncovered: count(listed.keys()) - covered }
  const damaged = await checkFiles(folder, manifest)
  const problems = [...lostOf(coverage).map(({ what }) => what), ...damaged.values()]
  const spill = new SpillFolder()
  const settings = { memory_limit: memory, temp_directory: spill.path, preserve_insertion_order: 'false' }
  const instance = await openDuckDb(':memory:', settings)
  const connection = await instance.connect()
  try {
    await connection.run(TRINO_MACROS)
    const check = new RowCheck(connection, root, table, new Set(damaged.keys()))
    for (const used of runsInUse(coverage)) problems.push(...(await check.ofRun(used, listed)))
    problems.push(...(await check.ofCheckpoints(manifest, coverage)))
    return { ...about, problems }
  } catch (error) {
    return { ...about, problems: [...problems, `reading failed: ${firstLine(error)}`] }
  } finally {
    connection.closeSync()
    instance.closeSync()
    spill.remove()
  }
}

/** What is wrong with files, by their prefix. */
async function checkFiles(folder: DerivedFolder, manifest: Manifest): Promise<ReadonlyMap<string, string>> {
  const { table, runs, checkpoints, answers } = manifest
  const found = await folder.entries(derivedPrefix(table))
  const written: readonly (readonly [string, string])[] = [
    ...runs.flatMap(run =>
      Object.entries(run.files).map(([bucket, files]) => [bucketPrefix(table, run, bucket), files] as const),
    ),
    ...checkpoints.map(({ name, files }) => [checkpointFolderPrefix(table, name), files] as const),
    ...answers.map(({ name, files }) => [answersFolderPrefix(table, name), files] as const),
  ]
  const wrong = new Map<string, string>()
  for (const [prefix, files] of written) {
    const reason = whyOther(
      prefix,
      files,
      found.filter(({ key }) => key.startsWith(prefix)),
    )
    if (reason !== undefined) wrong.set(prefix, reason)
  }
  return wrong
}

/** Compares rows, but for files that are damaged. */
class RowCheck {
  private readonly tables: DuckDbTables

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly root: string,
    private readonly table: string,
    private readonly damaged: ReadonlySet<string>,
  ) {
    this.tables = new DuckDbTables(root, table)
  }

  async ofRun({ run, days }: RunInUse, listed: Days): Promise<readonly string[]> {
    const others = [...listed.keys()].filter(day => !days.includes(day))
    const objects = this.tables.pathsOf({ not: others }, listed)
    const prefixes = Object.keys(run.files).map(bucket => bucketPrefix(this.table, run, bucket))
    const sound = this.pathsOf(prefixes)
    const archive = await this.sumBuckets(objects, files => deliveriesSql(files, run.digits))
    const copy = await this.sumBuckets(sound, files => writtenSql(files, run.digits, days))
    // of a bucket that lacks a file the rows need not be counted
    const buckets = [...new Set([...archive.keys(), ...copy.keys()])]
      .filter(bucket => !this.damaged.has(bucketPrefix(this.table, run, bucket)))
      .sort()
    return [...compare(buckets, archive, copy), ...(await this.findAltered(sound, ['old', 'new']))]
  }

  /** Of those in use the states are compared, too, unless a file is damaged that tells them. */
  async ofCheckpoints(manifest: Manifest, coverage: Coverage): Promise<readonly string[]> {
    const prefixOf = ({ name }: StateCheckpoint) => checkpointFolderPrefix(this.table, name)
    const problems = [...(await this.findAltered(this.pathsOf(manifest.checkpoints.map(prefixOf)), ['new']))]
    const runs = runsInUse(coverage)
    if ([...this.damaged.keys()].some(prefix => prefix.startsWith(changesPrefix(this.table)))) return problems
    const asked = { table: this.table, query: (sql: string, values?: readonly BoundValue[]) => this.query(sql, values) }
    for (const checkpoint of usableCheckpoints(manifest, coverage))
      if (!this.damaged.has(prefixOf(checkpoint)))
        problems.push(...(await checkStates(asked, this.tables, checkpoint, runs)))
    return problems
  }

  private async query(sql: string, values: readonly BoundValue[] = []) {
    return (await this.connection.runAndReadAll(sql, [...values])).getRowObjects()
  }

  private pathsOf(prefixes: readonly string[]): readonly string[] {
    return prefixes.filter(prefix => !this.damaged.has(prefix)).map(prefix => `${this.root}/${prefix}${ROWS_FILE}`)
  }

  private async findAltered(files: readonly string[], sides: readonly ('old' | 'new')[]): Promise<readonly string[]> {
    const problems: string[] = []
    for (let i = 0; i < files.length; i += AT_ONCE) {
      const found = await this.query(alteredImagesSql(files.slice(i, i + AT_ONCE), sides))
      for (const { filename, altered } of found)
        problems.push(
          `${String(filename).slice(this.root.length + 1)} has ${altered} images that are not what their hashes say`,
        )
    }
    return problems
  }

  private async sumBuckets(
    paths: readonly string[],
    sql: (files: readonly string[]) => string,
  ): Promise<Map<string, Sum>> {
    const sums = new Map<string, Sum>()
    for (let i = 0; i < paths.length; i += AT_ONCE) {
      for (const row of await this.query(sql(paths.slice(i, i + AT_ONCE)))) {
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
}

interface Sum {
  readonly deliveries: number
  readonly digest: string
  readonly strange: number
}

const AT_ONCE = 200

function* compare(
  buckets: readonly string[],
  archive: ReadonlyMap<string, Sum>,
  copy: ReadonlyMap<string, Sum>,
): Generator<string> {
  for (const bucket of buckets) {
    const [archived, kept] = [archive.get(bucket), copy.get(bucket)]
    if (archived?.deliveries !== kept?.deliveries)
      yield `bucket ${bucket} stands for ${kept?.deliveries ?? 0} deliveries, the archive has ${archived?.deliveries ?? 0}`
    else if (archived?.digest !== kept?.digest) yield `bucket ${bucket} holds other rows than the archive`
    if (kept !== undefined && kept.strange > 0)
      yield `bucket ${bucket} has ${kept.strange} rows that are there twice or belong elsewhere`
  }
}
