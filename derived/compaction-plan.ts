import type { ObjectEntry } from '../store/objects.js'
import { type Days, isCovered, type UnloadedManifest } from './unloaded-manifest.js'

/** A day is copied when it is over and nothing has been added to it for so long: Firehose buffers for 15 minutes at most. */
const SETTLED_MS = 2 * 60 * 60_000

/** Athena passes over objects of other classes without a word. */
const READABLE_CLASSES = new Set(['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR', 'INTELLIGENT_TIERING'])

/** What a plan is made from. */
export interface Situation {
  /** Without what lacks a file; undefined where there is none yet. */
  readonly manifest: UnloadedManifest | undefined
  readonly listed: Days<ObjectEntry>
  /** The first day that the table's projection shows; Athena finds nothing in earlier ones. */
  readonly since: string
}

/** Days that are over, have settled, and are not as they were copied. `now` is in milliseconds since 1970. */
export function dueDays(situation: Situation, now: number): readonly string[] {
  const { manifest, listed } = situation
  const today = new Date(now).toISOString().slice(0, 10)
  return [...listed]
    .filter(([day, { objects }]) => {
      const settled = day < today && objects.every(({ modified }) => modified <= now - SETTLED_MS)
      return settled && isReadable(situation, day) && !isCovered(manifest, day, listed) && !wasUnseen(situation, day)
    })
    .map(([day]) => day)
    .sort()
}

/**
 * The days of the next run, in order: of those that are due the oldest, and with them whole runs made before as long as each is at most
 * twice as large as what is there already. So a row is copied again about as often as the logarithm of the archive, and a
 * question about one item reads about so many runs, up to runs of `runBytes`.
 */
export function chooseDays(due: readonly string[], situation: Situation, runBytes: number): readonly string[] {
  const { manifest, listed } = situation
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
    const days = [...listed.keys()].filter(
      day => manifest?.days[day]?.run === run.name && isCovered(manifest, day, listed),
    )
    const bytes = bytesOf(days, listed)
    const readable = days.every(day => isReadable(situation, day))
    if (!readable || bytes > room || bytes > 2 * bytesOf(chosen, listed)) break
    chosen.push(...days)
    room -= bytes
  }
  return chosen.sort()
}

/** What is kept of a day of which Athena shows no row, so that it is tried again when its objects or the first day change. */
export function unseenMark({ listed, since }: Situation, day: string): string {
  return `${since} ${listed.get(day)?.files}`
}

export function bytesOf(days: readonly string[], listed: Days): number {
  return days.reduce((sum, day) => sum + (listed.get(day)?.bytes ?? 0), 0)
}

function wasUnseen(situation: Situation, day: string): boolean {
  return situation.manifest?.unseen[day] === unseenMark(situation, day)
}

function isReadable({ listed, since }: Situation, day: string): boolean {
  return day >= since && (listed.get(day)?.objects ?? []).every(object => READABLE_CLASSES.has(object.storageClass))
}
