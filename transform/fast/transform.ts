import { isAscii, isUtf8 } from 'node:buffer'
import { type JsonDocument, splitDocuments } from '../json.js'
import { dateOf } from '../partition.js'
import { Refusal } from '../refusal.js'
import { isTableName } from '../stream-record.js'
import type { TableConfiguration } from '../table-configuration.js'
import { isDateAllowed } from '../transform.js'
import { NONE, pathBytes } from './bytes.js'
import { DECLINED, type Declined, type TransformedLines } from './declined.js'
import { Output } from './output.js'
import { RecordScanner } from './record.js'
import { rewrite } from './rewrite.js'
import { RowWriter } from './row.js'

/** Longer records are none of Firehose's (1,000 KiB), and not worth memory that is kept. */
const MAX_RECORD_BYTES = 2 * 1024 * 1024

/**
 * Room behind a record for what has to be sorted, as a multiple of its length: an attribute, its map, the map's map.
 */
const ROOM = 4

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
    if (!this.isOpen || data.length > MAX_RECORD_BYTES) return DECLINED
    const length = this.load(data, 'base64')
    if (length === NONE) return DECLINED
    return this.linesUnlessRefused(length, arrival) ?? this.transformRewritten(length, arrival)
  }

  /** Tries once more what DynamoDB does not write and the plain path reads: see `rewrite`. */
  private transformRewritten(length: number, arrival: number): TransformedLines | Declined {
    const text = this.bytes.toString('utf8', 0, length)
    const documents = tryReadDocuments(text)
    if (documents === undefined) return DECLINED
    const rewritten = rewrite(documents)
    const isWorthIt = rewritten !== undefined && rewritten !== text && rewritten.length <= MAX_RECORD_BYTES
    const lines = isWorthIt ? this.linesUnlessRefused(this.load(rewritten, 'utf8'), arrival) : undefined
    return lines ?? { kind: 'declined', documents }
  }

  /** Puts the record's bytes and a zero behind them in place; `NONE` if they are no UTF-8. */
  private load(data: string, encoding: 'base64' | 'utf8'): number {
    const needed = data.length * ROOM
    if (this.bytes.length < needed) this.bytes = Buffer.alloc(Math.max(needed, this.bytes.length * 2))
    const length = this.bytes.write(data, 0, encoding)
    this.bytes[length] = 0
    const record = this.bytes.subarray(0, length)
    this.writer.isAscii = isAscii(record)
    return this.writer.isAscii || isUtf8(record) ? length : NONE
  }

  private linesUnlessRefused(length: number, arrival: number): TransformedLines | undefined {
    try {
      return this.lines(length, arrival)
    } catch (error) {
      if (error instanceof Refusal) return undefined
      throw error
    }
  }

  private lines(length: number, arrival: number): TransformedLines | undefined {
    const { bytes, scanner, writer, output } = this
    let date: string | undefined
    output.length = 0
    for (let position = 0; position < length; ) {
      const end = scanner.record(bytes, position, length + 1)
      const time = end === NONE ? undefined : writer.write(arrival)
      if (time === undefined) return undefined
      const day = dateOf(time.us)
      date ??= day
      if (day !== date || !isDateAllowed(time.us, day, arrival, this.table)) return undefined
      position = bytes[end] === LINE_FEED ? end + 1 : end
    }
    return date === undefined ? undefined : { kind: 'transformed', data: output.base64(), date }
  }
}

function tryReadDocuments(text: string): readonly JsonDocument[] | undefined {
  try {
    return splitDocuments(text)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
