import { randomUUID } from 'node:crypto'
import { type EachItemStatement, statementHash } from '../queries/each-item.js'
import { QueryError } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { answersFolderPrefix, changesPrefix, checkpointFolderPrefix } from '../transform/derived.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { coverOf, type Days, filesOfRun, listDigest, lostOf, runsInUse, usableCheckpoints } from './coverage.js'
import { bytesOf, checkpointDays, chooseDays, dueDays, type Settled, unseenMark } from './due-days.js'
import { DerivedError, NotToBeRetried } from './error.js'
import type { KeptAnswer, Run, StateCheckpoint } from './manifest.js'
import { type Found, Publisher, type PublisherOptions } from './publisher.js'

/** A run, a checkpoint or an answer that is to be written of whole days of the archive. */
export interface Planned {
  readonly name: string
  /** In order. */
  readonly days: readonly string[]
  readonly found: Found
}

/** A checkpoint that is to be written at the end of the last of its days. */
export interface PlannedCheckpoint extends Planned {
  /** The one that it goes on from; without one, from the archive's beginning. */
  readonly previous: StateCheckpoint | undefined
}

/** An answer that is to be written of all days that are covered. */
export interface PlannedAnswer extends Planned {
  readonly statement: EachItemStatement
  /** What was kept before, which a writer may go on from: it is of all these days but those that it lacks. */
  readonly previous: KeptAnswer | undefined
}

/** What a run came to, as it was read back. */
export interface WrittenRun extends Pick<Run, 'digits' | 'rows' | 'deliveries' | 'digest' | 'beganUs' | 'sampleKey'> {
  readonly conflicts?: number
  /** The days that have rows, in order. */
  readonly seen: readonly string[]
}

/**
 * What writes derived files, and compares each with the archive before it says that it is written: throws a
 * `DerivedError` where they differ. This alone is another on a desk and on AWS.
 */
export interface Writer {
  /** All deliveries of some days, by item. Undefined where none of the days shows a row. */
  writeRun(planned: Planned): Promise<WrittenRun | undefined>
  /** What later states depend on. Of how many items, and where it counts them, how many rows. */
  writeCheckpoint(planned: PlannedCheckpoint): Promise<{ readonly items: number; readonly rows?: number }>
  /** What a statement answers. How many rows. */
  writeAnswer(planned: PlannedAnswer): Promise<{ readonly rows: number }>
}

/** How a table is compacted. */
export interface CompactorOptions extends Omit<PublisherOptions, 'table' | 'since'> {
  readonly writer: Writer
  readonly configuration: TableConfiguration
  /** Bytes of the archive that one run takes in at most, unless a single day has more. */
  readonly runBytes: number
  /** Bytes of the archive after which a checkpoint is due, at least. */
  readonly checkpointBytes: number
  /** The statements whose answers are kept. */
  readonly answers: readonly EachItemStatement[]
  /** Days are copied when they are over and nothing has come to them for so long. @default - all days, at once */
  readonly quietMs?: number
  /** True where what failed may do with less, or another time. */
  readonly triesLess: boolean
  /** A name that nothing had before, a UUID. @default - a random one */
  readonly newName?: (() => string) | undefined
  /** Told of each run, checkpoint and answer that was published. */
  readonly onPublished?: ((published: Published) => void) | undefined
}

/** What was added: a run, a checkpoint, or an answer. */
export type Published =
  | {
      readonly run: string
      readonly days: number
      readonly rows: number
      readonly deliveries: number
      /** Days that showed no row: they are left out. */
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
  /** A signal that comes after so many milliseconds. @default - by the clock of this machine */
  readonly timeout?: (ms: number) => AbortSignal
}

/** Where less time than this is left, nothing new is begun. */
const LEAST_MS = 2 * 60_000

/** A copy that failed is tried again with an eighth of its bytes; one that took too long gets half of the time left. */
const SMALLER_BY = 8

/** After so many failed days in a row the compaction stops: then the days are not the cause. */
const FAILED_DAYS = 3

/** A statement that took longer than it was allowed. */
export class TookTooLong extends DerivedError {}

/** Where a compaction begins and ends. */
export interface CompactionOutcome {
  readonly before: Found
  /** Keys of what was swept. */
  readonly removed: readonly string[]
}

/**
 * Brings what is derived from one table up to the archive: runs of the clustered copy, kept answers, then checkpoints,
 * until nothing is due or the time is up. Each is read back and compared with the archive before it is published, and
 * published by replacing one object, so wherever it ends the copy is whole. What fails is tried with fewer days, then
 * with others, where that may do; at the end it throws a `DerivedError` with what could not be done.
 */
export async function compact(
  options: CompactorOptions,
  { signal, left = () => Number.POSITIVE_INFINITY }: Budget,
  begin: (found: Found) => Promise<void> = async () => {},
): Promise<CompactionOutcome> {
  const compactor = new Compactor(options, signal, left)
  let outcome: CompactionOutcome | undefined
  try {
    outcome = await compactor.run(begin)
  } catch (error) {
    if (!options.triesLess) throw error
    compactor.failures.push(error as Error)
  }
  const [first, ...others] = compactor.failures
  if (first !== undefined) throw new DerivedError(first.message, [...detailsOf(first), ...others.flatMap(told)])
  return outcome as CompactionOutcome
}

function detailsOf(error: Error): readonly string[] {
  return error instanceof DerivedError ? error.details : []
}

function told(error: Error): readonly string[] {
  return [error.message, ...detailsOf(error)]
}

class Compactor {
  readonly failures: Error[] = []
  private readonly table: string
  private readonly publisher: Publisher

  constructor(
    private readonly options: CompactorOptions,
    private readonly signal: AbortSignal,
    private readonly left: () => number,
  ) {
    const { table, since = '' } = options.configuration
    this.table = table
    this.publisher = new Publisher({ ...options, table, since })
  }

  async run(begin: (found: Found) => Promise<void>): Promise<CompactionOutcome> {
    const removed = await this.publisher.sweep()
    const before = await this.publisher.look()
    await begin(before)
    await this.addRuns()
    await this.forgetGone()
    await this.addAnswers()
    await this.addCheckpoints()
    return { before, removed }
  }

  private newName(): string {
    return this.options.newName?.() ?? randomUUID()
  }

  private addRuns(): Promise<void> {
    const skipped = new Set<string>()
    return this.addAll(async room => {
      const found = await this.publisher.look()
      const due = dueDays(found, this.settled()).filter(day => !skipped.has(day))
      const days = chooseDays(due, found, room)
      return { days, listed: found.listed, add: () => this.addRun(found, days), skip: day => skipped.add(day) }
    })
  }

  /** Takes days out of the manifest that the archive no longer has: nothing else ever would. */
  private async forgetGone(): Promise<void> {
    const found = await this.publisher.look()
    if (![...found.coverage.changed.keys()].some(day => !found.listed.has(day))) return
    await this.publisher.publish(found, {
      runs: runsWithout(found, new Set()),
      checkpoints: usableCheckpoints(found.manifest, found.coverage),
      answers: answersLacking(found, []),
    })
  }

  private addCheckpoints(): Promise<void> {
    return this.addAll(async room => {
      const found = await this.publisher.look()
      const days = checkpointDays(found, this.options.checkpointBytes, room)
      // no `skip`: a checkpoint builds on the one before, so none can be left out
      return { days, listed: found.listed, add: () => this.addCheckpoint(found, days) }
    })
  }

  private settled(): Settled | undefined {
    const { quietMs, now } = this.options
    return quietMs === undefined ? undefined : { now: now(), quietMs }
  }

  /** Adds until nothing is due. What fails is tried again with fewer days; a single day that fails is skipped. */
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
        room = bytesOf(days, listed) / SMALLER_BY
        unmended = error as Error
        if (days.length > 1) continue
        if (skip === undefined) break
        skip(days[0] as string)
        this.failures.push(unmended)
        unmended = undefined
        failedDays++
      }
    }
    // running out of time after some were added is no failure: the next call goes on
    if (unmended !== undefined && !(unmended instanceof TookTooLong && added > 0)) this.failures.push(unmended)
  }

  private canRetry(error: unknown): boolean {
    if (!this.options.triesLess || this.signal.aborted || error instanceof NotToBeRetried) return false
    return error instanceof DerivedError || error instanceof QueryError
  }

  private async addRun(found: Found, days: readonly string[]): Promise<void> {
    const name = this.newName()
    const written = await this.options.writer.writeRun({ name, days, found })
    await this.refuseChanged(days, found.listed)
    const { seen = [] } = written ?? {}
    const unseen = days.filter(day => !seen.includes(day))
    const marks = Object.fromEntries(unseen.map(day => [day, unseenMark(found, day)]))
    const added = written === undefined ? [] : [await this.describeRun(name, found, written)]
    await this.publisher.publish(found, {
      runs: [...runsWithout(found, new Set(seen)), ...added],
      unseen: { ...found.manifest?.unseen, ...marks },
      // a checkpoint stays only while no day up to its own has changed
      checkpoints: usableCheckpoints(found.manifest, found.coverage),
      answers: answersLacking(found, seen),
    })
    const { rows = 0, deliveries = 0 } = written ?? {}
    this.options.onPublished?.({ run: name, days: seen.length, rows, deliveries, unseen })
  }

  private async describeRun(name: string, found: Found, { seen, ...written }: WrittenRun): Promise<Run> {
    const files = filesOfRun(name, await this.options.derived.entries(changesPrefix(this.table)))
    await this.publisher.keepList(name, found, seen)
    const cover = coverOf(seen, found.listed)
    return { ...written, ...cover, name, firstDay: seen[0] as string, daysCopied: seen.length, files }
  }

  private async addCheckpoint(found: Found, days: readonly string[]): Promise<void> {
    const usable = usableCheckpoints(found.manifest, found.coverage)
    const [previous, day, name] = [usable.at(-1), days.at(-1) as string, this.newName()]
    const written = await this.options.writer.writeCheckpoint({ name, days, found, previous })
    const upTo = [...found.listed.keys()].filter(one => one <= day)
    await this.refuseChanged(upTo, found.listed)
    const filesOf = async (folder: string) =>
      listDigest(await this.options.derived.entries(checkpointFolderPrefix(this.table, folder)))
    if (previous !== undefined && (await filesOf(previous.name)) !== previous.files)
      throw new DerivedError(`the checkpoint of ${this.table} at the end of ${previous.day} lost files meanwhile`)
    const about = { day, name, ...written, files: await filesOf(name) }
    await this.publisher.publish(found, { checkpoints: [...usable, about] })
    this.options.onPublished?.({ checkpoint: name, day, items: about.items })
  }

  private async addAnswers(): Promise<void> {
    for (const statement of this.options.answers) {
      if (this.left() <= LEAST_MS) return
      try {
        await this.addAnswer(await this.publisher.look(), statement)
      } catch (error) {
        if (!this.canRetry(error)) throw error
        this.failures.push(error as Error)
      }
    }
  }

  /** Keeps an answer over all covered days; not while a day has changed, which has to be copied again first. */
  private async addAnswer(found: Found, statement: EachItemStatement): Promise<void> {
    const { configuration, writer, derived } = this.options
    const { manifest, coverage, listed } = found
    const days = [...coverage.days.keys()].sort()
    const hash = statementHash(statement.sql, statement.values, deliveriesOf(configuration))
    const previous = manifest?.answers.find(known => known.statement === hash)
    if (manifest === undefined || days.length === 0 || coverage.changed.size > 0 || previous?.lacks.length === 0) return
    const name = this.newName()
    const { rows } = await writer.writeAnswer({ name, days, found, statement, previous })
    await this.refuseChanged(days, listed)
    const files = listDigest(await derived.entries(answersFolderPrefix(this.table, name)))
    const others = manifest.answers.filter(known => known !== previous)
    await this.publisher.publish(found, { answers: [...others, { statement: hash, name, rows, lacks: [], files }] })
    this.options.onPublished?.({ answer: name, days: days.length, rows })
  }

  /** Throws where objects were added meanwhile: nobody can tell whether what was written has their rows. */
  private async refuseChanged(days: readonly string[], before: Days): Promise<void> {
    const listed = await this.options.list(this.table)
    const changed = days.filter(day => listed.get(day)?.files !== before.get(day)?.files)
    if (changed.length > 0) throw new DerivedError(`objects of ${this.table} changed while they were copied`, changed)
  }
}

/** What is to be added next; `skip` leaves a day for another time. */
interface Step {
  readonly days: readonly string[]
  readonly listed: Days
  readonly add: () => Promise<void>
  readonly skip?: (day: string) => void
}

/** The runs in use without these days, which another run has now; a run that has no other days is left out. */
function runsWithout({ coverage, listed }: Found, days: ReadonlySet<string>): readonly Run[] {
  return runsInUse(coverage).flatMap(({ run, days: its }) => {
    const left = its.filter(day => !days.has(day))
    return left.length === 0 ? [] : [{ ...run, ...coverOf(left, listed) }]
  })
}

/**
 * The kept answers after more days were copied: each now also lacks the days that are new to the copy and those that
 * got more objects. Where an object was removed or replaced no answer is kept: nobody can tell which items it had.
 */
function answersLacking({ manifest, coverage }: Found, copied: readonly string[]): readonly KeptAnswer[] {
  if (manifest === undefined || lostOf(coverage).length > 0) return []
  const added = [...copied.filter(day => !coverage.days.has(day)), ...coverage.changed.keys()]
  return manifest.answers.map(answer => ({ ...answer, lacks: [...new Set([...answer.lacks, ...added])].sort() }))
}
