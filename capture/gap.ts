/** When part of a stream may have been lost, and how that is put down. */
import { FACT_VERSION, factInstant, type GapFact } from '../transform/fact.js'
import { type LambdaRecord, madeAt as timeOf } from './lambda-record.js'
import { readUntil, type Shard } from './shards.js'
import type { ShardStart } from './stream-calls.js'

/** DynamoDB keeps a stream record for so long ("Change data capture for DynamoDB Streams"). */
export const RETENTION_MS = 24 * 60 * 60 * 1000

/** For clocks that differ and records that take their time. */
const MARGIN_MS = 15 * 60 * 1000

/** True where everything that came after a moment must still be in the stream. */
function isRecent(time: number, now: number): boolean {
  return now - time <= RETENTION_MS - MARGIN_MS
}

/**
 * Where a shard is to be read from. One that was not begun is asked for from its very beginning only where its
 * beginning may have been trimmed: the service then says so. Of a shard that nobody was to have read before, nothing
 * can be missed.
 */
export function startOf({ after, emptyAt, dueSince, starting }: Shard, now: number): ShardStart {
  if (after !== null) return { kind: 'after', sequence: after }
  const since = emptyAt ?? dueSince
  if (since === null || isRecent(since, now) || starting === null) return { kind: 'oldest' }
  return { kind: 'at', sequence: starting }
}

/**
 * Whether records may be missing before the oldest that is left, now that the place to go on from is trimmed. They are
 * not where the shard was seen to hold nothing more, later than the record at that place, and within the retention.
 */
export function mayHaveLost({ after, madeAt, emptyAt, dueSince }: Shard, now: number): boolean {
  if (emptyAt === null) return after !== null || dueSince !== null
  const seenEmptyLater = after === null || (madeAt !== null && emptyAt > madeAt)
  return !seenEmptyLater || !isRecent(emptyAt, now)
}

/** Whether a shard that is gone, or what came after it, should have been read. */
export function isMissed({ after, emptyAt, dueSince }: Shard): boolean {
  return after !== null || emptyAt !== null || dueSince !== null
}

/**
 * A gap in a shard, up to the first record that could be read again; without one, what is gone is older than the
 * retention.
 */
export function gapOf(
  place: { readonly table: string; readonly source: string; readonly shard: Shard },
  first: LambdaRecord | undefined,
  now: number,
  recordedUs: number,
  reason: string,
): GapFact {
  const from = readUntil(place.shard) ?? oldestDue(place.shard)
  const to = Math.max((first && timeOf(first)) ?? now - RETENTION_MS, from ?? 0)
  return {
    version: FACT_VERSION,
    kind: 'gap',
    table: place.table,
    recorded: factInstant(recordedUs),
    source: place.source,
    shard: place.shard.id,
    after: place.shard.after,
    before: first?.dynamodb.SequenceNumber ?? null,
    from: from === null ? null : factInstant(from * 1000),
    to: factInstant(to * 1000),
    reason,
  }
}

/** Older than this nothing was in the stream any more when its shards were first to be read. */
function oldestDue({ dueSince }: Shard): number | null {
  return dueSince === null ? null : dueSince - RETENTION_MS - MARGIN_MS
}
