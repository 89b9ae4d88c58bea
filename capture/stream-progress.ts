/** How far a stream is read: whether everything was, whether there is more to come. Nothing here knows the network. */
import type { StreamStatus } from '@aws-sdk/client-dynamodb-streams'
import type { Reading } from './shard-reading.js'
import type { Lineage } from './shards.js'

/** What is known of a stream while it is followed. */
export interface StreamProgress {
  readonly lineage: Lineage
  /** The shards that are being read, by their ids. */
  readonly readings: ReadonlyMap<string, Reading>
  /** Undefined before the first listing. */
  readonly status: StreamStatus | undefined
  /** How often a child of a shard that has ended was looked for. */
  readonly successorLooks: number
  readonly startedAt: number
  /** Answers without records in a row that count as a shard's end. */
  readonly emptyAnswers: number
  readonly untilCaughtUp: boolean
}

/** DescribeStream may be behind: so often a child of a shard that has ended is looked for. */
const SUCCESSOR_LOOKS = 3

/** True when every shard is at its end, or, where that is asked for, at what is its end for now. */
export function isSettled({ lineage, readings, startedAt, emptyAnswers, untilCaughtUp }: StreamProgress): boolean {
  return lineage.all.every(({ id, state, madeAt }) => {
    if (state === 'ended') return true
    const reading = readings.get(id)
    if (!untilCaughtUp || reading === undefined || state === 'waiting') return false
    // on a busy table a shard is never empty, but what was there at the start has been read
    return reading.empty >= emptyAnswers || (madeAt ?? 0) > startedAt + 1000
  })
}

/** True while every shard that is read has nothing more. */
export function isAtEnd({ lineage, readings, emptyAnswers }: StreamProgress): boolean {
  return lineage.all.every(({ id, state }) => state === 'ended' || (readings.get(id)?.empty ?? 0) >= emptyAnswers)
}

/** True when there will never be more. */
export function isOver({ lineage, status }: StreamProgress): boolean {
  return status === 'DISABLED' && lineage.all.every(({ state }) => state === 'ended')
}

/** True while a shard has ended and its child may still be missing from the listing. */
export function lacksSuccessor({ lineage, status, successorLooks, untilCaughtUp }: StreamProgress): boolean {
  if (status === 'DISABLED') return false
  const { all } = lineage
  // without an open shard an enabled stream is not complete
  if (all.every(({ state }) => state === 'ended') && !untilCaughtUp) return true
  return successorLooks < SUCCESSOR_LOOKS && all.some(shard => shard.state === 'ended' && lineage.isLast(shard))
}
