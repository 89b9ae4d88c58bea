import { type Document, DocumentSplitter, recordsIn } from '../capture/document-reader.js'
import { type Envelope, envelopeAtAGlance, readEnvelope } from '../capture/envelope.js'
import type { LineBlock } from '../capture/line-blocks.js'
import { type Bounds, GrowingBytes, isOverlong } from '../capture/overlong.js'
import type { SpareMemory } from '../capture/spare-memory.js'
import { DocumentTransform } from '../transform/document-transform.js'
import type { TransformedRow } from '../transform/fast/fast-path.js'
import { LINE_FEED, OPEN } from '../transform/json-bytes.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** Row lines of one partition, of changes from these regions. */
export interface BlockRows {
  readonly table: string
  readonly date: string
  readonly lines: Buffer
  readonly rows: number
  readonly regions: readonly (string | undefined)[]
}

/**
 * What a block of an input holds, in the order in which each partition and each document first came: rows, and
 * documents that a delivery stream has to judge. Undefined where a document goes on in the next block.
 */
export type BlockContent = readonly (BlockRows | Document)[]

/** True of rows, false of a document. */
export function isRows(part: BlockRows | Document): part is BlockRows {
  return 'rows' in part
}

/** Bytes as they come from another thread, which are of a plainer kind there, in the very same memory. */
export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/**
 * Takes the lines of an input apart and transforms what is plain: all that needs nothing but the block itself and the
 * configuration of a table, so that it may be done anywhere.
 */
export class BlockTransform {
  private readonly transforms = new Map<string, DocumentTransform | undefined>()

  /** `configurationOf` gives none for a table that is not known here, or whose values are to be sealed. */
  constructor(
    private readonly configurationOf: (table: string) => TableConfiguration | undefined,
    private readonly bounds: Bounds,
    private readonly spare: SpareMemory,
  ) {}

  /** Of a block of whole lines. */
  transform(block: LineBlock, arrival: number): BlockContent | undefined {
    const content = new Content(arrival, () => this.spare.take(block.bytes.length * LINES_OF_INPUT))
    const splitter = new DocumentSplitter(this.bounds)
    for (const { line, next } of linesOf(block.bytes)) {
      if (splitter.isBetween && this.takesLine(line, content)) continue
      const start = line.byteOffset - block.bytes.byteOffset
      splitter.push(block.bytes.subarray(start, next), block.offset + start)
      this.takeDocuments(splitter.take(), content)
    }
    if (block.isLast) {
      splitter.end()
      this.takeDocuments(splitter.take(), content)
    }
    return splitter.isBetween || block.isLast ? content.parts() : undefined
  }

  /** Takes a line that is one record as DynamoDB writes it, without asking where else documents may begin or end. */
  private takesLine(line: Buffer, content: Content): boolean {
    if (line[0] !== OPEN || line.length > this.bounds.most) return false
    const envelope = envelopeAtAGlance(line)
    const transform = envelope && this.transformOf(envelope)
    const row = transform?.transformPlain(line, content.arrival)
    if (row !== undefined) content.addRow(envelope?.table as string, row)
    return row !== undefined
  }

  private takeDocuments(documents: readonly Document[], content: Content): void {
    for (const document of recordsIn(documents)) {
      const envelope = isOverlong(document) ? undefined : readEnvelope(document)
      const transform = envelope && this.transformOf(envelope)
      const row = transform?.transform(document as Buffer, content.arrival)
      if (row === undefined) content.addDocument(document)
      else content.addRow(envelope?.table as string, row)
    }
  }

  private transformOf({ table, hasTime, isUnnamed }: Envelope): DocumentTransform | undefined {
    if (table === undefined || !hasTime || isUnnamed) return undefined
    if (this.transforms.has(table)) return this.transforms.get(table)
    const configuration = this.configurationOf(table)
    if (configuration === undefined) return undefined
    const transform = configuration.erasable === undefined ? new DocumentTransform(configuration) : undefined
    this.transforms.set(table, transform)
    return transform
  }
}

function* linesOf(bytes: Buffer): Generator<{ readonly line: Buffer; readonly next: number }> {
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start)
    const end = feed === -1 ? bytes.length : feed
    const next = feed === -1 ? bytes.length : feed + 1
    yield { line: bytes.subarray(start, end), next }
    start = next
  }
}

/** What a block holds as it grows. */
class Content {
  private readonly all: (GrowingRows | Document)[] = []
  private readonly partitions = new Map<string, GrowingRows>()
  private last: GrowingRows | undefined

  constructor(
    readonly arrival: number,
    /** Memory for the lines of a block. */
    private readonly roomForLines: () => Buffer,
  ) {}

  addDocument(document: Document): void {
    this.all.push(document)
  }

  addRow(table: string, row: TransformedRow): void {
    const { last } = this
    const partition = last?.table === table && last.date === row.date ? last : this.partitionOf(table, row.date)
    partition.add(row)
    this.last = partition
  }

  parts(): BlockContent {
    return this.all.map(part => (part instanceof GrowingRows ? part.whole() : part))
  }

  private partitionOf(table: string, date: string): GrowingRows {
    const name = `${date} ${table}`
    let partition = this.partitions.get(name)
    if (partition === undefined) {
      // most blocks are of one day
      const room = this.partitions.size === 0 ? this.roomForLines() : undefined
      partition = new GrowingRows(table, date, room)
      this.partitions.set(name, partition)
      this.all.push(partition)
    }
    return partition
  }
}

/** A row line has what its record has, and hashes and columns; and a record the least that is in its line. */
const LINES_OF_INPUT = 2

/** Lines of a partition. */
class GrowingRows {
  private readonly lines: GrowingBytes
  private rows = 0
  private readonly regions = new Set<string | undefined>()

  constructor(
    readonly table: string,
    readonly date: string,
    room: Buffer | undefined,
  ) {
    this.lines = new GrowingBytes(room)
  }

  add({ line, region }: TransformedRow): void {
    this.lines.append(line)
    this.rows++
    this.regions.add(region)
  }

  whole(): BlockRows {
    const { table, date, rows } = this
    return { table, date, rows, lines: this.lines.view(), regions: [...this.regions] }
  }
}
