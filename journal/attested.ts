import { FileError } from '../config/gate.js'
import type { Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import type { ReadFile } from '../proof/tiles.js'
import { folderOfKey, isFolderOf } from './bundle-outline.js'
import { readEntries } from './entries.js'
import { decodeEntry, type Entry, type SealEntry, type SealedEntry } from './entry.js'
import type { JournalFinding } from './finding.js'
import { whyNotGrown } from './growth.js'
import { type Head, NOT_BEGUN, openHead } from './head.js'
import { signersOf } from './identity.js'
import { JournalError } from './journal-error.js'
import { type FoundBundle, JournalIndex } from './journal-index.js'
import type { KeptIndex } from './kept-index.js'
import { CHECKPOINT, claimPath, isOfHistory, type LogStore } from './log-store.js'
import type { RefusedExpiry } from './refused-expiry.js'

/** What a journal says, for whoever has no time to verify all of it. */
export interface Attested {
  /** What it says of objects in the folders that are meant, by key. What of that cannot be read becomes a problem. */
  entriesIn(isMeant: (folder: string) => boolean): Promise<ReadonlyMap<string, SealedEntry>>
  /** Of its seals the last, and the last two that left nothing. */
  readonly seals: readonly SealEntry[]
  /** Its end, as far as it can be read. */
  readonly head: Pick<Head, 'size' | 'root'>
  /** Why it does not begin with what it was once; undefined where it does. */
  whyNotGrown(once: Pick<Head, 'size' | 'root'>): Promise<Pick<JournalFinding, 'kind' | 'message'> | undefined>
  /** True where its newest checkpoint was signed by the key that is believed; false, too, where none is. */
  readonly isSigned: boolean
  /** What of it cannot be read, or is not what was signed, for people. */
  readonly problems: readonly string[]
  /** What is to be kept for the next time; undefined where it is not as it was signed, or nothing is new. */
  readonly toKeep: KeptIndex | undefined
  /** True where what was kept did not do, and all was read anew. */
  readonly isAnew: boolean
}

export interface AttestedOptions {
  /** The key that it is believed under. @default - none */
  readonly believed?: Verifier | undefined
  /** What was read of it before. @default - nothing: all of it is read */
  readonly kept?: KeptIndex | undefined
  /** Told what is read of the folders that are meant. */
  readonly expiry: RefusedExpiry
}

/**
 * Reads a journal to its newest checkpoint and holds its entries against that; undefined where there is none. What was
 * read before is not read again until somebody asks about it. Never throws for what is in it: what cannot be read is a
 * problem, and the rest still says what it says.
 */
export async function readAttested(store: LogStore, options: AttestedOptions): Promise<Attested | undefined> {
  const reading = new Reading(store, options)
  await reading.run()
  return reading.isThere ? reading : undefined
}

class Reading implements Attested {
  readonly problems: string[] = []
  private readonly read: ReadFile
  private index: JournalIndex
  private signed: Head | undefined
  private isWhole = false
  isAnew = false
  isSigned = false
  isThere = false

  constructor(
    private readonly store: LogStore,
    private readonly options: AttestedOptions,
  ) {
    this.read = path => store.read(path)
    this.index = options.kept?.index ?? new JournalIndex()
  }

  get seals(): readonly SealEntry[] {
    return this.index.seals
  }

  get head(): Pick<Head, 'size' | 'root'> {
    return { size: this.index.size, root: this.index.root }
  }

  whyNotGrown(once: Pick<Head, 'size' | 'root'>) {
    return whyNotGrown(this.read, once, this.signed ?? NOT_BEGUN)
  }

  get toKeep(): KeptIndex | undefined {
    const isNew = this.head.size !== this.options.kept?.head.size || this.isAnew
    return this.isWhole && isNew && this.problems.length === 0 ? { index: this.index, head: this.head } : undefined
  }

  async run(): Promise<void> {
    const cached = await this.headAt(CHECKPOINT)
    const newest = await this.newestAfter(cached ?? NOT_BEGUN)
    this.signed = newest ?? cached
    const { signed } = this
    if (signed !== undefined) await this.orProblem(() => this.readTo(signed))
    else if (!this.isThere && (await this.hasHistory())) this.problem(new JournalError(CHECKPOINT, 'is not there'))
  }

  /** What was read before and does not lead there is a damaged file, or that of another journal: then all is read. */
  private async readTo(head: Head): Promise<void> {
    try {
      await this.index.readTo(this.read, head)
    } catch (error) {
      if (this.options.kept === undefined || !isOfJournal(error)) throw error
      this.index = new JournalIndex()
      this.isAnew = true
      await this.index.readTo(this.read, head)
    }
    this.isWhole = true
  }

  /** Where the chain of claims ends, as far as what was claimed is written: a sealing may be under way. */
  private async newestAfter(from: Head): Promise<Head | undefined> {
    let newest: Head | undefined
    for (let head = from; ; ) {
      const next = await this.headAt(claimPath(head.size))
      if (next === undefined || next.size <= head.size || !(await this.isWritten(next))) return newest
      newest = next
      head = next
    }
  }

  private async isWritten({ size }: Head): Promise<boolean> {
    try {
      for await (const _ of readEntries(this.read, { from: size - 1, to: size, size })) return true
    } catch (error) {
      if (!isOfJournal(error)) throw error
    }
    return false
  }

  private async headAt(path: string): Promise<Head | undefined> {
    return this.orProblem(async () => {
      const bytes = await this.store.read(path)
      if (bytes === undefined) return undefined
      this.isThere = true
      return this.open(bytes, path)
    })
  }

  /** What another key signed is a problem, and may still say what is missing. */
  private open(bytes: Uint8Array, path: string): Head {
    this.isSigned = false
    const { believed } = this.options
    if (believed !== undefined) {
      try {
        const head = openHead(bytes, path, { origin: believed.name, known: [believed] })
        this.isSigned = true
        return head
      } catch (error) {
        this.problem(error)
      }
    }
    return openHead(bytes, path, signersOf(bytes) ?? { origin: '', known: [] })
  }

  async entriesIn(isMeant: (folder: string) => boolean): Promise<ReadonlyMap<string, SealedEntry>> {
    const entries = new Map<string, SealedEntry>()
    const meant = isFolderOf(isMeant)
    await this.orProblem(async () => {
      // an archive's objects are never rewritten: what was said of a key first holds
      for await (const bundle of this.index.bundlesOf(this.read, isMeant))
        for (const entry of this.objectsIn(bundle))
          if (meant(folderOfKey(entry.key)) && !entries.has(entry.key)) entries.set(entry.key, entry)
    })
    return entries
  }

  private objectsIn({ first, leaves, wholeBefore, isSigned }: FoundBundle): readonly SealedEntry[] {
    if (!isSigned)
      this.problem(new JournalError(CHECKPOINT, `is of other entries than those that are there at ${first}`))
    const entries = leaves.flatMap((bytes, i) => this.decode(bytes, first + i) ?? [])
    this.options.expiry.addBundle(wholeBefore, entries)
    return entries.filter(entry => entry.type === 'object@1')
  }

  private decode(bytes: Buffer, index: number): Entry | undefined {
    try {
      return decodeEntry(bytes, `journal entry ${index}`)
    } catch (error) {
      this.problem(error)
      return undefined
    }
  }

  /** What is left of a journal is never one that has not begun. */
  private async hasHistory(): Promise<boolean> {
    this.isThere = (await this.orProblem(() => this.store.list('')))?.some(isOfHistory) !== false
    return this.isThere
  }

  private async orProblem<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    try {
      return await attempt()
    } catch (error) {
      this.isThere = true
      this.problem(error)
      return undefined
    }
  }

  private problem(error: unknown): void {
    if (!isOfJournal(error)) throw error
    const { message } = error as Error
    if (!this.problems.includes(message)) this.problems.push(message)
  }
}

/** True of what is wrong with a journal, or with the folder that it lies in. */
function isOfJournal(error: unknown): boolean {
  const isRefused = typeof (error as NodeJS.ErrnoException).code === 'string' && 'syscall' in (error as object)
  return error instanceof JournalError || error instanceof FileError || error instanceof ProofError || isRefused
}
