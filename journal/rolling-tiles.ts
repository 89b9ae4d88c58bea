import { type ReadFile, readTile, TILE_WIDTH, type Tile } from '../proof/tiles.js'
import { GrowingTree } from '../proof/tree.js'
import type { Head } from './head.js'
import { JournalError } from './journal-error.js'
import { CHECKPOINT } from './log-store.js'

/** A tile with the hashes that belong there. */
export interface RolledTile {
  readonly tile: Tile
  readonly hashes: Buffer
}

/** The tiles of a journal, made while its leaves come in order: of each level the one that is not full is held. */
export class RollingTiles {
  private readonly levels: Level[] = []

  /** As it is where so many leaves came. Throws a `ProofError` or `JournalError` where the tiles there are others. */
  static async at(read: ReadFile, { size, root }: Pick<Head, 'size' | 'root'>): Promise<RollingTiles> {
    const rolling = new RollingTiles()
    for (let count = size; count > 0; count = Math.floor(count / TILE_WIDTH)) {
      const [index, width] = [Math.floor(count / TILE_WIDTH), count % TILE_WIDTH]
      const tile = { level: rolling.levels.length, index, width }
      const level = new Level(index * TILE_WIDTH)
      for (const hash of width === 0 ? [] : await readTile(read, tile)) level.add(hash)
      rolling.levels.push(level)
    }
    if (rolling.root().equals(root)) return rolling
    throw new JournalError(CHECKPOINT, `of size ${size}, which was verified, has other tiles now`)
  }

  /** Leaves that came. */
  get count(): number {
    return this.levels[0]?.count ?? 0
  }

  /** Adds a leaf's hash, and gives the tiles that are full by it, from level 0 upward. */
  add(leaf: Buffer): readonly RolledTile[] {
    const full: RolledTile[] = []
    let hash = leaf
    for (let number = 0; ; number++) {
      const level = this.levels[number] ?? new Level(0)
      this.levels[number] = level
      level.add(hash)
      if (level.count % TILE_WIDTH > 0) return full
      full.push(level.tile(number))
      hash = level.tree.root()
      this.levels[number] = new Level(level.count)
    }
  }

  /** The tiles that are not full, from level 0 upward. */
  partial(): readonly RolledTile[] {
    return this.levels.flatMap((level, number) => (level.tree.count === 0 ? [] : [level.tile(number)]))
  }

  /** The root over all leaves. */
  root(): Buffer {
    // a hash of a level stands for more leaves than there are in the tiles below that are not full
    return new GrowingTree().root(...this.levels.map(({ tree }) => tree).toReversed())
  }
}

/** A level of the tree of tiles: the hashes that are in no full tile. */
class Level {
  readonly tree = new GrowingTree()
  private readonly open: Uint8Array[] = []

  constructor(private readonly before: number) {}

  get count(): number {
    return this.before + this.open.length
  }

  add(hash: Uint8Array): void {
    this.open.push(hash)
    this.tree.add(hash)
  }

  tile(level: number): RolledTile {
    const tile = { level, index: this.before / TILE_WIDTH, width: this.open.length }
    return { tile, hashes: Buffer.concat(this.open) }
  }
}
