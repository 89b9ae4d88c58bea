/**
 * Memory of blocks and of their lines, of which nobody uses anything any more: what lies outside of the heap and comes
 * and goes makes its collector work. What is too small for a block is left to that, and what there is enough of.
 */
export class SpareMemory {
  private readonly held: Buffer[] = []

  give({ buffer }: Uint8Array): void {
    const isOfUse = buffer.byteLength >= LEAST_KEPT && buffer.byteLength <= MOST_KEPT
    if (isOfUse && this.held.length < MOST_HELD) this.held.push(Buffer.from(buffer as ArrayBuffer))
  }

  /** So many bytes or more. */
  take(least: number): Buffer {
    const place = this.held.findIndex(({ length }) => length >= least)
    return place === -1 ? Buffer.allocUnsafeSlow(least) : (this.held.splice(place, 1)[0] as Buffer)
  }

  /** One piece, if there is any, for another thread. */
  takeOne(): readonly Buffer[] {
    return this.held.splice(0, 1)
  }
}

/** Bytes of a piece that is kept: a block has a million, and its lines need some two. */
const [LEAST_KEPT, MOST_KEPT] = [1024 * 1024, 4 * 1024 * 1024]

/** Pieces that are kept. */
const MOST_HELD = 8
