/** Milliseconds between one thing and the next, and what counts as the end of a shard. */
export interface Intervals {
  /**
   * GetRecords walks a shard in portions, many of them empty where changes are rare. So many in a row count as its end.
   */
  readonly emptyAnswers: number
  /** After an answer without records, as long as the end of a shard is not certain. */
  readonly settle: number
  /** At the end of a shard: the first pause, each further one is twice as long up to the longest. */
  readonly idle: number
  readonly longestIdle: number
  /** After a shard ended and no child of it is listed yet; each further time twice as long. */
  readonly successor: number
  /** Between two listings of the shards. */
  readonly refresh: number
  /** Looking at everything else. */
  readonly tick: number
}

/** Quick where the end of a shard is looked for, then kind to the service and to its bill. */
export const USUAL_INTERVALS: Intervals = {
  emptyAnswers: 20,
  settle: 50,
  idle: 1_000,
  longestIdle: 5_000,
  successor: 1_000,
  refresh: 30_000,
  tick: 250,
}

/** The pause before a shard is read again, after so many answers without records in a row. */
export function pauseAfter(empty: number, { emptyAnswers, settle, idle, longestIdle }: Intervals): number {
  if (empty === 0) return 0
  if (empty < emptyAnswers) return settle
  return Math.min(longestIdle, idle * 2 ** Math.min(empty - emptyAnswers, 16))
}
