import { readDocuments } from '../capture/document-reader.js'
import { isObject, type JsonObject } from '../transform/json.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { DiskArchive } from './archive.js'
import type { BufferingHints } from './delivery-stream.js'
import { ParquetConverter } from './parquet-conversion.js'
import { TableDelivery, type TableSummary } from './table-delivery.js'

/** Where the refused records go that name no table. No DynamoDB table has so short a name. */
export const NO_TABLE = '-'

export type { TableSummary }

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
      for await (const document of readDocuments(input)) {
        await streams.put(document, modifiedAt)
        options.onRecord?.(++records)
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
  private readonly deliveries = new Map<string, TableDelivery>()

  constructor(
    private readonly options: IngestOptions,
    private readonly converter: ParquetConverter,
  ) {}

  async put(document: Uint8Array, modifiedAt: number): Promise<void> {
    const envelope = readEnvelope(document)
    const named = tableOf(envelope)
    const table = named ?? this.options.table
    const data =
      named === undefined && table !== undefined && envelope !== undefined ? nameTable(document, table) : document
    const { stream } = this.deliveryOf(table ?? NO_TABLE)
    await (hasTime(envelope) ? stream.put(data) : stream.put(data, modifiedAt))
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
      const { archive, configurationOf, hints, now } = this.options
      delivery = new TableDelivery({
        table: configurationOf(name),
        archive,
        converter: this.converter,
        ...(hints && { hints }),
        ...(now && { now }),
      })
      this.deliveries.set(name, delivery)
    }
    return delivery
  }
}

/** A record's outermost fields, undefined where it is no JSON object; judging it is the transform's business. */
function readEnvelope(document: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(document.buffer, document.byteOffset, document.byteLength).toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function tableOf(envelope: JsonObject | undefined): string | undefined {
  const arn = envelope?.eventSourceARN
  const name = typeof arn === 'string' ? /:table\/([^/]+)\//.exec(arn)?.[1] : (envelope?.tableName ?? envelope?.table)
  return typeof name === 'string' && /^[A-Za-z0-9_.-]{3,255}$/.test(name) ? name : undefined
}

function hasTime(envelope: JsonObject | undefined): boolean {
  const dynamodb = envelope?.dynamodb
  return !isObject(dynamodb) || (dynamodb.ApproximateCreationDateTime ?? null) !== null
}

function nameTable(document: Uint8Array, table: string): Uint8Array {
  const text = Buffer.from(document).toString()
  const fields = text.slice(text.indexOf('{') + 1)
  return Buffer.from(`{"tableName":${JSON.stringify(table)}${/^\s*\}/.test(fields) ? '' : ','}${fields}`)
}
