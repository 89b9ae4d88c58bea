import { type Document, DocumentSplitter, recordsIn } from '../capture/document-reader.js'
import { envelopeAtAGlance } from '../capture/envelope.js'
import type { LineBlock } from '../capture/line-blocks.js'
import { type Bounds, isOverlong } from '../capture/overlong.js'
import { SpareMemory } from '../capture/spare-memory.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type BlockRows, BlockTransform, isRows } from './block-transform.js'
import { BlockWorkers, type TransformedBlock } from './block-workers.js'

/** Where what is in an input goes, in its order. */
export interface BlockSink {
  /** Whether these rows may come in as they are; where not, each of the block's documents is put. */
  takes(rows: BlockRows): Promise<boolean>
  /** When it has returned, nobody uses their memory any more. */
  putRows(rows: BlockRows): Promise<void>
  put(document: Document): Promise<void>
}

/** How blocks are transformed. */
export interface BlockIntakeOptions {
  readonly sink: BlockSink
  readonly configurationOf: (table: string) => TableConfiguration
  readonly bounds: Bounds
  readonly threads: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Told of each block of which nothing is in use any more. @default - nobody is */
  readonly onSpent?: (block: LineBlock) => void
}

/** The first blocks are transformed in this thread: of a short input others would begin when it has ended. */
const ALONE = 3

/** Blocks for each thread that are under way or wait to be put. */
const MOST_AHEAD = 3

/**
 * Takes an input in, block by block: transforms blocks side by side, and puts what is in them in the order of the
 * input. Where a document goes on from one block to the next, both are read as one, document after document.
 */
export class BlockIntake {
  private readonly spare = new SpareMemory()
  private readonly alone: BlockTransform
  private readonly known = new Set<string>()
  private readonly ahead: Promise<TransformedBlock>[] = []
  /** Reads on where a document has not ended with its block. */
  private splitter: DocumentSplitter | undefined
  private workers: BlockWorkers | undefined
  private blocks = 0

  constructor(private readonly options: BlockIntakeOptions) {
    this.alone = new BlockTransform(table => this.know(table), options.bounds, this.spare)
  }

  /** Takes a block in; it may be put later, with the next. One call at a time. */
  async take(block: LineBlock): Promise<void> {
    const { now, threads, bounds } = this.options
    if (this.splitter !== undefined || !block.isWhole) await this.settle()
    if (this.splitter !== undefined || !block.isWhole) return this.putDocuments(block)
    const workers = this.blocks++ < ALONE ? undefined : this.startWorkers(threads, bounds)
    if (workers === undefined) return this.put(await this.transformHere(block))
    // of so many threads this is one: another in its place would have to compile the same code, and this one would wait
    const transformed = workers.areBusy ? this.transformHere(block) : workers.transform(block, now())
    // it is looked at in its turn
    transformed.catch(() => {})
    this.ahead.push(transformed)
    while (this.ahead.length > threads * MOST_AHEAD) await this.putNext()
  }

  /** Puts everything that was taken in. */
  async settle(): Promise<void> {
    while (this.ahead.length > 0) await this.putNext()
  }

  /** Forgets what was not put. */
  async close(): Promise<void> {
    await this.workers?.close()
  }

  /** Fails in its turn, as the others do. */
  private async transformHere(block: LineBlock): Promise<TransformedBlock> {
    return { block, content: this.alone.transform(block, this.options.now()) }
  }

  private startWorkers(threads: number, bounds: Bounds): BlockWorkers | undefined {
    if (this.workers !== undefined || threads === 1) return this.workers
    this.workers = BlockWorkers.start(threads - 1, bounds, this.spare)
    for (const table of this.known) this.workers?.know(this.options.configurationOf(table))
    return this.workers
  }

  /** The configuration of a table that an input names, which threads are told of. */
  private know(table: string): TableConfiguration {
    const configuration = this.options.configurationOf(table)
    if (!this.known.has(table)) this.workers?.know(configuration)
    this.known.add(table)
    return configuration
  }

  /** A table that first comes up when threads are at work is one that they do not know. */
  private meet(document: Document): void {
    if (this.workers === undefined || isOverlong(document)) return
    const table = envelopeAtAGlance(document as Buffer)?.table
    if (table !== undefined) this.know(table)
  }

  private async putNext(): Promise<void> {
    const next = await (this.ahead.shift() as Promise<TransformedBlock>)
    await this.put(next)
  }

  private async put({ block, content }: TransformedBlock): Promise<void> {
    const { sink } = this.options
    if (this.splitter !== undefined || content === undefined) return this.putDocuments(block)
    for (const part of content) {
      // nothing has been put yet
      if (isRows(part) && !(await sink.takes(part))) return this.putDocuments(block)
    }
    for (const part of content) {
      if (isRows(part)) {
        await sink.putRows(part)
        this.spare.give(part.lines)
      } else {
        this.meet(part)
        await sink.put(part)
      }
    }
    // a document that waits may lie in it
    if (content.every(isRows)) this.options.onSpent?.(block)
  }

  /** Puts the documents of a block one after the other, from where the last one ended. */
  private async putDocuments({ bytes, offset, isLast }: LineBlock): Promise<void> {
    const splitter = this.splitter ?? new DocumentSplitter(this.options.bounds)
    splitter.push(bytes, offset)
    if (isLast) splitter.end()
    for (const document of recordsIn(splitter.take())) await this.options.sink.put(document)
    this.splitter = isLast || splitter.isBetween ? undefined : splitter
  }
}
