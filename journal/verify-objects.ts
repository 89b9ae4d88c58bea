import { SEALED_PREFIXES } from '../transform/layout.js'
import type { ArchiveObjects } from './archive-objects.js'
import { wholeSeals } from './bundle-outline.js'
import type { SealEntry, SealedEntry } from './entry.js'
import type { JournalFinding } from './finding.js'

/** What an archive holds beside what its journal says of it. */
export interface VerifiedObjects {
  /** Objects that are what was sealed. */
  readonly sound: number
  /** Of these, those whose bytes were hashed now; the others were before, and are unchanged by size and tag. */
  readonly hashed: number
  readonly rows: number
  readonly bytes: number
  /** Objects that are newer than the last seals: nothing vouches for them yet. By key. */
  readonly notSealed: readonly string[]
  /** Objects that are not there, and that the archive's bucket may have forgotten as it was told to. By key. */
  readonly expired: readonly string[]
  readonly findings: readonly JournalFinding[]
}

/** An object as a list tells of it. */
export interface ListedForVerifying {
  readonly key: string
  readonly bytes: number
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
}

/** The archive, as it is held against its journal. */
export interface VerifiedArchive extends Pick<ArchiveObjects, 'describe'> {
  list(prefix: string): Promise<readonly ListedForVerifying[]>
}

/** How far a verification is: objects and bytes that were looked at, of so many bytes. */
export interface CheckedSoFar {
  readonly objects: number
  readonly bytes: number
  readonly ofBytes: number
}

export interface VerifyObjectsOptions {
  /**
   * True of an object that was verified before under this entry, and is unchanged by size and tag.
   * @default - none was
   */
  readonly wasVerified?: ((listed: ListedForVerifying, entry: SealedEntry) => boolean) | undefined
  /** Told each object that is what was sealed. */
  readonly onSound?: ((listed: ListedForVerifying, entry: SealedEntry) => void) | undefined
  /** True of an object that the archive's own lifecycle may have removed. @default - it removes nothing */
  readonly mayHaveExpired?: ((entry: SealedEntry) => boolean) | undefined
  /** Told after each object how far it is. */
  readonly onChecked?: ((done: CheckedSoFar) => void) | undefined
  /** How many are read at once. @default 4 */
  readonly parallel?: number | undefined
}

/**
 * Holds every object of an archive against the entry that names it, and every entry against the archive. An object that
 * no entry names and that was there when the second newest whole seal listed them is a finding: two sealings would have
 * taken it.
 */
export async function verifyObjects(
  archive: VerifiedArchive,
  entries: ReadonlyMap<string, SealedEntry>,
  seals: readonly SealEntry[],
  options: VerifyObjectsOptions = {},
): Promise<VerifiedObjects> {
  const listed = (await Promise.all(SEALED_PREFIXES.map(prefix => archive.list(prefix)))).flat()
  return verifyListed(archive, { listed, entries, seals }, options)
}

/** Some objects of an archive, all that are listed there, and the entries that name objects there. */
export interface ListedPart {
  readonly listed: readonly ListedForVerifying[]
  readonly entries: ReadonlyMap<string, SealedEntry>
  readonly seals: readonly SealEntry[]
}

/** The same of a part of an archive. */
export async function verifyListed(
  archive: Pick<VerifiedArchive, 'describe'>,
  { listed, entries, seals }: ListedPart,
  options: VerifyObjectsOptions = {},
): Promise<VerifiedObjects> {
  const { mayHaveExpired = () => false, onChecked = () => {}, parallel = 4 } = options
  const found = { sound: 0, hashed: 0, rows: 0, bytes: 0, notSealed: [], findings: [] } satisfies Found
  const check = checkOf({ archive, entries, seals, options, found })
  const done = { objects: 0, bytes: 0, ofBytes: listed.reduce((sum, { bytes }) => sum + bytes, 0) }
  await eachOf(listed, parallel, async object => {
    await check(object)
    done.objects++
    done.bytes += object.bytes
    onChecked(done)
  })
  const there = new Set(listed.map(({ key }) => key))
  const gone = [...entries.values()].filter(({ key }) => !there.has(key))
  const missing = gone.filter(entry => !mayHaveExpired(entry)).map(({ key }) => missingAt(key))
  return {
    ...found,
    notSealed: found.notSealed.toSorted(),
    expired: gone.filter(mayHaveExpired).map(({ key }) => key),
    findings: [...found.findings, ...missing].sort((a, b) => (a.key < b.key ? -1 : 1)),
  }
}

/** What was found so far. */
interface Found {
  sound: number
  hashed: number
  rows: number
  bytes: number
  readonly notSealed: string[]
  readonly findings: JournalFinding[]
}

/** Holds one listed object against its entry. */
function checkOf({
  archive,
  entries,
  seals,
  options: { wasVerified = () => false, onSound = () => {} },
  found,
}: {
  readonly archive: Pick<VerifiedArchive, 'describe'>
  readonly entries: ReadonlyMap<string, SealedEntry>
  readonly seals: readonly SealEntry[]
  readonly options: VerifyObjectsOptions
  readonly found: Found
}): (object: ListedForVerifying) => Promise<void> {
  const patience = twoSealsAgo(seals)
  return async object => {
    const { key } = object
    const entry = entries.get(key)
    if (entry === undefined) {
      if (object.modified > patience) found.notSealed.push(key)
      else
        found.findings.push({ kind: 'unlisted', key, message: 'is named by no entry, though two sealings passed it' })
      return
    }
    const known = wasVerified(object, entry)
    const message = known ? undefined : await whatDiffers(archive, object, entry)
    if (message !== undefined) {
      found.findings.push(message === GONE ? missingAt(key) : { kind: 'altered', key, message })
      return
    }
    found.sound++
    if (!known) found.hashed++
    found.rows += entry.rows ?? 0
    found.bytes += entry.bytes
    onSound(object, entry)
  }
}

function missingAt(key: string): JournalFinding {
  return { kind: 'missing', key, message: GONE }
}

const GONE = 'was sealed and is not there'

async function whatDiffers(
  archive: Pick<VerifiedArchive, 'describe'>,
  object: ListedForVerifying,
  entry: SealedEntry,
): Promise<string | undefined> {
  if (object.bytes !== entry.bytes) return `has ${object.bytes} bytes, ${entry.bytes} when it was sealed`
  const now = await archive.describe(object, entry)
  if (now === undefined) return GONE
  if (now.sha256 !== entry.sha256) return `has the SHA-256 ${now.sha256}, ${entry.sha256} when it was sealed`
  // of one whose rows its sealer could not read the bytes alone are attested
  const isAttested = entry.rows_root !== undefined
  if (isAttested && (now.rows !== entry.rows || now.rows_root !== entry.rows_root))
    return `holds other rows than its entry says: ${now.rows ?? 'none'} of root ${now.rows_root ?? 'none'}`
  return undefined
}

/**
 * Milliseconds since 1970, by the clock of where the objects lie, until which the second newest seal that left nothing
 * had listed all of them; before there are two such seals, nothing is old enough.
 */
export function twoSealsAgo(seals: readonly SealEntry[]): number {
  const before = wholeSeals(seals).at(-2)
  return before?.newest === undefined ? Number.NEGATIVE_INFINITY : Date.parse(before.newest)
}

async function eachOf<T>(items: readonly T[], parallel: number, use: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < items.length) await use(items[next++] as T)
  }
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, work))
}
