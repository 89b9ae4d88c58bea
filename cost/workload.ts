/** What a plan is asked for. Whatever is no number, or none that can be, is named. */
import { BUFFER_RANGES } from '../aws/firehose-buffer.js'
import { PEAK_FACTOR } from './assumptions.js'

export interface Workload {
  /** Changes a second, on average over a month and at the busiest. A write that changes nothing is none. */
  readonly writesPerSecond: number
  readonly peakWritesPerSecond: number
  readonly peakGiven: boolean
  readonly retentionDays: number
  readonly buffer: { readonly mb: number; readonly seconds: number }
  /** A query in Athena that scans more is cancelled. */
  readonly scanCutoffGb: number
}

/** A description of a workload that cannot be. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError'
}

export interface FigureRange {
  readonly least: number
  readonly most: number
  readonly whole?: true
}

export const RANGES = {
  /** DynamoDB itself takes 40,000 write units a second and table unless it is asked for more. */
  writesPerSecond: { least: 0.000001, most: 10_000_000 },
  percent: { least: 0, most: 100 },
  /** From a key of one letter to DynamoDB's own limit. */
  itemBytes: { least: 3, most: 400 * 1024, whole: true },
  retentionDays: { least: 1, most: 36_500, whole: true },
  bufferMb: BUFFER_RANGES.mb,
  bufferSeconds: BUFFER_RANGES.seconds,
} as const satisfies Readonly<Record<string, FigureRange>>

/** A number that a user typed. Throws `WorkloadError` unless it is in its range. */
export function readNumber(name: string, text: string, { least, most, whole }: FigureRange): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN
  const kind = whole ? 'a whole number' : 'a number'
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    throw new WorkloadError(
      `${name} is ${JSON.stringify(text)}, expected ${kind} from ${shown(least)} to ${shown(most)}`,
    )
  }
  return value
}

/** The size of an item: `800`, `800B`, `1.5KB`. Throws `WorkloadError` for what no item can be. */
export function readItemSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) *(b|kb)?$/i.exec(text.trim())
  const bytes = Math.round(Number(match?.[1]) * (match?.[2]?.toLowerCase() === 'kb' ? 1024 : 1))
  const { least, most } = RANGES.itemBytes
  if (!(bytes >= least && bytes <= most)) {
    throw new WorkloadError(
      `item size is ${JSON.stringify(text)}, expected bytes or KB (1,024 bytes), such as 800 or 1.5KB, from ${least} bytes to 400KB`,
    )
  }
  return bytes
}

/** Throws `WorkloadError` for shares of which more than everything is spoken for. */
export function checkShares(updates: number, deletes: number): void {
  if (updates + deletes > 100) {
    throw new WorkloadError(`updates of ${updates} % and deletes of ${deletes} % are over 100 % of the changes`)
  }
}

/** The busiest second. Throws `WorkloadError` for one below the average. */
export function peakOf(writesPerSecond: number, peak: number | undefined): number {
  if (peak === undefined) return writesPerSecond * PEAK_FACTOR
  if (peak < writesPerSecond) {
    throw new WorkloadError(`peak is ${shown(peak)}, expected no less than the average of ${shown(writesPerSecond)}`)
  }
  return peak
}

function shown(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 })
}
