import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Document } from '../capture/document-reader.js'
import type { LineBlock } from '../capture/line-blocks.js'
import { type Bounds, isOverlong } from '../capture/overlong.js'
import type { SpareMemory } from '../capture/spare-memory.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type BlockContent, type BlockRows, bufferOf, isRows } from './block-transform.js'

/** A block for a worker, with tables that it is to know from now on, and memory that it may use. */
export interface BlockOrder {
  readonly block: Omit<LineBlock, 'bytes'> & { readonly bytes: Uint8Array }
  readonly arrival: number
  readonly added: readonly TableConfiguration[]
  readonly given: readonly Uint8Array[]
}

/** What a worker made of a block, and the block's bytes again. */
export interface BlockAnswer {
  readonly bytes: Uint8Array
  readonly content: BlockContent | undefined
}

/** A block that was transformed. */
export interface TransformedBlock {
  readonly block: LineBlock
  readonly content: BlockContent | undefined
}

/** Compiled code alone runs in a thread: from sources, as in tests, there is none. */
const PROGRAM = new URL('./block-worker.js', import.meta.url)

/** Blocks that are under way for a thread: one that it works at, and one that waits for it. */
const AHEAD = 2

/** Threads that transform blocks beside the one that reads and writes. */
export class BlockWorkers {
  private readonly workers: BlockWorker[]
  private readonly tables: TableConfiguration[] = []

  private constructor(
    threads: number,
    bounds: Bounds,
    private readonly spare: SpareMemory,
  ) {
    this.workers = Array.from({ length: threads }, () => new BlockWorker(bounds))
  }

  /** Undefined where there is no code that a thread can run. */
  static start(threads: number, bounds: Bounds, spare: SpareMemory): BlockWorkers | undefined {
    return existsSync(fileURLToPath(PROGRAM)) ? new BlockWorkers(threads, bounds, spare) : undefined
  }

  /** Whether each has enough to do for now. */
  get areBusy(): boolean {
    return this.workers.every(({ waiting }) => waiting >= AHEAD)
  }

  /** Makes a table known to what is transformed from now on. */
  know(table: TableConfiguration): void {
    // whoever seals needs keys, which stay in this thread
    if (table.erasable === undefined) this.tables.push(table)
  }

  /** Takes the block's memory, and gives it back with what is in it. */
  transform(block: LineBlock, arrival: number): Promise<TransformedBlock> {
    const [first, ...others] = this.workers as [BlockWorker, ...BlockWorker[]]
    const idlest = others.reduce((least, worker) => (worker.waiting < least.waiting ? worker : least), first)
    return idlest.transform(block, arrival, this.tables, this.spare.takeOne())
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.close()))
  }
}

interface Waiting {
  readonly block: LineBlock
  readonly resolve: (transformed: TransformedBlock) => void
  readonly reject: (error: Error) => void
}

class BlockWorker {
  private readonly worker: Worker
  private readonly queue: Waiting[] = []
  private known = 0
  private failure: Error | undefined

  constructor(bounds: Bounds) {
    this.worker = new Worker(PROGRAM, { workerData: bounds })
    this.worker.on('message', (answer: BlockAnswer) => this.answer(answer))
    this.worker.on('error', error => this.fail(error))
    this.worker.on('exit', code => this.fail(new Error(`thread that transforms ended with ${code}`)))
  }

  get waiting(): number {
    return this.queue.length
  }

  transform(
    block: LineBlock,
    arrival: number,
    tables: readonly TableConfiguration[],
    given: readonly Buffer[],
  ): Promise<TransformedBlock> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const order: BlockOrder = { block, arrival, added: tables.slice(this.known), given }
    this.known = tables.length
    const answered = new Promise<TransformedBlock>((resolve, reject) => this.queue.push({ block, resolve, reject }))
    this.worker.postMessage(
      order,
      [block.bytes, ...given].map(({ buffer }) => buffer as ArrayBuffer),
    )
    return answered
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }

  private answer({ bytes, content }: BlockAnswer): void {
    const { block, resolve } = this.queue.shift() as Waiting
    resolve({ block: { ...block, bytes: bufferOf(bytes) }, content: content?.map(withBuffers) })
  }

  private fail(error: Error): void {
    this.failure ??= error
    for (const { reject } of this.queue.splice(0)) reject(this.failure)
  }
}

function withBuffers(part: BlockRows | Document): BlockRows | Document {
  if (part instanceof Uint8Array) return bufferOf(part)
  if (isRows(part)) return { ...part, lines: bufferOf(part.lines) }
  return isOverlong(part) ? { ...part, beginning: bufferOf(part.beginning) } : part
}
