import type { Overlong } from '../capture/overlong.js'
import { describeOverlong } from '../capture/overlong-record.js'
import { createHandler, type TransformHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type DeliveryCounts, DeliveryStream, type DeliveryStreamOptions } from './desk-delivery-stream.js'
import { LikelyActor } from './likely-actor.js'
import type { ColumnMisfits } from './misfits.js'

/** Reasons that are told apart. */
const MOST_REASONS = 1000
const FURTHER = 'further reasons: itemtrail status tells them'

/** How many records were refused for one reason. */
export type Reasons = Map<string, number>

/** What became of the records of one table. */
export interface TableSummary extends Readonly<DeliveryCounts> {
  readonly table: string
  readonly reasons: ReadonlyMap<string, number>
  /** The values that did not fit, by column. */
  readonly misfits: ReadonlyMap<string, Readonly<ColumnMisfits>>
  /** An attribute that looks like the actor, where none is configured. */
  readonly likelyActor: string | undefined
}

/** The delivery stream of one table before the real transform, which remembers why records were refused. */
export class TableDelivery {
  readonly stream: DeliveryStream
  private readonly table: TableConfiguration
  private readonly reasons: Reasons = new Map()
  private readonly likelyActor = new LikelyActor()

  constructor(options: Omit<DeliveryStreamOptions, 'handler' | 'onRefused'>) {
    this.table = options.table
    const handler = createHandler(options.table, (_, reason) => this.note(reason))
    this.stream = new DeliveryStream({
      ...options,
      handler: this.watched(handler),
      onRefused: reason => this.note(reason),
    })
  }

  /** Takes rows that were made of as many records, as `DeliveryStream` does. */
  async putRows(date: string, lines: Buffer, rows: number): Promise<void> {
    if (this.table.actor === undefined && this.likelyActor.isLooking) this.likelyActor.look(lines.toString())
    await this.stream.putRows(date, lines, rows)
  }

  /** Keeps the beginning of a document that is too long, and remembers why. */
  async refuseOverlong(document: Overlong, arrival?: number): Promise<void> {
    this.note(describeOverlong(document))
    await this.stream.refuseOverlong(document, arrival)
  }

  /**
   * A reason shows the start of a value, so there may be as many as records; those beyond a bound are counted together.
   */
  private note(reason: string): void {
    const known = this.reasons.has(reason) || this.reasons.size < MOST_REASONS ? reason : FURTHER
    this.reasons.set(known, (this.reasons.get(known) ?? 0) + 1)
  }

  /** What has become of the records so far; those that were not flushed are only counted as records. */
  get summary(): TableSummary {
    const { attribute: likelyActor } = this.likelyActor
    const { counts, misfits } = this.stream
    return { table: this.table.table, ...counts, reasons: this.reasons, misfits: misfits.byColumn, likelyActor }
  }

  private watched(handler: TransformHandler): TransformHandler {
    if (this.table.actor !== undefined) return handler
    return async event => {
      const answer = await handler(event)
      for (const { result, data } of answer.records) {
        const lines = result === 'Ok' && this.likelyActor.isLooking ? data : undefined
        if (lines !== undefined) this.likelyActor.look(Buffer.from(lines, 'base64').toString())
      }
      return answer
    }
  }
}
