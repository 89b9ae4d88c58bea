import { tryParseObject } from '../transform/json.js'
import {
  BACKSLASH,
  CLOSE,
  CLOSE_LIST,
  firstSolid,
  isBlank,
  isBlankByte,
  LINE_FEED,
  OPEN,
  OPEN_LIST,
  QUOTE,
} from '../transform/json-bytes.js'
import { withoutMark } from './line-reader.js'
import { BOUNDS, type Bounds, GrowingBytes, type Overlong, OverlongBytes } from './overlong.js'
import { recordsOf } from './wrapped-records.js'

/** A document's bytes; of one that is longer than the bounds allow its beginning, and what the whole is known by. */
export type Document = Uint8Array | Overlong

/**
 * Splits a stream of bytes into documents: JSON lines, concatenated or pretty-printed JSON, and `{"Records":[...]}`
 * events, whose records become documents of their own. Nothing is parsed and nothing is lost: bytes that are no JSON
 * object come out as documents too, to be refused and kept. A document that does not end takes only itself along, and
 * memory is bounded whatever comes.
 */
export async function* readDocuments(
  input: AsyncIterable<Uint8Array>,
  bounds: Bounds = BOUNDS,
): AsyncGenerator<Document> {
  const splitter = new DocumentSplitter(bounds)
  for await (const { bytes, offset } of withoutMark(input)) {
    splitter.push(bytes, offset)
    yield* recordsIn(splitter.take())
  }
  splitter.end()
  yield* recordsIn(splitter.take())
}

/** Documents with events taken apart, one by one, because one may hold as many records as it has bytes. */
export function* recordsIn(documents: readonly Document[]): Generator<Document> {
  for (const document of documents) {
    const records = document instanceof Buffer ? recordsOf(document) : undefined
    if (records === undefined) yield document
    else yield* records
  }
}

const CONTINUED_AFTER = new Set([0x2c, 0x3a, OPEN_LIST, OPEN]) // , : [ {
const LINE_END = Buffer.of(LINE_FEED)

/** Splits bytes into documents as `readDocuments` does, piece by piece. */
export class DocumentSplitter {
  private documents: Document[] = []
  /** What has come of the open document, or, where none is open, of the line that is no document. */
  private readonly open = new GrowingBytes()
  /** The same once it is longer than the bounds allow. */
  private overlong: OverlongBytes | undefined
  private openAt = 0
  private depth = 0
  private inString = false
  private isEscaped = false
  /** True where nothing but white space has come of the line. */
  private isLineBlank = true
  /** True where nothing at all has. */
  private isLineEmpty = true
  /** The last byte in `open` that is no white space. */
  private lastSolid = -1

  constructor(private readonly bounds: Bounds) {}

  /** True at the beginning of a line before which every document has ended. */
  get isBetween(): boolean {
    return this.depth === 0 && this.isLineEmpty && this.open.length === 0 && this.overlong === undefined
  }

  /** The documents that are complete, events whole; they are forgotten here. */
  take(): readonly Document[] {
    const { documents } = this
    this.documents = []
    return documents
  }

  /** Takes in the next piece, which begins at `offset` of the input. */
  push(chunk: Buffer, offset: number): void {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      if (end > start) this.pushPart(chunk.subarray(start, end), offset + start)
      this.endLine(offset + end)
      start = end + 1
    }
    if (start < chunk.length) this.pushPart(chunk.subarray(start), offset + start)
  }

  /** Ends what is open, where the input does. */
  end(): void {
    if (this.depth === 0) this.endGarbage()
    else this.giveUp()
  }

  /** A line, or a part of a long one. */
  private pushPart(part: Buffer, at: number): void {
    let start = 0
    if (this.isLineBlank) {
      const solid = firstSolid(part, 0)
      if (solid < part.length && this.isInterruptedBy(part[solid] as number, solid)) {
        this.keep(part, 0, solid, at)
        this.giveUp()
        start = solid
      }
      this.isLineBlank = solid === part.length
      this.isLineEmpty = false
    }
    this.scan(part, start, at)
  }

  /** In a line of its own no document goes on with a brace, unless after what an element may follow. */
  private isInterruptedBy(byte: number, column: number): boolean {
    if (this.depth === 0 || byte !== OPEN) return false
    // what is overlong is hardly well-formed, so its commas tell nothing
    const isAstray = this.overlong !== undefined && this.isLineEmpty && column === 0
    return isAstray || !CONTINUED_AFTER.has(this.lastSolid)
  }

  private scan(part: Buffer, from: number, at: number): void {
    let start = from
    for (let position = this.inString ? this.skipString(part, from) : from; position < part.length; position++) {
      const byte = part[position] as number
      if (byte === QUOTE && this.depth > 0) {
        this.inString = true
        position = this.skipString(part, position + 1) - 1
      } else if (byte === OPEN || byte === OPEN_LIST) {
        if (this.depth === 0) {
          this.keepGarbage(part, start, position, at)
          this.endGarbage()
          start = position
        }
        this.depth++
      } else if ((byte === CLOSE || byte === CLOSE_LIST) && this.depth > 0 && --this.depth === 0) {
        this.complete(part, start, position + 1, at)
        start = position + 1
      }
    }
    if (start === part.length) return
    if (this.depth === 0) this.keepGarbage(part, start, part.length, at)
    else this.keep(part, start, part.length, at)
  }

  /** Behind the quote that ends the string, from inside of it; the part's end where it does not end there. */
  private skipString(part: Buffer, from: number): number {
    let position = this.isEscaped ? from + 1 : from
    this.isEscaped = false
    for (; position < part.length; position++) {
      const byte = part[position]
      if (byte === QUOTE) {
        this.inString = false
        return position + 1
      }
      if (byte === BACKSLASH) position++
    }
    this.isEscaped = position > part.length
    return part.length
  }

  /** A string cannot go on in the next line. */
  private endLine(at: number): void {
    this.inString = false
    this.isEscaped = false
    this.isLineBlank = true
    this.isLineEmpty = true
    if (this.depth === 0) this.endGarbage()
    else this.keep(LINE_END, 0, 1, at)
  }

  private complete(part: Buffer, start: number, end: number, at: number): void {
    if (this.open.length === 0 && this.overlong === undefined && end - start <= this.bounds.most) {
      // a reader may use its chunk again
      this.documents.push(Buffer.from(part.subarray(start, end)))
      return
    }
    this.keep(part, start, end, at)
    this.documents.push(this.overlong?.end() ?? this.open.take())
    this.reset()
  }

  private keepGarbage(part: Buffer, start: number, end: number, at: number): void {
    if (start < end) this.keep(part, start, end, at)
  }

  /** What was no document ends with its line, or where one opens. */
  private endGarbage(): void {
    if (this.overlong !== undefined) {
      if (this.lastSolid !== -1) this.documents.push(this.overlong.end())
    } else if (this.open.length > 0 && !isBlank(this.open.view())) this.documents.push(this.open.take())
    if (this.open.length > 0 || this.overlong !== undefined) this.reset()
  }

  private keep(part: Buffer, start: number, end: number, at: number): void {
    if (this.open.length === 0 && this.overlong === undefined) this.openAt = at + start
    if (this.overlong === undefined && this.open.length + end - start > this.bounds.most) {
      this.overlong = new OverlongBytes(this.openAt, this.bounds.kept)
      this.overlong.append(this.open.view())
      this.open.clear()
    }
    const kept = this.overlong ?? this.open
    kept.append(part, start, end)
    for (let last = end - 1; last >= start; last--) {
      if (isBlankByte(part[last])) continue
      this.lastSolid = part[last] as number
      return
    }
  }

  /**
   * The open document does not end: lines in it that are whole objects stand alone, what is between them stays
   * together.
   */
  private giveUp(): void {
    const given = this.overlong === undefined ? linesApart(this.open.take()) : [this.overlong.end()]
    for (const document of given) this.documents.push(document)
    this.reset()
  }

  private reset(): void {
    this.open.clear()
    this.overlong = undefined
    this.depth = 0
    this.inString = false
    this.isEscaped = false
    this.lastSolid = -1
  }
}

function* linesApart(lines: Buffer): Generator<Buffer> {
  // the last line is not finished and holds at most white space
  const last = lines.lastIndexOf(LINE_FEED)
  const solid = last !== -1 && isBlank(lines.subarray(last)) ? lines.subarray(0, last) : lines
  let broken = 0
  for (let start = 0; start < solid.length; ) {
    const feed = solid.indexOf(LINE_FEED, start)
    const end = feed === -1 ? solid.length : feed
    const line = solid.subarray(start, end)
    if (isObject(line)) {
      if (start > broken) yield solid.subarray(broken, start - 1)
      yield line
      broken = end + 1
    }
    start = end + 1
  }
  if (broken < solid.length) yield solid.subarray(broken)
}

function isObject(line: Buffer): boolean {
  return line[firstSolid(line, 0)] === OPEN && tryParseObject(line.toString()) !== undefined
}
