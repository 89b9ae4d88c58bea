import { setTimeout as wait } from 'node:timers/promises'
import type { FirehoseClient } from '@aws-sdk/client-firehose'
import { CALL_BYTES, CALL_RECORDS, RECORD_BYTES } from '../aws/firehose-limits.js'
import type { Patience } from '../aws/patience.js'
import {
  BaselineDeliveryError,
  type BaselineOrigin,
  type BaselineTarget,
  type Refusals,
  rowTimeOf,
} from '../capture/baseline.js'
import { sendPacks } from '../capture/firehose-sender.js'
import { PACK_BYTES, type Pack } from '../capture/packing.js'
import { keepFact } from '../store/kept-facts.js'
import type { Bucket } from '../store/s3.js'
import { type BaselineFact, StatesDigest } from '../transform/fact.js'
import type { ImageState } from '../transform/item-state.js'
import { partitionPrefix } from '../transform/layout.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type Arrivals, type Arrived, ArrivedRows } from './arrived-rows.js'

/**
 * How long it takes until nothing more is to be expected: Firehose delivers after 15 minutes at the latest when it is
 * well.
 */
const PATIENCE_MS = 45 * 60_000

const LOOK_EVERY_MS = 30_000

/** What a baseline on AWS is made with, and what a test puts in the place of time. */
export interface FirehoseTargetOptions {
  readonly firehose: FirehoseClient
  readonly deliveryStream: string
  readonly bucket: Bucket
  readonly table: TableConfiguration
  readonly origin: BaselineOrigin
  /** Called with how many rows have arrived. */
  readonly onArrived?: (items: number, expected: number) => void
  readonly time?: Patience
  readonly patienceMs?: number
  /** What reads the rows that have arrived under a prefix. @default - DuckDB, which reads Parquet */
  readonly arrivals?: (...place: Parameters<typeof ArrivedRows.open>) => Promise<Arrivals>
  readonly sleep?: (ms: number) => Promise<unknown>
}

/**
 * A delivery stream on AWS, as where a baseline goes. That Firehose has accepted a document does not make it a row: the
 * fact waits until every row has been seen in the bucket, with the very states that were read.
 */
export class FirehoseTarget implements BaselineTarget {
  private readonly digest = new StatesDigest()
  private items = 0
  private unreadable = 0
  private lines: Uint8Array[] = []
  private lineBytes = 0
  private packs: Pack[] = []
  private packBytes = 0
  private readonly large: { item: string; reason: string }[] = []

  private constructor(
    private readonly options: FirehoseTargetOptions,
    private readonly arrived: Arrivals,
  ) {}

  static async open(options: FirehoseTargetOptions): Promise<FirehoseTarget> {
    const { bucket, table, origin, arrivals = ArrivedRows.open } = options
    const prefix = partitionPrefix({ table: table.table, date: dateOf(rowTimeOf(origin)) })
    // a scan has a new source each time; rows of an export may be there from a run that was interrupted
    const known = origin.method === 'scan' ? await bucket.list(prefix) : []
    return new FirehoseTarget(options, await arrivals(bucket, prefix, origin.source, known))
  }

  async put(document: Uint8Array, state: ImageState | undefined): Promise<void> {
    if (document.length > RECORD_BYTES) {
      const reason = `document of ${document.length} bytes is larger than Firehose takes (${RECORD_BYTES})`
      this.large.push({ item: state?.itemKey ?? 'an item', reason })
      return
    }
    if (state === undefined) {
      this.unreadable++
      return this.addPack(document)
    }
    this.items++
    this.digest.add(state.itemKey, state.hash)
    if (this.lineBytes + 1 + document.length > PACK_BYTES) await this.closePack()
    this.lines.push(document)
    this.lineBytes += 1 + document.length
  }

  async finish(): Promise<Refusals> {
    await this.closePack()
    await this.sendAll()
    // if one was refused there will be no fact, so nothing is waited for
    if (this.unreadable === 0 && this.large.length === 0) await this.awaitRows()
    return { refused: this.large.length, examples: this.large }
  }

  keep(fact: BaselineFact): Promise<string> {
    return keepFact(this.options.bucket, fact)
  }

  close(): void {
    this.arrived.close()
  }

  /** All documents are of one table and one day, so any of them go together; what will be refused goes alone. */
  private async closePack(): Promise<void> {
    if (this.lines.length === 0) return
    const data = Buffer.concat(this.lines.flatMap((line, i) => (i === 0 ? [line] : [LINE_FEED, line])))
    this.lines = []
    this.lineBytes = 0
    await this.addPack(data)
  }

  private async addPack(data: Uint8Array): Promise<void> {
    const bytes = Math.ceil((data.length * 4) / 3)
    if (this.packs.length === CALL_RECORDS || this.packBytes + bytes > CALL_BYTES) await this.sendAll()
    this.packs.push({ data, positions: [] })
    this.packBytes += bytes
  }

  private async sendAll(): Promise<void> {
    if (this.packs.length === 0) return
    const { firehose, deliveryStream, time = {} } = this.options
    const { left, errors } = await sendPacks(firehose, deliveryStream, this.packs, time)
    if (left.length > 0) {
      const codes = [...errors].map(([code, times]) => `${times} × ${code}`).join(', ')
      throw new BaselineDeliveryError(
        `delivery stream ${JSON.stringify(deliveryStream)} does not take records: ${codes}`,
      )
    }
    this.packs = []
    this.packBytes = 0
  }

  private async awaitRows(): Promise<void> {
    const { onArrived = () => {}, patienceMs = PATIENCE_MS, sleep = wait } = this.options
    for (let waited = 0; ; waited += LOOK_EVERY_MS) {
      const arrived = await this.arrived.look()
      onArrived(arrived.items, this.items)
      if (this.isWhole(arrived)) return
      if (waited >= patienceMs)
        throw new BaselineDeliveryError(
          `${arrived.items} of ${this.items} rows have arrived within ${Math.round(patienceMs / 60_000)} minutes${this.differing(arrived)}`,
        )
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** Why rows that are all there are not the ones that were read. */
  private differing({ items }: Arrived): string {
    if (items < this.items) return ''
    const { erasable } = this.options.table
    return erasable === undefined
      ? ', and some are not what was read'
      : ', and some are sealed otherwise than what was read: was somebody erased, or given a new key, meanwhile?'
  }

  private isWhole({ items, digest }: Arrived): boolean {
    return items === this.items && digest === this.digest.hex()
  }
}

const LINE_FEED = Buffer.from('\n')
