import { isUtf8 } from 'node:buffer'
import type { FirehoseTransformationResultRecord } from 'aws-lambda'
import { BUFFER, TRANSFORM_BUFFER } from '../aws/firehose-buffer.js'
import type { Overlong } from '../capture/overlong.js'
import { describeOverlong, OVERLONG } from '../capture/overlong-record.js'
import { nameOrigin } from '../capture/unnamed-record.js'
import type { DiskArchive } from '../store/folder.js'
import { OTHER_REGION, RefusedObjects } from '../store/refused-objects.js'
import { type Column, columnsOf } from '../transform/audit-row.js'
import { rowCounter } from '../transform/fast/fast-path.js'
import type { TransformHandler } from '../transform/handler.js'
import { parsePartition, partitionPrefix } from '../transform/layout.js'
import { checkRowLine } from '../transform/row-line.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { invokeTransform, type SourceRecord } from './invoke-transform.js'
import { Misfits } from './misfits.js'
import type { RowConverter } from './parquet-conversion.js'
import { PartitionBuffers } from './partition-buffers.js'
import { RegionDoor, regionInArchive, streamInArchive } from './table-origin.js'

/**
 * How a delivery stream buffers, before the transform and before an object. Sizes in bytes, intervals in milliseconds.
 */
export interface BufferingHints {
  readonly transformBytes: number
  readonly transformInterval: number
  readonly objectBytes: number
  readonly objectInterval: number
}

const MB = 1024 * 1024

/** What the deployed stream uses unless it is configured otherwise. */
export const DEFAULT_HINTS: BufferingHints = {
  transformBytes: TRANSFORM_BUFFER.mb * MB,
  transformInterval: TRANSFORM_BUFFER.seconds * 1000,
  objectBytes: BUFFER.mb * MB,
  objectInterval: BUFFER.seconds * 1000,
}

/** Records that go to the transform at once: a megabyte of them may be a million, each with an envelope of its own. */
const BATCH_RECORDS = 10_000

/** What became of the records that a delivery stream took in. */
export interface DeliveryCounts {
  records: number
  /** Rows that are in the archive. */
  rows: number
  /** Records, or single rows at conversion, that are kept under `refused/`. */
  refused: number
  /** Parquet objects written. */
  objects: number
}

/** A record, and whether it does not say of which table and stream it is. */
interface TakenRecord extends SourceRecord {
  readonly isUnnamed: boolean
}

export interface DeliveryStreamOptions {
  readonly table: TableConfiguration
  readonly archive: DiskArchive
  readonly handler: TransformHandler
  readonly converter: RowConverter
  readonly hints?: BufferingHints
  /** Objects that are written side by side. @default 1 */
  readonly atOnce?: number
  /**
   * The stream of records that name none, as those read through the Streams API; what is kept of them are their own
   * bytes.
   * @default - the one that the archive has of the table; without, the transform refuses them
   */
  readonly streamArn?: string | undefined
  /** The region that the table's rows in the archive are of. @default - the one that the newest of them names */
  readonly regionOf?: typeof regionInArchive
  /** Called with the reason of each record that is refused here although the transform took it. */
  readonly onRefused?: (reason: string) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/**
 * Firehose on a desk, for one table: buffers by size and time, calls the real transform with a real event, holds it to
 * its contract, keeps what was refused in Firehose's own format, and converts the rest to Parquet by partition.
 * Records are in the archive once `flush` or `close` has returned, not before.
 */
export class DeliveryStream {
  readonly counts: DeliveryCounts = { records: 0, rows: 0, refused: 0, objects: 0 }
  /** Counts the values that did not fit, of rows that are in the archive or on their way there. */
  readonly misfits = new Misfits()
  private readonly columnsByName: ReadonlyMap<string, Column>
  private readonly countRows: ReturnType<typeof rowCounter>
  private readonly hints: BufferingHints
  private readonly now: () => number
  private readonly refused: RefusedObjects
  private readonly partitions: PartitionBuffers
  private buffer: TakenRecord[] = []
  private bufferedBytes = 0
  private bufferedSince = 0
  private door: RegionDoor | undefined
  private streamArn: Promise<string | undefined> | undefined

  constructor(private readonly options: DeliveryStreamOptions) {
    const { table, archive, converter } = options
    const columns = columnsOf(table)
    this.columnsByName = new Map(columns.map(column => [column.name, column]))
    this.countRows = rowCounter(columns)
    this.hints = options.hints ?? DEFAULT_HINTS
    this.now = options.now ?? Date.now
    this.refused = new RefusedObjects(archive, table.table, this.now)
    const { objectBytes, objectInterval } = this.hints
    const onObject = (rows: number) => {
      this.counts.objects++
      this.counts.rows += rows
    }
    const buffering = { objectBytes, objectInterval, atOnce: options.atOnce ?? 1, now: this.now, onObject }
    this.partitions = new PartitionBuffers({ table, archive, converter, columns, ...buffering })
  }

  /**
   * Takes one record in; `arrival` in milliseconds since 1970. One that is unnamed, which does not say of which table
   * and stream it is, is taken as one of this table. One call at a time.
   */
  async put(data: Uint8Array, arrival = this.now(), isUnnamed = false): Promise<void> {
    const now = this.now()
    const isFull = this.buffer.length === BATCH_RECORDS || this.bufferedBytes + data.length > this.hints.transformBytes
    if (isFull) await this.transform()
    if (this.buffer.length === 0) this.bufferedSince = now
    this.counts.records++
    this.buffer.push({ recordId: recordIdOf(this.counts.records), data, arrival, isUnnamed })
    this.bufferedBytes += data.length
    if (now - this.bufferedSince >= this.hints.transformInterval) await this.transform()
  }

  /** Whether rows of these regions may all come in. */
  async takesRegions(regions: readonly (string | undefined)[]): Promise<boolean> {
    this.door ??= await this.openDoor()
    return this.door.takesAll(regions)
  }

  /** Takes row lines of a date, as the transform makes them, in the place of so many records. */
  async putRows(date: string, lines: Buffer, rows: number): Promise<void> {
    this.counts.records += rows
    this.misfits.count(lines)
    await this.partitions.append(partitionPrefix({ table: this.options.table.table, date }), lines, rows)
    await this.partitions.flushDue()
  }

  /** Keeps of a document that is too long to be a record its beginning, and says where and what the whole of it is. */
  async refuseOverlong(document: Overlong, arrival = this.now()): Promise<void> {
    this.counts.records++
    const record = { recordId: recordIdOf(this.counts.records), data: document.beginning, arrival }
    await this.refuse(record, 0, OVERLONG, describeOverlong(document))
  }

  /** Delivers what has waited for its interval. For sources that pause; `put` looks after the rest. */
  async tick(): Promise<void> {
    const now = this.now()
    if (this.buffer.length > 0 && now - this.bufferedSince >= this.hints.transformInterval) await this.transform()
    await this.partitions.flushDue()
    await this.refused.flushDue(this.hints.objectInterval)
  }

  /** Delivers everything that is buffered. */
  async flush(): Promise<void> {
    await this.transform()
    await this.partitions.flush()
    await this.refused.flush()
  }

  /** Sends the buffered records through the transform function. */
  private async transform(): Promise<void> {
    if (this.buffer.length === 0) return
    const records = this.buffer
    this.buffer = []
    this.bufferedBytes = 0
    const { handler, table } = this.options
    const outcome = await invokeTransform(handler, table, await this.named(records))
    if (outcome.kind === 'failed') {
      for (const record of records) await this.refuse(record, outcome.attempts, outcome.code, outcome.message)
      return
    }
    const lines: Lines = new Map()
    for (const [i, record] of records.entries()) {
      await this.accept(record, outcome.results[i] as FirehoseTransformationResultRecord, lines)
    }
    for (const [prefix, { pieces, rows }] of lines) {
      const bytes = Buffer.concat(pieces)
      this.misfits.count(bytes)
      await this.partitions.append(prefix, bytes, rows)
    }
    await this.partitions.flushDue()
  }

  private async named(records: readonly TakenRecord[]): Promise<readonly SourceRecord[]> {
    if (!records.some(({ isUnnamed }) => isUnnamed)) return records
    const { archive, table } = this.options
    this.streamArn ??= Promise.resolve(this.options.streamArn ?? streamInArchive(archive, table.table))
    const arn = await this.streamArn
    return records.map(record =>
      record.isUnnamed ? { ...record, data: nameOrigin(record.data, table.table, arn) } : record,
    )
  }

  private async accept(record: SourceRecord, result: FirehoseTransformationResultRecord, lines: Lines): Promise<void> {
    // a dropped record would vanish without a trace; our transform never drops, and here it could not
    if (result.result !== 'Ok')
      return this.refuse(record, 1, `Lambda.${result.result}Status`, `${result.result} status set for record`)
    const date: unknown = result.metadata?.partitionKeys?.event_date
    const prefix = partitionPrefix({ table: this.options.table.table, date: String(date) })
    if (!isPartition(prefix)) {
      return this.refuse(
        record,
        1,
        'DynamicPartitioning.MetadataExtractionFailed',
        `partition key event_date is ${JSON.stringify(date)}`,
      )
    }
    const { bytes, length } = decode(result.data ?? '')
    this.door ??= await this.openDoor()
    const foreign = this.door.refusal(bytes.subarray(0, length))
    if (foreign !== undefined) {
      this.options.onRefused?.(foreign)
      return this.refuse(record, 1, OTHER_REGION, foreign)
    }
    const count = isUtf8(bytes.subarray(0, length)) ? this.countRows(bytes, length) : 0
    if (count > 0) return add(lines, prefix, bytes.subarray(0, length), count)
    await this.checkLines(record, bytes.toString('utf8', 0, length), prefix, lines)
  }

  private async openDoor(): Promise<RegionDoor> {
    const { archive, table, regionOf = regionInArchive } = this.options
    return new RegionDoor(table.table, await regionOf(archive, table.table))
  }

  /** Takes the lines that a converter can take, and keeps each of the others alone. */
  private async checkLines(record: SourceRecord, text: string, prefix: string, lines: Lines): Promise<void> {
    const rows = text.split('\n').filter(line => line !== '')
    // as with a dropped one, nothing would be left of the record
    if (rows.length === 0) return this.refuse(record, 1, 'Lambda.JsonProcessingException', 'result Ok has no row')
    for (const line of rows) {
      const problem = checkRowLine(line, this.columnsByName)
      if (problem === undefined) {
        add(lines, prefix, Buffer.from(`${line}\n`), 1)
        continue
      }
      await this.refused.add({
        type: 'format-conversion-failed',
        data: Buffer.from(line),
        arrival: record.arrival,
        attempts: 1,
        code: 'DataFormatConversion.MalformedData',
        message: problem,
      })
      this.counts.refused++
    }
  }

  private async refuse(record: SourceRecord, attempts: number, code: string, message: string): Promise<void> {
    this.counts.refused++
    await this.refused.add({
      type: 'processing-failed',
      data: record.data,
      arrival: record.arrival,
      attempts,
      code,
      message,
    })
  }
}

/** Row lines by the prefix of their partition, each ended by a line feed. */
type Lines = Map<string, { readonly pieces: Uint8Array[]; rows: number }>

function add(lines: Lines, prefix: string, piece: Uint8Array, rows: number): void {
  const partition = lines.get(prefix)
  if (partition === undefined) lines.set(prefix, { pieces: [piece], rows })
  else {
    partition.pieces.push(piece)
    partition.rows += rows
  }
}

/** The bytes of a base64 text, with a zero behind them. */
function decode(data: string): { readonly bytes: Buffer; readonly length: number } {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(data, 'base64') + 1)
  const length = bytes.write(data, 'base64')
  bytes[length] = 0
  return { bytes, length }
}

/** Firehose's record ids are opaque; these tell the order. */
function recordIdOf(number: number): string {
  return String(number).padStart(20, '0')
}

function isPartition(prefix: string): boolean {
  try {
    parsePartition(prefix)
    return true
  } catch {
    return false
  }
}
