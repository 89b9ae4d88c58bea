import { statementHash } from '../queries/each-item.js'
import type { BoundValue, Scope, TableOutline } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { readStatement } from '../queries/engines/statement.js'
import { isMissing } from '../store/objects.js'
import { answersFolderPrefix, bucketOf, checkpointFolderPrefix, manifestKey } from '../transform/derived.js'
import { dateOf } from '../transform/partition.js'
import { answerSince, keptAnswer } from './unload-answers.js'
import { type CopyTables, copyTables, itemRelation, type RunOfDays, statesRelation } from './unload-statements.js'
import {
  bucketPrefix,
  daysOfAnswers,
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

/** What to run instead of a statement. */
export interface DerivedStatement {
  readonly sql: string
  readonly values: readonly BoundValue[]
  /** True where every file behind it is there: of one that is not, Athena says nothing. To be asked after the answer. */
  isWhole(): Promise<boolean>
}

const DAY_US = 86_400_000_000
const LAST_US = Date.UTC(9999, 11, 31) * 1000

/** How long what was listed is taken for what is there. */
const FRESH_MS = 60_000

/**
 * Finds, for a question about one item, a moment or each item by itself on AWS, what was derived and stands for days of the archive. Day by day: one whose
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
  async prepare(scope: Scope, sql: string, values: readonly BoundValue[]): Promise<DerivedStatement | undefined> {
    const { table, itemKey, states, eachItem, column } = scope
    // configured columns come and go, so the copy has none
    if ((itemKey ?? states ?? eachItem) === undefined || column !== undefined) return undefined
    const usable = await this.look(table)
    if (usable === undefined) return undefined
    if (eachItem !== undefined) return this.answerOfEachItem(scope, eachItem, usable, sql, values)
    const tables = copyTables(this.database, scope)
    const rows =
      itemKey === undefined
        ? this.rowsOfStates(table, tables, usable, states ?? { fromUs: 0, toUs: 0 })
        : this.rowsOfItem(table, tables, usable, itemKey)
    return rows && { ...rows, sql: readInstead(sql, deliveriesOf(scope), rows.sql), values }
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

  /** The answer as it was kept, but for the items that have changes on days that it is not of. */
  private answerOfEachItem(
    scope: Scope,
    columns: readonly string[],
    { manifest, answerDays, isAllCovered }: Usable,
    sql: string,
    values: readonly BoundValue[],
  ): DerivedStatement | undefined {
    const statement = statementHash(sql, values, deliveriesOf(scope))
    const answer = manifest.answers.find(known => known.statement === statement)
    if (answer === undefined || answerDays.length === 0) return undefined
    const tables = copyTables(this.database, scope)
    const planned = { name: answer.name, days: answerDays }
    return {
      ...(isAllCovered
        ? keptAnswer(tables, answer.name, columns)
        : answerSince(tables, planned, { columns, sql, values }, scope)),
      isWhole: () => this.isThere(answersFolderPrefix(scope.table, answer.name), answer.files),
    }
  }

  private rowsOfStates(
    table: string,
    tables: CopyTables,
    { checkpoints }: Usable,
    { fromUs, toUs }: NonNullable<Scope['states']>,
  ): DerivedRows | undefined {
    const from = dateOf(fromUs)
    const checkpoint = checkpoints.findLast(({ day }) => day < from)
    if (checkpoint === undefined) return undefined
    return {
      sql: statesRelation(tables, checkpoint, dateOf(Math.min(toUs + DAY_US, LAST_US))),
      isWhole: () => this.isThere(checkpointFolderPrefix(table, checkpoint.name), checkpoint.files),
    }
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
      if (isMissing(error)) return undefined
      throw error
    })
    if (text === undefined) return undefined
    const manifest = parseManifest(Buffer.from(text).toString(), table)
    const listed = await listDays(this.archive, table)
    const runs = usableRuns(manifest, listed)
    if (runs.length === 0) return undefined
    const checkpoints = usableCheckpoints(manifest, listed)
    const days = [...listed.keys()].sort()
    const answerDays = daysOfAnswers(manifest, listed)
    const isAllCovered = answerDays.length === days.length
    return { manifest, runs, checkpoints, answerDays, isAllCovered, firstDay: days[0] as string }
  }
}

/** What a statement reads instead of its table. */
type DerivedRows = Omit<DerivedStatement, 'values'>

/** A statement that finds other rows under the name of its table, which it calls by no other. */
function readInstead(sql: string, table: string, rows: string): string {
  const { text } = readStatement(sql)
  const instead = `with ${table} as (\n  ${rows}\n)`
  return /^with\s/i.test(text) ? `${instead},${text.slice('with'.length)}` : `${instead}\n${text}`
}

interface Usable {
  readonly manifest: UnloadedManifest
  readonly runs: readonly RunOfDays[]
  readonly checkpoints: readonly UnloadedCheckpoint[]
  /** The days that kept answers are of; none where they cannot be used. */
  readonly answerDays: readonly string[]
  /** No other day has objects. */
  readonly isAllCovered: boolean
  /** The first day of the archive. */
  readonly firstDay: string
}
