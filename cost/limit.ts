import type { Source } from '../aws/sources.js'

/** A limit of a service, or of one of the archive's own functions, and the rate of changes that meets it. */
export interface Limit extends Source {
  readonly limit: string
  /** The way of capture that meets it. */
  readonly capture: 'streams' | 'kinesis' | 'both'
  readonly quota: string
  /** Of the whole table, or of one item. */
  readonly of: 'table' | 'item'
  /** Changes a second at which it is reached; null where it is not a matter of the rate. */
  readonly writesPerSecond: number | null
  /** True where that is the average of all days, false where it is the busiest second. */
  readonly onAverage: boolean
  /** Share of it that the workload takes, at its peak or on average: over 1 is too much. */
  readonly used: number
  readonly remark: string | null
}
