import { readDocumentBatches } from '../capture/document-reader.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { DiskArchive } from './archive.js'
import type { BufferingHints } from './delivery-stream.js'
import { readEnvelope } from './envelope.js'
import { ParquetConverter } from './parquet-conversion.js'
import { TableDelivery, type TableSummary } from './table-delivery.js'

/** Where the refused records go that name no table. No DynamoDB table has so short a name. */
export const NO_TABLE = '-'

export interface IngestOptions {
  readonly archive: DiskArchive
  /** The configuration of a table, for each table that the input names. */
  readonly configurationOf: (table: string) => TableConfiguration
  /** The table of records that name none. @default - that of `streamArn`; without, such records are refused */
  readonly table?: string
  /** The stream of records that name none. @default - the one that the archive has of their table; without, they are refused */
  readonly streamArn?: string
  readonly hints?: BufferingHints
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
  /** Milliseconds after which a source that gives nothing counts as pausing. @default - a second */
  readonly tickMs?: number
  /** Called after each record with how many there were. */
  readonly onRecord?: (records: number) => void
}

/**
 * Sends every record of an input to its table's delivery stream. Resolves once everything is in the archive; if reading
 * fails, delivers what was read and then throws. `modifiedAt` (milliseconds since 1970) stands in for the time of
 * records that have none.
 */
export async function ingest(
  input: AsyncIterable<Uint8Array>,
  modifiedAt: number,
  options: IngestOptions,
): Promise<readonly TableSummary[]> {
  options.archive.sweep()
  const converter = await ParquetConverter.create()
  const streams = new DeliveryStreams(options, converter)
  try {
    let records = 0
    try {
      for await (const documents of withPauses(readDocumentBatches(input), options.tickMs ?? TICK_MS)) {
        if (documents === PAUSE) await streams.tick()
        else {
          for (const document of documents) {
            await streams.put(document, modifiedAt)
            options.onRecord?.(++records)
          }
        }
      }
    } finally {
      await streams.flush()
    }
    return streams.summaries()
  } finally {
    converter.close()
  }
}

/** How often a source that pauses is left for what waits to be delivered, in milliseconds. */
const TICK_MS = 1000
const PAUSE = Symbol('pause')

/** The documents of a source, and `PAUSE` while none comes for a while: a pipe may hold its next record back for hours. */
async function* withPauses<T>(documents: AsyncIterable<T>, everyMs: number): AsyncGenerator<T | typeof PAUSE> {
  const iterator = documents[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined
      const pause = new Promise<typeof PAUSE>(resolve => {
        timer = setTimeout(resolve, everyMs, PAUSE)
      })
      const turn = await Promise.race([next, pause]).finally(() => clearTimeout(timer))
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

/** One delivery stream a table, made when the first record of the table comes along. */
class DeliveryStreams {
  private readonly deliveries = new Map<string, TableDelivery>()

  constructor(
    private readonly options: IngestOptions,
    private readonly converter: ParquetConverter,
  ) {}

  async put(document: Uint8Array, modifiedAt: number): Promise<void> {
    const { table, hasTime, isUnnamed } = readEnvelope(document)
    const { stream } = this.deliveryOf(table ?? this.options.table ?? NO_TABLE)
    await stream.put(document, hasTime ? undefined : modifiedAt, isUnnamed)
  }

  /** Delivers what has waited for its interval. */
  async tick(): Promise<void> {
    for (const { stream } of this.deliveries.values()) await stream.tick()
  }

  async flush(): Promise<void> {
    for (const { stream } of this.deliveries.values()) await stream.flush()
  }

  summaries(): readonly TableSummary[] {
    return [...this.deliveries.values()].map(({ summary }) => summary)
  }

  private deliveryOf(name: string): TableDelivery {
    let delivery = this.deliveries.get(name)
    if (delivery === undefined) {
      const { archive, configurationOf, streamArn, hints, now } = this.options
      delivery = new TableDelivery({
        table: configurationOf(name),
        archive,
        converter: this.converter,
        // of the streams of other tables nothing was said
        ...(name === this.options.table && { streamArn }),
        ...(hints && { hints }),
        ...(now && { now }),
      })
      this.deliveries.set(name, delivery)
    }
    return delivery
  }
}
