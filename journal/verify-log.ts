import { FileError } from '../config/gate.js'
import { parseVkey, type Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import { readBundle, readTile, TILE_WIDTH, type Tile, tilePath, tilesBetween } from '../proof/tiles.js'
import { joinSubtrees, leafHash, nodeHash, rootOf } from '../proof/tree.js'
import { decodeEntry, type Entry, type SealEntry } from './entry.js'
import type { Finding } from './finding.js'
import { cachedHead, type Head, type JournalIdentity, NOT_BEGUN, openHead } from './head.js'
import { JournalError } from './journal-error.js'
import { CHECKPOINT, claimPath, type LogStore } from './log-store.js'

/** What is believed of a journal after each of its files was read. */
export interface VerifiedLog {
  /** Its end: where the chain of claims ends, which the cached checkpoint may be behind. */
  readonly head: Head
  readonly claims: number
  readonly entries: number
  readonly seals: readonly SealEntry[]
  readonly findings: readonly Finding[]
  /** Why less can be said than one would expect, for people. */
  readonly remarks: readonly string[]
}

export interface VerifyLogOptions {
  /** A checkpoint that somebody kept: the journal must begin with what it says. */
  readonly since?: Head | undefined
  /** Told each entry, in order. */
  readonly onEntry?: ((index: number, entry: Entry) => void) | undefined
}

/**
 * Holds a journal against itself, the keys and a kept checkpoint: every signature of the chain of claims, every entry,
 * every tile made again. Nothing is written.
 */
export async function verifyLog(
  store: LogStore,
  identity: JournalIdentity,
  { since, onEntry }: VerifyLogOptions = {},
): Promise<VerifiedLog> {
  const walk = new Walk(store, identity, onEntry)
  await walk.cached()
  await walk.chain(since)
  return walk.verified()
}

class Walk {
  private readonly findings: Finding[] = []
  private readonly remarks: string[] = []
  private readonly seals: SealEntry[] = []
  private readonly known: Verifier[]
  private readonly leaves = new Leaves()
  private head: Head = NOT_BEGUN
  private cache: Head = NOT_BEGUN
  private claims = 0

  constructor(
    private readonly store: LogStore,
    private readonly identity: JournalIdentity,
    private readonly onEntry: ((index: number, entry: Entry) => void) | undefined,
  ) {
    this.known = [...identity.known]
  }

  async cached(): Promise<void> {
    await this.orFinding(async () => {
      this.cache = await cachedHead(this.store, this.identity)
    })
  }

  /** From claim to claim, with the entries that lie between. */
  async chain(since: Head | undefined): Promise<void> {
    const kept = [this.cache, ...(since === undefined ? [] : [since])]
    for (;;) {
      const next = await this.nextClaim()
      if (next === undefined) break
      const within = kept.filter(({ size }) => size > this.head.size && size < next.size)
      const isWhole = await this.orFinding(() => this.readTo(next, within))
      if (!isWhole) break
      this.head = next
      this.claims++
    }
    for (const checkpoint of kept) this.holdAgainst(checkpoint, checkpoint === since ? 'kept' : 'cached')
    await this.tiles()
  }

  private async nextClaim(): Promise<Head | undefined> {
    const path = claimPath(this.head.size)
    const bytes = await this.store.read(path)
    if (bytes === undefined) return undefined
    let next: Head | undefined
    await this.orFinding(async () => {
      next = openHead(bytes, path, { origin: this.identity.origin, known: this.known })
      if (next.size <= this.head.size) throw new JournalError(path, `leads to size ${next.size}`)
    })
    return next
  }

  /** Reads entries up to a claim, and holds its root against theirs. */
  private async readTo(next: Head, within: readonly Head[]): Promise<void> {
    const stops = [...within, next].sort((a, b) => a.size - b.size)
    for (const stop of stops) {
      await this.readEntries(stop.size, next.size)
      if (!this.leaves.root().equals(stop.root))
        this.find(
          stop === next ? 'altered' : 'forked',
          claimPath(this.head.size),
          `has another root at size ${stop.size} than its entries`,
        )
    }
  }

  private async readEntries(to: number, size: number): Promise<void> {
    while (this.leaves.count < to) {
      const bundle = Math.floor(this.leaves.count / TILE_WIDTH)
      const first = bundle * TILE_WIDTH
      const width = Math.min(TILE_WIDTH, size - first)
      const entries = await readBundle(path => this.store.read(path), { index: bundle, width })
      for (const bytes of entries.slice(this.leaves.count - first, to - first)) this.entry(bytes)
    }
  }

  private entry(bytes: Buffer): void {
    const index = this.leaves.count
    this.leaves.add(leafHash(bytes))
    try {
      const entry = decodeEntry(bytes, `journal entry ${index}`)
      if (entry === undefined) return
      if (entry.type === 'seal@1') this.seals.push(entry)
      if (entry.type === 'key@1') this.known.push(parseVkey(entry.vkey))
      this.onEntry?.(index, entry)
    } catch (error) {
      if (!(error instanceof FileError || error instanceof ProofError)) throw error
      this.find('altered', `tile/entries (entry ${index})`, `cannot be read: ${error.message}`)
    }
  }

  /** A checkpoint that says more, or another thing, than the chain. */
  private holdAgainst({ size, root }: Head, which: 'kept' | 'cached'): void {
    const path = which === 'kept' ? `${CHECKPOINT} (the kept one)` : CHECKPOINT
    if (size > this.head.size)
      this.find('cut-off', path, `is of size ${size}, the chain of claims ends at ${this.head.size}`)
    else if (size === this.head.size && !root.equals(this.head.root))
      this.find('forked', path, `has another root at size ${size} than the chain of claims`)
    else if (which === 'cached' && size < this.head.size)
      this.remarks.push(`log/${CHECKPOINT} is behind: size ${size} of ${this.head.size}`)
    if (which === 'kept' && size === 0)
      this.remarks.push('the kept checkpoint is of an empty journal, and proves nothing')
  }

  /** Every tile of the whole size, made again. Partial tiles of earlier sizes may be gone, or hold what the later have. */
  private async tiles(): Promise<void> {
    const { size } = this.head
    for (const tile of tilesBetween(0, size)) {
      await this.orFinding(async () => {
        const expected = this.leaves.tile(tile, size)
        const found = await readTile(path => this.store.read(path), tile)
        if (!Buffer.concat(found).equals(Buffer.concat(expected)))
          this.find('altered', tilePath(tile), 'is not made of its entries')
      })
    }
  }

  /** True where it ended; a journal's own errors become findings. */
  private async orFinding(step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (error instanceof JournalError)
        this.find(kindOf(error), error.path, error.message.slice(`log/${error.path} `.length))
      else if (error instanceof ProofError) this.find('missing', 'tile/', error.message)
      else throw error
      return false
    }
  }

  private find(kind: Finding['kind'], path: string, message: string): void {
    this.findings.push({ kind, key: `log/${path}`, message })
  }

  verified(): VerifiedLog {
    const { head, claims, seals, findings, remarks } = this
    return { head, claims, entries: this.leaves.count, seals, findings, remarks }
  }
}

function kindOf({ cause }: JournalError): Finding['kind'] {
  return cause instanceof ProofError && cause.fault === 'key' ? 'foreign-key' : 'altered'
}

/** Leaf hashes in order, with the root over those so far. */
class Leaves {
  private readonly hashes: Buffer[] = []
  private readonly complete: Buffer[] = []

  get count(): number {
    return this.hashes.length
  }

  add(leaf: Buffer): void {
    let merged = leaf
    for (let rest = this.hashes.length; rest % 2 === 1; rest = Math.floor(rest / 2))
      merged = nodeHash(this.complete.pop() as Buffer, merged)
    this.complete.push(merged)
    this.hashes.push(leaf)
  }

  root(): Buffer {
    return joinSubtrees(this.complete)
  }

  /** The hashes of a tile. */
  tile({ level, index, width }: Tile, size: number): readonly Buffer[] {
    const span = TILE_WIDTH ** level
    const first = index * TILE_WIDTH
    return Array.from({ length: width }, (_, i) => {
      const from = (first + i) * span
      if (from + span > size) throw new RangeError('a tile has hashes of whole tiles only')
      return rootOf(this.hashes.slice(from, from + span))
    })
  }
}
