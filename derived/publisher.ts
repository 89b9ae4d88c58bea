import { FileError } from '../config/gate.js'
import { isConflict, type ReplaceableObjects, type TaggedText } from '../store/objects.js'
import { coveredKey, DERIVED_VERSION, manifestKey } from '../transform/derived.js'
import { derivedPrefix } from '../transform/layout.js'
import {
  filesOfRun,
  groupFiles,
  type Listing,
  listDigest,
  listText,
  lostOf,
  objectsOf,
  readCoverage,
} from './coverage.js'
import type { Situation } from './due-days.js'
import { DerivedError, NotToBeRetried } from './error.js'
import { type Manifest, namesIn, readManifest } from './manifest.js'

/** Where derived files lie. */
export type DerivedObjects = Pick<ReplaceableObjects, 'entries' | 'openTagged' | 'replace' | 'remove'>

/** What is published, and what the archive has. */
export interface Found extends Situation {
  readonly opened: TaggedText | undefined
  /** As it was read, with what lacks a file. */
  readonly named: Manifest | undefined
  /** Why something has to be made again that was not asked for. */
  readonly reasons: readonly string[]
}

/** What a publication changes. */
export type Changed = Partial<Pick<Manifest, 'runs' | 'unseen' | 'checkpoints' | 'answers'>>

/** How a table's derived files are looked after. */
export interface PublisherOptions {
  /** Lists the archive. */
  readonly list: Listing
  readonly derived: DerivedObjects
  readonly table: string
  /** The first day that a statement sees. */
  readonly since: string
  readonly now: () => number
  /** What no manifest names is removed when it is that old: by then who wrote it has ended. In milliseconds. */
  readonly writtenMs: number
  /** What a manifest named is removed so long after it was replaced: by then a reader that asks it has ended. */
  readonly replacedMs: number
  /** True to make everything anew, whatever there is. */
  readonly rebuild: boolean
  /** True to make everything anew where the manifest cannot be read, instead of leaving it to somebody who looks. */
  readonly replacesUnreadable: boolean
  /** Why what is published is not to be built upon, whatever it says. @default - it is, where it can be read */
  readonly whyForeign?: (key: string, text: string) => string | undefined
}

/** The one object that says what of a table's derived files is in use, and the files that it speaks of. */
export class Publisher {
  constructor(private readonly options: PublisherOptions) {}

  /** Reads what is published, holds it against its files, and lists the archive. */
  async look(): Promise<Found> {
    const { list, derived, table, since, rebuild } = this.options
    const { opened, named, reason } = await this.open()
    const { manifest, reasons } =
      named === undefined || (rebuild && !this.publishes)
        ? { manifest: undefined, reasons: [] }
        : intact(named, await derived.entries(derivedPrefix(table)))
    const listed = await list(table)
    const coverage = await readCoverage(derived, table, manifest, listed)
    const lost = lostOf(coverage).map(({ what }) => what)
    const told = [...(reason === undefined ? [] : [reason]), ...reasons, ...lost]
    return { opened, named, manifest, since, listed, coverage, reasons: told }
  }

  /** True once this one has published. */
  private publishes = false

  /** Keeps the list of what a run was made from; who reads it holds it against the manifest. */
  async keepList(run: string, { listed }: Found, days: readonly string[]): Promise<void> {
    const text = listText(objectsOf(days, listed))
    await this.options.derived.replace(coveredKey(this.options.table, run), text, undefined)
  }

  /** Replaces the manifest on condition that it is the one that was found. */
  async publish({ opened, named, manifest }: Found, changed: Changed): Promise<Manifest> {
    const { table, derived } = this.options
    const at = new Date(this.options.now()).toISOString()
    const { runs, unseen, checkpoints, answers } = { ...(manifest ?? NOTHING), ...changed }
    const inUse = new Set(namesIn({ runs, checkpoints, answers }))
    const gone = (named === undefined ? [] : namesIn(named)).filter(name => !inUse.has(name))
    const next: Manifest = {
      version: DERIVED_VERSION,
      table,
      generation: (named?.generation ?? 0) + 1,
      built: at,
      runs,
      unseen,
      checkpoints,
      answers,
      replaced: [...this.stillAsked(named), ...gone.map(name => ({ name, at }))],
    }
    const [key, text] = [manifestKey(table), JSON.stringify(next)]
    refuseUnreadable(text, key, table)
    try {
      await derived.replace(key, text, opened)
    } catch (error) {
      if (!isConflict(error)) throw error
      // an answer that was lost on its way makes the same request fail when it is sent again
      if ((await derived.openTagged(key))?.text !== text)
        throw new NotToBeRetried(`another compaction of ${table} published meanwhile`)
    }
    this.publishes = true
    return next
  }

  /** Removes what is not in use, and was not when a reader that is still at it began. Returns the keys. */
  async sweep(): Promise<readonly string[]> {
    const { derived, table, now, writtenMs } = this.options
    const { named } = await this.open()
    const replaced = this.stillAsked(named).map(({ name }) => name)
    const used = new Set([...(named === undefined ? [] : namesIn(named)), ...replaced])
    const files = groupFiles(await derived.entries(derivedPrefix(table)))
    const abandoned = [...files].filter(
      ([name, entries]) => !used.has(name) && entries.every(({ modified }) => modified <= now() - writtenMs),
    )
    const keys = abandoned.flatMap(([, entries]) => entries.map(({ key }) => key))
    if (keys.length > 0) await derived.remove(keys)
    return keys
  }

  private stillAsked(manifest: Manifest | undefined): Manifest['replaced'] {
    const { now, replacedMs } = this.options
    return (manifest?.replaced ?? []).filter(({ at }) => Date.parse(at) > now() - replacedMs)
  }

  private async open() {
    const { derived, table, replacesUnreadable, whyForeign } = this.options
    const key = manifestKey(table)
    const opened = await derived.openTagged(key)
    const foreign = opened && whyForeign?.(key, opened.text)
    if (foreign !== undefined) return { opened, named: undefined, reason: foreign }
    try {
      return { opened, named: opened && readManifest(opened.text, key, table), reason: undefined }
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      const reason = `its manifest cannot be used, ${error.message}`
      if (replacesUnreadable) return { opened, named: undefined, reason }
      throw new NotToBeRetried(`${reason}; without it, everything is made anew`)
    }
  }
}

const NOTHING = { runs: [], unseen: {}, checkpoints: [], answers: [] }

/** A manifest without what lacks a file: its days are then due again. */
function intact(
  manifest: Manifest,
  listed: Awaited<ReturnType<DerivedObjects['entries']>>,
): { readonly manifest: Manifest; readonly reasons: readonly string[] } {
  const files = groupFiles(listed)
  const runs = manifest.runs.filter(
    run => JSON.stringify(filesOfRun(run.name, files.get(run.name) ?? [])) === JSON.stringify(run.files),
  )
  const isWhole = (one: { readonly name: string; readonly files: string }) =>
    listDigest(files.get(one.name) ?? []) === one.files
  const checkpoints = manifest.checkpoints.filter(isWhole)
  // an answer is of all days that were covered
  const answers = runs.length < manifest.runs.length ? [] : manifest.answers.filter(isWhole)
  const broken = [
    ...manifest.runs.filter(run => !runs.includes(run)),
    ...[...manifest.checkpoints, ...manifest.answers].filter(one => !isWhole(one)),
  ]
  const reasons = broken.map(({ name }) => `files of ${name} are gone, or others than its manifest names`)
  return { manifest: { ...manifest, runs, checkpoints, answers }, reasons }
}

/**
 * Whoever reads the manifest holds it against its schema. One that rows of no sound time or key made would be passed
 * over, and the same days be copied again for ever.
 */
function refuseUnreadable(text: string, key: string, table: string): void {
  try {
    readManifest(text, key, table)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    const hint = 'nothing was published; itemtrail verify rows names the rows that are others than they were made'
    throw new DerivedError(`what would be kept of ${table} could not be read back: ${error.message}`, [], hint)
  }
}
