/**
 * What must be true of the history of a journal: each checkpoint that was ever published or claimed is the beginning of
 * every later one, the published one never goes back, and the last one names every object.
 */
import { readEntries } from '../journal/entries.js'
import { whyNotGrown } from '../journal/growth.js'
import { type Head, type JournalIdentity, openHead } from '../journal/head.js'
import { CHECKPOINT } from '../journal/log-store.js'
import type { ReadFile } from '../proof/tiles.js'
import { CLAIMS_PREFIX, LOG_PREFIX, SEALED_PREFIXES } from '../transform/layout.js'
import type { SimulatedBucket, StoredVersion } from './bucket.js'

/** A checkpoint as it once was, and where. */
interface Published extends Head {
  readonly key: string
  readonly modifiedMs: number
}

/** Each a sentence. `notSealed` is how many objects the check of the journal has found that no entry names. */
export async function wrongHistory(
  bucket: SimulatedBucket,
  identity: JournalIdentity,
  notSealed: number,
): Promise<readonly string[]> {
  const published = checkpointsOf(bucket, identity)
  const read: ReadFile = async path => bucket.objects.get(LOG_PREFIX + path)?.at(-1)?.bytes
  const forks = await forksIn(published, read)
  const unnamed = await unnamedIn(bucket, published.at(-1)?.size ?? 0, read)
  const isCounted = unnamed.length === notSealed
  return [
    ...wentBack(published),
    ...forks,
    ...unnamed.map(key => `object ${key} is named by no entry of the journal`),
    ...(isCounted ? [] : [`journal names ${unnamed.length} objects nowhere, and its check counts ${notSealed}`]),
  ]
}

/** All of them, the smallest first; of one size in the order in which they were written. */
function checkpointsOf(bucket: SimulatedBucket, identity: JournalIdentity): readonly Published[] {
  const key = LOG_PREFIX + CHECKPOINT
  const stored = [key, ...bucket.keys(CLAIMS_PREFIX)].flatMap(one => versionsOf(bucket, one))
  const opened = stored.map(([one, { bytes, modifiedMs }]) => ({
    ...openHead(bytes, one.slice(LOG_PREFIX.length), identity),
    key: one,
    modifiedMs,
  }))
  return opened.sort((a, b) => a.size - b.size || a.modifiedMs - b.modifiedMs)
}

function versionsOf(bucket: SimulatedBucket, key: string): readonly (readonly [string, StoredVersion])[] {
  return (bucket.objects.get(key) ?? []).map(version => [key, version] as const)
}

/** Each held against the next one: what holds of any two that follow each other holds of all. */
async function forksIn(published: readonly Published[], read: ReadFile): Promise<readonly string[]> {
  const found: string[] = []
  for (const [i, later] of published.entries()) {
    const earlier = published[i - 1]
    const why = earlier && (await whyNotGrown(read, earlier, later))
    if (why === undefined) continue
    const ofSize = `${named(earlier as Published)} and ${named(later)}`
    found.push(`${ofSize} are of two histories: the first ${why.message}`)
  }
  return found
}

function wentBack(published: readonly Published[]): readonly string[] {
  const inTime = published.filter(({ key }) => key === LOG_PREFIX + CHECKPOINT)
  const last = inTime.toSorted((a, b) => a.modifiedMs - b.modifiedMs)
  return last.flatMap((later, i) => {
    const earlier = last[i - 1]
    return earlier !== undefined && earlier.size > later.size
      ? [`${named(later)} takes the place of ${named(earlier)}, which is later`]
      : []
  })
}

function named({ key, size, modifiedMs }: Published): string {
  return `${key} of size ${size} at ${new Date(modifiedMs).toISOString()}`
}

async function unnamedIn(bucket: SimulatedBucket, size: number, read: ReadFile): Promise<readonly string[]> {
  const names = new Set<string>()
  for await (const { entry } of readEntries(read, { from: 0, to: size, size }))
    if (entry?.type === 'object@1') names.add(entry.key)
  return SEALED_PREFIXES.flatMap(prefix => bucket.keys(prefix)).filter(key => !names.has(key))
}
