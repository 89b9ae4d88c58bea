import type { JsonDocument } from '../json.js'

/** Row lines of a Firehose record, in base64, and the date of their partition. */
export interface TransformedLines {
  readonly kind: 'transformed'
  readonly data: string
  readonly date: string
}

/** The same as bytes, which hold until the next call: of how many records, and of which region the last is. */
export interface TransformedRows {
  readonly kind: 'transformed'
  readonly lines: Buffer
  readonly rows: number
  readonly date: string
  readonly region: string | undefined
}

/** The plain path has to decide: on the record's documents, where they were read on the way. */
export interface Declined {
  readonly kind: 'declined'
  readonly documents?: readonly JsonDocument[]
}

/** The plain path decides, and reads the record itself. */
export const DECLINED: Declined = { kind: 'declined' }
