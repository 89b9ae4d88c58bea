import { hash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { mergeColumns } from '../queries/engines/duckdb.js'
import { DiskArchive } from '../store/folder.js'
import { keptConfigurations } from '../store/kept-configurations.js'
import { refusedOfTable } from '../store/refused-of-table.js'
import { listTable } from '../store/table-objects.js'
import type { Column } from '../transform/audit-row.js'
import { answersKey, checkpointKey, coveredKey, DERIVED_VERSION, manifestKey, runKey } from '../transform/derived.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { CHECKPOINT_ROWS, makeCheckpoints } from './checkpoints.js'
import { CompactionError } from './compaction-error.js'
import {
  conflictsSql,
  deliveriesSql,
  disagreeingSql,
  lotRowsSql,
  lotsSql,
  REPEATED_SQL,
  readThroughSql,
  runSql,
  sizesSql,
  stageSql,
  touchedSql,
  writtenSql,
} from './compaction-sql.js'
import {
  CopyError,
  checkedFile,
  coveredText,
  type ListedObject,
  listObjects,
  type Manifest,
  type Run,
  readCovered,
  readManifest,
} from './derived-copy.js'
import { DerivedFolder } from './derived-folder.js'
import { keepAnswers } from './kept-answers.js'

/** How a table is compacted. */
export interface CompactionOptions {
  /** @default - the columns of the configurations that the archive keeps */
  readonly configuration?: TableConfiguration | undefined
  /** Makes every file anew. @default false */
  readonly rebuild?: boolean
  /** Goes on although records of the table wait under `refused/`. @default false */
  readonly despiteRefused?: boolean
  /** What DuckDB may hold in memory; the rest it keeps on disk. @default 1GB */
  readonly memory?: string
  /** Uncompressed bytes of objects that are sorted at a time. @default - 256 MB */
  readonly batchBytes?: number
  /** Rows after which a checkpoint is due, at least. @default 50000 */
  readonly checkpointRows?: number
  /** Rows of buckets that are written at a time, at most. @default 200000 */
  readonly lotRows?: number
  /** Told what it is at. */
  readonly onProgress?: (step: string) => void
}

/** What a compaction did. */
export interface Compaction {
  readonly table: string
  /** False where the copy covered every object already. */
  readonly changed: boolean
  /** Why every file was made anew, where that was not asked for. */
  readonly rebuilt: string | undefined
  readonly manifest: Manifest
  readonly newObjects: number
  readonly filesWritten: number
  /** Files that the new manifest no longer names; the next compaction removes them. */
  readonly filesReplaced: number
  /** Files that were not in use any more, or left by a compaction that was killed, and are removed now. */
  readonly filesRemoved: number
}

/**
 * Brings the clustered copy of a table up to what the archive holds. Nothing of the archive is touched, and nothing is
 * published unless what was written is, row for row and repeat for repeat, what the archive's objects hold. Throws
 * `CompactionError` where it is not, where an object cannot be read, and where another compaction is at it.
 */
export async function compactTable(root: string, table: string, options: CompactionOptions = {}): Promise<Compaction> {
  try {
    return await compactOnce(root, table, options)
  } catch (error) {
    // from a file of the copy that is another than it was written nothing can go on
    if (!(error instanceof CopyError)) throw error
    return { ...(await compactOnce(root, table, { ...options, rebuild: true })), rebuilt: error.message }
  }
}

async function compactOnce(root: string, table: string, options: CompactionOptions): Promise<Compaction> {
  const folder = await DerivedFolder.take(root, table, options.memory ?? '1GB')
  try {
    return await new Compactor(folder, options).run()
  } catch (error) {
    // what Node says of a file names it already; what DuckDB says is of its own making
    if (!(error instanceof Error) || error instanceof CompactionError || 'syscall' in error) throw error
    if (!/^[A-Za-z ]*(Error|Exception): /.test(error.message)) throw error
    throw new CompactionError(`compaction of ${table} failed: ${firstLine(error)}`, [], 'nothing was published')
  } finally {
    folder.close()
  }
}

const BATCH_BYTES = 256 * 1024 ** 2

/** Deliveries up to which one hex digit, and two, name a bucket: some ten thousand rows a bucket at most. */
const ONE_DIGIT = 65_536
const TWO_DIGITS = 16_777_216

/** How many digits a copy of so many rows wants. */
export function digitsFor(deliveries: number): number {
  return deliveries <= ONE_DIGIT ? 1 : deliveries <= TWO_DIGITS ? 2 : 3
}

class Compactor {
  private columns: readonly Column[] = []

  constructor(
    private readonly folder: DerivedFolder,
    private readonly options: CompactionOptions,
  ) {}

  async run(): Promise<Compaction> {
    const { root, table } = this.folder
    const { configuration } = this.options
    const kept = await keptConfigurations(new DiskArchive(root), table)
    this.columns = mergeColumns([...(configuration === undefined ? [] : [configuration]), ...kept])
    const found = readManifest(root, table)
    const current = typeof found === 'string' ? undefined : found
    const removed = this.folder.sweep(current === undefined ? new Set() : namesOf(current))
    await this.refuseUnread()
    const objects = await listObjects(root, table)
    if (objects.length === 0)
      throw new CompactionError(`table ${table} has no rows in the archive, so there is nothing to compact`)
    const before = this.usable(current, typeof found === 'string' ? found : undefined, objects)
    const covered = new Set(before.covered.map(({ key }) => key))
    const added = objects.filter(({ key }) => !covered.has(key))
    const about = { table, rebuilt: before.reason, newObjects: added.length, filesRemoved: removed.length }
    if (added.length === 0 && before.manifest !== undefined)
      return { ...about, changed: false, manifest: before.manifest, filesWritten: 0, filesReplaced: 0 }
    await this.refuseRefused()
    const made = await this.extend(before.manifest, added)
    this.options.onProgress?.('keeping what every item was, and what does not fit together')
    const checkpoints = await makeCheckpoints(this.folder, before.manifest?.checkpoints ?? [], added, objects, {
      columns: this.columns,
      everyRows: this.options.checkpointRows ?? CHECKPOINT_ROWS,
    })
    const answers = await keepAnswers(
      this.folder,
      before.manifest?.answers ?? [],
      made.runs,
      made.touched,
      this.columns,
    )
    await this.checkUnchanged(objects)
    const generation = (current?.generation ?? 0) + 1
    const manifest: Manifest = {
      version: DERIVED_VERSION,
      table,
      generation,
      built: new Date().toISOString(),
      digits: made.digits,
      covered: {
        objects: objects.length,
        bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
        sha256: hash('sha256', coveredText(objects)),
      },
      deliveries: made.runs.reduce((sum, { deliveries }) => sum + deliveries, 0),
      beganUs: made.beganUs,
      sampleKey: made.sampleKey,
      runs: made.runs,
      checkpoints,
      answers,
    }
    this.folder.publish(manifest, objects)
    const named = namesOf(manifest)
    const replaced = current === undefined ? [] : [...namesOf(current)].filter(key => !named.has(key))
    return {
      ...about,
      changed: true,
      manifest,
      filesWritten: made.written,
      filesReplaced: replaced.length,
    }
  }

  /** A copy must not look more complete than the archive is. */
  private async refuseUnread(): Promise<void> {
    const { root, table } = this.folder
    const listed = await listTable(new DiskArchive(root), table)
    const unread = listed.unread.filter(({ mayHoldRows }) => mayHoldRows)
    if (unread.length > 0)
      throw new CompactionError(
        `folder of ${this.folder.table} holds what no question reads, or not every one`,
        unread.map(({ key, reason }) => `${key} ${reason}`),
        'nothing was published',
      )
  }

  /** What waits there may be rows of the archive by tomorrow: whoever compacts should know, and decide. */
  private async refuseRefused(): Promise<void> {
    if (this.options.despiteRefused) return
    const { root, table } = this.folder
    const refused = await refusedOfTable(root, table)
    if (refused.length > 0)
      throw new CompactionError(
        `records of ${table} wait under refused/, so the archive is not all that the table's stream had`,
        refused,
        'nothing was published; itemtrail redrive sends them again, --despite-refused goes on without them',
      )
  }

  /** The copy to go on from, with the objects that it covers; none where it has to be made anew. */
  private usable(current: Manifest | undefined, wrong: string | undefined, objects: readonly ListedObject[]) {
    const anew = (reason: string | undefined) => ({ manifest: undefined, covered: [], reason })
    if (this.options.rebuild) return anew(undefined)
    if (current === undefined) return anew(wrong)
    const covered = readCovered(this.folder.root, current)
    if (typeof covered === 'string') return anew(covered)
    const there = new Map(objects.map(({ key, bytes }) => [key, bytes]))
    const gone = covered.find(({ key, bytes }) => there.get(key) !== bytes)
    if (gone !== undefined) return anew(`object ${gone.key} is gone or another than it was`)
    const total = current.deliveries
    // half as many, so that a copy is not made anew as soon as it reaches the next size
    if (digitsFor(total / 2) > current.digits) return anew(`it has outgrown buckets of ${current.digits} hex digits`)
    return { manifest: current, covered, reason: undefined }
  }

  private async extend(before: Manifest | undefined, added: readonly ListedObject[]) {
    const { root } = this.folder
    const paths = added.map(({ key }) => join(root, ...key.split('/')))
    const { batches, deliveries, bytes } = await this.batchesOf(paths)
    const digits = before?.digits ?? digitsFor(deliveries)
    const inputs = new Map<string, BucketInput>()
    let [beganUs, sampleKey] = [before?.beganUs ?? Number.POSITIVE_INFINITY, before?.sampleKey ?? '']
    for (const [i, batch] of batches.entries()) {
      this.options.onProgress?.(`counting rows, ${i + 1} of ${batches.length} batches`)
      for (const row of await this.rowsOrDamage(deliveriesSql(batch, digits), batch)) {
        if (Number(row.broken) > 0)
          throw new CompactionError(
            `${row.broken} rows of the archive lack an event_id, row_hash, item_key or time`,
            batch,
          )
        const known = inputs.get(row.bucket as string) ?? { deliveries: 0, digests: [] }
        known.deliveries += Number(row.deliveries)
        known.digests.push(row.digest as string)
        inputs.set(row.bucket as string, known)
        beganUs = Math.min(beganUs, Number(row.began_us))
        if (sampleKey === '') sampleKey = row.sample_key as string
      }
    }
    const runs = new Map<string, readonly Run[]>()
    for (const run of before?.runs ?? []) runs.set(run.bucket, [...(runs.get(run.bucket) ?? []), run])
    const changes = [...inputs]
      .map(([bucket, input]) => planBucket(bucket, runs.get(bucket) ?? [], input))
      .sort((a, b) => (a.bucket < b.bucket ? -1 : 1))
    const lots = planLots(changes, this.options.lotRows ?? LOT_ROWS, bytes / deliveries)
    await this.stage(batches, lots, digits)
    let written = 0
    for (const [lot, some] of lots.entries()) {
      this.options.onProgress?.(`writing files, ${written} of ${changes.length}`)
      for (const [bucket, kept] of await this.writeLot(lot, some, digits)) runs.set(bucket, kept)
      written += some.length
    }
    const all = [...runs.values()].flat().sort((a, b) => (a.bucket < b.bucket ? -1 : a.bucket > b.bucket ? 1 : 0))
    return { digits, beganUs, sampleKey, runs: all, written, touched: new Set(inputs.keys()) }
  }

  /** Sorts the rows of all batches by lot, on disk. */
  private async stage(
    batches: readonly (readonly string[])[],
    lots: readonly (readonly BucketChange[])[],
    digits: number,
  ): Promise<void> {
    await this.query(lotsSql(lots.map(changes => changes.map(({ bucket }) => bucket))))
    await this.query('create or replace temp table touched_items (item_key varchar)')
    for (const [i, batch] of batches.entries()) {
      this.options.onProgress?.(`reading objects, ${i + 1} of ${batches.length} batches`)
      await this.rowsOrDamage(stageSql(batch, this.columns, digits, this.folder.stagePath(i)), batch)
    }
    const staged = lots.flatMap((_, lot) => this.folder.stagedFiles(lot))
    for (let i = 0; i < staged.length; i += FOOTERS_AT_ONCE)
      await this.query(touchedSql(staged.slice(i, i + FOOTERS_AT_ONCE)))
  }

  /** Writes the new runs of some buckets, reads them back, and says what runs the buckets have then. */
  private async writeLot(lot: number, changes: readonly BucketChange[], digits: number) {
    const { root, table } = this.folder
    const staged = this.folder.stagedFiles(lot)
    const merged = changes.flatMap(change =>
      change.merged.map(run => checkedFile(root, runKey(table, run.bucket, run.name), run)),
    )
    await this.query(lotRowsSql(staged, merged, this.columns))
    this.folder.removeStaged(lot)
    await this.query(REPEATED_SQL)
    const anyRepeated = (await this.query('select 1 from repeated limit 1')).length > 0
    if (anyRepeated) await this.refuseDisagreement()
    const paths = changes.map(({ bucket }) => this.folder.bucketPath(bucket))
    const rows = changes.reduce((sum, { deliveries }) => sum + deliveries, 0)
    if (rows / changes.length < ROWS_OF_SEVERAL_THREADS) await this.query('set threads = 1')
    for (const [i, { bucket }] of changes.entries()) await this.query(runSql(bucket, anyRepeated, paths[i] as string))
    await this.query('reset threads')
    await this.query('drop table lot_rows')
    const found = new Map((await this.query(writtenSql(paths, digits))).map(row => [row.bucket, row]))
    const conflicts = new Map((await this.query(conflictsSql(paths))).map(row => [row.bucket, Number(row.conflicts)]))
    return changes.map(({ bucket, kept, deliveries, digest }, i) => {
      const row = found.get(bucket)
      if (row?.digest !== digest || Number(row?.deliveries) !== deliveries || row?.strange !== '0')
        throw new CompactionError(
          `bucket ${bucket} of ${table} was written with ${row?.deliveries} deliveries of digest ${row?.digest} and ${row?.strange} rows out of place, expected ${deliveries} of ${digest} and none`,
          [],
          'nothing was published; an object changed meanwhile, or a derived file is damaged: --rebuild leaves the old files out',
        )
      const name = randomUUID()
      const written = this.folder.keep(paths[i] as string, runKey(table, bucket, name))
      const rows = Number(row.rows_kept)
      const run: Run = { bucket, name, rows, deliveries, conflicts: conflicts.get(bucket) ?? 0, digest, ...written }
      return [bucket, [...kept, run]] as const
    })
  }

  private async refuseDisagreement(): Promise<void> {
    const disagreeing = await this.query(disagreeingSql())
    if (disagreeing.length > 0)
      throw new CompactionError(
        `rows of ${this.folder.table} have one row_hash and differ all the same: the archive was tampered with or is damaged`,
        disagreeing.map(row => `event ${row.event_id}`),
      )
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
    try {
      return await this.query(sql)
    } catch (error) {
      // no fault of an object
      if (/out of memory/i.test((error as Error).message)) throw error
      const damaged: string[] = []
      for (const path of paths) {
        try {
          await this.query(readThroughSql(path))
        } catch (cause) {
          damaged.push(`${path.slice(this.folder.root.length + 1)}: ${firstLine(cause)}`)
        }
      }
      if (damaged.length === 0) throw error
      throw new CompactionError(
        `${damaged.length} ${damaged.length === 1 ? 'object' : 'objects'} of ${this.folder.table} cannot be read`,
        damaged,
        'nothing was published; a copy of the object, such as the bucket has, puts it right',
      )
    }
  }

  /** Objects are never rewritten; one that was after all would make the copy differ from the archive without a word. */
  private async checkUnchanged(objects: readonly ListedObject[]): Promise<void> {
    const now = new Map((await listObjects(this.folder.root, this.folder.table)).map(({ key, bytes }) => [key, bytes]))
    const changed = objects.filter(({ key, bytes }) => now.get(key) !== bytes)
    if (changed.length > 0)
      throw new CompactionError(
        'objects of the archive changed while they were compacted',
        changed.map(({ key }) => key),
      )
  }

  private query(sql: string): Promise<readonly Row[]> {
    return this.folder.query(sql)
  }
}

type Row = Readonly<Record<string, unknown>>

/** What becomes of a bucket that got new rows. */
interface BucketChange {
  readonly bucket: string
  /** Runs that stay as they are, largest first. */
  readonly kept: readonly Run[]
  /** Runs that the new one takes in. */
  readonly merged: readonly Run[]
  /** What the new run must come to. */
  readonly deliveries: number
  readonly digest: string
}

interface BucketInput {
  deliveries: number
  readonly digests: string[]
}

/**
 * New rows become a run of their own, which takes in those that are not much larger: so a bucket has as many runs as the
 * logarithm of its rows, and each row is written again as often.
 */
function planBucket(bucket: string, runs: readonly Run[], input: BucketInput): BucketChange {
  const kept = [...runs].sort((a, b) => b.deliveries - a.deliveries)
  const merged: Run[] = []
  let deliveries = input.deliveries
  for (let last = kept.at(-1); last !== undefined && last.deliveries <= 2 * deliveries; last = kept.at(-1)) {
    merged.push(last)
    deliveries += last.deliveries
    kept.pop()
  }
  const digest = sumDigests([...input.digests, ...merged.map(run => run.digest)])
  return { bucket, kept, merged, deliveries, digest }
}

/** Buckets side by side are written together, of about so many rows, and of rows that take so much memory. */
const LOT_ROWS = 200_000
const LOT_BYTES = 256 * 1024 ** 2

/** Below that, several threads that write one file take more CPU than one, and no less time. */
const ROWS_OF_SEVERAL_THREADS = 8_192

/** Each batch writes a file for each lot; of larger lots DuckDB keeps a part on disk. */
const MOST_LOTS = 64

function planLots(
  changes: readonly BucketChange[],
  mostRows: number,
  bytesPerRow: number,
): readonly (readonly BucketChange[])[] {
  const total = changes.reduce((sum, { deliveries }) => sum + deliveries, 0)
  const rows = Math.max(Math.min(mostRows, LOT_BYTES / bytesPerRow), total / MOST_LOTS)
  const lots: BucketChange[][] = []
  let room = 0
  for (const change of changes) {
    if (lots.length === 0 || change.deliveries > room) {
      lots.push([])
      room = rows
    }
    lots.at(-1)?.push(change)
    room -= change.deliveries
  }
  return lots
}

/** Footers that are looked at in one statement. */
const FOOTERS_AT_ONCE = 500

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0] as string
}

/** Every file that a manifest names, itself included. */
export function namesOf({ table, generation, runs, checkpoints, answers }: Manifest): ReadonlySet<string> {
  return new Set([
    manifestKey(table),
    coveredKey(table, generation),
    ...runs.map(({ bucket, name }) => runKey(table, bucket, name)),
    ...checkpoints.map(({ day, name }) => checkpointKey(table, day, name)),
    ...answers.map(({ name }) => answersKey(table, name)),
  ])
}

/** The digest of all deliveries that several digests are of. */
export function sumDigests(digests: readonly string[]): string {
  const halves = digests.map(digest => digest.split('-').map(BigInt) as [bigint, bigint])
  return [0, 1].map(half => halves.reduce((sum, pair) => sum + (pair[half] as bigint), 0n)).join('-')
}
