import { relative, sep } from 'node:path'
import { statementHash } from '../queries/each-item.js'
import type { BoundValue, Scope } from '../queries/engines/engine.js'
import { fileList } from '../queries/engines/file-list.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { earliestArrivals, emptyZonedRows, rowsOfObjects, rowsOfRuns } from '../queries/engines/relations.js'
import type { Column } from '../transform/audit-row.js'
import { answersKey, checkpointKey } from '../transform/derived.js'
import { dateOfKey } from '../transform/layout.js'
import { dateOf } from '../transform/partition.js'
import { checkedFile, type DerivedCopy, findCopy, runFiles } from './derived-copy.js'

/** What to run instead of a statement, on a connection of its own. */
export interface Prepared {
  /** Statements that go before it. They hide the view of its table by a temporary one of the same name. */
  readonly before: readonly string[]
  readonly sql: string
}

/** Finds, for a statement that says what it reads, the derived files and the objects of the archive that do for it. */
export class CopyReader {
  private readonly copies = new Map<string, DerivedCopy>()
  readonly remarks = new Set<string>()
  /** By table, what objects are never: gone, or rewritten, since a copy was made from them. */
  readonly lost = new Map<string, string>()

  constructor(
    private readonly root: string,
    private readonly columns: ReadonlyMap<string, readonly Column[]>,
  ) {}

  copyOf(table: string): DerivedCopy | undefined {
    return this.copies.get(table)
  }

  /** Looks at what is there now. True where a table has a copy that can be used. */
  async look(table: string): Promise<boolean> {
    const found = await findCopy(this.root, table)
    if (found.kind === 'unusable') this.remarks.add(found.remark)
    if (found.kind === 'unusable' && found.lost !== undefined) this.lost.set(table, found.lost)
    if (found.kind === 'usable') this.copies.set(table, found.copy)
    else this.copies.delete(table)
    return found.kind === 'usable'
  }

  /** True where there is another copy than the one that failed; else it is given up, with a remark. */
  async lookAgain(table: string, failed: DerivedCopy, error: unknown): Promise<boolean> {
    if ((await this.look(table)) && this.copies.get(table)?.manifest.generation !== failed.manifest.generation)
      return true
    this.copies.delete(table)
    const [reason] = (error as Error).message.split('\n')
    this.remarks.add(
      `compacted copy of ${table} cannot be read, the archive was asked instead: ${reason}; itemtrail compact ${table} --rebuild makes a new one`,
    )
    return false
  }

  /** Undefined where the statement needs the archive as it is. Throws `CopyError` for a file that is not as it should be. */
  prepare(copy: DerivedCopy, scope: Scope, sql: string, values: readonly BoundValue[]): Prepared | undefined {
    if (scope.states !== undefined) return this.prepareStates(copy, scope, scope.states, sql)
    if (scope.eachItem !== undefined) return this.prepareEachItem(copy, scope, sql, values)
    return this.onRows(scope, [...this.copyRows(copy, scope.itemKey)], sql)
  }

  private *copyRows(copy: DerivedCopy, itemKey: string | undefined): Generator<string> {
    const runs = runFiles(copy, itemKey)
    if (runs.length > 0) yield rowsOfRuns(runs)
    if (copy.uncovered.length > 0) yield rowsOfObjects(copy.uncovered)
  }

  private onRows(scope: Scope, parts: readonly string[], sql: string): Prepared {
    return { before: [this.hide(scope, parts)], sql }
  }

  private hide(scope: Scope, parts: readonly string[]): string {
    const rows = [emptyZonedRows(this.columns.get(scope.table) ?? []), ...parts].join(' union all by name ')
    return `create temp view ${deliveriesOf(scope)} as ${earliestArrivals(rows)}`
  }

  /** The newest checkpoint before the moments asked for, unless a row of its days came later, and the days after it. */
  private prepareStates(
    copy: DerivedCopy,
    scope: Scope,
    states: NonNullable<Scope['states']>,
    sql: string,
  ): Prepared | undefined {
    const [from, last] = [dateOf(states.fromUs), dateOf(Math.min(states.toUs + DAY_US, LAST_US))]
    const late = copy.uncovered.map(path => this.dateOfObject(path)).sort()[0]
    const checkpoint = copy.manifest.checkpoints.findLast(({ day }) => day < from && (late === undefined || day < late))
    if (checkpoint === undefined) return undefined
    const file = checkedFile(this.root, checkpointKey(copy.manifest.table, checkpoint.day, checkpoint.name), checkpoint)
    const objects = copy.objects.filter(path => {
      const date = this.dateOfObject(path)
      return date > checkpoint.day && date <= last
    })
    const parts = [
      `select * from read_parquet(${fileList([file])}, hive_partitioning = false)`,
      ...(objects.length > 0 ? [rowsOfObjects(objects)] : []),
    ]
    return this.onRows(scope, parts, sql)
  }

  /** The answer as it was kept, but for the items of rows that have come since. */
  private prepareEachItem(
    copy: DerivedCopy,
    scope: Scope,
    sql: string,
    values: readonly BoundValue[],
  ): Prepared | undefined {
    const { table, answers } = copy.manifest
    const answer = answers.find(({ statement }) => statement === statementHash(sql, values, deliveriesOf(scope)))
    if (answer === undefined) return undefined
    const file = checkedFile(this.root, answersKey(table, answer.name), answer)
    const kept = `read_parquet(${fileList([file])}, hive_partitioning = false)`
    if (copy.uncovered.length === 0)
      // the values are bound all the same
      return { before: [], sql: `select * from ${kept} ${unused(values)} order by item_key` }
    const touched = `create temp table touched_items as select distinct item_key from (${rowsOfObjects(copy.uncovered)})`
    const parts = [...this.copyRows(copy, undefined)].map(
      rows => `select * from (${rows}) semi join touched_items using (item_key)`,
    )
    return {
      before: [touched, this.hide(scope, parts)],
      sql: `select * from ${kept} anti join touched_items using (item_key)
        union all by name select * from (${sql}) order by item_key`,
    }
  }

  private dateOfObject(path: string): string {
    return dateOfKey(relative(this.root, path).split(sep).join('/'))
  }
}

const DAY_US = 86_400_000_000
const LAST_US = Date.UTC(9999, 11, 31) * 1000

function unused(values: readonly BoundValue[]): string {
  return values.length === 0 ? '' : `where ${values.map(() => '? is not null').join(' and ')}`
}
