import { type FastDocuments, fastDocuments, type TransformedRow } from './fast/fast-path.js'
import { MAX_RESPONSE_BYTES } from './handler.js'
import type { TableConfiguration } from './table-configuration.js'
import { transformDocuments, transformRecord } from './transform.js'

/** Bytes of a line that fill an answer to Firehose, whose base64 is a third longer. */
const MOST_BYTES = Math.floor((MAX_RESPONSE_BYTES * 3) / 4) - 1000

/**
 * The transform of a table where nobody needs Firehose's envelope: documents of one record into the very lines that
 * the handler gives, from bytes to bytes. What it gives holds until the next call. Whatever is to be refused, holds
 * several records, or makes a longer line than an answer to Firehose holds, is for the handler to judge: here it is
 * undefined.
 */
export class DocumentTransform {
  private readonly fast: FastDocuments | undefined

  constructor(private readonly table: TableConfiguration) {
    this.fast = fastDocuments(table)
  }

  /** Of bytes that are one record as DynamoDB writes it and nothing else; undefined for any other. */
  transformPlain(bytes: Buffer, arrival: number): TransformedRow | undefined {
    return inBounds(this.fast?.transformPlain(bytes, arrival))
  }

  /** Of a document. */
  transform(document: Buffer, arrival: number): TransformedRow | undefined {
    const fast = this.fast?.transformDocument(document, arrival)
    if (fast?.kind === 'transformed') return inBounds(fast)
    const { table } = this
    const transformed =
      fast?.documents === undefined
        ? transformRecord(document, arrival, table)
        : transformDocuments(fast.documents, arrival, table)
    if (transformed.kind === 'refused' || transformed.rows.length > 1) return undefined
    const { rows, lines, partition } = transformed
    const region = rows[0]?.region ?? undefined
    return inBounds({ kind: 'transformed', line: Buffer.from(lines), date: partition.date, region })
  }
}

function inBounds(row: TransformedRow | undefined): TransformedRow | undefined {
  return row !== undefined && row.line.length > MOST_BYTES ? undefined : row
}
