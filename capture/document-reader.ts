/**
 * Splits a stream of bytes into documents: JSON lines, concatenated or pretty-printed JSON, and `{"Records":[...]}`
 * events, whose records become documents of their own. Nothing is parsed and nothing is lost: bytes that are no JSON
 * object come out as documents too, to be refused and kept. A document that does not end takes only itself along.
 */
export async function* readDocuments(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const documents of readDocumentBatches(input)) yield* documents
}

/** The lines of some bytes, without their line feeds. A line may be a view into a chunk. */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const splitter = new LineSplitter()
  for await (const chunk of input) {
    const lines: Buffer[] = []
    splitter.push(chunk, line => lines.push(line))
    yield* lines
  }
  const last: Buffer[] = []
  splitter.end(line => last.push(line))
  yield* last
}

/** The same documents, together as they came: those that a piece of the input completes. */
export async function* readDocumentBatches(input: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[]> {
  const splitter = new DocumentSplitter()
  const lines = new LineSplitter()
  for await (const chunk of input) {
    lines.push(chunk, line => splitter.push(line))
    if (splitter.documents.length > 0) yield splitter.take()
  }
  lines.end(line => splitter.push(line))
  splitter.end()
  if (splitter.documents.length > 0) yield splitter.take()
}

class LineSplitter {
  private rest: Buffer[] = []
  private first = true

  push(chunk: Uint8Array, take: (line: Buffer) => void): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.complete(bytes.subarray(start, end), take)
      start = end + 1
    }
    // a reader may use its chunk again
    if (start < bytes.length) this.rest.push(Buffer.from(bytes.subarray(start)))
  }

  end(take: (line: Buffer) => void): void {
    if (this.rest.length > 0) this.complete(Buffer.alloc(0), take)
  }

  private complete(last: Buffer, take: (line: Buffer) => void): void {
    const line = this.rest.length === 0 ? last : Buffer.concat([...this.rest, last])
    this.rest = []
    const isMarked = this.first && line.length >= 3 && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf
    this.first = false
    take(isMarked ? line.subarray(3) : line)
  }
}

const LINE_FEED = 0x0a
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const CONTINUED_AFTER = new Set([0x2c, 0x3a, 0x5b, 0x7b]) // , : [ {

/** A pretty-printed document may be so large; beyond it, its lines are taken one by one. Node's texts end at 512 MB. */
const MAX_DOCUMENT_BYTES = 256 * 1024 * 1024

class DocumentSplitter {
  /** Documents that are complete. */
  documents: Uint8Array[] = []
  /** Lines of a document that has not ended yet. */
  private open: Buffer[] = []
  private openBytes = 0
  private depth = 0

  /** The documents that are complete; they are forgotten here. */
  take(): readonly Uint8Array[] {
    const { documents } = this
    this.documents = []
    return documents
  }

  push(line: Buffer): void {
    const interrupted = this.depth > 0 && line[0] === 0x7b && !CONTINUED_AFTER.has(this.lastByte())
    if (interrupted || this.openBytes > MAX_DOCUMENT_BYTES) this.giveUp()
    let start = 0
    for (let position = 0; position < line.length; position++) {
      const byte = line[position] as number
      if (byte === QUOTE && this.depth > 0) {
        position = endOfString(line, position)
      } else if (byte === OPEN || byte === OPEN_LIST) {
        if (this.depth++ === 0) {
          this.addGarbage(line.subarray(start, position))
          start = position
        }
      } else if ((byte === CLOSE || byte === CLOSE_LIST) && this.depth > 0 && --this.depth === 0) {
        this.complete(line.subarray(start, position + 1))
        start = position + 1
      }
    }
    if (this.depth === 0) this.addGarbage(line.subarray(start))
    else this.keepOpen(line.subarray(start))
  }

  end(): void {
    this.giveUp()
  }

  private keepOpen(part: Buffer): void {
    // a line may be a view into a chunk that its reader uses again
    this.open.push(Buffer.from(part))
    this.openBytes += part.length
  }

  private lastByte(): number {
    for (let i = this.open.length - 1; i >= 0; i--) {
      const text = (this.open[i] as Buffer).toString('latin1').trimEnd()
      if (text !== '') return text.charCodeAt(text.length - 1)
    }
    return -1
  }

  private complete(last: Buffer): void {
    const bytes = this.open.length === 0 ? last : joinLines([...this.open, last])
    this.reset()
    this.addRecords(bytes)
  }

  /** The open document does not end: lines in it that are whole objects stand alone, what is between them stays together. */
  private giveUp(): void {
    const lines = this.open
    this.reset()
    let broken: Buffer[] = []
    for (const line of lines) {
      if (isObject(line)) {
        if (broken.length > 0) this.documents.push(joinLines(broken))
        broken = []
        this.addRecords(line)
      } else {
        broken.push(line)
      }
    }
    if (broken.length > 0) this.documents.push(joinLines(broken))
  }

  /** The records of an event `{"Records":[...]}`, each with the very bytes it had; any other document as it is. */
  private addRecords(document: Buffer): void {
    const array = document.includes('"Records"') ? findRecords(document) : -1
    const records = array === -1 ? undefined : splitRecords(document, array)
    for (const record of records ?? [document]) this.documents.push(Buffer.from(record))
  }

  private addGarbage(bytes: Buffer): void {
    if (!isBlank(bytes)) this.documents.push(Buffer.from(bytes))
  }

  private reset(): void {
    this.open = []
    this.openBytes = 0
    this.depth = 0
  }
}

/** A string cannot go on in the next line, so a line without the closing quote ends here. Most strings are short. */
function endOfString(line: Buffer, start: number): number {
  let position = start + 1
  for (; position < line.length; position++) {
    const byte = line[position]
    if (byte === QUOTE) return position
    if (byte === BACKSLASH) position++
  }
  return line.length
}

/** Only white space, as JSON has it (RFC 8259, section 2) and not as JavaScript trims it. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every(byte => byte === 0x20 || byte === 0x09 || byte === LINE_FEED || byte === 0x0d)
}

function joinLines(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line] : [Buffer.of(LINE_FEED), line])))
}

function isObject(line: Buffer): boolean {
  const text = line.toString()
  if (!text.trimStart().startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The elements of the array that starts at `array`; undefined where it, or the event around it, is not well-formed. */
function splitRecords(document: Buffer, array: number): readonly Buffer[] | undefined {
  const records: Buffer[] = []
  let depth = 0
  let start = array + 1
  for (let position = start; position < document.length; position++) {
    const byte = document[position] as number
    if (byte === QUOTE) position = endOfString(document, position)
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) {
      records.push(document.subarray(start, position))
      start = position + 1
      if (byte === COMMA) continue
      const event = Buffer.concat([document.subarray(0, array + 1), document.subarray(position)])
      return isObject(event) ? records.filter(record => !isBlank(record)) : undefined
    } else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return undefined
}

/** The position of the "[" after a top-level name "Records", or -1. */
function findRecords(document: Buffer): number {
  let depth = 0
  for (let position = 0; position < document.length; position++) {
    const byte = document[position] as number
    if (byte === QUOTE) {
      const end = endOfString(document, position)
      const array =
        depth === 1 && document.toString('latin1', position, end + 1) === '"Records"'
          ? arrayAfter(document, end + 1)
          : -1
      if (array !== -1) return array
      position = end
    } else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return -1
}

function arrayAfter(document: Buffer, from: number): number {
  const match = /^\s*:\s*\[/.exec(document.toString('latin1', from, from + 64))
  return match === null ? -1 : from + match[0].length - 1
}
