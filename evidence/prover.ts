import { encodeEntry } from '../journal/entry.js'
import { cachedHead, type Head, type JournalIdentity } from '../journal/head.js'
import type { LogStore } from '../journal/log-store.js'
import { SealedObjects } from '../journal/sealed-objects.js'
import { parseNote, type Verifier } from '../proof/note.js'
import { checkInclusion, type ProofFile } from '../proof/proof-file.js'
import { TileReader } from '../proof/tiles.js'
import { inclusionRanges, leafHash } from '../proof/tree.js'
import { EvidenceError } from './evidence-error.js'
import type { FoundRow } from './found-rows.js'
import { alteredColumns, leafOfRow } from './leaf.js'
import { formatRowLine, parseRowLines } from './row-line.js'
import type { RowProof } from './row-proof.js'
import { RowTree } from './row-tree.js'

const ALTERED_HINT = 'itemtrail verify says what else is altered'

const NONE: ReadonlySet<string> = new Set()

/** The hashes of an object's rows, in their order; undefined of one that cannot be read. */
export type ReadLeaves = (key: string) => Promise<readonly Uint8Array[] | undefined>

/** Proves rows of an archive under one checkpoint of its journal. */
export class Prover {
  private readonly trees = new Map<string, Promise<RowTree>>()
  private readonly objects = new Map<string, Promise<ProofFile>>()
  private readonly tiles: TileReader

  private constructor(
    /** The checkpoint, verbatim. */
    readonly checkpoint: string,
    /** The key that signed it. */
    readonly signedBy: Verifier,
    private readonly head: Pick<Head, 'size' | 'root'>,
    private readonly sealed: SealedObjects,
    private readonly readLeaves: ReadLeaves,
    store: LogStore,
  ) {
    this.tiles = new TileReader(path => store.read(path), head.size)
  }

  /**
   * Throws an `EvidenceError` for an archive of which nothing is sealed, a `JournalError` for a journal not believed.
   */
  static async open(store: LogStore, identity: JournalIdentity, readLeaves: ReadLeaves): Promise<Prover> {
    const head = await cachedHead(store, identity)
    if (head.note === undefined)
      throw new EvidenceError('archive has no journal, so nothing in it can be proven', 'itemtrail seal begins one')
    const sealed = new SealedObjects(store)
    await sealed.readTo(head)
    return new Prover(head.note, signerOf(head, identity), head, sealed, readLeaves, store)
  }

  /** True where a row's object was sealed when the checkpoint was signed. */
  isSealed({ key }: Pick<FoundRow, 'key'>): boolean {
    return this.sealed.get(key) !== undefined
  }

  /**
   * What is handed out verifies: throws an `EvidenceError` for a row that is not sealed yet or not what was sealed, a
   * `ProofError` where the journal's tiles lead elsewhere.
   */
  async prove({ row, key, index }: FoundRow): Promise<RowProof> {
    const object = await this.objectOf(key)
    const tree = await this.treeOf(key)
    const leaf = leafOfRow(row)
    if (tree.leaf(index) === undefined || !leafHash(Buffer.from(leaf)).equals(tree.leaf(index) as Uint8Array))
      throw new EvidenceError(`row ${index} of ${key} is another than its row_hash says`, ALTERED_HINT)
    // as whoever is given it reads it: the leaf has hashes of images, not the images
    const [read] = parseRowLines(formatRowLine(row))
    const altered = read === undefined ? ['row'] : alteredColumns(read, leaf, NONE)
    if (altered.length > 0)
      throw new EvidenceError(
        `row ${index} of ${key} has another ${altered.join(', ')} than its hashes say`,
        ALTERED_HINT,
      )
    return { row: index, rows: tree.rows, leaf, path: tree.path(index), object }
  }

  private objectOf(key: string): Promise<ProofFile> {
    return onceEach(this.objects, key, async () => {
      const { index, entry } = this.sealedObject(key)
      const path = await this.tiles.hashesOf(inclusionRanges(index, this.head.size))
      const extra = encodeEntry(entry)
      checkInclusion(leafHash(extra), { index, path, size: this.head.size }, this.head.root, 'entry')
      return { index, path, checkpoint: this.checkpoint, extra }
    })
  }

  private treeOf(key: string): Promise<RowTree> {
    return onceEach(this.trees, key, async () => {
      const { entry } = this.sealedObject(key)
      const tree = new RowTree((await this.readLeaves(key)) ?? [])
      if (tree.root !== undefined && Buffer.from(tree.root).toString('hex') === entry.rows_root) return tree
      throw new EvidenceError(`object ${key} holds other rows than were sealed`, ALTERED_HINT)
    })
  }

  private sealedObject(key: string) {
    const sealed = this.sealed.get(key)
    if (sealed === undefined)
      throw new EvidenceError(`object ${key} is not sealed yet`, 'itemtrail seal seals it, and then it can be proven')
    return sealed
  }
}

/** The key of the log that a head was signed with, so that it can be named to whoever verifies. */
function signerOf({ note }: Head, { origin, known }: JournalIdentity): Verifier {
  const { signatures } = parseNote(note as string)
  const key = known.find(({ name, id }) => name === origin && signatures.some(by => by.name === name && by.id === id))
  return key as Verifier
}

/** What was made for a key, or is being made. */
function onceEach<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(key) ?? make()
  made.set(key, known)
  return known
}
