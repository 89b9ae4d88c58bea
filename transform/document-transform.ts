import { type FastDocuments, fastDocuments, type TransformedRows } from './fast/fast-path.js'
import { MAX_RESPONSE_BYTES } from './handler.js'
import type { TableConfiguration } from './table-configuration.js'
import { transformDocuments, transformRecord } from './transform.js'

/** Bytes of lines that fill an answer to Firehose, whose base64 is a third longer. */
const MOST_BYTES = Math.floor((MAX_RESPONSE_BYTES * 3) / 4) - 1000

/**
 * The transform of a table where nobody needs Firehose's envelope: documents into the very lines that the handler
 * gives, from bytes to bytes. What it gives holds until the next call. Whatever is to be refused, and more lines than
 * an answer to Firehose holds, is for the handler to judge: here it is undefined.
 */
export class DocumentTransform {
  private readonly fast: FastDocuments | undefined

  constructor(private readonly table: TableConfiguration) {
    this.fast = fastDocuments(table)
  }

  /** Of bytes that are one record as DynamoDB writes it and nothing else; undefined for any other. */
  transformPlain(bytes: Buffer, arrival: number): TransformedRows | undefined {
    return inBounds(this.fast?.transformPlain(bytes, arrival))
  }

  /** Of a document. */
  transform(document: Buffer, arrival: number): TransformedRows | undefined {
    const fast = this.fast?.transformDocument(document, arrival)
    if (fast?.kind === 'transformed') return inBounds(fast)
    const { table } = this
    const transformed =
      fast?.documents === undefined
        ? transformRecord(document, arrival, table)
        : transformDocuments(fast.documents, arrival, table)
    if (transformed.kind === 'refused') return undefined
    const { rows, lines, partition } = transformed
    const region = rows[0]?.region ?? undefined
    return inBounds({
      ...{ kind: 'transformed', rows: rows.length, region },
      lines: Buffer.from(lines),
      date: partition.date,
    })
  }
}

function inBounds(rows: TransformedRows | undefined): TransformedRows | undefined {
  return rows !== undefined && rows.lines.length > MOST_BYTES ? undefined : rows
}
