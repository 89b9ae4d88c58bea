import { type Coverage, type Days, isDay, usableCheckpoints } from './coverage.js'
import { type Manifest, sizeOf } from './manifest.js'

/** Athena passes over objects of other classes without a word. */
const READABLE_CLASSES = new Set(['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR', 'INTELLIGENT_TIERING'])

/** What a plan is made from. */
export interface Situation {
  /** Without what lacks a file; undefined where there is none yet. */
  readonly manifest: Manifest | undefined
  readonly listed: Days
  readonly coverage: Coverage
  /** The first day that a statement sees; in earlier ones it finds nothing. */
  readonly since: string
}

/**
 * When a day may be copied: it is over by `now`, and nothing has been added to it for `quietMs`, both in milliseconds.
 */
export interface Settled {
  readonly now: number
  readonly quietMs: number
}

/** Days that are not as they were copied, in order: those that have settled, or all of them. */
export function dueDays(situation: Situation, settled: Settled | undefined): readonly string[] {
  const { listed, coverage } = situation
  const isSettled = (day: string) => {
    if (settled === undefined) return true
    const { now, quietMs } = settled
    const objects = listed.get(day)?.objects ?? []
    return day < new Date(now).toISOString().slice(0, 10) && objects.every(({ modified }) => modified <= now - quietMs)
  }
  return [...listed.keys()].filter(
    day => !coverage.days.has(day) && isSettled(day) && isReadable(situation, day) && !wasUnseen(situation, day),
  )
}

/**
 * The days of the next run, in order: of those that are due the oldest, and with them whole runs made before as long
 * as each is at most twice as large as what is there already. So a row is copied again about as often as the logarithm
 * of the archive, and a question about one item reads about so many runs, up to runs of `runBytes`.
 */
export function chooseDays(due: readonly string[], situation: Situation, runBytes: number): readonly string[] {
  const { manifest, listed, coverage } = situation
  const chosen: string[] = []
  let room = runBytes
  for (const day of due) {
    const bytes = bytesOf([day], listed)
    if (chosen.length > 0 && bytes >= room) break
    chosen.push(day)
    room -= bytes
  }
  // there is nothing to merge with where nothing is due
  for (const run of chosen.length === 0 ? [] : (manifest?.runs.toReversed() ?? [])) {
    const days = [...coverage.days].filter(([, its]) => its === run).map(([day]) => day)
    const bytes = bytesOf(days, listed)
    const readable = days.every(day => isReadable(situation, day))
    if (!readable || bytes > room || bytes > 2 * bytesOf(chosen, listed)) break
    chosen.push(...days)
    room -= bytes
  }
  return chosen.sort()
}

/**
 * The days that the next checkpoint takes in, in order; none where none is due. One is due at the end of a day, but
 * for the newest, after which as many bytes of the archive have come as the last one has, and at least `leastBytes`.
 * Of a day that is large, or many, it takes no more than `room`.
 */
export function checkpointDays(
  { manifest, listed, coverage }: Situation,
  leastBytes: number,
  room: number,
): readonly string[] {
  const previous = usableCheckpoints(manifest, coverage).at(-1)
  const due = Math.max(leastBytes, previous === undefined ? 0 : sizeOf(previous.files).bytes)
  const last = coverage.until ?? ''
  const days = [...listed.keys()].slice(0, -1).filter(day => day <= last && day > (previous?.day ?? ''))
  const enough = days.findIndex((_, i) => bytesOf(days.slice(0, i + 1), listed) >= due)
  return days.slice(0, enough + 1).filter((_, i) => i === 0 || bytesOf(days.slice(0, i + 1), listed) <= room)
}

/**
 * What is kept of a day of which no row was seen, so that it is tried again when its objects or the first day change.
 */
export function unseenMark({ listed, since }: Situation, day: string): string {
  return `${since} ${listed.get(day)?.files}`
}

/** Bytes of the archive's objects of some days. */
export function bytesOf(days: readonly string[], listed: Days): number {
  return days.reduce((sum, day) => sum + (listed.get(day)?.bytes ?? 0), 0)
}

function wasUnseen(situation: Situation, day: string): boolean {
  return situation.manifest?.unseen[day] === unseenMark(situation, day)
}

function isReadable({ listed, since }: Situation, day: string): boolean {
  return (
    isDay(day) &&
    day >= since &&
    (listed.get(day)?.objects ?? []).every(object => READABLE_CLASSES.has(object.storageClass))
  )
}
