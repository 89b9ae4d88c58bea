import { hash } from 'node:crypto'

/**
 * The Merkle tree of RFC 6962, section 2.1, with SHA-256: what it hashes to, which hashes prove a leaf or that a tree
 * only grew, and how a stranger checks that. A tree of n > 1 leaves is split at the largest power of two below n, so
 * every hash that is asked for is one of leaves `[from, to)` where `from` is a multiple of the power of two at or above
 * `to - from`.
 */

export const HASH_BYTES = 32

/** Leaves `from` to `to - 1` of a tree. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** A complete subtree: the `2 ** level` leaves from `index * 2 ** level` on. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(LEAF_PREFIX, entry)
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(NODE_PREFIX, left, right)
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = sha256()

/** The root over leaf hashes in their order. */
export function rootOf(leafHashes: Iterable<Uint8Array>): Buffer {
  const tree = new GrowingTree()
  for (const leaf of leafHashes) tree.add(leaf)
  return tree.root()
}

/** A tree that only grows, of which no more is held than its root is made of. */
export class GrowingTree {
  /** From left to right, each smaller than the one before: the ones in the binary form of the count. */
  private readonly complete: Uint8Array[] = []
  private added = 0

  /** Hashes that were added. */
  get count(): number {
    return this.added
  }

  /** Adds a leaf's hash, or the root over as many leaves as every one that was added before. */
  add(hash: Uint8Array): void {
    let merged = hash
    for (let rest = this.added; rest % 2 === 1; rest = Math.floor(rest / 2))
      merged = nodeHash(this.complete.pop() as Uint8Array, merged)
    this.complete.push(merged)
    this.added++
  }

  /** The root over it and trees behind it, each of fewer leaves than a hash of the one before stands for. */
  root(...behind: readonly GrowingTree[]): Buffer {
    return joinSubtrees([this, ...behind].flatMap(({ complete }) => complete))
  }
}

/** The hash over neighbouring complete subtrees, each smaller than the one before. */
export function joinSubtrees(hashes: readonly Uint8Array[]): Buffer {
  if (hashes.length === 0) return EMPTY_ROOT
  return Buffer.from(hashes.reduceRight((right, left) => nodeHash(left, right)))
}

/** The complete subtrees that a range which the tree asks for consists of, from left to right. */
export function subtreesOf({ from, to }: Range): readonly Subtree[] {
  const subtrees: Subtree[] = []
  for (let at = from; at < to; ) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level++
    subtrees.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return subtrees
}

/**
 * The ranges whose hashes prove leaf `index` of a tree of `size` (RFC 9162, section 2.1.3.1), from its sibling upward.
 */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  if (index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`)
  const path: Range[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const split = from + splitOf(to - from)
    path.push(index < split ? { from: split, to } : { from, to: split })
    if (index < split) to = split
    else from = split
  }
  return path.reverse()
}

/** The ranges whose hashes prove that a tree of `size` begins with that of `before` (RFC 9162, section 2.1.4.1). */
export function consistencyRanges(before: number, size: number): readonly Range[] {
  if (before < 0 || before > size) throw new RangeError(`a tree of ${size} does not begin with one of ${before}`)
  if (before === 0 || before === size) return []
  const path: Range[] = []
  let [from, to] = [0, size]
  while (to !== before) {
    const split = from + splitOf(to - from)
    if (before <= split) {
      path.push({ from: split, to })
      to = split
    } else {
      path.push({ from, to: split })
      from = split
    }
  }
  // of a tree that begins at 0 the verifier knows the root
  if (from > 0) path.push({ from, to })
  return path.reverse()
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

/**
 * Whether a path proves that a leaf of this hash stands at `index` in the tree of `size` leaves that has this root
 * (RFC 9162, section 2.1.3.2). An empty path proves the only leaf of a tree of one, and nothing else.
 */
export function provesInclusion(
  leaf: Uint8Array,
  { index, size, path }: { readonly index: number; readonly size: number; readonly path: readonly Uint8Array[] },
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  let [node, last, hashed] = [index, size - 1, leaf]
  for (const sibling of path) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hashed = nodeHash(sibling, hashed)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else hashed = nodeHash(hashed, sibling)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && equal(hashed, root)
}

/**
 * Whether a path proves that the tree of `size` leaves with this root begins with the tree of `before` leaves (RFC
 * 9162, section 2.1.4.2). Every tree begins with the empty one, so that from 0 nothing is proven: a caller says so.
 */
export function provesConsistency(
  before: { readonly size: number; readonly root: Uint8Array },
  after: { readonly size: number; readonly root: Uint8Array },
  path: readonly Uint8Array[],
): boolean {
  if (!isCount(before.size) || !isCount(after.size) || before.size > after.size) return false
  if (before.size === 0) return path.length === 0 && equal(before.root, EMPTY_ROOT)
  if (before.size === after.size) return path.length === 0 && equal(before.root, after.root)
  const isComplete = subtreesOf({ from: 0, to: before.size }).length === 1
  const [first, ...rest] = isComplete ? [before.root, ...path] : path
  if (first === undefined || rest.length === 0) return false
  let [node, last] = [before.size - 1, after.size - 1]
  while (node % 2 === 1) [node, last] = [half(node), half(last)]
  let [older, newer] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      older = nodeHash(sibling, older)
      newer = nodeHash(sibling, newer)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else newer = nodeHash(newer, sibling)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && equal(older, before.root) && equal(newer, after.root)
}

const LEAF_PREFIX = Uint8Array.of(0)
const NODE_PREFIX = Uint8Array.of(1)

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer')
}

function half(count: number): number {
  return Math.floor(count / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
