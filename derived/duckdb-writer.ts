import { join } from 'node:path'
import { bucketPrefix, type RunPlace } from '../transform/derived.js'
import type { Planned, PlannedAnswer, PlannedCheckpoint, Writer, WrittenRun } from './compactor.js'
import { sumDigests } from './digest.js'
import { writeAnswer } from './duckdb-answer.js'
import { writeCheckpointFile } from './duckdb-checkpoint.js'
import {
  bucketRowsSql,
  conflictsSql,
  deliveriesSql,
  disagreeingSql,
  lotsSql,
  objectsLotSql,
  REPEATED_SQL,
  readThroughSql,
  sizesSql,
  stagedLotSql,
  stageSql,
  writtenSql,
} from './duckdb-statements.js'
import { DuckDbTables, ROWS_FILE } from './duckdb-tables.js'
import { DerivedError, disagreement } from './error.js'
import type { Desk } from './workbench.js'

/** What DuckDB writes with, and where. */
export interface DuckDbWriterOptions extends Desk {
  /** Uncompressed bytes of objects that are sorted at a time. @default - 256 MB */
  readonly batchBytes?: number | undefined
  /** Rows of buckets that are written at a time, at most. @default 400000 */
  readonly lotRows?: number | undefined
  /** Told of each step before it is taken. */
  readonly onProgress?: ((step: string) => void) | undefined
}

const BATCH_BYTES = 256 * 1024 ** 2

/** Deliveries up to which one hex digit, and two, name a bucket: of some ten thousand rows, of 65,536 at most. */
const ONE_DIGIT = 262_144
const TWO_DIGITS = 16_777_216

/** How many digits a run of so many rows wants. */
export function digitsFor(deliveries: number): 1 | 2 | 3 {
  return deliveries <= ONE_DIGIT ? 1 : deliveries <= TWO_DIGITS ? 2 : 3
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
    const digits = digitsFor(deliveries)
    const counted = await this.countBuckets(batches, digits)
    if (counted.buckets.length === 0) return undefined
    const lots = planLots(counted.buckets, this.options.lotRows ?? LOT_ROWS, bytes / deliveries)
    if (lots.length > UNSTAGED_LOTS) await this.stage(batches, lots, digits)
    const run: RunPlace = { name, digits }
    const written: WrittenBucket[] = []
    for (const [lot, buckets] of lots.entries()) {
      this.tell(`writing files, ${written.length} of ${counted.buckets.length}`)
      if (lots.length > UNSTAGED_LOTS) await this.gatherStaged(lot)
      else await this.gather(batches.flat(), buckets, digits)
      written.push(...(await this.writeLot(run, buckets, days)))
    }
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
  private async countBuckets(batches: readonly (readonly string[])[], digits: number) {
    const buckets = new Map<string, Bucket>()
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
        const known = buckets.get(name) ?? { name, deliveries: 0, digest: '0-0' }
        const digest = sumDigests([known.digest, row.digest as string])
        buckets.set(name, { name, deliveries: known.deliveries + Number(row.deliveries), digest })
        for (const day of String(row.days).split(' ')) days.add(day)
        beganUs = Math.min(beganUs, Number(row.began_us))
        if (sampleKey === '') sampleKey = row.sample_key as string
      }
    }
    return { buckets: [...buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), days, beganUs, sampleKey }
  }

  /** Sorts the rows of all batches by lot, on disk. */
  private async stage(batches: readonly (readonly string[])[], lots: readonly Lot[], digits: number): Promise<void> {
    const { bench, columns } = this.options
    await bench.query(lotsSql(lots.map(buckets => buckets.map(({ name }) => name))))
    for (const [i, batch] of batches.entries()) {
      this.tell(`reading objects, ${i + 1} of ${batches.length} batches`)
      await this.rowsOrDamage(stageSql(batch, columns, digits, bench.stagePath(i)), batch)
    }
  }

  /** Brings together the rows of a lot that were staged. */
  private async gatherStaged(lot: number): Promise<void> {
    const { bench, columns } = this.options
    await bench.query(stagedLotSql(bench.stagedFiles(lot), columns))
    bench.removeStaged(lot)
  }

  /** The same from the objects, which are read once for each lot. */
  private async gather(objects: readonly string[], buckets: Lot, digits: number): Promise<void> {
    const names = buckets.map(({ name }) => name)
    await this.rowsOrDamage(objectsLotSql(objects, this.options.columns, digits, names), objects)
  }

  /** Writes the buckets whose rows are together, reads them back, and puts them in their place. */
  private async writeLot(run: RunPlace, buckets: Lot, days: readonly string[]): Promise<readonly WrittenBucket[]> {
    const { bench, folder } = this.options
    await bench.query(REPEATED_SQL)
    const anyRepeated = (await bench.query('select 1 from repeated limit 1')).length > 0
    if (anyRepeated) await this.refuseDisagreement()
    const paths = buckets.map(({ name }) => bench.bucketPath(name))
    await bench.query('set threads = 1')
    for (const [i, { name }] of buckets.entries())
      await bench.query(bucketRowsSql(name, anyRepeated, paths[i] as string))
    await bench.query('reset threads')
    await bench.query('drop table lot_rows')
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

  private checkBucket({ name, deliveries, digest }: Bucket, row: Row | undefined): Row {
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
        room = this.options.batchBytes ?? BATCH_BYTES
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
      if (/out of memory/i.test((error as Error).message)) throw error
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

/** What a bucket has to come to. */
interface Bucket {
  readonly name: string
  readonly deliveries: number
  readonly digest: string
}

/** What a bucket holds that was written. */
interface WrittenBucket {
  readonly rows: number
  readonly conflicts: number
}

type Lot = readonly Bucket[]

/** Buckets side by side are written together, of about so many rows, and of rows that take so much memory. */
const LOT_ROWS = 400_000
const LOT_BYTES = 512 * 1024 ** 2

/** To read all objects for each of so few lots costs less than to write what they hold by lot, and read that. */
const UNSTAGED_LOTS = 2

/** Each batch writes a file for each lot; of larger lots DuckDB keeps a part on disk. */
const MOST_LOTS = 64

function planLots(buckets: readonly Bucket[], mostRows: number, bytesPerRow: number): readonly Lot[] {
  const total = buckets.reduce((sum, { deliveries }) => sum + deliveries, 0)
  const rows = Math.max(Math.min(mostRows, LOT_BYTES / bytesPerRow), total / MOST_LOTS)
  const lots: Bucket[][] = []
  let room = 0
  for (const bucket of buckets) {
    if (lots.length === 0 || bucket.deliveries > room) {
      lots.push([])
      room = rows
    }
    lots.at(-1)?.push(bucket)
    room -= bucket.deliveries
  }
  return lots
}

/** Footers that are looked at in one statement. */
const FOOTERS_AT_ONCE = 500

/** What an error says first; DuckDB says a lot after. */
export function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0] as string
}
