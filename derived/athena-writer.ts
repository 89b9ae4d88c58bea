import type { BoundValue, QueryEngine } from '../queries/engines/engine.js'
import { type Row, rowsOf } from '../queries/engines/rows.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import {
  answerAfter,
  answerBefore,
  answerStatement,
  CHECKED,
  checkpointStatement,
  checkStatement,
  disagreeingStatement,
  statesAfter,
  statesBefore,
  unloadStatements,
} from './athena-statements.js'
import { AthenaTables } from './athena-tables.js'
import {
  type Budget,
  type Planned,
  type PlannedAnswer,
  type PlannedCheckpoint,
  TookTooLong,
  type Writer,
  type WrittenRun,
} from './compactor.js'
import { bytesOf } from './due-days.js'
import { DerivedError, disagreement } from './error.js'

/** What Athena writes with, and where. */
export interface AthenaWriterOptions {
  /** Athena, in the database of the archive. */
  readonly engine: Pick<QueryEngine, 'run'>
  readonly configuration: TableConfiguration
  readonly database: string
  /** The address of the derived files' bucket, ending in "/". */
  readonly location: string
  /** Bytes of the archive up to which a run has 16 buckets, not 256. @default - 512 MB */
  readonly fewBucketsBytes?: number | undefined
}

const MINUTE_MS = 60_000

/** Athena bills 10 MB of a query at least, and a scan of the archive for each hundred buckets. */
const FEW_BUCKETS_BYTES = 512 * 1024 ** 2

type Ask = (sql: string, values?: readonly BoundValue[]) => Promise<readonly Row[]>

/** Derived files, written by Athena's UNLOAD and read back by it. */
export class AthenaWriter implements Writer {
  private readonly tables: AthenaTables
  private readonly table: string

  constructor(
    private readonly options: AthenaWriterOptions,
    private readonly budget: Budget,
  ) {
    this.tables = new AthenaTables(options.database, options.configuration)
    this.table = options.configuration.table
  }

  async writeRun({ name, days, found }: Planned): Promise<WrittenRun | undefined> {
    const { location, fewBucketsBytes = FEW_BUCKETS_BYTES } = this.options
    const bytes = bytesOf(days, found.listed)
    const run = { name, days, digits: bytes <= fewBucketsBytes ? 1 : 2 } as const
    const ask = this.inTime(`a run of ${days.length} days`, bytes)
    for (const sql of unloadStatements(this.tables, run, this.table, location)) await ask(sql)
    const sides = new Map((await ask(checkStatement(this.tables, run))).map(row => [row.side, row]))
    const [archive, copy] = [sides.get('archive'), sides.get('copy')]
    if (archive === undefined && copy === undefined) return undefined
    if (copy?.strange !== '0' || CHECKED.some(column => copy[column] !== archive?.[column]))
      throw new DerivedError(`the copy of ${this.table} is not what the archive has of ${days[0]} to ${days.at(-1)}`, [
        `archive: ${figures(archive)}`,
        `copy: ${figures(copy)}`,
      ])
    if (copy.deliveries !== copy.rows_kept) await this.refuseDisagreement(days, ask)
    return {
      digits: run.digits,
      rows: Number(copy.rows_kept),
      deliveries: Number(copy.deliveries),
      digest: String(copy.digest),
      beganUs: Number(archive?.began_us),
      sampleKey: String(archive?.sample_key),
      seen: String(archive?.days).split(' '),
    }
  }

  private async refuseDisagreement(days: readonly string[], ask: Ask): Promise<void> {
    const disagreeing = await ask(disagreeingStatement(this.tables, days))
    if (disagreeing.length > 0) throw disagreement(this.table, disagreeing)
  }

  async writeCheckpoint({ name, days, found, previous }: PlannedCheckpoint): Promise<{ readonly items: number }> {
    const planned = { name, day: days.at(-1) as string, previous }
    const ask = this.inTime(`a checkpoint of ${days.length} days`, bytesOf(days, found.listed))
    await ask(checkpointStatement(this.tables, planned, this.table, this.options.location))
    const [before, after] = [statesBefore(this.tables, planned), statesAfter(this.tables, planned)]
    const [archive] = await ask(before.sql, before.values)
    const [checkpoint] = await ask(after.sql, after.values)
    if (archive === undefined || archive.items !== checkpoint?.items || archive.digest !== checkpoint?.digest)
      throw new DerivedError(
        `the checkpoint of ${this.table} at the end of ${planned.day} gives other states than the archive`,
        [
          `archive: ${archive?.items} items, ${archive?.digest}`,
          `checkpoint: ${checkpoint?.items} items, ${checkpoint?.digest}`,
        ],
      )
    return { items: Number(archive.items) }
  }

  /** All of it from the archive: what was kept before is not gone on from. */
  async writeAnswer({ name, days, found, statement }: PlannedAnswer): Promise<{ readonly rows: number }> {
    const { configuration, location } = this.options
    const planned = { name, days, statement }
    const ask = this.inTime(`an answer about ${days.length} days`, bytesOf(days, found.listed))
    const written = answerStatement(this.tables, planned, configuration, location)
    await ask(written.sql, written.values)
    const [before, after] = [answerBefore(this.tables, planned, configuration), answerAfter(this.tables, planned)]
    const [archive] = await ask(before.sql, before.values)
    const [kept] = await ask(after.sql, after.values)
    if (archive === undefined || archive.rows_kept !== kept?.rows_kept || archive.digest !== kept?.digest)
      throw new DerivedError(`the answer kept of ${this.table} up to ${days.at(-1)} is another than the archive's`, [
        `archive: ${archive?.rows_kept} rows, ${archive?.digest}`,
        `kept: ${kept?.rows_kept} rows, ${kept?.digest}`,
      ])
    return { rows: Number(archive.rows_kept) }
  }

  /** Asks within half of the time that is left, so that there is some to try less. */
  private inTime(what: string, bytes: number): Ask {
    const half = Math.floor((this.budget.left?.() ?? Number.POSITIVE_INFINITY) / 2)
    const { timeout = ms => AbortSignal.timeout(ms) } = this.budget
    const time = Number.isFinite(half) ? timeout(half) : undefined
    const signal = AbortSignal.any([this.budget.signal, ...(time === undefined ? [] : [time])])
    return async (sql, values = []) => {
      try {
        return [...rowsOf(await this.options.engine.run(sql, values, { signal }))]
      } catch (error) {
        if (!time?.aborted || this.budget.signal.aborted) throw error
        const minutes = (half / MINUTE_MS).toFixed(1)
        throw new TookTooLong(
          `${what} and ${bytes} bytes of ${this.table} was not written in ${minutes} minutes: ${(error as Error).message}`,
        )
      }
    }
  }
}

function figures(side: Row | undefined): string {
  return CHECKED.map(name => `${name} ${side?.[name] ?? 'none'}`).join(', ')
}
