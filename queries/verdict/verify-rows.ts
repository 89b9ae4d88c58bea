import { DiskArchive } from '../../store/folder.js'
import { readKept } from '../../store/kept-configurations.js'
import { ROW_VERSION } from '../../transform/audit-row.js'
import { ROW_VERSIONS } from '../../transform/row-versions.js'
import { configurationId, type TableConfiguration } from '../../transform/table-configuration.js'
import { nameSome } from '../name-some.js'
import { CertainRows, SIFTED_AT_ONCE, type SiftedRows } from './certain-rows.js'
import { type Altered, checkRow, dayOf, LAST_US } from './row-check.js'
import { type StoredFile, type StoredRow, StoredRows, storedFiles } from './stored-rows.js'

/** A row that is another than it was made, and where it lies. */
export interface AlteredRow extends Altered {
  readonly kind: 'row'
  /** Null where nobody looked. */
  readonly object: string | null
  readonly itemKey: string | null
  readonly eventId: string | null
  readonly eventName: string | null
  readonly eventTimeUs: number | null
}

/** A file whose rows were not looked at, or that passes rows over in questions. */
export interface PassedOver {
  readonly kind: 'file'
  readonly object: string
  readonly reason: string
  /** Null where nobody can say. */
  readonly rows: number | null
  /** True for one that could not be read, so that the check is none. */
  readonly isUnreadable: boolean
}

/** What was looked at. */
export interface RowTally {
  /** Rows that were looked at, and those outside of the period. */
  rows: number
  outside: number
  findings: number
  /** Rows of which what the configuration decides was not derived again, because it is not kept. */
  unconfigured: number
  /** Rows without an image that their key could be held against. */
  blind: number
  /** Those that were looked at, by the version that they were made in. */
  readonly versions: Map<string, number>
  /** Those of versions that are not known here: but for where they lie they were not looked at. */
  readonly unknownVersions: Map<string, number>
}

/** What was looked at before anything was. */
export function beginTally(): RowTally {
  return {
    rows: 0,
    outside: 0,
    findings: 0,
    unconfigured: 0,
    blind: 0,
    versions: new Map(),
    unknownVersions: new Map(),
  }
}

/** A period in microseconds since 1970, its end not included. */
export interface RowPeriod {
  readonly fromUs?: number
  readonly toUs?: number
}

/** Which rows are looked at, and who is told how far it is. */
export interface RowCheckOptions extends RowPeriod {
  /** Told now and then how many rows were read. @default - nobody is told */
  readonly onRows?: (rows: number) => void
}

/** Holds every row of a table against what it says of itself. `tally` is right when all findings have been taken. */
export class RowCheck {
  readonly tally = beginTally()
  private configurations: ReadonlyMap<string, TableConfiguration> = new Map()
  private readonly archive: DiskArchive

  constructor(
    root: string,
    private readonly table: string,
    private readonly options: RowCheckOptions = {},
  ) {
    this.archive = new DiskArchive(root)
  }

  /** What is found, object by object. */
  async *findings(): AsyncGenerator<AlteredRow | PassedOver> {
    // a file that is not what its name says is the configuration of no row
    const kept = (await readKept(this.archive, this.table)).versions
    this.configurations = new Map(kept.map(configuration => [configurationId(configuration), configuration]))
    const files = await storedFiles(this.archive, this.table)
    const reader = await StoredRows.open(this.archive)
    try {
      const certain = new CertainRows(reader, kept, outsideSql(this.options))
      for (let at = 0; at < files.length; at += SIFTED_AT_ONCE) {
        const some = files.slice(at, at + SIFTED_AT_ONCE)
        let read = this.tally.rows + this.tally.outside
        const sifted = await certain.sift(some, rows => {
          read += rows
          this.options.onRows?.(read)
        })
        // what cannot be read is told when its rows are
        const objects = some.filter(({ passedOver }) => passedOver === null)
        const misled = await reader.eachAlike(objects, alike => reader.misled(alike))
        for (const file of some) {
          yield* misleading(file, misled.get(file))
          let isTold = false
          for await (const finding of this.checkFile(file, reader, sifted.get(file))) {
            isTold ||= finding.kind === 'file'
            yield finding
          }
          if (!isTold && !misled.has(file)) yield notCompared(file)
        }
      }
    } finally {
      reader.close()
    }
  }

  private async *checkFile(
    file: StoredFile,
    reader: StoredRows,
    sifted: SiftedRows | undefined,
  ): AsyncGenerator<AlteredRow | PassedOver> {
    const passed = { kind: 'file', object: file.key, rows: null, isUnreadable: false } as const
    if (file.passedOver !== null) {
      yield { ...passed, reason: file.passedOver }
      return
    }
    try {
      const lacking = sifted?.others.length === 0 ? [] : await lackingColumns(file, reader)
      if (lacking.length > 0) {
        const rows = await reader.countRows(file)
        yield { ...passed, rows, reason: `it lacks ${lacking.join(', ')}` }
        return
      }
      if (sifted !== undefined) this.countSifted(sifted)
      if (sifted?.others.length === 0) return
      for await (const rows of reader.rowsOf(file, sifted?.others)) {
        for (const row of rows) yield* this.check(row, file)
        this.options.onRows?.(this.tally.rows + this.tally.outside)
      }
    } catch (error) {
      const [reason] = (error as Error).message.split('\n')
      yield { ...passed, isUnreadable: true, reason: reason as string }
    }
  }

  private countSifted({ certain, blind, outside }: SiftedRows): void {
    const { tally } = this
    tally.rows += certain
    tally.blind += blind
    tally.outside += outside
    if (certain > 0) countSome(tally.versions, ROW_VERSION, certain)
  }

  private *check(row: StoredRow, { key, folder }: StoredFile): Generator<AlteredRow> {
    if (this.isOutside(row)) {
      this.tally.outside++
      return
    }
    const checked = checkRow(row, folder, this.configurations)
    this.count(row, checked)
    for (const finding of checked.altered) {
      this.tally.findings++
      yield { kind: 'row', object: key, ...finding, ...placeOf(row) }
    }
  }

  private count(row: StoredRow, checked: ReturnType<typeof checkRow>): void {
    const { tally } = this
    if ('unknownVersion' in checked) {
      countSome(tally.unknownVersions, checked.unknownVersion, 1)
      return
    }
    tally.rows++
    const version = String(row.row_version)
    if (ROW_VERSIONS.has(version)) countSome(tally.versions, version, 1)
    if (checked.isUnconfigured) tally.unconfigured++
    if (checked.isBlind) tally.blind++
  }

  /** A row that lies in no day of its own may belong to any period. */
  private isOutside(row: StoredRow): boolean {
    const { fromUs = Number.NEGATIVE_INFINITY, toUs = Number.POSITIVE_INFINITY } = this.options
    if (dayOf(row) === null) return false
    const us = Number(row.event_time_us)
    return us < fromUs || us >= toUs
  }
}

function countSome(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count)
}

/** What `isOutside` says, in SQL. */
function outsideSql({ fromUs, toUs }: RowPeriod): string {
  const bounds = [
    ...(fromUs === undefined ? [] : [`event_time_us < ${fromUs}`]),
    ...(toUs === undefined ? [] : [`event_time_us >= ${toUs}`]),
  ]
  if (bounds.length === 0) return 'false'
  return `event_time_us >= 0 and event_time_us < ${LAST_US} and (${bounds.join(' or ')})`
}

function* misleading({ key }: StoredFile, columns: readonly string[] = []): Generator<PassedOver> {
  if (columns.length === 0) return
  const reason = `its footer has other bounds of ${nameSome(columns, 5)} than its rows: who filters by them may miss some`
  yield { kind: 'file', object: key, rows: null, isUnreadable: false, reason }
}

/** Its rows can be read, and yet not so that its footer is held against them, as where it has DuckDB's own columns. */
function notCompared({ key }: StoredFile): PassedOver {
  const reason = 'its footer could not be held against its rows: whether a filter passes over some nobody knows'
  return { kind: 'file', object: key, rows: null, isUnreadable: true, reason }
}

/** The columns that rows of their versions have and this object does not. */
async function lackingColumns(file: StoredFile, reader: StoredRows): Promise<readonly string[]> {
  const there = await reader.columnsOf(file)
  if (!there.has('row_version')) return ['row_version']
  const versions = await reader.versionsOf(file)
  const wanted = [...versions.keys()].flatMap(name => ROW_VERSIONS.get(String(name))?.columns ?? [])
  return [...new Set(wanted.map(({ name }) => name))].filter(name => !there.has(name))
}

function placeOf({ item_key, event_id, event_name, event_time_us }: StoredRow) {
  const text = (value: unknown) => (value === null || value === undefined ? null : String(value))
  return {
    itemKey: text(item_key),
    eventId: text(event_id),
    eventName: text(event_name),
    eventTimeUs: event_time_us === null || event_time_us === undefined ? null : Number(event_time_us),
  }
}
