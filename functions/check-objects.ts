import { hash } from 'node:crypto'
import { FileError } from '../config/gate.js'
import { type ArchivePart, daysOf, isOfPart, mayHavePart, partFrom, partOfDay } from '../journal/archive-part.js'
import { BucketVersions } from '../journal/bucket-objects.js'
import type { CheckState } from '../journal/check-state.js'
import { decodeEntry, type Entry, type SealedEntry } from '../journal/entry.js'
import type { JournalFinding } from '../journal/finding.js'
import { JournalError } from '../journal/journal-error.js'
import { type FoundBundle, JournalIndex } from '../journal/journal-index.js'
import { RefusedExpiry } from '../journal/refused-expiry.js'
import { type ListedForVerifying, verifyListed } from '../journal/verify-objects.js'
import type { ReadFile } from '../proof/tiles.js'
import type { Bucket } from '../store/s3.js'
import { DATA_PREFIX, dateOfKey, LOG_PREFIX, TILES_PREFIX } from '../transform/layout.js'

export interface ObjectsCheckOptions {
  /** Reads a file of the journal. */
  readonly read: ReadFile
  /** Days after which S3 forgets a refused object. */
  readonly refusedDays: number
  readonly now: () => number
  /** False when no further days before the last ones should be begun. */
  readonly hasTime: () => boolean
}

/** What a check found of the archive's objects. */
export interface CheckedObjects {
  readonly state: Pick<CheckState, 'heldBefore' | 'watched' | 'index'>
  /** True where the last of all days was held against the journal now. */
  readonly isRound: boolean
  readonly sound: number
  readonly hashed: number
  readonly notSealed: number
  readonly findings: readonly JournalFinding[]
}

/**
 * These days are looked at each time, and of what was written in them so many objects are hashed: older ones lie in
 * classes of storage where each reading is paid for.
 */
const SAMPLE = { objects: 64, days: 7 }

/** Days are held together until so many bundles tell of them: a quarter of a million objects, some 300 MB. */
const BUNDLES_AT_ONCE = 1024

/** So many days before the last ones are looked at out of turn. */
const MOST_DAYS = 32

const DAY_MS = 86_400_000

/**
 * Holds objects of an archive against a journal that was verified: all but rows, the rows of the last days, of days of
 * which something is new or was found, and by turns those of all days before.
 */
export async function checkObjects(
  bucket: Bucket,
  state: CheckState,
  options: ObjectsCheckOptions,
): Promise<CheckedObjects> {
  const known = state.index.known.bundles.length
  const { index, findings } = await indexOf(state, options.read)
  const check = new ObjectsCheck(bucket, { index, root: state.front.root }, options)
  // a journal that is not what it was tells nothing of its objects
  if (findings.length > 0)
    return { state: { ...state, index: new JournalIndex() }, isRound: false, ...check.found, findings }
  // of a journal that nobody checked before all days are new: they come by turns
  const news = known === 0 ? [] : index.known.bundles.slice(known)
  const newDays = daysOf(news.map(({ folders }) => folders))
  const { heldBefore, isRound } = await check.run(state, [...state.watched, ...newDays.keys()])
  const days = check.found.findings.filter(({ key }) => key.startsWith(DATA_PREFIX)).map(({ key }) => dateOfKey(key))
  return { state: { heldBefore, watched: [...new Set(days)], index }, isRound, ...check.found }
}

/** The index of the journal until where it was verified; one that does not lead there is made anew. */
async function indexOf(
  { index: kept, front }: CheckState,
  read: ReadFile,
): Promise<{ readonly index: JournalIndex; readonly findings: readonly JournalFinding[] }> {
  for (const index of [kept, new JournalIndex()])
    try {
      await index.readTo(read, front)
      return { index, findings: [] }
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      const { path, problem: message } = error
      if (index !== kept) return { index, findings: [{ kind: 'altered', key: `${LOG_PREFIX}${path}`, message }] }
    }
  throw new Error('the second index is returned, whatever is in it')
}

class ObjectsCheck {
  readonly found = { sound: 0, hashed: 0, notSealed: 0, findings: [] as JournalFinding[] }
  private readonly archive: BucketVersions

  constructor(
    bucket: Bucket,
    private readonly journal: { readonly index: JournalIndex; readonly root: Buffer },
    private readonly options: ObjectsCheckOptions,
  ) {
    this.archive = new BucketVersions(bucket)
  }

  /** Gives the day before which all were held now; an empty text where the days before the last ones are through. */
  async run(
    { heldBefore }: Pick<CheckState, 'heldBefore'>,
    days: readonly string[],
  ): Promise<{ readonly heldBefore: string; readonly isRound: boolean }> {
    const { options, journal } = this
    const recent = new Date(options.now() - SAMPLE.days * DAY_MS).toISOString().slice(0, 10)
    const own = [...new Set(days)].filter(day => day < recent).slice(0, MOST_DAYS)
    for (const part of ['others', { from: recent, before: undefined }, ...own.map(partOfDay)] as const)
      await this.hold(part)
    const told = daysOf(journal.index.known.bundles.map(({ folders }) => folders))
    for (let from = heldBefore; ; ) {
      if (!options.hasTime()) return { heldBefore: from, isRound: false }
      const part = partFrom(from, { days: told, before: recent, bundles: BUNDLES_AT_ONCE })
      await this.hold(part)
      if (part.before >= recent) return { heldBefore: '', isRound: true }
      from = part.before
    }
  }

  private async hold(part: ArchivePart): Promise<void> {
    const { options, journal, archive, found } = this
    const listed = await archive.listPart(part)
    const expiry = new RefusedExpiry(options.refusedDays, options.now)
    const entries = await this.entriesOf(part, expiry)
    const held = await verifyListed(
      archive,
      { listed, entries, seals: journal.index.seals },
      { wasVerified: this.byVersion(listed), mayHaveExpired: entry => expiry.mayHaveExpired(entry) },
    )
    found.sound += held.sound
    found.hashed += held.hashed
    found.notSealed += held.notSealed.length
    for (const finding of held.findings) this.find(finding)
  }

  /** A day may be held twice. */
  private find({ kind, key, message }: JournalFinding): void {
    const { findings } = this.found
    if (!findings.some(other => other.kind === kind && other.key === key)) findings.push({ kind, key, message })
  }

  private async entriesOf(part: ArchivePart, expiry: RefusedExpiry): Promise<ReadonlyMap<string, SealedEntry>> {
    const entries = new Map<string, SealedEntry>()
    const bundles = this.journal.index.bundlesOf(this.options.read, folder => mayHavePart(part, folder))
    // what was said of a key first holds
    for await (const bundle of bundles)
      for (const entry of this.objectsIn(bundle, expiry))
        if (isOfPart(part, entry.key) && !entries.has(entry.key)) entries.set(entry.key, entry)
    return entries
  }

  private objectsIn(
    { first, leaves, wholeBefore, isSigned }: FoundBundle,
    expiry: RefusedExpiry,
  ): readonly SealedEntry[] {
    const path = `${TILES_PREFIX}entries (entry ${first})`
    if (!isSigned) this.find({ kind: 'altered', key: path, message: 'is in a bundle that is not what was verified' })
    const entries = leaves.flatMap((bytes, i) => this.decode(bytes, first + i) ?? [])
    expiry.addBundle(wholeBefore, entries)
    return entries.filter(entry => entry.type === 'object@1')
  }

  private decode(bytes: Buffer, index: number): Entry | undefined {
    try {
      return decodeEntry(bytes, `journal entry ${index}`)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      const message = `cannot be read: ${error.message}`
      this.find({ kind: 'altered', key: `${TILES_PREFIX}entries (entry ${index})`, message })
      return undefined
    }
  }

  /** True of an object that is the version that was sealed, but for some that are to be hashed all the same. */
  private byVersion(listed: readonly ListedForVerifying[]) {
    const since = this.options.now() - SAMPLE.days * DAY_MS
    const share = SAMPLE.objects / listed.filter(({ modified }) => modified >= since).length
    return ({ key, etag, modified }: ListedForVerifying, { version_id: sealed }: SealedEntry): boolean => {
      const drawn =
        hash('sha256', Buffer.concat([this.journal.root, Buffer.from(key)]), 'buffer').readUInt32BE() / 2 ** 32
      return sealed !== undefined && etag === sealed && !(modified >= since && drawn < share)
    }
  }
}
