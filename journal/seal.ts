import type { Signer } from '../proof/note.js'
import { signNote } from '../proof/note.js'
import { grow, type LogFile } from '../proof/tiles.js'
import type { ArchiveObjects, FoundObject } from './archive-objects.js'
import { addTotals, type Entry, encodeEntry, type SealEntry, type SealedEntry, type Totals } from './entry.js'
import { finish, finishedHead, type Head, headText, type JournalIdentity } from './head.js'
import { JournalError } from './journal-error.js'
import { claimPath, isOfHistory, type LogStore, stagingPath } from './log-store.js'
import { type NewObjects, newObjects } from './new-objects.js'
import { keepMemory, noMemory, readMemory } from './seal-memory.js'
import { SealedKeys } from './sealed-objects.js'
import { encodeStaged } from './staging.js'

/** Who seals what. */
export interface Sealer {
  readonly store: LogStore
  readonly objects: ArchiveObjects
  readonly identity: JournalIdentity
  /** The first signs under the journal's own name. */
  readonly signers: readonly Signer[]
  /** Who it is, for people. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Told each time that a claim was won, of the objects sealed so far. @default - nobody is told */
  readonly onSealed?: ((objects: number) => void) | undefined
  /** False when a run has to end: what it described is sealed, the rest is for the next. @default - there is time */
  readonly hasTime?: (() => boolean) | undefined
  /** Told what people should know, and that hindered nothing. @default - nobody is told */
  readonly tell?: ((problem: string) => void) | undefined
  /** How many bundles' days before yesterday a run lists. @default - as `newObjects` has it */
  readonly bundles?: number | undefined
  /** How many objects are read at once. @default - 1 */
  readonly parallel?: number | undefined
}

/** What a run of a sealer did. */
export interface Sealed {
  readonly head: Head
  /** Objects and rows that this run sealed. */
  readonly objects: number
  readonly rows: number
  /** Objects that were listed and were gone when they were read, by key. */
  readonly vanished: readonly string[]
  /**
   * Objects that it found though two sealings had passed over them, by key: until now a verification called them
   * `unlisted`, and from now on it does not.
   */
  readonly unlisted: readonly string[]
  /** Objects that it listed and did not come to. */
  readonly left: number
}

/** A claim holds so many objects at most, so that what is staged stays small enough to be written as one object. */
export const MOST_OBJECTS = 4096

/** What a function keeps of its time to write what it described: some forty files of a claim. */
export const SEALER_RESERVE_MS = 120_000

/** Of sealers that race, one wins each claim; whoever loses so often in a row leaves the rest to the next run. */
const MOST_LOST = 8

/**
 * Seals everything that is not sealed yet: finishes what a run that died had claimed, describes what is new, and
 * appends it, with a `seal@1` at the end of each claim. Every step can be repeated; the end is one signed checkpoint.
 * Where the archive can list what is new alone, `newObjects` says when everything is listed.
 */
export async function seal(sealer: Sealer): Promise<Sealed> {
  const { store, identity, objects: archive, now, tell = () => {} } = sealer
  const isListedByParts = archive.listPart !== undefined
  const memory = isListedByParts ? await readMemory(store, tell) : noMemory()
  const kept = memory.index.known.bundles.length
  const sealed = new SealedKeys(store, memory.index)
  const gone = new Set<string>()
  const unlisted = new Set<string>()
  let [objects, rows, lost] = [0, 0, 0]
  let listing: NewObjects | undefined
  let rest: readonly FoundObject[] = []
  for (let head = await finishedHead(store, identity); ; head = await finishedHead(store, identity)) {
    await sealed.readTo(head)
    // what was listed stays so as long as nobody else seals
    if (listing === undefined) {
      const time = { now: now(), hasTime: () => hasTime(sealer), bundles: sealer.bundles }
      listing = await newObjects(archive, sealed, memory.turn, time)
      rest = listing.found
      for (const { key, modified } of rest) if (modified <= sealed.passedUntil) unlisted.add(key)
    }
    const { entries, vanished } = await describeAll(sealer, rest.slice(0, MOST_OBJECTS))
    for (const key of vanished) gone.add(key)
    rest = rest.slice(entries.length + vanished.length)
    const left = rest.length
    const { isWhole, newest, turn } = listing
    const mine = await claim(sealer, head, entries, sealed, { isPartial: left > 0 || !isWhole, newest })
    if (mine === undefined) {
      listing = undefined
      if (++lost === MOST_LOST) throw new JournalError(claimPath(head.size), 'is claimed by others again and again')
      continue
    }
    lost = 0
    objects += entries.length
    rows += entries.reduce((sum, entry) => sum + (entry.rows ?? 0), 0)
    sealer.onSealed?.(objects)
    if (left === 0 || !hasTime(sealer)) {
      await sweep(store, mine)
      // what was left is listed again
      const next = { index: sealed.index, turn: left === 0 ? turn : memory.turn }
      const isWorth = next.turn !== memory.turn || sealed.index.known.bundles.length >= kept + BUNDLES_TO_KEEP
      if (isListedByParts && isWorth) await keepMemory(store, next, head)
      return { head: mine, objects, rows, vanished: [...gone], unlisted: [...unlisted], left }
    }
  }
}

/** So many bundles more are worth the writing: as many are read in some tenths of a second. */
const BUNDLES_TO_KEEP = 16

function hasTime({ hasTime = () => true }: Sealer): boolean {
  return hasTime()
}

/** What a seal says of the list that it is made from. */
interface Listing {
  readonly isPartial: boolean
  readonly newest: number
}

/** Entries in the order of the list, of as many objects as there is time for, the first one always. */
async function describeAll(
  sealer: Sealer,
  found: readonly FoundObject[],
): Promise<{ readonly entries: readonly SealedEntry[]; readonly vanished: readonly string[] }> {
  const described: { readonly key: string; readonly entry: SealedEntry | undefined }[] = []
  let next = 0
  const work = async () => {
    while (next < found.length && (next === 0 || hasTime(sealer))) {
      const index = next++
      const object = found[index] as FoundObject
      described[index] = { key: object.key, entry: await sealer.objects.describe(object) }
    }
  }
  await Promise.all(Array.from({ length: sealer.parallel ?? 1 }, work))
  return {
    entries: described.flatMap(({ entry }) => entry ?? []),
    vanished: described.flatMap(({ key, entry }) => (entry === undefined ? [key] : [])),
  }
}

/** Appends to a head; undefined where somebody else claimed its successor first. */
async function claim(
  sealer: Sealer,
  head: Head,
  objects: readonly SealedEntry[],
  sealed: SealedKeys,
  listing: Listing,
): Promise<Head | undefined> {
  const { store, identity, signers } = sealer
  const totals = addTotals(sealed.totals, objects)
  const entries: readonly Entry[] = [...objects, sealOf(sealer, head, totals, listing)]
  const growth = await grow(path => store.read(path), head.size, entries.map(encodeEntry))
  if (await isInTheWay(store, head, growth.files)) return undefined
  const note = await signNote(headText(identity.origin, growth), signers)
  const next: Head = { size: growth.size, root: growth.root, note }
  const staging = stagingPath(next.size, next.root)
  await store.add(staging, encodeStaged(growth.files))
  const path = claimPath(head.size)
  if (!(await store.add(path, Buffer.from(note))) && !(await isMine(store, path, note))) {
    await store.remove(staging)
    return undefined
  }
  await finish(store, next)
  return next
}

/**
 * True where others claimed and write already. Throws a `JournalError` for files that no claim led to, before a claim
 * is made that could never be finished.
 */
async function isInTheWay(store: LogStore, head: Head, files: readonly LogFile[]): Promise<boolean> {
  const path = (head.size === 0 ? await store.list('') : []).find(isOfHistory) ?? (await firstOther(store, files))
  if (path === undefined) return false
  // who seals claims first: what is there by a claim has one by now
  if ((await store.read(claimPath(head.size))) !== undefined) return true
  throw new JournalError(
    path,
    `is there, and no claim led to it: the journal was cut at size ${head.size}, or somebody wrote it`,
  )
}

async function firstOther(store: LogStore, files: readonly LogFile[]): Promise<string | undefined> {
  for (const { path, bytes } of files) {
    const there = await store.read(path)
    if (there !== undefined && Buffer.compare(there, bytes) !== 0) return path
  }
  return undefined
}

/** Removes what was staged for claims that others won, or that died: whoever staged up to this size has lost by now. */
async function sweep(store: LogStore, { size }: Head): Promise<void> {
  for (const path of await store.list('staging/')) {
    const staged = Number(/^staging\/(\d+)-/.exec(path)?.[1])
    if (staged <= size) await store.remove(path)
  }
}

/** A store that lost the answer of a put has the claim all the same. */
async function isMine(store: LogStore, path: string, note: string): Promise<boolean> {
  const there = await store.read(path)
  return there !== undefined && Buffer.from(there).toString('utf8') === note
}

function sealOf({ now, name }: Sealer, head: Head, totals: Totals, { isPartial, newest }: Listing): SealEntry {
  const time = now()
  const about = { time: new Date(time).toISOString(), previous_size: head.size, sealer: name, ...totals }
  // a file may be dated ahead of every clock
  const listed = Number.isFinite(newest) && { newest: new Date(Math.min(newest, time)).toISOString() }
  return { type: 'seal@1', ...about, ...listed, ...(isPartial && { partial: true }) }
}
