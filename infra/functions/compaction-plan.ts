import { type Days, isCovered, type ListedObject, type UnloadedManifest } from '../../queries/unloaded-manifest.js'

/** An object of the archive as S3 lists it. */
export interface ArchiveObject extends ListedObject {
  /** Milliseconds since 1970. */
  readonly modified: number
  /** S3's storage class. */
  readonly storageClass: string
}

/** A day is copied when it is over and nothing has been added to it for so long: Firehose buffers for 15 minutes at most. */
const SETTLED_MS = 2 * 60 * 60_000

/** Athena passes over objects of other classes without a word. */
const AT_ONCE = new Set(['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR', 'INTELLIGENT_TIERING'])

/**
 * Days that are over, have settled, can be read, and are not as they were copied. Those before `since` are not projected, so Athena
 * would find nothing in them. `now` is in milliseconds since 1970.
 */
export function dueDays(
  manifest: UnloadedManifest | undefined,
  listed: Days<ArchiveObject>,
  since: string,
  now: number,
): readonly string[] {
  const today = new Date(now).toISOString().slice(0, 10)
  return [...listed]
    .filter(([day, objects]) => {
      if (day < since || day >= today) return false
      const settled = objects.every(({ modified }) => modified <= now - SETTLED_MS)
      return settled && objects.every(object => AT_ONCE.has(object.storageClass)) && !isCovered(manifest, day, listed)
    })
    .map(([day]) => day)
    .sort()
}

/**
 * The days of the next run, in order: of those that are due the oldest, and with them whole runs made before as long as each is at most
 * twice as large as what is there already. So a row is copied again about as often as the logarithm of the archive, and a
 * question about one item reads about so many runs, up to runs of `runBytes`.
 */
export function chooseDays(
  due: readonly string[],
  manifest: UnloadedManifest | undefined,
  listed: Days,
  runBytes: number,
): readonly string[] {
  const bytesOf = (days: readonly string[]) =>
    days.flatMap(day => listed.get(day) ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
  const chosen: string[] = []
  let room = runBytes
  for (const day of due) {
    const bytes = bytesOf([day])
    if (chosen.length > 0 && bytes > room) break
    chosen.push(day)
    room -= bytes
  }
  for (const run of manifest?.runs.toReversed() ?? []) {
    const days = [...listed.keys()].filter(
      day => manifest?.days[day]?.run === run.name && isCovered(manifest, day, listed),
    )
    const bytes = bytesOf(days)
    if (bytes > room || bytes > 2 * bytesOf(chosen)) break
    chosen.push(...days)
    room -= bytes
  }
  return chosen.sort()
}
