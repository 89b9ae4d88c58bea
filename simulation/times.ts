/** Units of time in milliseconds, and when a world begins and ends, in milliseconds since 1970. */
import type { Scenario } from './scenario.js'

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** 2026-03-01T15:00:00Z: a day of it has a midnight, at which records are of two days. */
export const START_MS = Date.UTC(2026, 2, 1, 15)

/** After the last write, so long that everything has come to its end: a day of the stream, and one of Firehose. */
const SETTLING_HOURS = 54

/** When a world has come to rest. */
export function endOf({ hours }: Pick<Scenario, 'hours'>): number {
  return START_MS + (hours + SETTLING_HOURS) * HOUR_MS
}
