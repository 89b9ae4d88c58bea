/** How long a Kinesis stream keeps changes: as long as DynamoDB itself goes on trying to write them into it. */
export const KINESIS_RETENTION_MS = 7 * 24 * 60 * 60 * 1000
