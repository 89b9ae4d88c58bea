import { RETENTION_MS } from '../../../capture/gap.js'
import { untilLoss } from '../../../capture/tail-status.js'
import { FileError } from '../../../config/gate.js'
import { loadCheckpoint, tailerOf } from '../../../delivery/tail-state.js'
import type { TableStatus } from '../../../queries/answers/table-status.js'
import { ageOf } from '../../../queries/moment.js'
import { parseInstant } from '../../../transform/instant.js'
import { grouped } from '../../show/progress.js'
import { shorterTime } from '../../show/table.js'

/** How far the tail is that follows a table into an archive. */
export interface TailFound {
  /** When it last made sure of what it had, ISO 8601 in UTC. */
  readonly saved: string
  readonly running: boolean
  /** True where the stream was read to its very end: nothing can come any more. */
  readonly finished: boolean
  /** Seconds until the stream begins to forget what is not in the archive; null where nobody knows. */
  readonly until_loss: number | null
  /** True where that is less than half of what a stream keeps. */
  readonly behind: boolean
}

const HALF_OF_RETENTION_S = RETENTION_MS / 2 / 1000

/** The tail of a table; undefined where none ever followed it. A text where its checkpoint cannot be read. */
export function tailOf(root: string, table: string, now: number): TailFound | string | undefined {
  try {
    const found = loadCheckpoint(root, table)
    if (found === undefined) return undefined
    const left = found.finished ? null : untilLoss(found.shards, now)
    const seconds = left === null ? null : Math.floor(left / 1000)
    return {
      saved: new Date(found.saved).toISOString(),
      running: tailerOf(root, table) !== undefined,
      finished: found.finished,
      until_loss: seconds,
      behind: seconds !== null && seconds < HALF_OF_RETENTION_S,
    }
  } catch (error) {
    if (error instanceof FileError) return error.message
    throw error
  }
}

/** What somebody asks at three in the morning: does the table still come in, is anything known to be missing? */
export function describeFeed({ last, delivered, gaps, compared }: TableStatus, now: number, zone?: string): string {
  const us = last === null ? undefined : parseInstant(last)?.us
  return [
    us === undefined ? 'no change yet' : `last change ${ageOf(us, now * 1000)} ago`,
    ...(delivered === null ? [] : [`delivered ${shorterTime(delivered, zone)}`]),
    gaps === 0 ? 'no gap recorded' : `${grouped(gaps)} ${gaps === 1 ? 'gap' : 'gaps'} recorded`,
    compared === null ? 'never compared with the table' : describeComparison(compared, zone),
  ].join(', ')
}

/** What the last comparison found, and what it leaves open. */
export function describeComparison(
  { time, differing, unsettled, earlier }: NonNullable<TableStatus['compared']>,
  zone?: string,
): string {
  const found = differing === 0 ? 'nothing differed' : `${items(differing)} differed`
  const open = unsettled === 0 ? '' : `, ${items(unsettled)} could not be compared`
  const before = earlier === 0 ? '' : `; ${items(earlier)} differed before, and the whole table was not looked at since`
  return `compared ${shorterTime(time.replace(/\.0+Z$/, 'Z'), zone)}: ${found}${open}${before}`
}

function items(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'item' : 'items'}`
}

/** How far the tail is, in a sentence. */
export function describeTail({ saved, running, finished, until_loss: left, behind }: TailFound, zone?: string): string {
  const state = running ? 'tail runs' : 'tail does not run'
  if (finished) return `${state}: the stream was read to its end ${shorterTime(saved, zone)}`
  const until = left === null ? '' : `, the stream keeps what is not here for another ${ageOf(0, left * 1_000_000)}`
  return `${behind ? 'BEHIND: ' : ''}${state}, it saved ${shorterTime(saved, zone)}${until}`
}
