import { randomUUID } from 'node:crypto'
import { type ErrorType, refusedPrefix } from '../transform/layout.js'
import { processingFailedLine } from '../transform/refused-line.js'
import type { Objects } from './objects.js'

/** The error code of a record whose row is of another region than those of the archive. */
export const OTHER_REGION = 'Itemtrail.OtherRegion'

/** One refused record, before it is written as a line of an object. Times in milliseconds since 1970. */
export interface RefusedRecord {
  readonly type: ErrorType
  readonly data: Uint8Array
  readonly arrival: number
  readonly attempts: number
  readonly code: string
  readonly message: string
}

/** Refused records are few, or something is wrong; either way memory stays bounded. */
const OBJECT_BYTES = 5 * 1024 * 1024

/**
 * Collects refused records and writes them as objects in the format of Firehose's error output (developer guide,
 * "Handle failure in data transformation", "Handling errors for data format conversion"): one JSON object a line.
 */
export class RefusedObjects {
  private readonly lines: Record<ErrorType, string[]> = { 'processing-failed': [], 'format-conversion-failed': [] }
  private bytes = 0
  private since = 0

  constructor(
    private readonly archive: Objects,
    private readonly table: string,
    private readonly now: () => number,
  ) {}

  async add(record: RefusedRecord): Promise<void> {
    if (this.bytes === 0) this.since = this.now()
    const line = this.lineOf(record)
    this.lines[record.type].push(line)
    this.bytes += line.length
    if (this.bytes >= OBJECT_BYTES) await this.flush()
  }

  /** Writes them if the first has waited for an interval, in milliseconds. */
  async flushDue(interval: number): Promise<void> {
    if (this.bytes > 0 && this.now() - this.since >= interval) await this.flush()
  }

  async flush(): Promise<void> {
    for (const type of Object.keys(this.lines) as ErrorType[]) {
      const lines = this.lines[type]
      if (lines.length === 0) continue
      await this.archive.put(
        refusedPrefix(type, this.table) + objectName('refused', this.now()),
        Buffer.from(lines.join('')),
      )
      this.lines[type] = []
    }
    this.bytes = 0
  }

  private lineOf({ type, data, arrival, attempts, code, message }: RefusedRecord): string {
    if (type === 'processing-failed') {
      return processingFailedLine({ data, arrival, attempts, code, message, lambdaArn: 'local' }, this.now())
    }
    const line = {
      attemptsMade: attempts,
      arrivalTimestamp: arrival,
      ErrorCode: code,
      ErrorMessage: message,
      attemptEndingTimestamp: this.now(),
      rawData: Buffer.from(data).toString('base64'),
      sequenceNumber: null,
      subSequenceNumber: null,
      dataCatalogTable: { tableName: this.table },
    }
    return `${JSON.stringify(line)}\n`
  }
}

/**
 * The name that Firehose gives an object: stream, version of its configuration, UTC time, a random part. The folder
 * says which table it is of: readers of Parquet pass over names that begin with `_` or `.`, as a table's may, and names
 * of files are short.
 */
export function objectName(stream: string, now: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-')
  return `${stream}-1-${time}-${randomUUID()}`
}
