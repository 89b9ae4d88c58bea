import { FileError } from '../config/gate.js'
import { parseVkey, type Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import {
  bundlePath,
  decodeBundle,
  partialTiles,
  readBundle,
  readTile,
  TILE_WIDTH,
  type Tile,
  tilePath,
  tilesBetween,
} from '../proof/tiles.js'
import { joinSubtrees, leafHash, nodeHash, rootOf } from '../proof/tree.js'
import { LOG_PREFIX } from '../transform/layout.js'
import { readEntries } from './entries.js'
import { decodeEntry, type Entry, type SealEntry } from './entry.js'
import type { JournalFinding } from './finding.js'
import { type Head, type JournalIdentity, NOT_BEGUN, openHead } from './head.js'
import { JournalError } from './journal-error.js'
import { strayFiles } from './log-files.js'
import { CHECKPOINT, claimPath, isOfHistory, type LogStore, stagingPath } from './log-store.js'
import { decodeStaged } from './staging.js'

/** What is believed of a journal after each of its files was read. */
export interface VerifiedLog {
  /** Its end: where the chain of claims ends, which the cached checkpoint may be behind. */
  readonly head: Head
  readonly claims: number
  readonly entries: number
  readonly seals: readonly SealEntry[]
  readonly findings: readonly JournalFinding[]
  /** Why less can be said than one would expect, for people. */
  readonly remarks: readonly string[]
}

export interface VerifyLogOptions {
  /** A checkpoint that somebody kept: the journal must begin with what it says. */
  readonly since?: Head | undefined
  /** The same of a checkpoint that this machine saw, and the file that says so. */
  readonly seen?: (Pick<Head, 'size' | 'root'> & { readonly where: string }) | undefined
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
  { since, seen, onEntry }: VerifyLogOptions = {},
): Promise<VerifiedLog> {
  const walk = new Walk(store, identity, onEntry)
  await walk.run(since, seen)
  return walk.verified()
}

class Walk {
  private readonly findings: JournalFinding[] = []
  private readonly remarks: string[] = []
  private readonly seals: SealEntry[] = []
  private readonly known: Verifier[]
  private readonly leaves = new Leaves()
  private readonly chain: Head[] = []
  private readonly staged = new Map<string, Uint8Array>()

  constructor(
    private readonly store: LogStore,
    private readonly identity: JournalIdentity,
    private readonly onEntry: ((index: number, entry: Entry) => void) | undefined,
  ) {
    this.known = [...identity.known]
  }

  /** Claim by claim: a key that is sealed under a known one is known from then on. */
  async run(since: Head | undefined, seen: VerifyLogOptions['seen']): Promise<void> {
    // before the claims: of a journal that is being sealed both would say more than they did
    const there = await this.store.list('')
    const checkpoint = await this.store.read(CHECKPOINT)
    await this.claims()
    if (this.findings.length === 0) this.strays(there)
    const cached = await this.cached(checkpoint)
    await this.unfinished(cached)
    const kept = [...(cached === undefined ? [] : [{ ...cached, path: CHECKPOINT }])]
    if (since !== undefined) kept.push({ ...since, path: KEPT })
    if (seen !== undefined) kept.push({ ...seen, note: undefined, path: `checkpoint (${seen.where})` })
    await this.entries(kept)
    for (const checkpoint of kept) this.holdAgainstEnd(checkpoint)
    this.clocks()
    await this.tiles()
    for (const { size } of this.chain.slice(0, -1)) await this.olderTiles(size)
  }

  private get end(): Head {
    return this.chain.at(-1) ?? NOT_BEGUN
  }

  /** The chain of claims, as far as it is signed by keys that are known. */
  private async claims(): Promise<void> {
    for (;;) {
      const path = claimPath(this.end.size)
      const bytes = await this.store.read(path)
      if (bytes === undefined) return
      const isSound = await this.orFinding(async () => {
        const next = await this.openWithNewKeys(bytes, path)
        if (next.size <= this.end.size) throw new JournalError(path, `leads to size ${next.size}`)
        this.chain.push(next)
      })
      if (!isSound) return
    }
  }

  /** Whoever seals claims first and writes then: files that follow no claim are what is left of a journal. */
  private strays(there: readonly string[]): void {
    const history = there.filter(isOfHistory)
    if (this.chain.length === 0) {
      if (history.length > 0)
        this.find(
          'missing',
          claimPath(0),
          `is not there, ${LOG_PREFIX}${history[0]} ${isThere(history)}: the journal has no beginning`,
        )
      return
    }
    const sizes = this.chain.map(({ size }) => size)
    const { beyond, besides, strange } = strayFiles(there, sizes)
    const end = `the chain of claims ends at ${this.end.size}`
    if (beyond[0] !== undefined)
      this.find('cut-off', beyond[0], `${isThere(beyond)}, and ${end}: what came then is gone`)
    if (besides[0] !== undefined)
      this.find('forked', besides[0], `${isThere(besides)}, and the chain of claims does not come by`)
    if (strange.length > 0)
      this.remarks.push(
        `what ${LOG_PREFIX}${strange[0]} is, which ${isThere(strange)}: no file of a journal, or of a size that nobody signed`,
      )
  }

  /** Opens a claim; where no known key signed it, with the keys that were sealed until there. */
  private async openWithNewKeys(bytes: Uint8Array, path: string): Promise<Head> {
    const identity = { origin: this.identity.origin, known: this.known }
    try {
      return openHead(bytes, path, identity)
    } catch (error) {
      if (!(error instanceof JournalError) || !(await this.learnKeys())) throw error
      return openHead(bytes, path, identity)
    }
  }

  /** True where the entries of the chain so far name a key that was not known. They are believed by its last claim. */
  private async learnKeys(): Promise<boolean> {
    const { size, root } = this.end
    const hashes: Buffer[] = []
    const keys: Verifier[] = []
    for await (const { bytes, entry } of readEntries(path => this.store.read(path), { from: 0, to: size, size })) {
      hashes.push(leafHash(bytes))
      if (entry?.type === 'key@1') keys.push(parseVkey(entry.vkey))
    }
    if (!rootOf(hashes).equals(root)) return false
    const before = this.known.length
    for (const key of keys)
      if (!this.known.some(({ id, name }) => id === key.id && name === key.name)) this.known.push(key)
    return this.known.length > before
  }

  private async cached(bytes: Uint8Array | undefined): Promise<Head | undefined> {
    let cached: Head | undefined
    if (bytes === undefined) {
      if (this.chain.length > 0) this.remarks.push(`${LOG_PREFIX}${CHECKPOINT} is not there, the chain of claims is`)
    } else
      await this.orFinding(async () => {
        cached = openHead(bytes, CHECKPOINT, { origin: this.identity.origin, known: this.known })
      })
    return cached
  }

  /**
   * A sealing that is at work, or died, has claimed the end and may not have written all of it: what is missing is then
   * where it was staged, and the claim's root tells whether that is it. The checkpoint moves on when all is written.
   */
  private async unfinished(cached: Head | undefined): Promise<void> {
    const { size, root } = this.end
    if (size === 0 || (cached !== undefined && cached.size >= size)) return
    const path = stagingPath(size, root)
    const staged = await this.store.read(path)
    // it is removed once all is written
    if (staged === undefined) return
    try {
      for (const file of decodeStaged(staged, `${LOG_PREFIX}${path}`)) this.staged.set(file.path, file.bytes)
    } catch (error) {
      if (!(error instanceof FileError) && !(error instanceof ProofError)) throw error
      this.find('altered', path, `cannot be read: ${error.message}`)
    }
  }

  /** A file of the log, or what it will be. */
  private async read(path: string): Promise<Uint8Array | undefined> {
    return (await this.store.read(path)) ?? this.staged.get(path)
  }

  /** Every entry of the end, with the root at each size that somebody signed. */
  private async entries(kept: readonly Kept[]): Promise<void> {
    const claims = this.chain.map((head, i) => ({ ...head, path: claimPath(this.chain[i - 1]?.size ?? 0) }))
    const stops: Kept[] = [...claims, ...kept].filter(({ size }) => size <= this.end.size)
    for (const stop of stops.sort((a, b) => a.size - b.size)) {
      const isRead = await this.orFinding(() => this.readTo(stop.size))
      if (!isRead) return
      if (!this.leaves.root().equals(stop.root))
        this.find(
          kept.includes(stop) && stop.path !== CHECKPOINT ? 'forked' : 'altered',
          stop.path,
          `has another root at size ${stop.size} than the entries there`,
        )
    }
  }

  private async readTo(to: number): Promise<void> {
    const { size } = this.end
    while (this.leaves.count < to) {
      const index = Math.floor(this.leaves.count / TILE_WIDTH)
      const first = index * TILE_WIDTH
      const width = Math.min(TILE_WIDTH, size - first)
      const entries = await readBundle(path => this.read(path), { index, width })
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
      this.onEntry?.(index, entry)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.find('altered', `tile/entries (entry ${index})`, `cannot be read: ${error.message}`)
    }
  }

  /** A checkpoint that says more than the chain, or the cached one less. */
  private holdAgainstEnd({ size, path }: Kept): void {
    const end = this.end.size
    if (size > end) this.find('cut-off', path, `is of size ${size}, the chain of claims ends at ${end}`)
    else if (path === CHECKPOINT && size < end)
      this.remarks.push(`${LOG_PREFIX}${path} is behind: size ${size} of ${end}`)
    if (path === KEPT && size === 0) this.remarks.push('the kept checkpoint is of an empty journal, it proves nothing')
  }

  /** When something was sealed is said by a sealer's clock, which may be set. */
  private clocks(): void {
    const back = this.seals.filter(
      ({ time }, i) => i > 0 && Date.parse(time) < Date.parse(this.seals[i - 1]?.time ?? ''),
    )
    const [{ time, previous_size: size } = {}] = back
    if (back.length > 0)
      this.remarks.push(
        `when it was sealed: the sealer's clock went back ${back.length === 1 ? 'once' : `${back.length} times`}, first to ${time} at size ${size}`,
      )
  }

  /** Every tile of the whole size, made again. */
  private async tiles(): Promise<void> {
    const { size } = this.end
    if (this.leaves.count < size) return
    for (const tile of tilesBetween(0, size)) {
      await this.orFinding(async () => {
        const found = await readTile(path => this.read(path), tile)
        this.compareTile(tile, Buffer.concat(found))
      })
    }
  }

  private compareTile(tile: Tile, found: Buffer): void {
    if (!found.equals(Buffer.concat(this.leaves.tile(tile, this.end.size))))
      this.find('altered', tilePath(tile), 'is not made of the entries')
  }

  /** Partial files of an earlier size may be gone; where one is there, it begins as the later one does. */
  private async olderTiles(size: number): Promise<void> {
    if (this.leaves.count < this.end.size) return
    const partial = partialTiles(size)
    for (const tile of partial) {
      const found = await this.read(tilePath(tile))
      if (found !== undefined) this.compareTile(tile, Buffer.from(found))
    }
    const bundle = partial.find(({ level }) => level === 0)
    const found = bundle && (await this.read(bundlePath(bundle)))
    if (bundle === undefined || found === undefined) return
    await this.orFinding(async () => {
      const hashes = decodeBundle(found, bundlePath(bundle)).map(leafHash)
      if (!Buffer.concat(hashes).equals(Buffer.concat(this.leaves.tile(bundle, size))))
        this.find('altered', bundlePath(bundle), 'holds other entries than the journal')
    })
  }

  /** True where it ended; a journal's own errors become findings. */
  private async orFinding(step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (error instanceof JournalError) this.find(kindOf(error), error.path, error.problem)
      else if (error instanceof ProofError)
        this.find(/is missing$/.test(error.message) ? 'missing' : 'altered', 'tile/', error.message)
      else throw error
      return false
    }
  }

  private find(kind: JournalFinding['kind'], path: string, message: string): void {
    this.findings.push({ kind, key: `${LOG_PREFIX}${path}`, message })
  }

  verified(): VerifiedLog {
    const { end, chain, seals, findings, remarks } = this
    return { head: end, claims: chain.length, entries: this.leaves.count, seals, findings, remarks }
  }
}

/** What is said of the first of some files. */
function isThere({ length }: readonly string[]): string {
  return length === 1 ? 'is there' : `is there with ${length - 1} more`
}

/** A checkpoint that is held against the chain, and what it is called. */
type Kept = Head & { readonly path: string }

const KEPT = 'checkpoint (the kept one)'

function kindOf({ cause }: JournalError): JournalFinding['kind'] {
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
