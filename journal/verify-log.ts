import { FileError } from '../config/gate.js'
import { parseVkey, type Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import { bundlePath, decodeBundle, readBundle, readTile, TILE_WIDTH, tilePath } from '../proof/tiles.js'
import { GrowingTree, leafHash } from '../proof/tree.js'
import { LOG_PREFIX } from '../transform/layout.js'
import { readEntries } from './entries.js'
import { decodeEntry, type Entry, type SealEntry } from './entry.js'
import type { JournalFinding } from './finding.js'
import { type Head, type JournalIdentity, NOT_BEGUN, openHead } from './head.js'
import { JournalError } from './journal-error.js'
import { strayFiles } from './log-files.js'
import { CHECKPOINT, claimPath, type LogStore, stagingPath } from './log-store.js'
import { type RolledTile, RollingTiles } from './rolling-tiles.js'
import { decodeStaged } from './staging.js'

/** What is believed of a journal after each of its files was read. */
export interface VerifiedLog {
  /** Its end: where the chain of claims ends, which the cached checkpoint may be behind. */
  readonly head: Head
  /** False where `most` claims were read, and there may be more. */
  readonly isEnd: boolean
  /** Of the part that was looked at. */
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
  /**
   * Where an earlier verification of the same journal ended, with nothing found: what came before is not read again,
   * and what lies there and is no part of it is not looked for.
   * @default - all of it is verified
   */
  readonly from?: Pick<Head, 'size' | 'root'> | undefined
  /** So many claims at most, so that one can end and go on from there. @default - as many as there are */
  readonly most?: number | undefined
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
  options: VerifyLogOptions = {},
): Promise<VerifiedLog> {
  const walk = new Walk(store, identity, options)
  await walk.run()
  return walk.verified()
}

class Walk {
  private readonly findings: JournalFinding[] = []
  private readonly remarks: string[] = []
  private readonly seals: SealEntry[] = []
  private readonly known: Verifier[]
  private tiles = new RollingTiles()
  private readonly chain: Head[] = []
  private isEnd = false
  private last: { readonly index: number; readonly entries: readonly Buffer[] } | undefined
  private readonly staged = new Map<string, Uint8Array>()

  constructor(
    private readonly store: LogStore,
    private readonly identity: JournalIdentity,
    private readonly options: VerifyLogOptions,
  ) {
    this.known = [...identity.known]
  }

  /** Claim by claim: a key that is sealed under a known one is known from then on. */
  async run(): Promise<void> {
    const { since, seen, from } = this.options
    // before the claims: of a journal that is being sealed both would say more than they did
    const there = from === undefined ? await this.store.list('') : []
    const checkpoint = await this.store.read(CHECKPOINT)
    await this.claims()
    if (this.findings.length === 0 && from === undefined) this.strays(there)
    const cached = this.isEnd ? await this.cached(checkpoint) : undefined
    await this.unfinished(cached)
    const kept = [...(cached === undefined ? [] : [{ ...cached, path: CHECKPOINT }])]
    if (since !== undefined) kept.push({ ...since, path: KEPT })
    if (seen !== undefined) kept.push({ ...seen, note: undefined, path: `checkpoint (${seen.where})` })
    await this.entries(kept)
    for (const checkpoint of kept) this.holdAgainstEnd(checkpoint)
    this.clocks()
  }

  private get end(): Head {
    return this.chain.at(-1) ?? this.begin
  }

  private get begin(): Head {
    const { from } = this.options
    return from === undefined ? NOT_BEGUN : { ...from, note: undefined }
  }

  /** The chain of claims, as far as it is signed by keys that are known. */
  private async claims(): Promise<void> {
    const { most = Number.POSITIVE_INFINITY } = this.options
    while (this.chain.length < most) {
      const path = claimPath(this.end.size)
      const bytes = await this.store.read(path)
      this.isEnd = bytes === undefined
      if (bytes === undefined) return
      const isSound = await this.orFinding(async () => {
        const next = await this.openWithNewKeys(bytes, path)
        if (next.size <= this.end.size) throw new JournalError(path, `leads to size ${next.size}`)
        this.chain.push(next)
      })
      if (!isSound) return
    }
  }

  private strays(there: readonly string[]): void {
    const { findings, remark } = strayFiles(
      there,
      this.chain.map(({ size }) => size),
    )
    for (const { kind, path, message } of findings) this.find(kind, path, message)
    if (remark !== undefined) this.remarks.push(remark)
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
    const tree = new GrowingTree()
    const keys: Verifier[] = []
    for await (const { bytes, entry } of readEntries(path => this.store.read(path), { from: 0, to: size, size })) {
      tree.add(leafHash(bytes))
      if (entry?.type === 'key@1') keys.push(parseVkey(entry.vkey))
    }
    if (!tree.root().equals(root)) return false
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

  /** Every entry of the end, with the root at each size that somebody signed, and the tiles that it has there. */
  private async entries(kept: readonly Kept[]): Promise<void> {
    const claims = this.chain.map((head, i) => ({ ...head, path: claimPath((this.chain[i - 1] ?? this.begin).size) }))
    const stops: Kept[] = [...claims, ...kept].filter(({ size }) => size >= this.begin.size && size <= this.end.size)
    if (!(await this.orFinding(() => this.resume()))) return
    for (const stop of stops.sort((a, b) => a.size - b.size)) {
      const isRead = await this.orFinding(() => this.readTo(stop.size))
      if (!isRead) return
      if (!this.tiles.root().equals(stop.root))
        this.find(
          kept.includes(stop) && stop.path !== CHECKPOINT ? 'forked' : 'altered',
          stop.path,
          `has another root at size ${stop.size} than the entries there`,
        )
      if (!kept.includes(stop)) await this.partialFiles(stop.size === this.end.size)
    }
  }

  private async resume(): Promise<void> {
    if (this.begin.size > 0) this.tiles = await RollingTiles.at(path => this.read(path), this.begin)
  }

  private async readTo(to: number): Promise<void> {
    const { size } = this.end
    while (this.tiles.count < to) {
      const index = Math.floor(this.tiles.count / TILE_WIDTH)
      const first = index * TILE_WIDTH
      const width = Math.min(TILE_WIDTH, size - first)
      const entries = await this.bundle(index, width)
      for (const bytes of entries.slice(this.tiles.count - first, to - first))
        for (const full of this.entry(bytes)) await this.orFinding(() => this.compareTile(full))
    }
  }

  /** Several sealings end within one bundle. */
  private async bundle(index: number, width: number): Promise<readonly Buffer[]> {
    if (this.last?.index !== index)
      this.last = { index, entries: await readBundle(path => this.read(path), { index, width }) }
    return this.last.entries
  }

  /** Gives the tiles that are full by it. */
  private entry(bytes: Buffer): readonly RolledTile[] {
    const index = this.tiles.count
    const full = this.tiles.add(leafHash(bytes))
    try {
      const entry = decodeEntry(bytes, `journal entry ${index}`)
      if (entry?.type === 'seal@1') this.seals.push(entry)
      if (entry !== undefined) this.options.onEntry?.(index, entry)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.find('altered', `tile/entries (entry ${index})`, `cannot be read: ${error.message}`)
    }
    return full
  }

  /** A tile that is made of the entries is the one that lies there. */
  private async compareTile({ tile, hashes }: RolledTile): Promise<void> {
    this.compare(tilePath(tile), Buffer.concat(await readTile(path => this.read(path), tile)), hashes)
  }

  private compare(path: string, found: Uint8Array, hashes: Buffer): void {
    if (!hashes.equals(found)) this.find('altered', path, 'is not made of the entries')
  }

  /** What is not full at a size: of an earlier one it may be gone; where it is there, it is what it was. */
  private async partialFiles(isLast: boolean): Promise<void> {
    for (const rolled of this.tiles.partial()) {
      const path = tilePath(rolled.tile)
      if (isLast) await this.orFinding(() => this.compareTile(rolled))
      else this.compare(path, (await this.read(path)) ?? rolled.hashes, rolled.hashes)
      if (rolled.tile.level === 0) await this.partialBundle(rolled)
    }
  }

  private async partialBundle({ tile, hashes }: RolledTile): Promise<void> {
    const path = bundlePath(tile)
    const found = await this.read(path)
    if (found === undefined) return
    await this.orFinding(async () => {
      if (!Buffer.concat(decodeBundle(found, path).map(leafHash)).equals(hashes))
        this.find('altered', path, 'holds other entries than the journal')
    })
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
    const { end, isEnd, chain, seals, findings, remarks } = this
    const entries = Math.max(this.tiles.count - this.begin.size, 0)
    return { head: end, isEnd, claims: chain.length, entries, seals, findings, remarks }
  }
}

/** A checkpoint that is held against the chain, and what it is called. */
type Kept = Head & { readonly path: string }

const KEPT = 'checkpoint (the kept one)'

function kindOf({ cause }: JournalError): JournalFinding['kind'] {
  return cause instanceof ProofError && cause.fault === 'key' ? 'foreign-key' : 'altered'
}
