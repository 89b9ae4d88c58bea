import { randomUUID } from 'node:crypto'
import { type EachItemStatement, keptStatements } from '../queries/each-item.js'
import { type BoundValue, type QueryEngine, QueryError } from '../queries/engines/engine.js'
import { type Row, rowsOf } from '../queries/engines/rows.js'
import type { ObjectEntry } from '../store/objects.js'
import { changesPrefix, checkpointFolderPrefix } from '../transform/derived.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { CompactionError } from './compaction-error.js'
import { bytesOf, chooseDays, dueDays, unseenMark } from './compaction-plan.js'
import { writeAnswer } from './kept-answer.js'
import { type DerivedBucket, type Found, NotToBeRetried, PublishedManifest } from './published-manifest.js'
import { answerHash } from './unload-answers.js'
import {
  CHECKED,
  type CopyTables,
  checkpointStatement,
  checkStatement,
  copyTables,
  disagreeingStatement,
  type RunOfDays,
  statesAfter,
  statesBefore,
  unloadStatements,
} from './unload-statements.js'
import {
  type CoveredDay,
  coveredUntil,
  type Days,
  daysOfAnswers,
  filesOfRun,
  isCovered,
  type ListedBucket,
  type ListedDay,
  listDays,
  listDigest,
  type UnloadedCheckpoint,
  type UnloadedRun,
  usableCheckpoints,
} from './unloaded-manifest.js'

export interface CompactorOptions {
  /** Athena, in the database of the archive. */
  readonly engine: Pick<QueryEngine, 'run'>
  readonly archive: ListedBucket<ObjectEntry>
  /** Where derived files are: the one place that it writes to, and removes from. */
  readonly derived: DerivedBucket
  readonly configuration: TableConfiguration
  readonly database: string
  /** The address of `derived`, ending in "/". */
  readonly location: string
  /** Bytes of the archive that one run takes in at most, unless a single day has more. */
  readonly runBytes: number
  /** Bytes of the archive up to which a run has 16 buckets, not 256. @default - 512 MB */
  readonly fewBucketsBytes?: number
  /** Bytes of the archive after which a checkpoint is due, at least. @default - 256 MB */
  readonly checkpointBytes?: number
  /** Told of each run, checkpoint and answer that was published. */
  readonly onPublished?: (published: Published) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** What was added: a run, a checkpoint, or an answer. */
export type Published =
  | {
      readonly run: string
      readonly days: number
      readonly rows: number
      readonly deliveries: number
      /** Days of which Athena shows no row: they are left out. */
      readonly unseen: readonly string[]
    }
  | { readonly checkpoint: string; readonly day: string; readonly items: number }
  | { readonly answer: string; readonly days: number; readonly rows: number }

/** How long a compaction may take. */
export interface Budget {
  /** Ends what runs. */
  readonly signal: AbortSignal
  /** Milliseconds that are left. @default - no end of them */
  readonly left?: () => number
}

const MINUTE_MS = 60_000

/** With less than this, nothing is begun. */
const LEAST_MS = 2 * MINUTE_MS

/** Athena bills 10 MB of a query at least, and a scan of the archive for each hundred buckets. */
const FEW_BUCKETS_BYTES = 512 * 1024 ** 2

/** Below that, replaying is as fast. */
const CHECKPOINT_BYTES = 256 * 1024 ** 2

/** What failed is tried with so much less: what took too long gets half of the time that is left. */
const LESS = 8

/** After so many days that failed one after another, the fault is not theirs. */
const FAILED_DAYS = 3

/**
 * Brings what is derived from one table up to the archive: runs of the clustered copy, kept answers, then checkpoints,
 * until nothing is due or the time is up.
 * Each is read back and compared with the archive before it is published, and published by replacing one object, so wherever it ends
 * the copy is whole. What fails is tried with fewer days, then with others; at the end it throws a `CompactionError` with what
 * could not be done.
 */
export function createCompactor(options: CompactorOptions): (budget: Budget) => Promise<void> {
  return async ({ signal, left = () => Number.POSITIVE_INFINITY }) => {
    const compactor = new Compactor(options, signal, left)
    try {
      await compactor.run()
    } catch (error) {
      compactor.failures.push(error as Error)
    }
    const [first, ...others] = compactor.failures
    if (first !== undefined) throw new CompactionError(first.message, [...detailsOf(first), ...others.flatMap(told)])
  }
}

function detailsOf(error: Error): readonly string[] {
  return error instanceof CompactionError ? error.details : []
}

function told(error: Error): readonly string[] {
  return [error.message, ...detailsOf(error)]
}

class Compactor {
  readonly failures: Error[] = []
  private readonly table: string
  private readonly tables: CopyTables
  private readonly published: PublishedManifest
  private readonly now: () => number

  constructor(
    private readonly options: CompactorOptions,
    private readonly signal: AbortSignal,
    private readonly left: () => number,
  ) {
    const { archive, derived, configuration, database, now = Date.now } = options
    const { table, since = '' } = configuration
    this.table = table
    this.tables = copyTables(database, configuration)
    this.now = now
    this.published = new PublishedManifest(archive, derived, table, since, now)
  }

  async run(): Promise<void> {
    await this.published.sweep()
    const skipped = new Set<string>()
    await this.addAll(async room => {
      const found = await this.published.look()
      const due = dueDays(found, this.now()).filter(day => !skipped.has(day))
      const days = chooseDays(due, found, room)
      return { days, listed: found.listed, add: () => this.addRun(found, days), skip: day => skipped.add(day) }
    })
    await this.addAnswers()
    await this.addAll(async room => {
      const found = await this.published.look()
      const days = this.checkpointDays(found, room)
      // what a checkpoint lacks, the next one would lack, too
      return { days, listed: found.listed, add: () => this.addCheckpoint(found, days) }
    })
  }

  /** Adds one after the other. What fails is tried with less, and where that is one day, left for another time. */
  private async addAll(next: (room: number) => Promise<Step>): Promise<void> {
    const { runBytes } = this.options
    let [room, failedDays, added] = [runBytes, 0, 0]
    let unmended: Error | undefined
    while (this.left() > LEAST_MS && failedDays < FAILED_DAYS) {
      const { days, listed, add, skip } = await next(room)
      if (days.length === 0) break
      try {
        await add()
        added++
        room = Math.min(room * 2, runBytes)
        failedDays = 0
        unmended = undefined
      } catch (error) {
        if (!this.canRetry(error)) throw error
        room = bytesOf(days, listed) / LESS
        unmended = error as Error
        if (days.length > 1) continue
        if (skip === undefined) break
        skip(days[0] as string)
        this.failures.push(unmended)
        unmended = undefined
        failedDays++
      }
    }
    // a long past is worked off bit by bit, and the last bit may not fit
    if (unmended !== undefined && !(unmended instanceof TookTooLong && added > 0)) this.failures.push(unmended)
  }

  private canRetry(error: unknown): boolean {
    if (this.signal.aborted || error instanceof NotToBeRetried) return false
    return error instanceof CompactionError || error instanceof QueryError
  }

  private async addRun(found: Found, days: readonly string[]): Promise<void> {
    const { fewBucketsBytes = FEW_BUCKETS_BYTES } = this.options
    const { manifest, listed } = found
    const bytes = bytesOf(days, listed)
    const planned = { name: randomUUID(), digits: bytes <= fewBucketsBytes ? 1 : 2, days }
    const written = await this.write(planned, bytes)
    await this.refuseChanged(days, listed)

    const covered = new Map<string, CoveredDay>()
    for (const [day, known] of Object.entries(manifest?.days ?? {})) {
      if (isCovered(manifest, day, listed)) covered.set(day, known)
    }
    const seen = written?.days ?? []
    for (const day of seen) {
      const { bytes, files } = listed.get(day) as ListedDay
      covered.set(day, { run: planned.name, bytes, files })
    }
    const inUse = new Set([...covered.values()].map(day => day.run))
    const runs = [...(manifest?.runs ?? []), ...(written === undefined ? [] : [written.run])]
    const unseen = days.filter(day => !seen.includes(day))
    await this.published.publish(found, {
      runs: runs.filter(({ name }) => inUse.has(name)),
      days: Object.fromEntries([...covered].sort(([a], [b]) => (a < b ? -1 : 1))),
      unseen: { ...manifest?.unseen, ...Object.fromEntries(unseen.map(day => [day, unseenMark(found, day)])) },
      // as long as no day before their ends is another, or gone
      checkpoints: manifest === undefined ? [] : usableCheckpoints(manifest, listed),
      // of other days than these
      answers: [],
    })
    const { rows = 0, deliveries = 0 } = written?.run ?? {}
    this.options.onPublished?.({ run: planned.name, days: seen.length, rows, deliveries, unseen })
  }

  /** The days that the next checkpoint takes in; none where none is due. */
  private checkpointDays({ manifest, listed }: Found, room: number): readonly string[] {
    const { checkpointBytes = CHECKPOINT_BYTES } = this.options
    const until = coveredUntil(manifest, listed)
    if (manifest === undefined || until === undefined) return []
    const previous = usableCheckpoints(manifest, listed).at(-1)
    const since = [...listed.keys()].filter(day => day <= until && day > (previous?.day ?? '')).sort()
    if (bytesOf(since, listed) < Math.max(checkpointBytes, previous?.bytes ?? 0)) return []
    // of a long past, as much at a time as one statement takes
    return since.filter((_, i) => i === 0 || bytesOf(since.slice(0, i + 1), listed) <= room)
  }

  private async addCheckpoint(found: Found, days: readonly string[]): Promise<void> {
    const { location } = this.options
    const { manifest, listed } = found
    const usable = manifest === undefined ? [] : usableCheckpoints(manifest, listed)
    const [previous, day] = [usable.at(-1), days.at(-1) as string]
    const planned = { name: randomUUID(), day, previous }
    const ask = this.inTime(`a checkpoint of ${days.length} days`, bytesOf(days, listed))
    await ask(checkpointStatement(this.tables, planned, this.table, location))
    const [before, after] = [statesBefore(this.tables, planned), statesAfter(this.tables, planned)]
    const [archive] = await ask(before.sql, before.values)
    const [checkpoint] = await ask(after.sql, after.values)
    if (archive === undefined || archive.items !== checkpoint?.items || archive.digest !== checkpoint?.digest)
      throw new CompactionError(
        `the checkpoint of ${this.table} at the end of ${day} gives other states than the archive`,
        [
          `archive: ${archive?.items} items, ${archive?.digest}`,
          `checkpoint: ${checkpoint?.items} items, ${checkpoint?.digest}`,
        ],
      )
    await this.refuseChanged(
      [...listed.keys()].filter(one => one <= day),
      listed,
    )
    if (previous !== undefined && (await this.filesOf(previous)).files !== previous.files)
      throw new CompactionError(`the checkpoint of ${this.table} at the end of ${previous.day} lost files meanwhile`)
    const about = { day, name: planned.name, items: Number(archive.items), ...(await this.filesOf(planned)) }
    await this.published.publish(found, { checkpoints: [...usable, about] })
    this.options.onPublished?.({ checkpoint: planned.name, day, items: about.items })
  }

  private async addAnswers(): Promise<void> {
    for (const statement of keptStatements(this.options.configuration)) {
      if (this.left() <= LEAST_MS) return
      try {
        await this.addAnswer(await this.published.look(), statement)
      } catch (error) {
        if (!this.canRetry(error)) throw error
        this.failures.push(error as Error)
      }
    }
  }

  /** None of days of which one is not as it was copied: it is due, and the answer with it. */
  private async addAnswer(found: Found, statement: EachItemStatement): Promise<void> {
    const { configuration, derived, location } = this.options
    const { manifest, listed } = found
    if (manifest === undefined) return
    const days = daysOfAnswers(manifest, listed)
    const hash = answerHash(statement, configuration)
    if (days.length === 0 || manifest.answers.some(known => known.statement === hash)) return
    const ask = this.inTime(`an answer about ${days.length} days`, bytesOf(days, listed))
    const place = { tables: this.tables, configuration, derived, location, ask }
    const answer = await writeAnswer(place, statement, days)
    await this.refuseChanged(days, listed)
    await this.published.publish(found, { answers: [...manifest.answers, answer] })
    this.options.onPublished?.({ answer: answer.name, days: days.length, rows: answer.rows })
  }

  private async filesOf({ name }: Pick<UnloadedCheckpoint, 'name'>) {
    const objects = await this.options.derived.entries(checkpointFolderPrefix(this.table, name))
    return { bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0), files: listDigest(objects) }
  }

  /** Writes a run and compares it with the archive. Undefined where Athena shows no row of any of its days. */
  private async write(
    planned: RunOfDays,
    bytes: number,
  ): Promise<{ readonly run: UnloadedRun; readonly days: readonly string[] } | undefined> {
    const { location, derived } = this.options
    const ask = this.inTime(`a run of ${planned.days.length} days`, bytes)
    for (const sql of unloadStatements(this.tables, planned, this.table, location)) await ask(sql)
    const sides = new Map((await ask(checkStatement(this.tables, planned))).map(row => [row.side, row]))
    const [archive, copy] = [sides.get('archive'), sides.get('copy')]
    if (archive === undefined && copy === undefined) return undefined
    if (copy?.strange !== '0' || CHECKED.some(name => copy[name] !== archive?.[name])) {
      throw new CompactionError(
        `the copy of ${this.table} is not what the archive has of ${planned.days[0]} to ${planned.days.at(-1)}`,
        [`archive: ${figures(archive)}`, `copy: ${figures(copy)}`],
      )
    }
    if (copy.deliveries !== copy.rows_kept) {
      const disagreeing = await ask(disagreeingStatement(this.tables, planned.days))
      if (disagreeing.length > 0)
        throw new CompactionError(
          `rows of ${this.table} have one row_hash and differ all the same: the archive was tampered with or is damaged`,
          disagreeing.map(row => `event ${row.event_id}`),
        )
    }
    const days = String(archive?.days).split(' ')
    const run = {
      name: planned.name,
      digits: planned.digits,
      rows: Number(copy.rows_kept),
      deliveries: Number(copy.deliveries),
      digest: String(copy.digest),
      bytes,
      firstDay: days[0] as string,
      beganUs: Number(archive?.began_us),
      sampleKey: String(archive?.sample_key),
      files: filesOfRun(planned.name, await derived.entries(changesPrefix(this.table))),
    }
    return { run, days }
  }

  /** What came to one of these days meanwhile may be in what was written or not. */
  private async refuseChanged(days: readonly string[], before: Days): Promise<void> {
    const listed = await listDays(this.options.archive, this.table)
    const changed = days.filter(day => listed.get(day)?.files !== before.get(day)?.files)
    if (changed.length > 0)
      throw new CompactionError(`objects of ${this.table} changed while they were copied`, changed)
  }

  /** Asks within half of the time that is left, so that there is some to try less. */
  private inTime(what: string, bytes: number) {
    const half = Math.floor(this.left() / 2)
    const time = Number.isFinite(half) ? AbortSignal.timeout(half) : undefined
    const signal = AbortSignal.any([this.signal, ...(time === undefined ? [] : [time])])
    return async (sql: string, values: readonly BoundValue[] = []): Promise<readonly Row[]> => {
      try {
        return [...rowsOf(await this.options.engine.run(sql, values, { signal }))]
      } catch (error) {
        if (!time?.aborted || this.signal.aborted) throw error
        throw new TookTooLong(
          `${what} and ${bytes} bytes of ${this.table} was not written in ${(half / MINUTE_MS).toFixed(1)} minutes: ${(error as Error).message}`,
        )
      }
    }
  }
}

class TookTooLong extends CompactionError {}

/** What is to be added next; `skip` leaves a day for another time. */
interface Step {
  readonly days: readonly string[]
  readonly listed: Days
  readonly add: () => Promise<void>
  readonly skip?: (day: string) => void
}

function figures(side: Row | undefined): string {
  return CHECKED.map(name => `${name} ${side?.[name] ?? 'none'}`).join(', ')
}
