/** What Firehose takes, gathers and bills: each of its figures stands here once, with its source. */

/** What is gathered for one object unless the configuration says otherwise, whichever comes first. */
export const BUFFER = { mb: 128, seconds: 900 } as const

/** What it can be told to gather: with conversion to Parquet from 64 MB, with dynamic partitioning from 60 s. */
export const BUFFER_RANGES = {
  mb: { least: 64, most: 128, whole: true },
  seconds: { least: 60, most: 900, whole: true },
} as const

/**
 * What is gathered for one call of the transform. One megabyte, because an answer with flat columns is larger and has
 * to stay under Lambda's 6 MB; the seconds are Firehose's own default.
 */
export const TRANSFORM_BUFFER = { mb: 1, seconds: 60 } as const

/** A failing transform is tried so often again (developer guide, "Handle failure in data transformation"). */
export const TRANSFORM_RETRIES = 3

/** Each record is billed rounded up to the next 5 KB, at ingestion and again at format conversion. */
export const BILLED_BYTES = 5 * 1024

/**
 * A record's bytes at most. The service says 1,000 KiB in one place and 1,000 KB in another (developer guide, "Quota";
 * API reference, PutRecordBatch); this is within both. What is larger cannot pass.
 */
export const RECORD_BYTES = 1_000_000

/** Records in one PutRecordBatch at most. */
export const CALL_RECORDS = 500

/**
 * Bytes of one PutRecordBatch at most, as they are on the wire. The limit is 4 MiB "for the entire request"; whether
 * that is before or after base64 is not said, and senders that took it for the former were refused.
 */
export const CALL_BYTES = 4_000_000
