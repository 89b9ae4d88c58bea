import type { Signer } from '../proof/note.js'
import { signNote } from '../proof/note.js'
import { grow } from '../proof/tiles.js'
import { type ArchiveObjects, type FoundObject, SEALED_PREFIXES } from './archive-objects.js'
import { addTotals, type Entry, encodeEntry, type ObjectEntry, type SealEntry } from './entry.js'
import { finish, finishedHead, type Head, headText, type JournalIdentity } from './head.js'
import { JournalError } from './journal-error.js'
import { claimPath, type LogStore, stagingPath } from './log-store.js'
import { SealedObjects } from './sealed-objects.js'
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
}

/** What a run of a sealer did. */
export interface Sealed {
  readonly head: Head
  /** Objects and rows that this run sealed. */
  readonly objects: number
  readonly rows: number
  /** Objects that were listed and were gone when they were read, by key. */
  readonly vanished: readonly string[]
}

/** A claim holds so many objects at most, so that what is staged stays small enough to be written as one object. */
export const MOST_OBJECTS = 4096

/** Of sealers that race, one wins each claim; whoever loses so often in a row leaves the rest to the next run. */
const MOST_LOST = 8

/**
 * Seals everything that is not sealed yet: finishes what a run that died had claimed, describes what is new, and appends
 * it, with a `seal@1` at the end of each claim. Every step can be repeated; the end is one signed checkpoint.
 */
export async function seal(sealer: Sealer): Promise<Sealed> {
  const sealed = new SealedObjects(sealer.store)
  const gone = new Set<string>()
  let [objects, rows, lost] = [0, 0, 0]
  for (let head = await finishedHead(sealer.store, sealer.identity); ; ) {
    await sealed.readTo(head)
    const found = await unsealed(sealer.objects, sealed)
    const { entries, vanished } = await describeAll(sealer.objects, found.slice(0, MOST_OBJECTS))
    for (const key of vanished) gone.add(key)
    const mine = await claim(sealer, head, entries, sealed)
    if (mine === undefined) {
      if (++lost === MOST_LOST) throw new JournalError(claimPath(head.size), 'is claimed by others again and again')
    } else {
      lost = 0
      objects += entries.length
      rows += entries.reduce((sum, entry) => sum + (entry.rows ?? 0), 0)
      sealer.onSealed?.(objects)
      if (found.length <= MOST_OBJECTS) {
        await sweep(sealer.store, mine)
        return { head: mine, objects, rows, vanished: [...gone] }
      }
    }
    head = await finishedHead(sealer.store, sealer.identity)
  }
}

/** The objects of an archive that its journal does not name, by key. */
export async function unsealed(objects: ArchiveObjects, sealed: SealedObjects): Promise<readonly FoundObject[]> {
  const found: FoundObject[] = []
  for (const prefix of SEALED_PREFIXES)
    for (const object of await objects.list(prefix)) if (sealed.get(object.key) === undefined) found.push(object)
  return found
}

async function describeAll(
  objects: ArchiveObjects,
  found: readonly FoundObject[],
): Promise<{ readonly entries: readonly ObjectEntry[]; readonly vanished: readonly string[] }> {
  const entries: ObjectEntry[] = []
  const vanished: string[] = []
  for (const object of found) {
    const entry = await objects.describe(object)
    if (entry === undefined) vanished.push(object.key)
    else entries.push(entry)
  }
  return { entries, vanished }
}

/** Appends to a head; undefined where somebody else claimed its successor first. */
async function claim(
  sealer: Sealer,
  head: Head,
  objects: readonly ObjectEntry[],
  sealed: SealedObjects,
): Promise<Head | undefined> {
  const { store, identity, signers } = sealer
  const entries: readonly Entry[] = [...objects, sealOf(sealer, head, objects, sealed)]
  const growth = await grow(path => store.read(path), head.size, entries.map(encodeEntry))
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

function sealOf(
  { now, name }: Sealer,
  head: Head,
  objects: readonly ObjectEntry[],
  { totals }: SealedObjects,
): SealEntry {
  const time = new Date(now()).toISOString()
  return { type: 'seal@1', time, previous_size: head.size, sealer: name, ...addTotals(totals, objects) }
}
