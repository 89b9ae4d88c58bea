import type { FirehoseTransformationResultRecord } from 'aws-lambda'
import { readEnvelope } from '../capture/envelope.js'
import type { DiskArchive } from '../store/folder.js'
import { createHandler, type TransformHandler } from '../transform/handler.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { DEFAULT_HINTS, DeliveryStream } from './desk-delivery-stream.js'
import { ParquetConverter } from './parquet-conversion.js'
import { type DocumentToSend, groupBy, type RedriveTarget, type Resent } from './redrive.js'

/** A quarter of the usual batch, because one whose answer was too large is among what is sent again. */
const TRANSFORM_BYTES = DEFAULT_HINTS.transformBytes / 4

/** The delivery streams of a desk, as where refused documents are sent again. */
export class ArchiveRedrive implements RedriveTarget {
  readonly name = 'archive'
  readonly limits = { documents: 10_000, bytes: 32 * 1024 * 1024, days: Number.POSITIVE_INFINITY }

  constructor(
    private readonly archive: DiskArchive,
    private readonly configurationOf: (table: string) => TableConfiguration,
  ) {}

  /** Everything is in the archive when this returns: as a row, or refused once more. */
  async send(documents: readonly DocumentToSend[]): Promise<Resent> {
    const converter = await ParquetConverter.create()
    try {
      let refusedAgain = 0
      for (const ofStream of groupBy(documents, ({ table, form }) => `${table} ${form}`).values()) {
        refusedAgain += await this.deliver(ofStream, converter)
      }
      return { accepted: documents, refusedAgain, errors: new Map() }
    } finally {
      converter.close()
    }
  }

  private async deliver(documents: readonly DocumentToSend[], converter: ParquetConverter): Promise<number> {
    const { table: name, form } = documents[0] as DocumentToSend
    const table = this.configurationOf(name)
    const stream = new DeliveryStream({
      table,
      archive: this.archive,
      handler: form === 'record' ? createHandler(table) : passRows,
      converter,
      hints: { ...DEFAULT_HINTS, transformBytes: TRANSFORM_BYTES },
    })
    // whoever ingested it named the table
    for (const { data, arrival } of documents)
      await stream.put(data, arrival, form === 'record' && readEnvelope(data).isUnnamed)
    await stream.flush()
    return stream.counts.refused
  }
}

/** In the place of the transform for what it has made already: each record is a row line. */
const passRows: TransformHandler = async event => ({
  records: event.records.map(({ recordId, data }): FirehoseTransformationResultRecord => {
    const row = JSON.parse(Buffer.from(data, 'base64').toString()) as { readonly event_time_us: number }
    const partitionKeys = { [PARTITION_COLUMN]: dateOf(row.event_time_us) }
    return { recordId, result: 'Ok', data, metadata: { partitionKeys } }
  }),
})
