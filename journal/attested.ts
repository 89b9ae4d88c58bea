import { FileError } from '../config/gate.js'
import type { Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import { leafHash, rootOf } from '../proof/tree.js'
import { readEntries } from './entries.js'
import type { Entry, SealEntry, SealedEntry } from './entry.js'
import { type Head, NOT_BEGUN, openHead } from './head.js'
import { signersOf } from './identity.js'
import { JournalError } from './journal-error.js'
import { CHECKPOINT, claimPath, type LogStore } from './log-store.js'

/** What a journal says, for whoever has no time to verify all of it. */
export interface Attested {
  /** By key. */
  readonly entries: ReadonlyMap<string, SealedEntry>
  readonly seals: readonly SealEntry[]
  /** Its entries, as far as they can be read. */
  readonly size: number
  /** The root over the first of its entries; undefined of more than there are. */
  rootAt(size: number): Buffer | undefined
  /** True where its newest checkpoint was signed by the key that is believed; false, too, where none is. */
  readonly isSigned: boolean
  /** What of it cannot be read, or is not what was signed, for people. */
  readonly problems: readonly string[]
}

/**
 * Reads a journal to its newest checkpoint and holds its entries against that; undefined where there is none. Never
 * throws for what is in it: what cannot be read is a problem, and the rest still says what it says.
 */
export async function readAttested(
  store: LogStore,
  believed?: Verifier,
  onEntry: (entry: Entry) => void = () => {},
): Promise<Attested | undefined> {
  const reading = new Reading(store, believed, onEntry)
  await reading.run()
  return reading.isThere ? reading : undefined
}

class Reading implements Attested {
  readonly entries = new Map<string, SealedEntry>()
  readonly seals: SealEntry[] = []
  readonly problems: string[] = []
  private readonly hashes: Buffer[] = []
  isSigned = false
  isThere = false

  constructor(
    private readonly store: LogStore,
    private readonly believed: Verifier | undefined,
    private readonly onEntry: (entry: Entry) => void,
  ) {}

  get size(): number {
    return this.hashes.length
  }

  rootAt(size: number): Buffer | undefined {
    return size > this.size ? undefined : rootOf(this.hashes.slice(0, size))
  }

  async run(): Promise<void> {
    const cached = await this.headAt(CHECKPOINT)
    const newest = await this.newestAfter(cached ?? NOT_BEGUN)
    const head = newest ?? cached
    if (head !== undefined) await this.orProblem(() => this.readTo(head))
    else if (!this.isThere && (await this.hasTiles())) this.problem(new JournalError(CHECKPOINT, 'is not there'))
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
      for await (const _ of readEntries(path => this.store.read(path), { from: size - 1, to: size, size })) return true
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
    if (this.believed !== undefined) {
      try {
        const head = openHead(bytes, path, { origin: this.believed.name, known: [this.believed] })
        this.isSigned = true
        return head
      } catch (error) {
        this.problem(error)
      }
    }
    return openHead(bytes, path, signersOf(bytes) ?? { origin: '', known: [] })
  }

  private async readTo({ size, root }: Head): Promise<void> {
    for await (const { bytes, entry } of readEntries(path => this.store.read(path), { from: 0, to: size, size })) {
      this.hashes.push(leafHash(bytes))
      if (entry !== undefined) this.keep(entry)
    }
    if (!rootOf(this.hashes).equals(root))
      throw new JournalError(CHECKPOINT, `of size ${size} is of other entries than those that are there`)
  }

  private keep(entry: Entry): void {
    this.onEntry(entry)
    if (entry.type === 'seal@1') this.seals.push(entry)
    // an archive's objects are never rewritten: what was said of a key first holds
    if (entry.type === 'object@1' && !this.entries.has(entry.key)) this.entries.set(entry.key, entry)
  }

  private async hasTiles(): Promise<boolean> {
    this.isThere = (await this.orProblem(() => this.store.list('tile/')))?.length !== 0
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
