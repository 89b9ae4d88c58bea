import { type ReadFile, TILE_WIDTH } from '../proof/tiles.js'
import { GrowingTree, leafHash, rootOf } from '../proof/tree.js'
import { isFolderOf, newestSeals, outlineOf, wholeSeals } from './bundle-outline.js'
import { type EntryBundle, numbersBetween, readBundles } from './entries.js'
import type { SealEntry } from './entry.js'
import type { Head } from './head.js'
import { JournalError } from './journal-error.js'
import { CHECKPOINT } from './log-store.js'

/** What is known of a full bundle once it was read. */
export interface IndexedBundle {
  /** The root over its entries. */
  readonly root: Buffer
  /** The folders of the objects that it names, as `outlineOf` tells them. */
  readonly folders: readonly string[]
  /** When the newest seal before it was made that left nothing, milliseconds since 1970; null where there is none. */
  readonly wholeBefore: number | null
}

/** A bundle that was read again, or the last one. */
export interface FoundBundle extends EntryBundle, Pick<IndexedBundle, 'wholeBefore'> {
  /** False of one that is not what it was when it was signed. */
  readonly isSigned: boolean
}

/** Files that are held, so that a bundle is not read twice in a row: 8 MB. */
const MOST_HELD = 64

/**
 * Which bundle of a journal names objects of which folder, so that whoever asks about some folders reads what may name
 * them, and not the whole journal. It grows as the journal does, and bundles that it knows are not read for that. What
 * is read by it is what was signed: its roots make the root of the checkpoint, and each bundle is held against its own.
 */
export class JournalIndex {
  private readonly tree = new GrowingTree()
  private readonly bundles: IndexedBundle[] = []
  private readonly held = new Map<string, Uint8Array>()
  private last: readonly Buffer[] = []
  private lastSeals: readonly SealEntry[] = []

  /** Of bundles that were read before, with the `newestSeals` until there. */
  constructor(
    bundles: readonly IndexedBundle[] = [],
    private knownSeals: readonly SealEntry[] = [],
  ) {
    for (const bundle of bundles) this.push(bundle)
  }

  /** Bundles that are full, and the `newestSeals` until there: what can be kept. */
  get known(): { readonly bundles: readonly IndexedBundle[]; readonly seals: readonly SealEntry[] } {
    return { bundles: this.bundles, seals: this.knownSeals }
  }

  /** The `newestSeals` of all that was read. */
  get seals(): readonly SealEntry[] {
    return newestSeals([...this.knownSeals, ...this.lastSeals])
  }

  /** Entries that were read, now or before. */
  get size(): number {
    return this.bundles.length * TILE_WIDTH + this.last.length
  }

  /** The root over these entries. */
  get root(): Buffer {
    const behind = new GrowingTree()
    for (const bytes of this.last) behind.add(leafHash(bytes))
    return this.tree.root(behind)
  }

  /**
   * Reads what is new until a head that is believed. Throws a `JournalError` for what cannot be read, or is not what
   * was signed; what was read until then is known all the same.
   */
  async readTo(read: ReadFile, { size, root }: Pick<Head, 'size' | 'root'>): Promise<void> {
    const known = this.bundles.length
    if (known * TILE_WIDTH > size)
      throw new JournalError(CHECKPOINT, `is of size ${size}, and ${known * TILE_WIDTH} entries were read before`)
    ;[this.last, this.lastSeals] = [[], []]
    const holding: ReadFile = async path => this.hold(path, await read(path))
    const numbers = numbersBetween(known, Math.ceil(size / TILE_WIDTH))
    for await (const bundle of readBundles(holding, numbers, size)) this.add(bundle)
    if (!this.root.equals(root))
      throw new JournalError(CHECKPOINT, `of size ${size} is of other entries than those that are there`)
  }

  private hold(path: string, bytes: Uint8Array | undefined): Uint8Array | undefined {
    if (bytes === undefined) return undefined
    this.held.set(path, bytes)
    const [oldest] = this.held.keys()
    if (this.held.size > MOST_HELD) this.held.delete(oldest as string)
    return bytes
  }

  private add({ leaves }: EntryBundle): void {
    const { folders, seals } = outlineOf(leaves)
    if (leaves.length < TILE_WIDTH) {
      ;[this.last, this.lastSeals] = [leaves, seals]
      return
    }
    this.push({ root: rootOf(leaves.map(leafHash)), folders, wholeBefore: this.lastWhole() })
    this.knownSeals = newestSeals([...this.knownSeals, ...seals])
  }

  private push(bundle: IndexedBundle): void {
    this.bundles.push(bundle)
    this.tree.add(bundle.root)
  }

  private lastWhole(): number | null {
    const whole = wholeSeals(this.knownSeals).at(-1)
    return whole === undefined ? null : Date.parse(whole.time)
  }

  /**
   * The bundles that may name objects of the folders that are meant, in order. Throws a `JournalError` for one that is
   * missing or cannot be read.
   */
  async *bundlesOf(read: ReadFile, isMeant: (folder: string) => boolean): AsyncGenerator<FoundBundle> {
    const meant = isFolderOf(isMeant)
    const numbers = this.bundles.flatMap(({ folders }, i) => (folders.some(meant) ? [i] : []))
    const readHeld: ReadFile = async path => this.held.get(path) ?? read(path)
    for await (const bundle of readBundles(readHeld, numbers, this.bundles.length * TILE_WIDTH)) {
      const { root, wholeBefore } = this.bundles[bundle.first / TILE_WIDTH] as IndexedBundle
      yield { ...bundle, wholeBefore, isSigned: rootOf(bundle.leaves.map(leafHash)).equals(root) }
    }
    const first = this.bundles.length * TILE_WIDTH
    if (this.last.length > 0) yield { first, leaves: this.last, wholeBefore: this.lastWhole(), isSigned: true }
  }
}
