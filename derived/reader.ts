import { FileError } from '../config/gate.js'
import { statementHash } from '../queries/each-item.js'
import type { BoundValue, Derivation, Derived, Scope, TableOutline } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import type { ReplaceableObjects } from '../store/objects.js'
import {
  answersFolderPrefix,
  bucketOf,
  bucketPrefix,
  checkpointFolderPrefix,
  manifestKey,
} from '../transform/derived.js'
import { dateOf } from '../transform/partition.js'
import {
  type Coverage,
  type Days,
  type Listing,
  listDigest,
  lostOf,
  type RunInUse,
  readCoverage,
  runsInUse,
  usableCheckpoints,
  whyOther,
} from './coverage.js'
import { DerivedError } from './error.js'
import { type Manifest, readManifest } from './manifest.js'

/** A choice of the archive's days: all but those of a list, or those after one day up to another. */
export type DaysMeant =
  | { readonly not: readonly string[] }
  | { readonly after: string | undefined; readonly upTo: string }

/** A run in use, and which of its buckets are to be read. */
export interface BucketsMeant extends RunInUse {
  readonly buckets: readonly string[]
}

/**
 * How a place names the archive and what is derived, in the SQL of its engine: each gives a SELECT, or nothing for no
 * rows.
 */
export interface DerivedTables {
  /**
   * True on a desk: there the copy has all columns, answers questions about all items too, and its files are checked
   * before a statement reads them. On AWS they are checked afterwards.
   */
  readonly onDesk: boolean
  ofArchive(days: DaysMeant, listed: Days): readonly string[]
  /** A row that was delivered several times comes as often. */
  ofRuns(runs: readonly BucketsMeant[]): readonly string[]
  ofCheckpoint(name: string): string
  /** Where its file lies. @default - it has no path */
  checkpointPath?(name: string): string
  ofAnswer(name: string, columns: readonly string[]): string
}

/** Where a reader finds what is derived, and what it is derived from. */
export interface ReaderOptions {
  /** Lists the archive. */
  readonly list: Listing
  readonly derived: Pick<ReplaceableObjects, 'entries' | 'openTagged'>
  readonly tablesOf: (scope: Scope) => DerivedTables
  /** Why the manifest at a key is not to be used, whatever it says. @default - each is that can be read */
  readonly whyForeign?: (key: string, text: string) => string | undefined
  /** How long a list may be used before the archive is listed again, in milliseconds. */
  readonly freshMs: number
  readonly now?: () => number
}

const DAY_US = 86_400_000_000
const LAST_US = Date.UTC(9999, 11, 31) * 1000

/**
 * Finds, for a question about one item, a moment or each item by itself, what was derived and stands for days of the
 * archive. Day by day: one whose objects are not those that were copied is read from the archive, and so is every day
 * that the copy does not have. So an answer is what it is without a copy, whenever one is made.
 */
export class DerivedReader implements Derived {
  private readonly looked = new Map<string, { readonly at: number; readonly usable: Promise<Usable | undefined> }>()
  readonly remarks = new Set<string>()
  readonly lost = new Map<string, readonly string[]>()

  constructor(private readonly options: ReaderOptions) {}

  async look(table: string): Promise<readonly string[] | undefined> {
    const usable = await this.usableOf(table)
    return usable && [...usable.listed.values()].flatMap(({ objects }) => objects.map(({ key }) => key))
  }

  async rowsFor(scope: Scope, sql: string, values: readonly BoundValue[]): Promise<Derivation | undefined> {
    const { itemKey, states, eachItem, column } = scope
    const tables = this.options.tablesOf(scope)
    // on AWS the copy has no configured columns, because those come and go
    if (!tables.onDesk && ((itemKey ?? states ?? eachItem) === undefined || column !== undefined)) return undefined
    const usable = await this.usableOf(scope.table)
    if (usable === undefined) return undefined
    if (eachItem !== undefined)
      return this.answerOf(scope, eachItem, usable, tables, statementHash(sql, values, deliveriesOf(scope)))
    if (states !== undefined) return this.states(scope, states, usable, tables)
    return this.derivation(
      usable,
      rowsOfItem(tables, usable, itemKey),
      filesOfItem(scope.table, usable, itemKey),
      tables,
    )
  }

  async outlineOf(table: string): Promise<TableOutline | undefined> {
    const usable = await this.usableOf(table)
    const [first] = usable?.listed.keys() ?? []
    const run = first === undefined ? undefined : usable?.coverage.days.get(first)
    return run === undefined || run.firstDay !== first ? undefined : { beganUs: run.beganUs, sampleKey: run.sampleKey }
  }

  async giveUp(table: string, failed: Derivation | undefined, reason: string): Promise<boolean> {
    this.looked.delete(table)
    const usable = failed && (await this.usableOf(table))
    // the files may have been removed because a newer manifest replaced them: then that one is worth a try
    if (usable !== undefined && usable.manifest.generation !== failed?.generation) return true
    this.refuse(table, reason)
    return false
  }

  private refuse(table: string, reason: string): void {
    this.remarks.add(`compacted copy of ${table} was not used, the archive was asked instead: ${reason}`)
    this.looked.set(table, { at: this.now(), usable: Promise.resolve(undefined) })
  }

  /** The kept answer; items that have rows on a day which it does not cover are answered from all their rows. */
  private answerOf(
    scope: Scope,
    columns: readonly string[],
    usable: Usable,
    tables: DerivedTables,
    statement: string,
  ): Promise<Derivation> | undefined {
    const answer = usable.manifest.answers.find(known => known.statement === statement)
    if (answer === undefined || usable.isDiminished) return undefined
    const days = [...usable.coverage.days.keys()].filter(day => !answer.lacks.includes(day)).sort()
    const others = tables.ofArchive({ not: days }, usable.listed)
    const kept = tables.ofAnswer(answer.name, columns)
    const files = [{ prefix: answersFolderPrefix(scope.table, answer.name), files: answer.files }]
    if (days.length === usable.listed.size) return this.derivation(usable, [], files, tables, kept)
    const touched = `item_key in (select item_key from (${others.join(' union all ')}) as later where item_key is not null)`
    const rows = tables.onDesk ? rowsOfItem(tables, usable, undefined) : tables.ofArchive({ not: [] }, usable.listed)
    const all = tables.onDesk ? [...files, ...filesOfItem(scope.table, usable, undefined)] : files
    const some = rows.map(select => `select * from (${select}) as stored where ${touched}`)
    return this.derivation(usable, some, all, tables, `select * from (${kept}) as kept where not (${touched})`)
  }

  /** The newest checkpoint before the first of the moments, and the archive's rows after it. */
  private async states(
    { table }: Scope,
    { fromUs, toUs }: NonNullable<Scope['states']>,
    usable: Usable,
    tables: DerivedTables,
  ): Promise<Derivation | undefined> {
    const { manifest, coverage, listed } = usable
    const from = dateOf(fromUs)
    const checkpoint = usableCheckpoints(manifest, coverage).findLast(({ day }) => day < from)
    if (checkpoint === undefined) return undefined
    const upTo = dateOf(Math.min(toUs + DAY_US, LAST_US))
    const rows = [tables.ofCheckpoint(checkpoint.name), ...tables.ofArchive({ after: checkpoint.day, upTo }, listed)]
    const files = [{ prefix: checkpointFolderPrefix(table, checkpoint.name), files: checkpoint.files }]
    const sample = tables.checkpointPath?.(checkpoint.name)
    return { ...(await this.derivation(usable, rows, files, tables)), sample }
  }

  private async derivation(
    { manifest: { generation } }: Usable,
    rows: readonly string[],
    files: readonly WrittenFiles[],
    { onDesk }: DerivedTables,
    known?: string,
  ): Promise<Derivation> {
    const whyNotWhole = () => this.whyNotWhole(files)
    const wrong = onDesk ? await whyNotWhole() : undefined
    // on AWS a statement does not notice that files are gone, so it is looked for once more after it ran
    return { generation, rows, known, whyNotWhole: onDesk ? async () => wrong : whyNotWhole }
  }

  private async whyNotWhole(files: readonly WrittenFiles[]): Promise<string | undefined> {
    const told = await Promise.all(
      files.map(async ({ prefix, files: written }) => {
        try {
          return whyOther(prefix, written, await this.options.derived.entries(prefix))
        } catch (error) {
          // something else in the place of a file
          if (error instanceof DerivedError) return error.message
          throw error
        }
      }),
    )
    return told.find(reason => reason !== undefined)
  }

  private usableOf(table: string): Promise<Usable | undefined> {
    const known = this.looked.get(table)
    if (known !== undefined && this.now() - known.at < this.options.freshMs) return known.usable
    const usable = this.find(table).catch((error: Error) => {
      this.refuse(table, error instanceof FileError ? `its manifest cannot be used, ${error.message}` : error.message)
      return undefined
    })
    this.looked.set(table, { at: this.now(), usable })
    return usable
  }

  /** Reads the manifest, then lists the archive: so an object that it covers and the list lacks was removed. */
  private async find(table: string): Promise<Usable | undefined> {
    const { list, derived } = this.options
    const key = manifestKey(table)
    const opened = await derived.openTagged(key)
    if (opened === undefined) return undefined
    const foreign = this.options.whyForeign?.(key, opened.text)
    if (foreign !== undefined) throw new DerivedError(foreign)
    const manifest = readManifest(opened.text, key, table)
    const listed = await list(table)
    const coverage = await readCoverage(derived, table, manifest, listed)
    const lost = lostOf(coverage)
    this.lost.set(
      table,
      lost.map(({ what }) => what),
    )
    for (const { day, what } of lost)
      this.remarks.add(`compacted copy of ${table} is not used: ${what}; of ${day} the archive was asked instead`)
    return coverage.days.size === 0 ? undefined : { manifest, listed, coverage, isDiminished: lost.length > 0 }
  }

  private now(): number {
    return (this.options.now ?? Date.now)()
  }
}

interface Usable {
  readonly manifest: Manifest
  readonly listed: Days
  readonly coverage: Coverage
  /** True where the archive lost or replaced an object that was copied. */
  readonly isDiminished: boolean
}

/** The digest that the files below a prefix had when they were written. */
interface WrittenFiles {
  readonly prefix: string
  readonly files: string
}

/** All rows of one item or of all items: those of unchanged days from the runs, the others from the archive. */
function rowsOfItem(
  tables: DerivedTables,
  { coverage, listed }: Usable,
  itemKey: string | undefined,
): readonly string[] {
  const runs = runsInUse(coverage).map(used => ({ ...used, buckets: bucketsOf(used, itemKey) }))
  return [...tables.ofRuns(runs), ...tables.ofArchive({ not: [...coverage.days.keys()].sort() }, listed)]
}

function filesOfItem(table: string, { coverage }: Usable, itemKey: string | undefined): readonly WrittenFiles[] {
  return runsInUse(coverage).flatMap(used =>
    bucketsOf(used, itemKey).map(bucket => ({
      prefix: bucketPrefix(table, used.run, bucket),
      files: used.run.files[bucket] ?? listDigest([]),
    })),
  )
}

function bucketsOf({ run }: RunInUse, itemKey: string | undefined): readonly string[] {
  return itemKey === undefined ? Object.keys(run.files) : [bucketOf(itemKey, run.digits)]
}
