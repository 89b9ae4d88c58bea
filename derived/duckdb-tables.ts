import { join } from 'node:path'
import { fileList } from '../queries/engines/file-list.js'
import { rowsOfObjects, rowsOfRuns } from '../queries/engines/relations.js'
import { answersFolderPrefix, bucketPrefix, checkpointFolderPrefix } from '../transform/derived.js'
import type { Days } from './coverage.js'
import { daysSql } from './days-sql.js'
import type { BucketsMeant, DaysMeant, DerivedTables } from './reader.js'

/** The one file in the folder of a bucket, a checkpoint or an answer that a desk writes. */
export const ROWS_FILE = 'rows.parquet'

/** A table's archive in a folder and what is derived from it, in the SQL of DuckDB: files by their paths. */
export class DuckDbTables implements DerivedTables {
  readonly onDesk = true

  constructor(
    private readonly root: string,
    private readonly table: string,
  ) {}

  ofArchive(days: DaysMeant, listed: Days): readonly string[] {
    const objects = this.pathsOf(days, listed)
    return objects.length === 0 ? [] : [rowsOfObjects(objects)]
  }

  /** The paths of the archive's objects of some days. */
  pathsOf(days: DaysMeant, listed: Days): readonly string[] {
    const meant = 'not' in days ? without(days.not) : between(days)
    const objects = [...listed].filter(([day]) => meant(day)).flatMap(([, day]) => day.objects)
    return objects.map(({ key }) => this.pathOf(key))
  }

  ofRuns(runs: readonly BucketsMeant[]): readonly string[] {
    const files = ({ run, buckets }: BucketsMeant) =>
      buckets
        .filter(bucket => run.files[bucket] !== undefined)
        .map(bucket => this.pathOf(`${bucketPrefix(this.table, run, bucket)}${ROWS_FILE}`))
    const whole = runs.filter(({ isWhole }) => isWhole).flatMap(files)
    return [
      ...(whole.length === 0 ? [] : [rowsOfRuns(whole)]),
      ...runs
        .filter(one => !one.isWhole && files(one).length > 0)
        .map(one => `select * from (${rowsOfRuns(files(one))}) as copied where ${daysSql(one.days)}`),
    ]
  }

  ofCheckpoint(name: string): string {
    return `select * from ${parquet(this.checkpointPath(name))}`
  }

  checkpointPath(name: string): string {
    return this.pathOf(`${checkpointFolderPrefix(this.table, name)}${ROWS_FILE}`)
  }

  ofAnswer(name: string, columns: readonly string[]): string {
    const path = this.pathOf(`${answersFolderPrefix(this.table, name)}${ROWS_FILE}`)
    return `select ${columns.join(', ')} from ${parquet(path)}`
  }

  private pathOf(key: string): string {
    return join(this.root, ...key.split('/'))
  }
}

function parquet(path: string): string {
  return `read_parquet(${fileList([path])}, hive_partitioning = false)`
}

function without(days: readonly string[]): (day: string) => boolean {
  const left = new Set(days)
  return day => !left.has(day)
}

function between({ after = '', upTo }: Exclude<DaysMeant, { readonly not: unknown }>): (day: string) => boolean {
  return day => day > after && day <= upTo
}
