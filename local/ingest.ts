import { readDocumentBatches } from '../capture/document-reader.js'
import { createHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { DiskArchive } from './archive.js'
import { type BufferingHints, type DeliveryCounts, DeliveryStream } from './delivery-stream.js'
import { readEnvelope } from './envelope.js'
import { ParquetConverter } from './parquet-conversion.js'

/** Where the refused records go that name no table. No DynamoDB table has so short a name. */
export const NO_TABLE = '-'

/** How many records were refused for one reason. */
export type Reasons = Map<string, number>

/** What became of the records of one table. */
export interface TableSummary extends Readonly<DeliveryCounts> {
  readonly table: string
  readonly reasons: ReadonlyMap<string, number>
}

export interface IngestOptions {
  readonly archive: DiskArchive
  /** The configuration of a table, for each table that the input names. */
  readonly configurationOf: (table: string) => TableConfiguration
  /** The table of records that name none. @default - such records are refused */
  readonly table?: string
  readonly hints?: BufferingHints
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
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
      for await (const documents of readDocumentBatches(input)) {
        for (const document of documents) {
          await streams.put(document, modifiedAt)
          options.onRecord?.(++records)
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

/** One delivery stream a table, made when the first record of the table comes along. */
class DeliveryStreams {
  private readonly streams = new Map<string, { readonly stream: DeliveryStream; readonly reasons: Reasons }>()

  constructor(
    private readonly options: IngestOptions,
    private readonly converter: ParquetConverter,
  ) {}

  async put(document: Uint8Array, modifiedAt: number): Promise<void> {
    const { table: named, isObject, hasTime } = readEnvelope(document)
    const table = named ?? this.options.table
    const data = named === undefined && table !== undefined && isObject ? nameTable(document, table) : document
    const { stream } = this.streamOf(table ?? NO_TABLE)
    await (hasTime ? stream.put(data) : stream.put(data, modifiedAt))
  }

  async flush(): Promise<void> {
    for (const { stream } of this.streams.values()) await stream.flush()
  }

  summaries(): readonly TableSummary[] {
    return [...this.streams].map(([table, { stream, reasons }]) => ({ table, ...stream.counts, reasons }))
  }

  private streamOf(name: string) {
    let entry = this.streams.get(name)
    if (entry === undefined) {
      const { archive, configurationOf, hints, now } = this.options
      const reasons: Reasons = new Map()
      const table = configurationOf(name)
      const handler = createHandler(table, (_, reason) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1))
      const stream = new DeliveryStream({
        table,
        archive,
        handler,
        converter: this.converter,
        ...(hints && { hints }),
        ...(now && { now }),
      })
      entry = { stream, reasons }
      this.streams.set(name, entry)
    }
    return entry
  }
}

function nameTable(document: Uint8Array, table: string): Uint8Array {
  const text = Buffer.from(document).toString()
  const fields = text.slice(text.indexOf('{') + 1)
  return Buffer.from(`{"tableName":${JSON.stringify(table)}${/^\s*\}/.test(fields) ? '' : ','}${fields}`)
}
