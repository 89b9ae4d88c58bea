import { RETENTION_MS } from './gap.js'
import { type Lineage, readUntil, type Shard, type ShardPosition } from './shards.js'

/** How far a tail is. Times in milliseconds. */
export interface TailStatus {
  readonly stream: string
  /** Records taken since the tail began. */
  readonly records: number
  readonly shards: { readonly reading: number; readonly waiting: number; readonly ended: number }
  /** How far behind the table it is; null where that is not known yet. */
  readonly lag: number | null
  /** When the newest change that was read was made, since 1970. */
  readonly newest: number | null
  /** Until the stream begins to forget what is not in the archive yet, if nothing more were read. */
  readonly untilLoss: number | null
}

/** How far a tail is, from the shards as they are read and as the last checkpoint has them. */
export function statusOf(
  { stream, records, newest }: Pick<TailStatus, 'stream' | 'records' | 'newest'>,
  lineage: Lineage,
  kept: Readonly<Record<string, ShardPosition>>,
  isAtEnd: boolean,
  now: number,
): TailStatus {
  const count = (state: Shard['state']) => lineage.all.filter(shard => shard.state === state).length
  const read = oldestOf(lineage.all)
  return {
    stream,
    records,
    shards: { reading: count('reading'), waiting: count('waiting'), ended: count('ended') },
    lag: isAtEnd ? 0 : read && Math.max(0, now - read),
    newest,
    untilLoss: untilLoss(kept, now),
  }
}

/** Milliseconds until a stream begins to forget what is not in the archive, by the positions that a checkpoint has. */
export function untilLoss(kept: Readonly<Record<string, ShardPosition>>, now: number): number | null {
  const durable = oldestOf(Object.values(kept))
  return durable && Math.max(0, RETENTION_MS - Math.max(0, now - durable))
}

/** Up to when everything was taken, over all shards that can still have more; null where one does not know. */
function oldestOf(shards: readonly (Shard | ShardPosition)[]): number | null {
  const times = shards.filter(({ state }) => state === 'reading').map(readUntil)
  return times.includes(null) || times.length === 0 ? null : Math.min(...(times as number[]))
}
