import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { isShortage } from '../queries/engines/duckdb-error.js'
import { bucketPrefix, type RunPlace } from '../transform/derived.js'
import type { Planned, PlannedAnswer, PlannedCheckpoint, Writer, WrittenRun } from './compactor.js'
import { sumDigests } from './digest.js'
import { writeAnswer } from './duckdb-answer.js'
import { writeCheckpointFile } from './duckdb-checkpoint.js'
import { type Gathered, writeLots } from './duckdb-lots.js'
import {
  bucketRowsSql,
  conflictsSql,
  deliveriesSql,
  disagreeingSql,
  joinSlicesSql,
  REPEATED_SQL,
  readThroughSql,
  sizesSql,
  writtenSql,
} from './duckdb-statements.js'
import { DuckDbTables, ROWS_FILE } from './duckdb-tables.js'
import { DerivedError, disagreement } from './error.js'
import { digitsFor, type PlannedBucket, roomOf } from './lots.js'
import type { Desk } from './workbench.js'

/** What DuckDB writes with, and where. */
export interface DuckDbWriterOptions extends Desk {
  /** Bytes of rows that are sorted at a time. */
  readonly room: number
  /** Told of each step before it is taken. */
  readonly onProgress?: ((step: string) => void) | undefined
}

/** Derived files, written by DuckDB's COPY in a folder for work in progress, read back, and then put in their place. */
export class DuckDbWriter implements Writer {
  private readonly tables: DuckDbTables
  private readonly table: string

  constructor(private readonly options: DuckDbWriterOptions) {
    const { root, table } = options.bench
    this.table = table
    this.tables = new DuckDbTables(root, table)
  }

  async writeRun({ name, days, found }: Planned): Promise<WrittenRun | undefined> {
    const wanted = new Set(days)
    const others = [...found.listed.keys()].filter(day => !wanted.has(day))
    const { batches, deliveries, bytes } = await this.batchesOf(this.tables.pathsOf({ not: others }, found.listed))
    const digits = digitsFor(deliveries, bytes)
    const counted = await this.countBuckets(batches, digits, bytes)
    if (counted.buckets.length === 0) return undefined
    const written = await this.writeBuckets({ name, digits }, days, batches, counted.buckets)
    const sum = (of: (bucket: WrittenBucket) => number) => written.reduce((total, bucket) => total + of(bucket), 0)
    return {
      digits,
      rows: sum(({ rows }) => rows),
      deliveries,
      conflicts: sum(({ conflicts }) => conflicts),
      digest: sumDigests(counted.buckets.map(({ digest }) => digest)),
      beganUs: counted.beganUs,
      sampleKey: counted.sampleKey,
      seen: [...counted.days].sort(),
    }
  }

  async writeCheckpoint(planned: PlannedCheckpoint): Promise<{ readonly items: number; readonly rows: number }> {
    this.tell(`keeping what every item was at the end of ${planned.days.at(-1)}`)
    return writeCheckpointFile(this.options, this.tables, planned)
  }

  async writeAnswer(planned: PlannedAnswer): Promise<{ readonly rows: number }> {
    this.tell('keeping what does not fit together')
    return writeAnswer(this.options, this.tables, planned)
  }

  private tell(step: string): void {
    this.options.onProgress?.(step)
  }

  /** What the archive's objects come to, read in a pass of its own, bucket by bucket. */
  private async countBuckets(batches: readonly (readonly string[])[], digits: number, total: number) {
    const buckets = new Map<string, PlannedBucket>()
    const days = new Set<string>()
    let [beganUs, sampleKey] = [Number.POSITIVE_INFINITY, '']
    for (const [i, batch] of batches.entries()) {
      this.tell(`counting rows, ${i + 1} of ${batches.length} batches`)
      for (const row of await this.rowsOrDamage(deliveriesSql(batch, digits), batch)) {
        if (Number(row.broken) > 0)
          throw new DerivedError(
            `${row.broken} rows of the archive lack an event_id, row_hash, item_key or time`,
            batch,
          )
        const name = row.bucket as string
        const known = buckets.get(name) ?? { name, deliveries: 0, bytes: 0, digest: '0-0' }
        buckets.set(name, {
          name,
          deliveries: known.deliveries + Number(row.deliveries),
          bytes: known.bytes + Number(row.bytes),
          digest: sumDigests([known.digest, row.digest as string]),
        })
        for (const day of String(row.days).split(' ')) days.add(day)
        beganUs = Math.min(beganUs, Number(row.began_us))
        if (sampleKey === '') sampleKey = row.sample_key as string
      }
    }
    const sorted = [...buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    // what the objects hold may be more than their records had: a baseline's do not say
    const more = Math.max(1, total / roomOf(sorted))
    return { buckets: sorted.map(one => ({ ...one, bytes: one.bytes * more })), days, beganUs, sampleKey }
  }

  private async writeBuckets(
    run: RunPlace,
    days: readonly string[],
    batches: readonly (readonly string[])[],
    buckets: readonly PlannedBucket[],
  ): Promise<readonly WrittenBucket[]> {
    const { bench, columns, room } = this.options
    const read = (sql: string, paths: readonly string[]) => this.rowsOrDamage(sql, paths)
    const batchesOf = async (paths: readonly string[]) => (await this.batchesOf(paths)).batches
    const lots = { bench, columns, room, read, batchesOf, digits: run.digits }
    const written: WrittenBucket[] = []
    this.tell('reading objects')
    await writeLots(lots, { kind: 'objects', batches }, buckets, async gathered => {
      this.tell(`writing files, ${written.length} of ${buckets.length}`)
      const { buckets: some } = gathered
      const paths = some.map(({ name }) => bench.bucketPath(name))
      if (await this.writeGathered(gathered, paths)) written.push(...(await this.publishFiles(run, some, paths, days)))
    })
    return written
  }

  /** Writes the rows that are together to the files of their buckets. False where slices are yet to come. */
  private async writeGathered({ buckets, slice, slices }: Gathered, paths: readonly string[]): Promise<boolean> {
    const partOf = (i: number) => this.options.bench.path(`part-${i}.parquet`)
    await this.writeRows(buckets, slices === 1 ? paths : [partOf(slice)])
    if (slice < slices) return false
    if (slices > 1) {
      const parts = Array.from({ length: slices }, (_, i) => partOf(i + 1))
      await this.joinParts(parts, paths[0] as string)
    }
    return true
  }

  /** Writes the rows that are together, each bucket's to its path. */
  private async writeRows(buckets: readonly PlannedBucket[], paths: readonly string[]): Promise<void> {
    const { bench } = this.options
    await bench.query(REPEATED_SQL)
    const anyRepeated = (await bench.query('select 1 from repeated limit 1')).length > 0
    if (anyRepeated) await this.refuseDisagreement()
    await bench.byOneThread(async () => {
      for (const [i, { name }] of buckets.entries())
        await bench.query(bucketRowsSql(name, anyRepeated, paths[i] as string))
    })
    await bench.query('drop table lot_rows')
  }

  private async joinParts(parts: readonly string[], path: string): Promise<void> {
    const { bench } = this.options
    await bench.byOneThread(() => bench.query(joinSlicesSql(parts, path)))
    for (const part of parts) rmSync(part)
  }

  /** Reads written files back, and puts them in their place. */
  private async publishFiles(
    run: RunPlace,
    buckets: readonly PlannedBucket[],
    paths: readonly string[],
    days: readonly string[],
  ): Promise<readonly WrittenBucket[]> {
    const { bench, folder } = this.options
    const found = new Map((await bench.query(writtenSql(paths, run.digits, days))).map(row => [row.bucket, row]))
    const conflicts = new Map((await bench.query(conflictsSql(paths))).map(row => [row.bucket, Number(row.conflicts)]))
    const written: WrittenBucket[] = []
    for (const [i, bucket] of buckets.entries()) {
      const row = this.checkBucket(bucket, found.get(bucket.name))
      await folder.put(`${bucketPrefix(this.table, run, bucket.name)}${ROWS_FILE}`, paths[i] as string)
      written.push({ rows: Number(row.rows_kept), conflicts: conflicts.get(bucket.name) ?? 0 })
    }
    return written
  }

  private checkBucket({ name, deliveries, digest }: PlannedBucket, row: Row | undefined): Row {
    if (row?.digest === digest && Number(row.deliveries) === deliveries && row.strange === '0') return row
    throw new DerivedError(
      `bucket ${name} of ${this.table} was written with ${row?.deliveries} deliveries of digest ${row?.digest} and ${row?.strange} rows out of place, expected ${deliveries} of ${digest} and none`,
      [],
      'nothing was published; an object of the archive changed meanwhile, or what was written is not what is read back',
    )
  }

  private async refuseDisagreement(): Promise<void> {
    const disagreeing = await this.options.bench.query(disagreeingSql())
    if (disagreeing.length > 0) throw disagreement(this.table, disagreeing)
  }

  /** Objects in batches that fit in memory, and what they come to together; only their footers are read. */
  private async batchesOf(paths: readonly string[]) {
    const sizes = new Map<string, number>()
    let [deliveries, total] = [0, 0]
    for (let i = 0; i < paths.length; i += FOOTERS_AT_ONCE) {
      const some = paths.slice(i, i + FOOTERS_AT_ONCE)
      for (const row of await this.rowsOrDamage(sizesSql(some), some)) {
        sizes.set(row.file_name as string, Number(row.bytes))
        deliveries += Number(row.deliveries)
        total += Number(row.bytes)
      }
    }
    const batches: string[][] = []
    let room = 0
    for (const path of paths) {
      const bytes = sizes.get(path) ?? 0
      if (batches.length === 0 || bytes > room || (batches.at(-1)?.length ?? 0) >= FOOTERS_AT_ONCE) {
        batches.push([])
        room = this.options.room
      }
      batches.at(-1)?.push(path)
      room -= bytes
    }
    return { batches, deliveries, bytes: total }
  }

  /** An error of DuckDB names one object at best, or none; whoever mends the archive wants all. */
  private async rowsOrDamage(sql: string, paths: readonly string[]): Promise<readonly Row[]> {
    const { bench } = this.options
    try {
      return await bench.query(sql)
    } catch (error) {
      // no fault of an object
      if (isShortage(error)) throw error
      const damaged: string[] = []
      for (const path of paths) {
        try {
          await bench.query(readThroughSql(path))
        } catch (cause) {
          damaged.push(`${path.slice(join(bench.root, '/').length)}: ${firstLine(cause)}`)
        }
      }
      if (damaged.length === 0) throw error
      throw new DerivedError(
        `${damaged.length} ${damaged.length === 1 ? 'object' : 'objects'} of ${this.table} cannot be read`,
        damaged,
        'nothing was published; a copy of the object, such as the bucket has, puts it right',
      )
    }
  }
}

type Row = Readonly<Record<string, unknown>>

/** What a bucket holds that was written. */
interface WrittenBucket {
  readonly rows: number
  readonly conflicts: number
}

/** Footers that are looked at in one statement. */
const FOOTERS_AT_ONCE = 500

/** What an error says first; DuckDB says a lot after. */
export function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0] as string
}
