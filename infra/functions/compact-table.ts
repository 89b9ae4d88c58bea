import { randomUUID } from 'node:crypto'
import { CompactionError } from '../../local/compaction-error.js'
import type { BoundValue, QueryEngine } from '../../queries/engine.js'
import { type Row, rowsOf } from '../../queries/rows.js'
import {
  type BoundStatement,
  CHECKED,
  checkpointStatement,
  checkStatement,
  disagreeingStatement,
  type PlannedRun,
  statesAfter,
  statesBefore,
  unloadStatements,
} from '../../queries/unload-statements.js'
import {
  type CoveredDay,
  copyTables,
  coveredUntil,
  dayOf,
  isCovered,
  listDays,
  parseManifest,
  UNLOADED_VERSION,
  type UnloadedManifest,
  type UnloadedRun,
  usableCheckpoints,
} from '../../queries/unloaded-copy.js'
import { columnsOf } from '../../transform/audit-row.js'
import { checkpointFolderPrefix, derivedPrefix, FOLDER_COLUMN, manifestKey } from '../../transform/derived.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'

/** An object as a bucket lists it; `modified` in milliseconds since 1970. */
interface Entry {
  readonly key: string
  readonly bytes: number
  readonly modified: number
}

interface TaggedText {
  readonly text: string
  readonly etag: string
}

export interface CompactorOptions {
  /** Athena, in the database of the archive. */
  readonly engine: Pick<QueryEngine, 'run'>
  readonly archive: { entries(prefix: string): Promise<readonly Entry[]> }
  /** Where derived files are: the one place that it writes to, and removes from. */
  readonly derived: {
    entries(prefix: string): Promise<readonly Entry[]>
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

interface Found {
  readonly opened: TaggedText | undefined
  readonly manifest: UnloadedManifest | undefined
  readonly listed: ReadonlyMap<string, readonly Entry[]>
}

const MINUTE_MS = 60_000

/** A day is copied when it is over and nothing has been added to it for so long: Firehose buffers for 15 minutes at most. */
const SETTLED_MS = 120 * MINUTE_MS

/** Files that no manifest names are removed after so long: no function of Lambda runs for more than 15 minutes. */
const ABANDONED_MS = 60 * MINUTE_MS

/** Bytes of the archive up to which a run has 16 buckets; Athena bills 10 MB of a query at least. */
const ONE_DIGIT_BYTES = 512 * 1024 ** 2

/** Bytes of the archive between two checkpoints, at least: below that, replaying is as fast. */
const CHECKPOINT_BYTES = 256 * 1024 ** 2

/**
 * Brings what is derived from one table up to the archive: runs of the clustered copy, then checkpoints, until nothing is due or there is no time for
 * another. Each is read back and compared with the archive before it is published, and published by replacing one object, so wherever it ends
 * the copy is whole. Throws `CompactionError` where the comparison fails, and where another function published meanwhile.
 */
export function createCompactor(
  options: CompactorOptions,
): (signal: AbortSignal, hasTime?: () => boolean) => Promise<void> {
  return async (signal, hasTime = () => true) => {
    const compactor = new Compactor(options, signal)
    await compactor.sweep()
    while (hasTime() && (await compactor.addRun()));
    while (hasTime() && (await compactor.addCheckpoint()));
  }
}

class Compactor {
  private readonly table: string
  private readonly columns: readonly string[]
  private readonly now: () => number

  constructor(
    private readonly options: CompactorOptions,
    private readonly signal: AbortSignal,
  ) {
    const { configuration, now = Date.now } = options
    this.table = configuration.table
    this.columns = columnsOf(configuration).map(({ name }) => name)
    this.now = now
  }

  /** Removes what neither the manifest names nor the one before it, whose readers may still be at it. */
  async sweep(): Promise<void> {
    const { derived } = this.options
    const { manifest } = await this.openManifest()
    const used = new Set([...(manifest === undefined ? [] : namesIn(manifest)), ...(manifest?.replaced ?? [])])
    const folders = new Map<string, Entry[]>()
    for (const entry of await derived.entries(derivedPrefix(this.table))) {
      const name = NAME_OF_KEY.exec(entry.key)?.[1]
      if (name !== undefined && !used.has(name)) folders.set(name, [...(folders.get(name) ?? []), entry])
    }
    const before = this.now() - ABANDONED_MS
    const abandoned = [...folders.values()].filter(entries => entries.every(({ modified }) => modified < before))
    const keys = abandoned.flat().map(({ key }) => key)
    if (keys.length > 0) await derived.remove(keys)
  }

  /** Adds one run. False where no day is due. */
  async addRun(): Promise<boolean> {
    const found = await this.look()
    const { manifest, listed } = found
    const due = this.dueDays(manifest, listed)
    if (due.length === 0) return false
    const chosen = chooseDays(due, manifest, listed, this.options.runBytes)
    const days = Object.fromEntries(chosen.map(day => [day, dayOf(listed.get(day) as readonly Entry[])]))
    const bytes = Object.values(days).reduce((sum, day) => sum + day.bytes, 0)
    const planned = { name: randomUUID(), digits: bytes <= ONE_DIGIT_BYTES ? 1 : 2, days: chosen }
    const run = { ...(await this.write(planned)), bytes }
    await this.refuseChanged(chosen, listed)

    const covered: Record<string, CoveredDay> = {}
    for (const [day, known] of Object.entries(manifest?.days ?? {})) {
      if (isCovered(manifest, day, listed.get(day) ?? [])) covered[day] = known
    }
    for (const [day, known] of Object.entries(days)) covered[day] = { run: planned.name, ...known }
    const inUse = new Set(Object.values(covered).map(day => day.run))
    const firstDue = due[0] as string
    await this.publish(found, {
      runs: [...(manifest?.runs ?? []), run].filter(({ name }) => inUse.has(name)),
      days: Object.fromEntries(Object.entries(covered).sort(([a], [b]) => (a < b ? -1 : 1))),
      // a checkpoint tells what came before it
      checkpoints: (manifest?.checkpoints ?? []).filter(({ day }) => day < firstDue),
    })
    const left = due.filter(day => !chosen.includes(day)).length
    const { rows, deliveries } = run
    this.options.onPublished?.({ run: planned.name, days: chosen.length, rows, deliveries, due: left })
    return left > 0
  }

  /** Adds one checkpoint. False where none is due. */
  async addCheckpoint(): Promise<boolean> {
    const { derived, database, location, runBytes, checkpointBytes = CHECKPOINT_BYTES } = this.options
    const found = await this.look()
    const { manifest, listed } = found
    const until = coveredUntil(manifest, listed)
    if (manifest === undefined || until === undefined) return false
    const previous = usableCheckpoints(manifest, listed).at(-1)
    const since = [...listed.keys()].filter(day => day <= until && day > (previous?.day ?? '')).sort()
    const bytesOf = (days: readonly string[]) => days.reduce((sum, day) => sum + (manifest.days[day]?.bytes ?? 0), 0)
    if (bytesOf(since) < Math.max(checkpointBytes, previous?.bytes ?? 0)) return false
    // of a long past, as much at a time as one statement takes
    const taken = since.filter((_, i) => i === 0 || bytesOf(since.slice(0, i + 1)) <= runBytes)
    const day = taken.at(-1) as string
    const planned = { name: randomUUID(), day, previous }
    const tables = copyTables(database, this.table, this.columns)
    await this.ask(checkpointStatement(tables, planned, this.table, location))
    const [before] = await this.ask(...bound(statesBefore(tables, planned)))
    const [after] = await this.ask(...bound(statesAfter(tables, planned)))
    if (before === undefined || before.items !== after?.items || before.digest !== after?.digest)
      throw new CompactionError(
        `the checkpoint of ${this.table} at the end of ${day} gives other states than the archive`,
        [`archive: ${before?.items} items, ${before?.digest}`, `checkpoint: ${after?.items} items, ${after?.digest}`],
      )
    await this.refuseChanged(
      [...listed.keys()].filter(one => one <= day),
      listed,
    )
    const objects = await derived.entries(checkpointFolderPrefix(this.table, planned.name))
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0)
    const checkpoint = { day, name: planned.name, items: Number(before.items), bytes }
    const { runs, days } = manifest
    await this.publish(found, { runs, days, checkpoints: [...usableCheckpoints(manifest, listed), checkpoint] })
    this.options.onPublished?.({ checkpoint: planned.name, day, items: checkpoint.items })
    return true
  }

  private async look(): Promise<Found> {
    const { opened, manifest } = await this.openManifest()
    return { opened, manifest, listed: await listDays(this.options.archive, this.table) }
  }

  private async openManifest() {
    const opened = await this.options.derived.openTagged(manifestKey(this.table))
    try {
      return { opened, manifest: opened && parseManifest(opened.text, this.table) }
    } catch {
      // whatever it is, the copy is made anew and it is replaced
      return { opened, manifest: undefined }
    }
  }

  private async publish(
    { opened, manifest }: Found,
    changed: Pick<UnloadedManifest, 'runs' | 'days' | 'checkpoints'>,
  ): Promise<void> {
    const inUse = new Set(namesIn(changed))
    const next: UnloadedManifest = {
      version: UNLOADED_VERSION,
      table: this.table,
      generation: (manifest?.generation ?? 0) + 1,
      built: new Date(this.now()).toISOString(),
      columns: this.columns,
      ...changed,
      replaced: (manifest === undefined ? [] : namesIn(manifest)).filter(name => !inUse.has(name)),
    }
    const { derived } = this.options
    await derived.replace(manifestKey(this.table), JSON.stringify(next), opened).catch(refuseOverwriting)
  }

  /** Days that are over, have settled, and are not as they were copied. */
  private dueDays(
    manifest: UnloadedManifest | undefined,
    listed: ReadonlyMap<string, readonly Entry[]>,
  ): readonly string[] {
    const now = this.now()
    const today = new Date(now).toISOString().slice(0, 10)
    return [...listed]
      .filter(([day, objects]) => {
        const over = day < today && Math.max(...objects.map(({ modified }) => modified)) <= now - SETTLED_MS
        return over && !isCovered(manifest, day, objects)
      })
      .map(([day]) => day)
      .sort()
  }

  /** Writes a run and compares it with the archive. */
  private async write(planned: PlannedRun): Promise<Omit<UnloadedRun, 'bytes'>> {
    const { database, location } = this.options
    const tables = copyTables(database, this.table, this.columns)
    for (const sql of unloadStatements(tables, planned, this.table, location)) await this.ask(sql)
    const sides = new Map((await this.ask(checkStatement(tables, planned))).map(row => [row.side, row]))
    const [archive, copy] = [sides.get('archive'), sides.get('copy')]
    const told = (side: Row | undefined) => CHECKED.map(name => `${name} ${side?.[name] ?? 'none'}`).join(', ')
    if (archive === undefined || copy?.strange !== '0' || CHECKED.some(name => copy[name] !== archive[name])) {
      throw new CompactionError(
        `the copy of ${this.table} is not what the archive has of ${planned.days.length} days`,
        [`archive: ${told(archive)}`, `copy: ${told(copy)}`],
      )
    }
    if (archive.deliveries !== archive.rows_kept) {
      const disagreeing = await this.ask(disagreeingStatement(tables, planned.days))
      if (disagreeing.length > 0)
        throw new CompactionError(
          `rows of ${this.table} have one row_hash and differ all the same: the archive was tampered with or is damaged`,
          disagreeing.map(row => `event ${row.event_id}`),
        )
    }
    return {
      name: planned.name,
      digits: planned.digits,
      rows: Number(copy.rows_kept),
      deliveries: Number(copy.deliveries),
      digest: String(copy.digest),
      firstDay: planned.days[0] as string,
      beganUs: Number(archive.began_us),
      sampleKey: String(archive.sample_key),
    }
  }

  /** What came to one of its days meanwhile may be in what was written or not. */
  private async refuseChanged(days: readonly string[], before: ReadonlyMap<string, readonly Entry[]>): Promise<void> {
    const listed = await listDays(this.options.archive, this.table)
    const changed = days.filter(
      day => dayOf(listed.get(day) ?? []).sha256 !== dayOf(before.get(day) as readonly Entry[]).sha256,
    )
    if (changed.length > 0)
      throw new CompactionError(
        `objects of ${this.table} changed while they were copied`,
        changed,
        'the next time does it',
      )
  }

  private async ask(sql: string, values: readonly BoundValue[] = []): Promise<readonly Row[]> {
    return [...rowsOf(await this.options.engine.run(sql, values, { signal: this.signal }))]
  }
}

/** A run has several folders, numbered. */
const NAME_OF_KEY = new RegExp(`/${FOLDER_COLUMN}=([0-9a-f-]{36})(?:-\\d+)?/`)

function namesIn({ runs, checkpoints }: Pick<UnloadedManifest, 'runs' | 'checkpoints'>): readonly string[] {
  return [...runs, ...checkpoints].map(({ name }) => name)
}

function bound({ sql, values }: BoundStatement) {
  return [sql, values] as const
}

function refuseOverwriting(error: Error): never {
  if (error.name !== 'PreconditionFailed' && error.name !== 'ConditionalRequestConflict') throw error
  throw new CompactionError(
    'another compaction published meanwhile',
    [],
    'nothing was published; the next time does it',
  )
}

/**
 * The days of the next run, in order: those that are due, the oldest first, and with them whole runs made before as long as each is at most
 * twice as large as what is there already. So a row is copied again about as often as the logarithm of the archive, and a
 * question about one item reads about so many runs.
 */
export function chooseDays(
  due: readonly string[],
  manifest: UnloadedManifest | undefined,
  listed: ReadonlyMap<string, readonly { readonly key: string; readonly bytes: number }[]>,
  runBytes: number,
): readonly string[] {
  const bytesOf = (days: readonly string[]) =>
    days.flatMap(day => listed.get(day) ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
  const chosen: string[] = []
  let room = runBytes
  for (const day of due) {
    const bytes = bytesOf([day])
    if (chosen.length > 0 && bytes > room) break
    chosen.push(day)
    room -= bytes
  }
  for (const run of manifest?.runs.toReversed() ?? []) {
    const covered = [...listed].filter(
      ([day, objects]) => manifest?.days[day]?.run === run.name && isCovered(manifest, day, objects),
    )
    const days = covered.map(([day]) => day)
    const bytes = bytesOf(days)
    if (bytes > room || bytes > 2 * bytesOf(chosen)) break
    chosen.push(...days)
    room -= bytes
  }
  return chosen.sort()
}
