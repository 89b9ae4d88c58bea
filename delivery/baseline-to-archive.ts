import { type BaselineTarget, EXAMPLES, type Refusals, type RefusedItem } from '../capture/baseline.js'
import { GrowingBytes } from '../capture/overlong.js'
import type { DiskArchive } from '../store/folder.js'
import { keepFact } from '../store/kept-facts.js'
import { DocumentTransform } from '../transform/document-transform.js'
import type { BaselineFact } from '../transform/fact.js'
import { createHandler, type TransformHandler } from '../transform/handler.js'
import { readItemState } from '../transform/item-state.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { DEFAULT_HINTS, DeliveryStream } from './desk-delivery-stream.js'
import { ParquetConverter } from './parquet-conversion.js'

/**
 * A quarter of the usual batch: rows of large items with many columns then still fit into one answer of the transform.
 */
const TRANSFORM_BYTES = DEFAULT_HINTS.transformBytes / 4

/** Bytes of row lines that are delivered at once. */
const LINES_BYTES = 1024 * 1024

/** The delivery stream of a desk, as where a baseline goes. */
export class ArchiveTarget implements BaselineTarget {
  private readonly stream: DeliveryStream
  private readonly transform: DocumentTransform
  /** Rows that are not delivered yet: all of a baseline are of one date. */
  private readonly lines = new GrowingBytes()
  private rows = 0
  private date = ''
  private readonly examples: RefusedItem[] = []
  /** Documents that were refused although their items could be read, and those that could not. */
  private refused = 0
  private unreadable = 0

  private constructor(
    private readonly archive: DiskArchive,
    private readonly table: TableConfiguration,
    private readonly converter: ParquetConverter,
    private readonly now: () => number,
  ) {
    this.transform = new DocumentTransform(table)
    const hints = { ...DEFAULT_HINTS, transformBytes: TRANSFORM_BYTES }
    this.stream = new DeliveryStream({ table, archive, handler: this.watchRefusals(), converter, hints, now })
  }

  static async open(archive: DiskArchive, table: TableConfiguration, now = Date.now): Promise<ArchiveTarget> {
    archive.sweep()
    return new ArchiveTarget(archive, table, await ParquetConverter.create(), now)
  }

  async put(document: Buffer): Promise<void> {
    const row = this.transform.transformPlain(document, this.now())
    if (row === undefined || !(await this.stream.takesRegions([row.region]))) return this.stream.put(document)
    this.lines.append(row.line)
    this.rows++
    this.date = row.date
    if (this.lines.length >= LINES_BYTES) await this.putRows()
  }

  async finish(): Promise<Refusals> {
    await this.putRows()
    await this.stream.flush()
    const { records, refused, rows } = this.stream.counts
    if (records !== refused + rows) throw new Error(`${records} documents became ${rows} rows and ${refused} refused`)
    // rows that were not converted; the transform's own checks leave none, but a fact must not rest on that
    const others = refused - this.refused - this.unreadable
    if (others > 0) this.examples.push({ item: `${others} rows`, reason: 'not converted, see itemtrail status' })
    return { refused: this.refused + others, examples: this.examples }
  }

  private async putRows(): Promise<void> {
    if (this.rows === 0) return
    await this.stream.putRows(this.date, this.lines.take(), this.rows)
    this.rows = 0
  }

  keep(fact: BaselineFact): Promise<string> {
    return keepFact(this.archive, fact)
  }

  close(): void {
    this.converter.close()
  }

  /**
   * The real transform, and for each record that it refuses whose it was: what could not be read at all is known
   * before.
   */
  private watchRefusals(): TransformHandler {
    const reasons = new Map<string, string>()
    const handler = createHandler(this.table, (recordId, reason) => reasons.set(recordId, reason))
    return async event => {
      reasons.clear()
      const answer = await handler(event)
      for (const { recordId, data } of event.records) {
        const reason = reasons.get(recordId)
        if (reason === undefined) continue
        const state = readItemState(Buffer.from(data, 'base64').toString(), this.table)
        if (state.kind === 'refused') this.unreadable++
        else {
          this.refused++
          if (this.examples.length < EXAMPLES) this.examples.push({ item: state.itemKey, reason })
        }
      }
      return answer
    }
  }
}
