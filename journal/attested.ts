import { FileError } from '../config/gate.js'
import type { Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import { leafHash, rootOf } from '../proof/tree.js'
import { REFUSED_PREFIX } from '../transform/layout.js'
import { readEntries, readLeaves } from './entries.js'
import { decodeEntry, type Entry, type SealEntry, type SealedEntry } from './entry.js'
import { type Head, NOT_BEGUN, openHead } from './head.js'
import { signersOf } from './identity.js'
import { JournalError } from './journal-error.js'
import { CHECKPOINT, claimPath, isOfHistory, type LogStore } from './log-store.js'

/** What a journal says, for whoever has no time to verify all of it. */
export interface Attested {
  /** What it says of the objects whose keys are meant, by key. What of that cannot be read becomes a problem. */
  entriesOf(isMeant: (key: string) => boolean): ReadonlyMap<string, SealedEntry>
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
  /** Of objects, by key, as they stand: most are asked for by nobody. */
  private readonly leaves = new Map<string, Buffer>()
  readonly seals: SealEntry[] = []
  readonly problems: string[] = []
  private readonly hashes: Buffer[] = []
  private root: Buffer | undefined
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
    if (size > this.size) return undefined
    const isWhole = size === this.size && this.root !== undefined
    return isWhole ? this.root : rootOf(this.hashes.slice(0, size))
  }

  async run(): Promise<void> {
    const cached = await this.headAt(CHECKPOINT)
    const newest = await this.newestAfter(cached ?? NOT_BEGUN)
    const head = newest ?? cached
    if (head !== undefined) await this.orProblem(() => this.readTo(head))
    else if (!this.isThere && (await this.hasHistory())) this.problem(new JournalError(CHECKPOINT, 'is not there'))
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
    for await (const { index, bytes } of readLeaves(path => this.store.read(path), { from: 0, to: size, size })) {
      this.hashes.push(leafHash(bytes))
      this.keep(bytes, index)
    }
    this.root = rootOf(this.hashes)
    if (!this.root.equals(root))
      throw new JournalError(CHECKPOINT, `of size ${size} is of other entries than those that are there`)
  }

  /** Of an object only its key is looked at; what lists nothing of the archive's rows is little, and decoded. */
  private keep(bytes: Buffer, index: number): void {
    const key = bytes.includes(OF_OBJECT) ? keyIn(bytes) : undefined
    // an archive's objects are never rewritten: what was said of a key first holds
    if (key !== undefined && !this.leaves.has(key)) this.leaves.set(key, bytes)
    if (key !== undefined && !key.startsWith(REFUSED_PREFIX)) return
    const entry = decodeEntry(bytes, `journal entry ${index}`)
    if (entry === undefined) return
    this.onEntry(entry)
    if (entry.type === 'seal@1') this.seals.push(entry)
  }

  entriesOf(isMeant: (key: string) => boolean): ReadonlyMap<string, SealedEntry> {
    const entries = new Map<string, SealedEntry>()
    for (const [key, bytes] of this.leaves) {
      const entry = isMeant(key) ? this.decode(key, bytes) : undefined
      if (entry !== undefined) entries.set(key, entry)
    }
    return entries
  }

  private decode(key: string, bytes: Buffer): SealedEntry | undefined {
    try {
      const entry = decodeEntry(bytes, `journal entry of ${key}`)
      if (entry?.type === 'object@1' && entry.key === key) return entry
      throw new JournalError('tile/entries', `has an entry that is not of ${key}`)
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

/** Within a text of JSON every quote has a backslash before it, so that nothing else has this in it. */
const OF_OBJECT = '"type":"object@1"'
const KEY = /"key":"((?:[^"\\]|\\.)*)"/

function keyIn(bytes: Buffer): string | undefined {
  const [, text] = KEY.exec(bytes.toString('utf8')) ?? []
  try {
    return text === undefined ? undefined : (JSON.parse(`"${text}"`) as string)
  } catch {
    return undefined
  }
}

/** True of what is wrong with a journal, or with the folder that it lies in. */
function isOfJournal(error: unknown): boolean {
  const isRefused = typeof (error as NodeJS.ErrnoException).code === 'string' && 'syscall' in (error as object)
  return error instanceof JournalError || error instanceof FileError || error instanceof ProofError || isRefused
}
