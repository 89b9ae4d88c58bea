import { SEALED_PREFIXES } from '../transform/layout.js'
import type { ArchiveObjects, FoundObject } from './archive-objects.js'
import { type ArchivePart, mayHavePart, partFrom } from './archive-part.js'
import type { ListingTurn } from './seal-memory.js'
import type { SealedKeys } from './sealed-objects.js'

/** What a run of a sealer found that its journal does not name. */
export interface NewObjects {
  /** By key, as far as they were listed together. */
  readonly found: readonly FoundObject[]
  /**
   * When the newest object of all was written that was listed, milliseconds since 1970; of a list that was made over
   * several runs, by the first of them.
   */
  readonly newest: number
  /** True where all of the archive was listed, now or over several runs. */
  readonly isWhole: boolean
  /** Where the next run goes on; undefined where nothing is left of the list. */
  readonly turn: ListingTurn | undefined
}

export interface ListingTime {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly hasTime: () => boolean
  /**
   * Days before yesterday are listed in one run until so many bundles tell of them.
   * @default 256
   */
  readonly bundles?: number | undefined
}

/** Of 65,536 entries: as many objects take S3 some twenty seconds to list. */
export const BUNDLES_A_RUN = 256

const DAY_MS = 86_400_000

/**
 * The objects of an archive that its journal does not name. Where the archive can be listed by parts, each run lists
 * all but the rows of days before yesterday, and once a day (UTC) a list of everything is begun, which takes as many
 * runs as the archive is large.
 */
export async function newObjects(
  objects: ArchiveObjects,
  sealed: SealedKeys,
  turn: ListingTurn | undefined,
  { now, hasTime, bundles = BUNDLES_A_RUN }: ListingTime,
): Promise<NewObjects> {
  const listing = new Listing(objects, sealed)
  if (objects.listPart === undefined) {
    for (const prefix of SEALED_PREFIXES) await listing.add(await objects.list(prefix), () => true)
    return { ...listing.found, isWhole: true, turn: undefined }
  }
  const since = dayOf(now - DAY_MS)
  const isDue = turn !== undefined || sealed.lastWhole?.time.slice(0, 10) !== dayOf(now)
  for (const part of ['others', { from: since, before: undefined }] as const) await listing.addPart(part)
  if (!isDue) return { ...listing.found, isWhole: false, turn: undefined }
  let from = turn?.from ?? ''
  if (from < since && hasTime()) {
    const part = partFrom(from, { days: sealed.days(), before: since, bundles })
    await listing.addPart(part)
    from = part.before
  }
  const { found, newest } = listing.found
  const first = turn?.newest ?? Math.max(newest, 0)
  if (from < since) return { found, newest, isWhole: false, turn: { from, newest: first } }
  return {
    found,
    newest: turn === undefined ? newest : first || Number.NEGATIVE_INFINITY,
    isWhole: true,
    turn: undefined,
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

class Listing {
  private readonly objects: FoundObject[] = []
  private newest = Number.NEGATIVE_INFINITY

  constructor(
    private readonly archive: ArchiveObjects,
    private readonly sealed: SealedKeys,
  ) {}

  get found(): Pick<NewObjects, 'found' | 'newest'> {
    return { found: this.objects, newest: this.newest }
  }

  async addPart(part: ArchivePart): Promise<void> {
    const listed = await this.archive.listPart?.(part)
    await this.add(listed ?? [], folder => mayHavePart(part, folder))
  }

  /** Of what was listed that which no entry of these folders names. */
  async add(listed: readonly FoundObject[], isMeant: (folder: string) => boolean): Promise<void> {
    if (listed.length === 0) return
    const named = await this.sealed.namedIn(isMeant)
    for (const object of listed) {
      this.newest = Math.max(this.newest, object.modified)
      if (!named.has(object.key)) this.objects.push(object)
    }
  }
}
