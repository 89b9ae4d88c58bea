import type { JsonDocument } from '../json.js'

/** Row lines of a Firehose record, in base64, and the date of their partition. */
export interface TransformedLines {
  readonly kind: 'transformed'
  readonly data: string
  readonly date: string
}

/** The row line of one record as bytes, which hold until the next call. */
export interface TransformedRow {
  readonly kind: 'transformed'
  readonly line: Buffer
  readonly date: string
  readonly region: string | undefined
}

/** What an item is, as its row has it: canonical DynamoDB JSON, and the SHA-256 of the image in lower hex. */
export interface FoundState {
  readonly itemKey: string
  readonly image: string
  readonly hash: string
}

/** The plain path has to decide: on the record's documents, where they were read on the way. */
export interface Declined {
  readonly kind: 'declined'
  readonly documents?: readonly JsonDocument[]
}

/** The plain path decides, and reads the record itself. */
export const DECLINED: Declined = { kind: 'declined' }
