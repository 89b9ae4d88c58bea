import { BOUNDS, type Bounds, GrowingBytes, type Overlong, OverlongBytes } from './overlong.js'

const LINE_FEED = 0x0a

/**
 * The lines of some bytes, without their line feeds and without a byte order mark. A line may be a view into a chunk.
 * Of one that is longer than the bounds allow only its beginning is there, and what the whole is known by.
 */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  bounds: Bounds = BOUNDS,
): AsyncGenerator<Buffer | Overlong> {
  const splitter = new LineSplitter(bounds)
  for await (const { bytes, offset } of withoutMark(input)) {
    const lines: (Buffer | Overlong)[] = []
    splitter.push(bytes, offset, line => lines.push(line))
    yield* lines
  }
  yield* splitter.end()
}

/** A piece of an input, and where in it the piece begins. */
export interface LineChunk {
  readonly bytes: Buffer
  readonly offset: number
}

/** The pieces of an input with their places, without the byte order mark at its front. */
export async function* withoutMark(input: AsyncIterable<Uint8Array>): AsyncGenerator<LineChunk> {
  let head = Buffer.alloc(0)
  let offset = 0
  let begun = false
  for await (const chunk of input) {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (!begun) {
      // copied, because a reader may use its chunk again
      head = Buffer.concat([head, bytes])
      if (head.length < MARK.length && MARK.subarray(0, head.length).equals(head)) continue
      begun = true
      offset = head.subarray(0, MARK.length).equals(MARK) ? MARK.length : 0
      bytes = head.subarray(offset)
    }
    yield { bytes, offset }
    offset += bytes.length
  }
  if (!begun && head.length > 0) yield { bytes: head, offset: 0 }
}

/** RFC 3629, section 6. */
const MARK = Buffer.from([0xef, 0xbb, 0xbf])

class LineSplitter {
  /** The beginning of a line whose end has not come. */
  private readonly rest = new GrowingBytes()
  private restAt = 0
  private overlong: OverlongBytes | undefined

  constructor(private readonly bounds: Bounds) {}

  push(chunk: Buffer, offset: number, take: (line: Buffer | Overlong) => void): void {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      take(this.complete(chunk, start, end, offset))
      start = end + 1
    }
    if (start < chunk.length) this.keep(chunk, start, chunk.length, offset)
  }

  end(): readonly (Buffer | Overlong)[] {
    return this.rest.length > 0 || this.overlong !== undefined ? [this.take()] : []
  }

  private complete(chunk: Buffer, start: number, end: number, offset: number): Buffer | Overlong {
    const isWhole = this.rest.length === 0 && this.overlong === undefined && end - start <= this.bounds.most
    if (isWhole) return chunk.subarray(start, end)
    this.keep(chunk, start, end, offset)
    return this.take()
  }

  private keep(chunk: Buffer, start: number, end: number, offset: number): void {
    if (this.rest.length === 0 && this.overlong === undefined) this.restAt = offset + start
    if (this.overlong === undefined && this.rest.length + end - start > this.bounds.most) {
      this.overlong = new OverlongBytes(this.restAt, this.bounds.kept)
      this.overlong.append(this.rest.view())
      this.rest.clear()
    }
    const kept = this.overlong ?? this.rest
    kept.append(chunk, start, end)
  }

  private take(): Buffer | Overlong {
    const { overlong } = this
    this.overlong = undefined
    return overlong?.end() ?? this.rest.take()
  }
}
