/** The canary of an archive on AWS: one item that is written again and again, to see each write arrive. */
import { BUFFER } from '../aws/firehose-buffer.js'

/** Its table's key and only item. */
export const CANARY_KEY = { attribute: 'id', value: 'canary' } as const

/** How often it is written, and looked for. */
export const CANARY_SECONDS = 300

/** A write is late from here on: Firehose gathers for up to twice its buffer, and it is looked for in steps. */
export const CANARY_LATE_SECONDS = 2 * BUFFER.seconds + 2 * CANARY_SECONDS

/** How long a write that did not arrive is looked for. */
export const CANARY_HOURS = 24

/** What it counts of an archive, by metric name. */
export const CANARY_METRICS = {
  /** Seconds that a write took from the table into an object of the archive, or that the oldest one waits already. */
  lag: 'EndToEndLag',
  /** Writes of the last day that are not in the archive, though later ones are. */
  missing: 'CanaryMissing',
} as const

/** The table of the canary of an archive, by the archive's name. */
export function canaryTable(archive: string): string {
  return `${archive}_canary`
}
