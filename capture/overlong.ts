import { createHash } from 'node:crypto'

/** How long a document or a line may be, and how much is kept of one that is longer, in bytes. */
export interface Bounds {
  readonly most: number
  readonly kept: number
}

/** An item of DynamoDB has at most 400 KB; what is so much longer than a change of one is none. */
export const BOUNDS: Bounds = { most: 64 * 1024 * 1024, kept: 1024 * 1024 }

/** What is longer than a reader holds in memory: its beginning, and what the whole of it is found and known by. */
export interface Overlong {
  readonly beginning: Buffer
  /** Where it begins in the input (unpacked) and how long it is, in bytes. */
  readonly offset: number
  readonly bytes: number
  /** The hash of all its bytes, lower hex. */
  readonly sha256: string
}

/** True for what was too long to be kept whole. */
export function isOverlong(read: Uint8Array | Overlong): read is Overlong {
  return !(read instanceof Uint8Array)
}

/**
 * Bytes that grow, in one piece of memory that is theirs: a Buffer for each of many short lines would take many times
 * their length.
 */
export class GrowingBytes {
  private bytes: Buffer
  length = 0

  /** As long as they fit they lie in `room`. */
  constructor(room: Buffer = Buffer.allocUnsafeSlow(LEAST)) {
    this.bytes = room
  }

  append(source: Uint8Array, from = 0, to = source.length): void {
    const length = this.length + to - from
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    this.bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.length)
    this.length = length
  }

  /** What is there, until something is appended. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** What is there, for whoever keeps it; nothing is left here. */
  take(): Buffer {
    const taken = Buffer.from(this.view())
    this.clear()
    return taken
  }

  clear(): void {
    this.length = 0
    if (this.bytes.length > LARGE) this.bytes = Buffer.allocUnsafeSlow(LEAST)
  }
}

const LEAST = 4096
const LARGE = 1024 * 1024

/** Takes in what is overlong, piece by piece, and keeps no more of it than its beginning. */
export class OverlongBytes {
  private readonly hash = createHash('sha256')
  private readonly beginning = new GrowingBytes()
  /** Pieces may be short, and each call of a hash costs as much as many bytes. */
  private readonly unhashed = new GrowingBytes()
  private bytes = 0

  constructor(
    private readonly offset: number,
    private readonly kept: number,
  ) {}

  append(source: Uint8Array, from = 0, to = source.length): void {
    const room = this.kept - this.beginning.length
    if (room > 0) this.beginning.append(source, from, Math.min(to, from + room))
    this.unhashed.append(source, from, to)
    this.bytes += to - from
    if (this.unhashed.length > LARGE / 2) this.update()
  }

  end(): Overlong {
    this.update()
    const { offset, bytes } = this
    return { beginning: this.beginning.take(), offset, bytes, sha256: this.hash.digest('hex') }
  }

  private update(): void {
    this.hash.update(this.unhashed.view())
    this.unhashed.clear()
  }
}
