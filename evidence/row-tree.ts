import { nodeHash } from '../proof/tree.js'

/** The tree over the rows of one object, each hash of it made once, for the paths of many rows. */
export class RowTree {
  /** From the leaves upward; what has no sibling rises as it is. */
  private readonly levels: (readonly Uint8Array[])[]

  constructor(leaves: readonly Uint8Array[]) {
    this.levels = [leaves]
    for (let level = leaves; level.length > 1; this.levels.push(level)) level = above(level)
  }

  get root(): Uint8Array | undefined {
    return this.levels.at(-1)?.[0]
  }

  get rows(): number {
    return (this.levels[0] as readonly Uint8Array[]).length
  }

  leaf(index: number): Uint8Array | undefined {
    return this.levels[0]?.[index]
  }

  /** The hashes that prove a leaf, from its sibling upward. */
  path(index: number): readonly Buffer[] {
    const path: Buffer[] = []
    let at = index
    for (const level of this.levels) {
      const sibling = level[at % 2 === 0 ? at + 1 : at - 1]
      if (sibling !== undefined) path.push(Buffer.from(sibling))
      at = Math.floor(at / 2)
    }
    return path
  }
}

function above(level: readonly Uint8Array[]): readonly Uint8Array[] {
  const nodes: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i] as Uint8Array, level[i + 1]]
    nodes.push(right === undefined ? left : nodeHash(left, right))
  }
  return nodes
}
