import { withoutMark } from './line-reader.js'
import { GrowingBytes } from './overlong.js'
import { SpareMemory } from './spare-memory.js'

/** Some lines of an input, whole, as they came together; their memory belongs to whoever takes them. */
export interface LineBlock {
  readonly bytes: Buffer
  /** Where in the input it begins. */
  readonly offset: number
  /** Whether it ends with a line, or the input. */
  readonly isWhole: boolean
  readonly isLast: boolean
}

/** A longer line is handed on in pieces. */
const MOST_BYTES = 1024 * 1024

/** Reads an input in blocks: what of a piece is whole lines comes at once, the rest with the next. */
export class LineBlockReader {
  private readonly rest = new GrowingBytes()
  private readonly spare = new SpareMemory()
  private at = 0

  /** All blocks, without a byte order mark. Of an input that cannot be read on, `takeRest` has what is left. */
  async *read(input: AsyncIterable<Uint8Array>): AsyncGenerator<LineBlock> {
    for await (const { bytes, offset } of withoutMark(input)) {
      this.at = offset
      const end = bytes.lastIndexOf(LINE_FEED) + 1
      if (end > 0) yield this.block(bytes.subarray(0, end), true, false)
      else if (this.rest.length + bytes.length >= MOST_BYTES) {
        yield this.block(bytes, false, false)
        continue
      }
      this.rest.append(bytes, end)
      this.at = offset + bytes.length
    }
    yield this.block(NOTHING, true, true)
  }

  /** What has come of a line, for whoever does not wait for its end. */
  takeRest(): LineBlock | undefined {
    return this.rest.length === 0 ? undefined : this.block(NOTHING, false, false)
  }

  /** Takes back the memory of a block, of which nobody uses anything any more. */
  reuse({ bytes }: LineBlock): void {
    this.spare.give(bytes)
  }

  private block(piece: Buffer, isWhole: boolean, isLast: boolean): LineBlock {
    const { rest, at } = this
    const bytes = this.memory(rest.length + piece.length)
    rest.view().copy(bytes)
    piece.copy(bytes, rest.length)
    const offset = at - rest.length
    rest.clear()
    return { bytes, offset, isWhole, isLast }
  }

  private memory(length: number): Buffer {
    if (length < BLOCK_BYTES / 2 || length > BLOCK_BYTES) return Buffer.allocUnsafeSlow(length)
    return this.spare.take(BLOCK_BYTES).subarray(0, length)
  }
}

/** A piece of an input, and what was left of the last one. */
const BLOCK_BYTES = MOST_BYTES + 64 * 1024

const LINE_FEED = 0x0a
const NOTHING = Buffer.alloc(0)
