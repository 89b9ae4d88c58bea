import { createHandler, type TransformHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type DeliveryCounts, DeliveryStream, type DeliveryStreamOptions } from './delivery-stream.js'
import { LikelyActor } from './likely-actor.js'

/** How many records were refused for one reason. */
export type Reasons = Map<string, number>

/** What became of the records of one table. */
export interface TableSummary extends Readonly<DeliveryCounts> {
  readonly table: string
  readonly reasons: ReadonlyMap<string, number>
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
    const onRefused = (reason: string) => this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
    const handler = createHandler(options.table, (_, reason) => onRefused(reason))
    this.stream = new DeliveryStream({ ...options, handler: this.watched(handler), onRefused })
  }

  /** What has become of the records so far; those that were not flushed are only counted as records. */
  get summary(): TableSummary {
    const { attribute: likelyActor } = this.likelyActor
    return { table: this.table.table, ...this.stream.counts, reasons: this.reasons, likelyActor }
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
