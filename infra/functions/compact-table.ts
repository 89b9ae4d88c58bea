import { randomUUID } from 'node:crypto'
import { CompactionError } from '../../local/compaction-error.js'
import type { BoundValue, QueryEngine } from '../../queries/engine.js'
import { type Row, rowsOf } from '../../queries/rows.js'
import {
  CHECKED,
  checkpointStatement,
  checkStatement,
  disagreeingStatement,
  type PlannedRun,
  statesAfter,
  statesBefore,
  unloadStatements,
} from '../../queries/unload-statements.js'
import { copyTables } from '../../queries/unloaded-copies.js'
import {
  type CoveredDay,
  coveredUntil,
  type Days,
  filesOfRun,
  intact,
  isCovered,
  type ListedBucket,
  listDays,
  listDigest,
  parseManifest,
  UNLOADED_VERSION,
  type UnloadedManifest,
  type UnloadedRun,
  usableCheckpoints,
} from '../../queries/unloaded-manifest.js'
import { checkpointFolderPrefix, derivedPrefix, FOLDER_COLUMN, manifestKey } from '../../transform/derived.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type ArchiveObject, chooseDays, dueDays } from './compaction-plan.js'

interface TaggedText {
  readonly text: string
  readonly etag: string
}

export interface CompactorOptions {
  /** Athena, in the database of the archive. */
  readonly engine: Pick<QueryEngine, 'run'>
  readonly archive: ListedBucket<ArchiveObject>
  /** Where derived files are: the one place that it writes to, and removes from. */
  readonly derived: Pick<ListedBucket<ArchiveObject>, 'entries'> & {
    openTagged(key: string): Promise<TaggedText | undefined>
    replace(key: string, text: string, opened: TaggedText | undefined): Promise<void>
    remove(keys: readonly string[]): Promise<void>
  }
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
  /** Told of each run and checkpoint that was published. */
  readonly onPublished?: (published: Published) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** What was added: a run, or a checkpoint. */
export type Published =
  | {
      readonly run: string
      readonly days: number
      readonly rows: number
      readonly deliveries: number
      /** Days that are due still. */
      readonly due: number
    }
  | { readonly checkpoint: string; readonly day: string; readonly items: number }

/** How long a compaction may take. */
export interface Budget {
  /** Ends what runs. */
  readonly signal: AbortSignal
  /** Milliseconds that are left. @default - no end of them */
  readonly left?: () => number
}

const MINUTE_MS = 60_000

/** What is not in use is removed after so long: by then a function that wrote it, or a reader that asks it, has ended. */
const WRITTEN_MS = 60 * MINUTE_MS
const REPLACED_MS = 24 * 60 * MINUTE_MS

/** With less than this, nothing is begun. */
const LEAST_MS = 2 * MINUTE_MS

/** Athena bills 10 MB of a query at least, and a scan of the archive for each hundred buckets. */
const FEW_BUCKETS_BYTES = 512 * 1024 ** 2

/** Below that, replaying is as fast. */
const CHECKPOINT_BYTES = 256 * 1024 ** 2

/**
 * Brings what is derived from one table up to the archive: runs of the clustered copy, then checkpoints, until nothing is due or the time is up.
 * Each is read back and compared with the archive before it is published, and published by replacing one object, so wherever it ends
 * the copy is whole. Where a run fails, fewer days are tried, and others; at the end it throws a `CompactionError` with what
 * could not be done. It throws at once where another function published meanwhile, and for a manifest that it cannot read.
 */
export function createCompactor(options: CompactorOptions): (budget: Budget) => Promise<void> {
  return async ({ signal, left = () => Number.POSITIVE_INFINITY }) => {
    const compactor = new Compactor(options, signal, left)
    await compactor.sweep()
    await compactor.addRuns()
    await compactor.addCheckpoints()
    compactor.throwFailures()
  }
}

interface Found {
  readonly opened: TaggedText | undefined
  /** Without what lacks a file. */
  readonly manifest: UnloadedManifest | undefined
  /** What the manifest names all the same. */
  readonly named: readonly string[]
  readonly replaced: UnloadedManifest['replaced']
  readonly listed: Days<ArchiveObject>
}

class Compactor {
  private readonly table: string
  private readonly now: () => number
  private readonly failures: Error[] = []
  /** Days that are left for another time. */
  private readonly skipped = new Set<string>()

  constructor(
    private readonly options: CompactorOptions,
    private readonly signal: AbortSignal,
    private readonly left: () => number,
  ) {
    this.table = options.configuration.table
    this.now = options.now ?? Date.now
  }

  /** Removes what is not in use, and was not when a reader that is still at it began. */
  async sweep(): Promise<void> {
    const { derived } = this.options
    const { manifest } = await this.openManifest()
    const replaced = (manifest?.replaced ?? []).filter(({ at }) => Date.parse(at) > this.now() - REPLACED_MS)
    const used = new Set([...(manifest === undefined ? [] : namesIn(manifest)), ...replaced.map(({ name }) => name)])
    const folders = new Map<string, ArchiveObject[]>()
    for (const entry of await derived.entries(derivedPrefix(this.table))) {
      const name = NAME_OF_KEY.exec(entry.key)?.[1]
      if (name !== undefined && !used.has(name)) folders.set(name, [...(folders.get(name) ?? []), entry])
    }
    const before = this.now() - WRITTEN_MS
    const abandoned = [...folders.values()].filter(entries => entries.every(({ modified }) => modified < before))
    const keys = abandoned.flat().map(({ key }) => key)
    if (keys.length > 0) await derived.remove(keys)
  }

  async addRuns(): Promise<void> {
    const { runBytes } = this.options
    let room = runBytes
    while (this.left() > LEAST_MS) {
      const found = await this.look()
      const all = dueDays(found.manifest, found.listed, this.options.configuration.since ?? '', this.now())
      const due = all.filter(day => !this.skipped.has(day))
      if (due.length === 0) return
      const days = chooseDays(due, found.manifest, found.listed, room)
      try {
        await this.addRun(found, days, due)
        room = Math.min(room * 2, runBytes)
      } catch (error) {
        if (this.signal.aborted || error instanceof Overtaken) throw error
        room = bytesOf(days, found.listed) / 2
        if (days.length > 1) continue
        this.skipped.add(days[0] as string)
        this.failures.push(error as Error)
        room = runBytes
      }
    }
  }

  async addCheckpoints(): Promise<void> {
    try {
      while (this.left() > LEAST_MS && (await this.addCheckpoint()));
    } catch (error) {
      if (this.signal.aborted || error instanceof Overtaken) throw error
      this.failures.push(error as Error)
    }
  }

  throwFailures(): void {
    const [first, ...others] = this.failures
    if (first === undefined) return
    const { details = [] } = first as { readonly details?: readonly string[] }
    throw new CompactionError(first.message, [...details, ...others.map(({ message }) => message)])
  }

  private async addRun(found: Found, days: readonly string[], due: readonly string[]): Promise<void> {
    const { fewBucketsBytes = FEW_BUCKETS_BYTES } = this.options
    const { manifest, listed } = found
    const bytes = bytesOf(days, listed)
    const planned = { name: randomUUID(), digits: bytes <= fewBucketsBytes ? 1 : 2, days }
    const { run, seen } = await this.write(planned, bytes)
    await this.refuseChanged(days, listed)

    const covered = new Map<string, CoveredDay>()
    for (const [day, known] of Object.entries(manifest?.days ?? {})) {
      if (isCovered(manifest, day, listed)) covered.set(day, known)
    }
    for (const day of seen) {
      const objects = listed.get(day) ?? []
      covered.set(day, { run: run.name, bytes: bytesOf([day], listed), files: listDigest(objects) })
    }
    const inUse = new Set([...covered.values()].map(day => day.run))
    const firstDue = due[0] as string
    await this.publish(found, {
      runs: [...(manifest?.runs ?? []), run].filter(({ name }) => inUse.has(name)),
      days: Object.fromEntries([...covered].sort(([a], [b]) => (a < b ? -1 : 1))),
      // a checkpoint tells what came before it
      checkpoints: (manifest?.checkpoints ?? []).filter(({ day }) => day < firstDue),
    })
    const left = due.filter(day => !days.includes(day)).length
    const { rows, deliveries } = run
    this.options.onPublished?.({ run: run.name, days: days.length, rows, deliveries, due: left })
    this.skipUnseen(days.filter(day => !seen.has(day)))
  }

  private skipUnseen(days: readonly string[]): void {
    if (days.length === 0) return
    for (const day of days) this.skipped.add(day)
    this.failures.push(new CompactionError(`Athena finds no row of ${this.table} on ${days.join(', ')}`))
  }

  /** Adds one checkpoint. False where none is due. */
  private async addCheckpoint(): Promise<boolean> {
    const { derived, database, location, runBytes, checkpointBytes = CHECKPOINT_BYTES } = this.options
    const found = await this.look()
    const { manifest, listed } = found
    const until = coveredUntil(manifest, listed)
    if (manifest === undefined || until === undefined) return false
    const usable = usableCheckpoints(manifest, listed)
    const previous = usable.at(-1)
    const since = [...listed.keys()].filter(day => day <= until && day > (previous?.day ?? '')).sort()
    if (bytesOf(since, listed) < Math.max(checkpointBytes, previous?.bytes ?? 0)) return false
    // of a long past, as much at a time as one statement takes
    const taken = since.filter((_, i) => i === 0 || bytesOf(since.slice(0, i + 1), listed) <= runBytes)
    const day = taken.at(-1) as string
    const planned = { name: randomUUID(), day, previous }
    const tables = copyTables(database, this.table)
    await this.ask(checkpointStatement(tables, planned, this.table, location))
    const [before, after] = [statesBefore(tables, planned), statesAfter(tables, planned)]
    const [archive] = await this.ask(before.sql, before.values)
    const [checkpoint] = await this.ask(after.sql, after.values)
    if (archive === undefined || archive.items !== checkpoint?.items || archive.digest !== checkpoint?.digest)
      throw new CompactionError(
        `the checkpoint of ${this.table} at the end of ${day} gives other states than the archive`,
        [
          `archive: ${archive?.items} items, ${archive?.digest}`,
          `checkpoint: ${checkpoint?.items} items, ${checkpoint?.digest}`,
        ],
      )
    const past = [...listed.keys()].filter(one => one <= day)
    await this.refuseChanged(past, listed)
    const written = await derived.entries(checkpointFolderPrefix(this.table, planned.name))
    const about = { day, name: planned.name, items: Number(archive.items), files: listDigest(written) }
    const bytes = written.reduce((sum, object) => sum + object.bytes, 0)
    const { runs, days } = manifest
    await this.publish(found, { runs, days, checkpoints: [...usable, { ...about, bytes }] })
    this.options.onPublished?.({ checkpoint: planned.name, day, items: about.items })
    return true
  }

  /** Writes a run and compares it with the archive. Of some days there may be nothing to see. */
  private async write(
    planned: PlannedRun,
    bytes: number,
  ): Promise<{ readonly run: UnloadedRun; readonly seen: ReadonlySet<string> }> {
    const { database, location, derived } = this.options
    const tables = copyTables(database, this.table)
    // half of what is left, so that there is time to try fewer days
    const half = Math.floor(this.left() / 2)
    const time = Number.isFinite(half) ? AbortSignal.timeout(half) : undefined
    const ask = (sql: string) =>
      this.ask(sql, [], time).catch(error => {
        if (!time?.aborted) throw error
        throw new CompactionError(
          `a run of ${planned.days.length} days and ${bytes} bytes of ${this.table} was not written in ${Math.round(half / MINUTE_MS)} minutes`,
        )
      })
    for (const sql of unloadStatements(tables, planned, this.table, location)) await ask(sql)
    const sides = new Map((await ask(checkStatement(tables, planned))).map(row => [row.side, row]))
    const [archive, copy] = [sides.get('archive'), sides.get('copy')]
    const told = (side: Row | undefined) => CHECKED.map(name => `${name} ${side?.[name] ?? 'none'}`).join(', ')
    if (archive === undefined || copy?.strange !== '0' || CHECKED.some(name => copy[name] !== archive[name])) {
      throw new CompactionError(
        `the copy of ${this.table} is not what the archive has of ${planned.days[0]} to ${planned.days.at(-1)}`,
        [`archive: ${told(archive)}`, `copy: ${told(copy)}`],
      )
    }
    if (archive.deliveries !== archive.rows_kept) {
      const disagreeing = await ask(disagreeingStatement(tables, planned.days))
      if (disagreeing.length > 0)
        throw new CompactionError(
          `rows of ${this.table} have one row_hash and differ all the same: the archive was tampered with or is damaged`,
          disagreeing.map(row => `event ${row.event_id}`),
        )
    }
    const seen = String(archive.days).split(' ')
    const run = {
      name: planned.name,
      digits: planned.digits,
      rows: Number(copy.rows_kept),
      deliveries: Number(copy.deliveries),
      digest: String(copy.digest),
      bytes,
      firstDay: seen[0] as string,
      beganUs: Number(archive.began_us),
      sampleKey: String(archive.sample_key),
      files: filesOfRun(planned.name, await derived.entries(derivedPrefix(this.table))),
    }
    return { run, seen: new Set(seen) }
  }

  /** What came to one of its days meanwhile may be in what was written or not. */
  private async refuseChanged(days: readonly string[], before: Days): Promise<void> {
    const listed = await listDays(this.options.archive, this.table)
    const changed = days.filter(day => listDigest(listed.get(day) ?? []) !== listDigest(before.get(day) ?? []))
    if (changed.length > 0)
      throw new CompactionError(`objects of ${this.table} changed while they were copied`, changed)
  }

  private async look(): Promise<Found> {
    const { opened, manifest } = await this.openManifest()
    const { archive, derived } = this.options
    return {
      opened,
      manifest: manifest && intact(manifest, await derived.entries(derivedPrefix(this.table))),
      named: manifest === undefined ? [] : namesIn(manifest),
      replaced: manifest?.replaced ?? [],
      listed: await listDays(archive, this.table),
    }
  }

  private async openManifest() {
    const opened = await this.options.derived.openTagged(manifestKey(this.table))
    try {
      return { opened, manifest: opened && parseManifest(opened.text, this.table) }
    } catch (error) {
      throw new Overtaken(
        `${manifestKey(this.table)} cannot be used: ${(error as Error).message}; without it, everything is made anew`,
      )
    }
  }

  private async publish(
    { opened, manifest, named, replaced }: Found,
    changed: Pick<UnloadedManifest, 'runs' | 'days' | 'checkpoints'>,
  ): Promise<void> {
    const at = new Date(this.now()).toISOString()
    const inUse = new Set(namesIn(changed))
    const still = replaced.filter(one => Date.parse(one.at) > this.now() - REPLACED_MS)
    const next: UnloadedManifest = {
      version: UNLOADED_VERSION,
      table: this.table,
      generation: (manifest?.generation ?? 0) + 1,
      built: at,
      ...changed,
      replaced: [...still, ...named.filter(name => !inUse.has(name)).map(name => ({ name, at }))],
    }
    const { derived } = this.options
    const [key, text] = [manifestKey(this.table), JSON.stringify(next)]
    try {
      await derived.replace(key, text, opened)
    } catch (error) {
      if (!CONFLICTS.has((error as Error).name)) throw error
      // an answer that was lost on its way makes the same request fail when it is sent again
      if ((await derived.openTagged(key))?.text !== text)
        throw new Overtaken(`another compaction of ${this.table} published meanwhile`)
    }
  }

  private async ask(
    sql: string,
    values: readonly BoundValue[] = [],
    time?: AbortSignal | undefined,
  ): Promise<readonly Row[]> {
    const signal = time === undefined ? this.signal : AbortSignal.any([this.signal, time])
    return [...rowsOf(await this.options.engine.run(sql, values, { signal }))]
  }
}

/** Nothing is to be tried again: somebody else is at it, or has to look. */
class Overtaken extends CompactionError {}

const CONFLICTS = new Set(['PreconditionFailed', 'ConditionalRequestConflict'])

/** A run has several folders, numbered. */
const NAME_OF_KEY = new RegExp(`/${FOLDER_COLUMN}=([0-9a-f-]{36})(?:-\\d+)?/`)

function namesIn({ runs, checkpoints }: Pick<UnloadedManifest, 'runs' | 'checkpoints'>): readonly string[] {
  return [...runs, ...checkpoints].map(({ name }) => name)
}

function bytesOf(days: readonly string[], listed: Days): number {
  return days.flatMap(day => listed.get(day) ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
}
