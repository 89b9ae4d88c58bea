import type { TailSink } from '../capture/intake.js'
import type { LambdaRecord } from '../capture/lambda-record.js'
import type { TailCheckpoint } from '../capture/tail-checkpoint.js'
import type { DiskArchive } from '../store/folder.js'
import { findFacts, keepFact } from '../store/kept-facts.js'
import type { GapFact, StreamChangedFact } from '../transform/fact.js'
import { canonicalJson } from '../transform/json.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { DEFAULT_HINTS, type DeliveryStreamOptions } from './desk-delivery-stream.js'
import { ParquetConverter, type RowConverter } from './parquet-conversion.js'
import { TableDelivery, type TableSummary } from './table-delivery.js'
import { saveCheckpoint } from './tail-state.js'

/** The desk's delivery stream as the place where a tail leaves records; facts and checkpoints go beside the rows. */
export class ArchiveSink implements TailSink {
  private constructor(
    private readonly archive: DiskArchive,
    private readonly table: string,
    private readonly converter: RowConverter,
    private readonly delivery: TableDelivery,
  ) {}

  /** What is left out is as a delivery stream has it, and a converter of its own. */
  static async open(
    archive: DiskArchive,
    table: TableConfiguration,
    options: Partial<Pick<DeliveryStreamOptions, 'converter' | 'now' | 'regionOf'>> = {},
  ): Promise<ArchiveSink> {
    archive.sweep()
    const converter = options.converter ?? (await ParquetConverter.create())
    // the tail says when objects are written, since a checkpoint has to follow them
    const hints = { ...DEFAULT_HINTS, objectInterval: Number.POSITIVE_INFINITY }
    const delivery = new TableDelivery({ ...options, table, archive, converter, hints })
    return new ArchiveSink(archive, table.table, converter, delivery)
  }

  async put(record: LambdaRecord): Promise<void> {
    await this.delivery.stream.put(Buffer.from(JSON.stringify(record)))
  }

  async flush(): Promise<void> {
    await this.delivery.stream.flush()
  }

  /** A process that ends between a fact and its checkpoint finds the same fact again. */
  async addFact(fact: GapFact | StreamChangedFact): Promise<void> {
    // one that cannot be read is for readers to complain of; it does not keep a new one out
    const known = (await findFacts(this.archive, this.table)).facts.map(contentOf)
    if (!known.includes(contentOf(fact))) await keepFact(this.archive, fact)
  }

  async save(checkpoint: TailCheckpoint): Promise<void> {
    saveCheckpoint(this.archive.root, checkpoint)
  }

  get summary(): TableSummary {
    return this.delivery.summary
  }

  close(): void {
    this.converter.close()
  }
}

/** A fact without its times, which differ when the same fact is found again. */
function contentOf(fact: object): string {
  return canonicalJson({ ...fact, recorded: null, to: null })
}
