import { bucketOf, checkpointFolderPrefix, manifestKey } from '../transform/derived.js'
import { dateOf } from '../transform/partition.js'
import type { Scope, TableOutline } from './engine.js'
import { type CopyTables, copyTables, itemRelation, type RunOfDays, statesRelation } from './unload-statements.js'
import {
  bucketPrefix,
  type ListedBucket,
  listDays,
  listDigest,
  parseManifest,
  type UnloadedCheckpoint,
  type UnloadedManifest,
  type UnloadedRun,
  usableCheckpoints,
  usableRuns,
} from './unloaded-manifest.js'

/** What a statement reads instead of its table. */
export interface DerivedRows {
  readonly sql: string
  /** True where every file behind it is there: of one that is not, Athena says nothing. To be asked after the answer. */
  isWhole(): Promise<boolean>
}

const DAY_US = 86_400_000_000
const LAST_US = Date.UTC(9999, 11, 31) * 1000

/** How long what was listed is taken for what is there. */
const FRESH_MS = 60_000

/**
 * Finds, for a question about one item or a moment on AWS, derived rows that stand for days of the archive. Day by day: one whose
 * objects are not those that were copied is read from the archive, and so is every day that the copy does not have. So an
 * answer is what it is without a copy, whenever one is made.
 */
export class UnloadedCopies {
  private readonly looked = new Map<string, { readonly at: number; readonly usable: Promise<Usable | undefined> }>()
  readonly remarks = new Set<string>()

  constructor(
    private readonly archive: ListedBucket,
    private readonly derived: ListedBucket & { open(key: string): Promise<Uint8Array> },
    private readonly database: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined where nothing derived does for a statement. */
  async rowsFor(scope: Scope): Promise<DerivedRows | undefined> {
    const { table, itemKey, states, column } = scope
    // configured columns come and go, so the copy has none
    if ((itemKey === undefined && states === undefined) || column !== undefined) return undefined
    const usable = await this.look(table)
    if (usable === undefined) return undefined
    const tables = copyTables(this.database, scope)
    if (itemKey !== undefined) return this.rowsOfItem(table, tables, usable, itemKey)
    const { fromUs = 0, toUs = 0 } = states ?? {}
    const from = dateOf(fromUs)
    const checkpoint = usable.checkpoints.findLast(({ day }) => day < from)
    if (checkpoint === undefined) return undefined
    return {
      sql: statesRelation(tables, checkpoint, dateOf(Math.min(toUs + DAY_US, LAST_US))),
      isWhole: () => this.isThere(checkpointFolderPrefix(table, checkpoint.name), checkpoint.files),
    }
  }

  /** What is known of a table whose first day is in the copy. */
  async outlineOf(table: string): Promise<TableOutline | undefined> {
    const usable = await this.look(table)
    const first = usable?.runs.find(({ days }) => days[0] === usable.firstDay)
    const run = usable?.manifest.runs.find(({ name }) => name === first?.name)
    if (run === undefined || run.firstDay !== usable?.firstDay) return undefined
    return { beganUs: run.beganUs, sampleKey: run.sampleKey }
  }

  /** Asks the archive for a while. */
  giveUp(table: string, reason: string): void {
    this.remarks.add(`compacted copy of ${table} was not used, the archive was asked instead: ${reason}`)
    this.looked.set(table, { at: this.now(), usable: Promise.resolve(undefined) })
  }

  private rowsOfItem(table: string, tables: CopyTables, { manifest, runs }: Usable, itemKey: string): DerivedRows {
    const used = manifest.runs.filter(({ name }) => runs.some(run => run.name === name))
    const isRunThere = (run: UnloadedRun) => {
      const bucket = bucketOf(itemKey, run.digits)
      return this.isThere(bucketPrefix(table, run, bucket), run.files[bucket] ?? listDigest([]))
    }
    return {
      sql: itemRelation(tables, runs, digits => bucketOf(itemKey, digits)),
      isWhole: async () => (await Promise.all(used.map(isRunThere))).every(Boolean),
    }
  }

  private async isThere(prefix: string, files: string): Promise<boolean> {
    return listDigest(await this.derived.entries(prefix)) === files
  }

  private look(table: string): Promise<Usable | undefined> {
    const known = this.looked.get(table)
    if (known !== undefined && this.now() - known.at < FRESH_MS) return known.usable
    const usable = this.find(table).catch((error: Error) => {
      this.giveUp(table, error.message)
      return undefined
    })
    this.looked.set(table, { at: this.now(), usable })
    return usable
  }

  /** The manifest is read before the archive is listed, so whatever it covers is in the list or is gone. */
  private async find(table: string): Promise<Usable | undefined> {
    const text = await this.derived.open(manifestKey(table)).catch((error: Error) => {
      if (error.name === 'NoSuchKey') return undefined
      throw error
    })
    if (text === undefined) return undefined
    const manifest = parseManifest(Buffer.from(text).toString(), table)
    const listed = await listDays(this.archive, table)
    const runs = usableRuns(manifest, listed)
    if (runs.length === 0) return undefined
    const checkpoints = usableCheckpoints(manifest, listed)
    return { manifest, runs, checkpoints, firstDay: [...listed.keys()].sort()[0] as string }
  }
}

interface Usable {
  readonly manifest: UnloadedManifest
  readonly runs: readonly RunOfDays[]
  readonly checkpoints: readonly UnloadedCheckpoint[]
  /** The first day of the archive. */
  readonly firstDay: string
}
