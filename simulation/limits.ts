/** Bytes that a record may have here for Firehose; a pack is smaller, as it is on AWS. Small ones make large items cheap. */
export const LIMITS = { packBytes: 3000, recordBytes: 4000 } as const

/** The same for Kinesis, which takes more than a call of Firehose does. */
export const KINESIS_BYTES = 9000
