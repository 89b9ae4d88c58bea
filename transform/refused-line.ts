/**
 * A record that went no further, as Firehose describes one whose processing failed. Times in milliseconds since 1970.
 */
export interface FailedRecord {
  readonly data: Uint8Array
  readonly arrival: number
  readonly attempts: number
  readonly code: string
  readonly message: string
  /** The function that did not take it, `local` on a desk. */
  readonly lambdaArn: string
}

/**
 * One line of an object under `processing-failed/` (Firehose developer guide, "Handle failure in data transformation").
 * What we refuse ourselves is kept in the same format, so that there is one way to read and to send it again.
 */
export function processingFailedLine(record: FailedRecord, now: number): string {
  const { data, arrival, attempts, code, message, lambdaArn } = record
  const line = {
    attemptsMade: attempts,
    arrivalTimestamp: arrival,
    errorCode: code,
    errorMessage: message,
    attemptEndingTimestamp: now,
    rawData: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    lambdaArn,
  }
  return `${JSON.stringify(line)}\n`
}
