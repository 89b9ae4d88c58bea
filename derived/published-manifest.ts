import type { ObjectEntry, TaggedText } from '../store/objects.js'
import type { Bucket } from '../store/s3.js'
import { manifestKey } from '../transform/derived.js'
import { derivedPrefix } from '../transform/layout.js'
import { CompactionError } from './compaction-error.js'
import type { Situation } from './compaction-plan.js'
import {
  groupFiles,
  intact,
  type ListedBucket,
  listDays,
  namesIn,
  parseManifest,
  UNLOADED_VERSION,
  type UnloadedManifest,
} from './unloaded-manifest.js'

/** The bucket of what is made from an archive. */
export type DerivedBucket = Pick<Bucket, 'entries' | 'openTagged' | 'replace' | 'remove'>

/** A compaction that is not to be tried with less: somebody else is at it, or has to look. */
export class NotToBeRetried extends CompactionError {}

/** What is published, and what the archive has. */
export interface Found extends Situation {
  readonly opened: TaggedText | undefined
  /** As it was read, with what lacks a file. */
  readonly named: UnloadedManifest | undefined
}

const HOUR_MS = 60 * 60_000

/** What is not in use is removed after so long: by then a function that wrote it, or a reader that asks it, has ended. */
const WRITTEN_MS = HOUR_MS
const REPLACED_MS = 24 * HOUR_MS

/** The one object that says what of a table's derived files is in use, and the files that it speaks of. */
export class PublishedManifest {
  constructor(
    private readonly archive: ListedBucket<ObjectEntry>,
    private readonly derived: DerivedBucket,
    private readonly table: string,
    private readonly since: string,
    private readonly now: () => number,
  ) {}

  async look(): Promise<Found> {
    const { opened, named } = await this.open()
    const manifest = named && intact(named, await this.derived.entries(derivedPrefix(this.table)))
    return { opened, named, manifest, since: this.since, listed: await listDays(this.archive, this.table) }
  }

  /** Replaces the manifest on condition that it is the one that was found. */
  async publish(
    { opened, named, manifest }: Found,
    changed: Partial<Pick<UnloadedManifest, 'runs' | 'days' | 'unseen' | 'checkpoints' | 'answers'>>,
  ): Promise<void> {
    const at = new Date(this.now()).toISOString()
    const nothing = { runs: [], days: {}, unseen: {}, checkpoints: [], answers: [] }
    const { runs, days, unseen, checkpoints, answers } = { ...(manifest ?? nothing), ...changed }
    const inUse = new Set(namesIn({ runs, checkpoints, answers }))
    const gone = (named === undefined ? [] : namesIn(named)).filter(name => !inUse.has(name))
    const next: UnloadedManifest = {
      version: UNLOADED_VERSION,
      table: this.table,
      generation: (named?.generation ?? 0) + 1,
      built: at,
      runs,
      days,
      unseen,
      checkpoints,
      answers,
      replaced: [...this.stillAsked(named), ...gone.map(name => ({ name, at }))],
    }
    const [key, text] = [manifestKey(this.table), JSON.stringify(next)]
    try {
      await this.derived.replace(key, text, opened)
    } catch (error) {
      if (!CONFLICTS.has((error as Error).name)) throw error
      // an answer that was lost on its way makes the same request fail when it is sent again
      if ((await this.derived.openTagged(key))?.text !== text)
        throw new NotToBeRetried(`another compaction of ${this.table} published meanwhile`)
    }
  }

  /** Removes what is not in use, and was not when a reader that is still at it began. */
  async sweep(): Promise<void> {
    const { named } = await this.open()
    const replaced = this.stillAsked(named).map(({ name }) => name)
    const used = new Set([...(named === undefined ? [] : namesIn(named)), ...replaced])
    const before = this.now() - WRITTEN_MS
    const files = groupFiles(await this.derived.entries(derivedPrefix(this.table)))
    const abandoned = [...files].filter(
      ([name, entries]) => !used.has(name) && entries.every(({ modified }) => modified < before),
    )
    const keys = abandoned.flatMap(([, entries]) => entries.map(({ key }) => key))
    if (keys.length > 0) await this.derived.remove(keys)
  }

  private stillAsked(manifest: UnloadedManifest | undefined): UnloadedManifest['replaced'] {
    return (manifest?.replaced ?? []).filter(({ at }) => Date.parse(at) > this.now() - REPLACED_MS)
  }

  private async open() {
    const key = manifestKey(this.table)
    const opened = await this.derived.openTagged(key)
    try {
      return { opened, named: opened && parseManifest(opened.text, this.table) }
    } catch (error) {
      const reason = (error as Error).message
      throw new NotToBeRetried(`${key} cannot be used: ${reason}; without it, everything is made anew`)
    }
  }
}

const CONFLICTS = new Set(['PreconditionFailed', 'ConditionalRequestConflict'])
