/** What Firehose takes and bills: each of its figures stands here once, with its source. */

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
