import { isAscii, isUtf8 } from 'node:buffer'
import { splitDocuments } from '../json.js'
import { dateOf } from '../partition.js'
import { Refusal } from '../refusal.js'
import { isTableName } from '../stream-record.js'
import type { TableConfiguration } from '../table-configuration.js'
import { isDateAllowed } from '../transform.js'
import { NONE, pathBytes } from './bytes.js'
import { DECLINED, type Declined, type FoundState, type TransformedLines, type TransformedRow } from './declined.js'
import { Output } from './output.js'
import { RecordScanner } from './record.js'
import { rewrite } from './rewrite.js'
import { RowWriter } from './row.js'

/** Longer records are none of Firehose's (1,000 KiB), and not worth memory that is kept. */
const MAX_RECORD_BYTES = 2 * 1024 * 1024

/**
 * Room for a record, and behind it for what has to be sorted, as a multiple of its length: an attribute, its map, the
 * map's map.
 */
const ROOM = 6

const LINE_FEED = 0x0a

/**
 * The transform in one pass over a record's bytes, for the records that are as DynamoDB writes them. What it takes, it
 * gives the very bytes that `transformRecord` gives; anything else, and whatever is to be refused, it declines and
 * `transformRecord` decides. One call at a time: its memory is used again.
 */
export class FastTransform {
  private readonly scanner: RecordScanner
  private readonly output = new Output()
  private readonly writer: RowWriter
  private readonly isOpen: boolean
  private bytes = Buffer.alloc(64 * 1024)
  /** Records of the last call. */
  private records = 0

  constructor(private readonly table: TableConfiguration) {
    const paths = [
      table.actor ?? [],
      ...table.columns.map(({ path }) => path),
      ...table.keys.map(({ attribute }) => [attribute]),
    ]
    // what is sealed is made anew of values, not copied from the record's bytes
    this.isOpen =
      table.erasable === undefined && isTableName(table.table) && paths.every(path => pathBytes(path) !== undefined)
    this.scanner = new RecordScanner(table)
    this.writer = new RowWriter(table, this.scanner, this.output)
  }

  /** The answer for a Firehose record's data, in base64. */
  transform(data: string, arrival: number): TransformedLines | Declined {
    const written = this.write(data, 'base64', arrival)
    return typeof written === 'string' ? { kind: 'transformed', data: this.output.base64(), date: written } : written
  }

  /** The same for the bytes of a document that is one record: what it gives holds until the next call. */
  transformDocument(document: Buffer, arrival: number): TransformedRow | Declined {
    const written = this.write(document, 'utf8', arrival)
    return typeof written === 'string' ? (this.rowOf(written) ?? DECLINED) : written
  }

  /** The same where the bytes are one record as DynamoDB writes it, and nothing else; undefined for any other. */
  transformPlain(document: Buffer, arrival: number): TransformedRow | undefined {
    if (!this.isOpen || document.length > MAX_RECORD_BYTES) return undefined
    const length = this.load(document, 'utf8')
    const date = length === NONE ? undefined : unlessRefused(() => this.lines(length, arrival))
    return date === undefined ? undefined : this.rowOf(date)
  }

  /**
   * What the item is that a baseline's document tells, as `capture/baseline.ts` writes it, in the texts and the hash
   * that its row has; undefined for any other.
   */
  itemState(document: string): FoundState | undefined {
    if (!this.isOpen || document.length > MAX_RECORD_BYTES) return undefined
    const length = this.load(document, 'utf8')
    if (length === NONE) return undefined
    return unlessRefused(() =>
      this.scanner.record(this.bytes, 0, length + 1) === length ? this.writer.itemState() : undefined,
    )
  }

  /** What was written, where it is of one record. */
  private rowOf(date: string): TransformedRow | undefined {
    const { records, output, writer } = this
    return records === 1 ? { kind: 'transformed', line: output.view(), date, region: writer.region } : undefined
  }

  /** Writes the lines into the output, and gives their date. */
  private write(data: string | Buffer, encoding: 'base64' | 'utf8', arrival: number): string | Declined {
    if (!this.isOpen || data.length > MAX_RECORD_BYTES) return DECLINED
    const length = this.load(data, encoding)
    if (length === NONE) return DECLINED
    return unlessRefused(() => this.lines(length, arrival)) ?? this.writeRewritten(length, arrival)
  }

  /** Tries once more what DynamoDB does not write and the plain path reads: see `rewrite`. */
  private writeRewritten(length: number, arrival: number): string | Declined {
    const text = this.bytes.toString('utf8', 0, length)
    const documents = unlessRefused(() => splitDocuments(text))
    if (documents === undefined) return DECLINED
    const rewritten = rewrite(documents)
    const isWorthIt = rewritten !== undefined && rewritten !== text && rewritten.length <= MAX_RECORD_BYTES
    const date = isWorthIt ? unlessRefused(() => this.lines(this.load(rewritten, 'utf8'), arrival)) : undefined
    return date ?? { kind: 'declined', documents }
  }

  /** Puts the record's bytes and a zero behind them in place; `NONE` if they are no UTF-8. */
  private load(data: string | Buffer, encoding: 'base64' | 'utf8'): number {
    const needed = Buffer.byteLength(data, encoding) * ROOM
    if (this.bytes.length < needed) this.bytes = Buffer.alloc(Math.max(needed, this.bytes.length * 2))
    const length = typeof data === 'string' ? this.bytes.write(data, 0, encoding) : data.copy(this.bytes)
    this.bytes[length] = 0
    const record = this.bytes.subarray(0, length)
    this.writer.isAscii = isAscii(record)
    return this.writer.isAscii || isUtf8(record) ? length : NONE
  }

  private lines(length: number, arrival: number): string | undefined {
    const { bytes, scanner, writer, output } = this
    let date: string | undefined
    output.length = 0
    this.records = 0
    for (let position = 0; position < length; ) {
      const end = scanner.record(bytes, position, length + 1)
      const time = end === NONE ? undefined : writer.write(arrival)
      if (time === undefined) return undefined
      const day = dateOf(time.us)
      date ??= day
      if (day !== date || !isDateAllowed(time.us, day, arrival, this.table)) return undefined
      this.records++
      position = bytes[end] === LINE_FEED ? end + 1 : end
    }
    return date
  }
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
