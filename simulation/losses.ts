/** What the services of a world lose, each as its documents allow: nobody can ask for it again. */

/** How changes are lost, by what: the mapping, the stream, Firehose, DynamoDB. */
export type LossKind = 'dropped' | 'forgotten' | 'undelivered' | 'skipped'

/** Changes that are lost. Times are in milliseconds since 1970. */
export interface Loss {
  readonly kind: LossKind
  /** Stream records, or lines of an object, that tell of them. */
  readonly texts: readonly string[]
  /** When they were taken by what lost them. */
  readonly takenMs: number
  readonly lostMs: number
}

/** All that was lost in a world, in the order in which it was. */
export type Losses = Loss[]
