import { startTimer } from '../aws/patience.js'
import type { Document } from '../capture/document-reader.js'
import { readEnvelope } from '../capture/envelope.js'
import { type LineBlock, LineBlockReader } from '../capture/line-blocks.js'
import { BOUNDS, type Bounds, isOverlong } from '../capture/overlong.js'
import type { DiskArchive } from '../store/folder.js'
import { STAGING_FOLDER } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { BlockIntake, type BlockSink } from './block-intake.js'
import type { BlockRows } from './block-transform.js'
import type { BufferingHints, DeliveryStreamOptions } from './desk-delivery-stream.js'
import { ParquetConverter, type RowConverter } from './parquet-conversion.js'
import { TableDelivery, type TableSummary } from './table-delivery.js'

/** Refused records that name no table go here. No DynamoDB table has so short a name. */
export const NO_TABLE = '-'

export interface IngestOptions extends Partial<Pick<DeliveryStreamOptions, 'converter' | 'now' | 'regionOf'>> {
  readonly archive: DiskArchive
  /** The configuration of a table, for each table that the input names. */
  readonly configurationOf: (table: string) => TableConfiguration
  /** The table of records that name none. @default - that of `streamArn`; without, such records are refused */
  readonly table?: string
  /**
   * The stream of records that name none.
   * @default - the one that the archive has of their table; without, they are refused
   */
  readonly streamArn?: string
  readonly hints?: BufferingHints
  /** How long a document may be. @default - 64 MB */
  readonly bounds?: Bounds
  /** Threads that transform, and objects that are written at once. @default 1 */
  readonly threads?: number
  /** Milliseconds after which a source that gives nothing counts as pausing. @default - a second */
  readonly tickMs?: number
  /** Calls back after so many milliseconds, unless it is ended before. @default - a timer */
  readonly after?: (ms: number, callBack: () => void) => () => void
  /** Called as records are taken, with how many there were. */
  readonly onRecord?: (records: number) => void
}

/**
 * Tables whose objects could not be written, each with what kept them from being; what was read of all others is in the
 * archive.
 */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  constructor(readonly failures: ReadonlyMap<string, Error>) {
    const lines = [...failures].map(([table, error]) => `${nameOf(table)} could not be written: ${error.message}`)
    super(lines.join('\n'), { cause: failures.values().next().value })
  }
}

function nameOf(table: string): string {
  return table === NO_TABLE ? 'what names no table' : `table ${table}`
}

/**
 * Sends every record of an input to its table's delivery stream. Resolves once everything is in the archive; if reading
 * fails, delivers what was read and then throws, and if a table cannot be written, all others are and it throws a
 * `DeliveryError`. `modifiedAt` (milliseconds since 1970) stands in for the time of
 * records that have none.
 */
export async function ingest(
  input: AsyncIterable<Uint8Array>,
  modifiedAt: number,
  options: IngestOptions,
): Promise<readonly TableSummary[]> {
  options.archive.sweep()
  const converter = options.converter ?? (await ParquetConverter.create(options.threads))
  const streams = new DeliveryStreams(options, modifiedAt, converter)
  try {
    try {
      await takeIn(input, streams, options)
    } finally {
      await streams.flush()
    }
    streams.throwFailures()
    return streams.summaries()
  } finally {
    converter.close()
  }
}

/** Puts what an input holds; where reading it fails, what was read until then. */
async function takeIn(
  input: AsyncIterable<Uint8Array>,
  streams: DeliveryStreams,
  options: IngestOptions,
): Promise<void> {
  const { configurationOf, bounds = BOUNDS, threads = 1, now = Date.now, onRecord } = options
  const reader = new LineBlockReader()
  const onSpent = (block: LineBlock) => reader.reuse(block)
  const intake = new BlockIntake({ sink: streams, configurationOf, bounds, threads, now, onSpent })
  const blocks = withPauses(reader.read(input), options)
  const takeRest = async () => {
    const rest = reader.takeRest()
    if (rest !== undefined) await intake.take(rest)
    await intake.settle()
  }
  let told = 0
  try {
    for (;;) {
      const next = await blocks.next().catch(async (error: unknown) => {
        await takeRest()
        throw error
      })
      if (next.done === true) return await intake.settle()
      if (next.value !== PAUSE) await intake.take(next.value)
      else {
        await takeRest()
        await streams.tick()
      }
      if (streams.records > told) onRecord?.(streams.records)
      told = streams.records
    }
  } finally {
    await Promise.all([blocks.return(undefined), intake.close()])
  }
}

/** How often a source that pauses is left for what waits to be delivered, in milliseconds. */
const TICK_MS = 1000
const PAUSE = Symbol('pause')

/**
 * What a source gives, and `PAUSE` while nothing comes for a while: a pipe may hold its next record back for hours.
 */
async function* withPauses<T>(
  source: AsyncIterable<T>,
  { tickMs = TICK_MS, after = startTimer }: IngestOptions,
): AsyncGenerator<T | typeof PAUSE> {
  const iterator = source[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    for (;;) {
      let cancel = () => {}
      const pause = new Promise<typeof PAUSE>(resolve => {
        cancel = after(tickMs, () => resolve(PAUSE))
      })
      const turn = await Promise.race([next, pause]).finally(() => cancel())
      if (turn === PAUSE) yield PAUSE
      else if (turn.done === true) return
      else {
        yield turn.value
        next = iterator.next()
      }
    }
  } finally {
    // not awaited: it would wait for the record that does not come
    iterator.return?.()?.catch(() => {})
  }
}

/** What the system says of one name or folder, and not of the whole disk or of the folder that all tables share. */
function isOfOneTable(error: unknown): boolean {
  const { code = '', path = '', dest = path } = error as NodeJS.ErrnoException & { readonly dest?: string }
  return OF_A_NAME.has(code) && !dest.includes(`/${STAGING_FOLDER}`)
}

const OF_A_NAME = new Set(['ENAMETOOLONG', 'ENOTDIR', 'EISDIR', 'EEXIST', 'EACCES', 'EPERM', 'ELOOP'])

/** One delivery stream a table, made when the first record of the table comes along. */
class DeliveryStreams implements BlockSink {
  /** Records that came until now. */
  records = 0
  /** Tables of which something came, in that order. */
  private readonly met = new Set<string>()
  private readonly deliveries = new Map<string, TableDelivery>()
  private readonly failures = new Map<string, Error>()

  constructor(
    private readonly options: IngestOptions,
    private readonly modifiedAt: number,
    private readonly converter: RowConverter,
  ) {}

  async takes({ table, regions }: BlockRows): Promise<boolean> {
    let takes = true
    await this.attempt(table, async () => {
      takes = await this.deliveryOf(table).stream.takesRegions(regions)
    })
    return takes
  }

  async putRows({ table, date, lines, rows }: BlockRows): Promise<void> {
    this.records += rows
    this.met.add(table)
    await this.attempt(table, () => this.deliveryOf(table).putRows(date, lines, rows))
  }

  async put(document: Document): Promise<void> {
    const { modifiedAt } = this
    this.records++
    const envelope = isOverlong(document) ? undefined : readEnvelope(document)
    const name = envelope?.table ?? this.options.table ?? NO_TABLE
    this.met.add(name)
    await this.attempt(name, async () => {
      const delivery = this.deliveryOf(name)
      if (isOverlong(document)) return delivery.refuseOverlong(document, modifiedAt)
      const arrival = envelope?.hasTime === true ? undefined : modifiedAt
      await delivery.stream.put(document, arrival, envelope?.isUnnamed)
    })
  }

  /** Delivers what has waited for its interval. */
  async tick(): Promise<void> {
    for (const [name, { stream }] of this.deliveries) await this.attempt(name, () => stream.tick())
  }

  /** Delivers what is buffered, of every table; what keeps one from being written is a failure to be thrown later. */
  async flush(): Promise<void> {
    for (const [name, { stream }] of this.deliveries) await this.attempt(name, () => stream.flush()).catch(() => {})
  }

  throwFailures(): void {
    if (this.failures.size > 0) throw new DeliveryError(this.failures)
  }

  /**
   * A table that could not be written once takes nothing any more, and keeps no other from being written. Throws what
   * no other table will fare better with, such as a full disk.
   */
  private async attempt(table: string, deliver: () => Promise<void>): Promise<void> {
    if (this.failures.has(table)) return
    try {
      await deliver()
    } catch (error) {
      this.failures.set(table, error as Error)
      if (!isOfOneTable(error)) throw error
    }
  }

  summaries(): readonly TableSummary[] {
    return [...this.met].flatMap(name => this.deliveries.get(name)?.summary ?? [])
  }

  private deliveryOf(name: string): TableDelivery {
    let delivery = this.deliveries.get(name)
    if (delivery === undefined) {
      const { archive, configurationOf, streamArn, hints, now, regionOf } = this.options
      delivery = new TableDelivery({
        table: configurationOf(name),
        archive,
        converter: this.converter,
        atOnce: this.options.threads ?? 1,
        // what was given is the stream of this table alone
        ...(name === this.options.table && { streamArn }),
        ...(hints && { hints }),
        ...(now && { now }),
        ...(regionOf && { regionOf }),
      })
      this.deliveries.set(name, delivery)
    }
    return delivery
  }
}
