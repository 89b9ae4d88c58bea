/**
 * Firehose with direct puts, or before a Kinesis stream, a transform and conversion by a Glue table. API reference, PutRecordBatch ("the response
 * includes both successfully and unsuccessfully processed records", repeats); developer guide, "Transform source data",
 * "Handle failure in data transformation", "Handle data delivery failures" (24 hours, then the data are lost),
 * "Dynamic partitioning".
 */
import { FirehoseClient } from '@aws-sdk/client-firehose'
import type { FirehoseTransformationEvent, FirehoseTransformationResult } from 'aws-lambda'
import { BUFFER, TRANSFORM_BUFFER, TRANSFORM_RETRIES } from '../aws/firehose-buffer.js'
import { CALL_RECORDS } from '../aws/firehose-limits.js'
import { type Column, columnsOf } from '../transform/audit-row.js'
import { partitionPrefix, refusedPrefix } from '../transform/layout.js'
import { processingFailedLine } from '../transform/refused-line.js'
import { checkRowLine } from '../transform/row-line.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { SimulatedBucket } from './bucket.js'
import { withinSchema } from './deployments.js'
import { invoke, type SimulatedFunction } from './lambda.js'
import { type Process, passingError, serviceError } from './process.js'
import { sequencesIn } from './story.js'
import { DAY_MS, HOUR_MS } from './times.js'
import type { World } from './world.js'

/** A record as Firehose holds it. */
interface Taken {
  readonly recordId: string
  readonly data: Uint8Array
  readonly arrivalMs: number
}

export interface FirehoseOptions {
  readonly table: TableConfiguration
  /** The columns of its schema. @default - those of the table, at all times */
  readonly columns?: (() => ReadonlyMap<string, Column>) | undefined
  readonly transform: SimulatedFunction<FirehoseTransformationEvent, FirehoseTransformationResult>
  readonly archive: SimulatedBucket
  /** A record's bytes at most; a small one makes large items cheap. */
  readonly recordBytes: number
  /** How long it goes on trying to write to S3. @default - a day, as with direct puts */
  readonly keptMs?: number
}

/** Lines on their way to one object. */
interface Buffered {
  readonly lines: string[]
  readonly sinceMs: number
}

/** PutRecordBatch: 4 MiB for the entire request. */
const REQUEST_BYTES = 4 * 1024 * 1024
const RETRY_MS = 60_000
/** Each is one object more: a day of them would be a world of nothing else. */
const MOST_UNHEARD = 5

export class SimulatedFirehose {
  private taken: Taken[] = []
  private takenBytes = 0
  private readonly buffers = new Map<string, Buffered>()
  private readonly columns: () => ReadonlyMap<string, Column>

  constructor(
    private readonly world: World,
    private readonly options: FirehoseOptions,
  ) {
    const own = new Map(columnsOf(options.table).map(column => [column.name, column]))
    this.columns = options.columns ?? (() => own)
  }

  /** Firehose as one process of ours sees it: the client that it is given. */
  clientOf(process: Process): FirehoseClient {
    const { faults, dice } = this.world
    const send = ({ input }: { readonly input: { readonly Records: readonly { readonly Data: Uint8Array }[] } }) =>
      process.call({
        operation: 'firehose PutRecordBatch',
        about: '',
        slowMs: faults.strike('put-slow') ? dice.between(1000, 15_000) : 0,
        serve: () => this.putBatch(input.Records.map(({ Data }) => Data)),
        isPartial: answer => (answer as { readonly FailedPutCount: number }).FailedPutCount > 0,
        isUnheard: () => faults.strike('put-unheard') || this.hung,
      })
    return Object.assign(Object.create(FirehoseClient.prototype) as FirehoseClient, { send })
  }

  private hung = false

  private putBatch(records: readonly Uint8Array[]): unknown {
    const { faults, metrics, story } = this.world
    metrics.put('Firehose PutRecordBatch.Requests', 1)
    this.hung = faults.strike('put-hangs')
    const told = (what: string, data: readonly Uint8Array[] = records) =>
      story.detail('firehose', () => `${what} ${sequencesIn([Buffer.concat(data).toString()]).join(' ')}`)
    if (this.hung) {
      told('has a call that it does not answer, with')
      return undefined
    }
    const bytes = records.reduce((sum, { length }) => sum + Math.ceil(length / 3) * 4, 0)
    if (records.length > CALL_RECORDS || bytes > REQUEST_BYTES) throw serviceError('InvalidArgumentException', 400)
    if (records.some(({ length }) => length > this.options.recordBytes)) throw serviceError('ValidationException', 400)
    if (faults.strike('put-throttled')) {
      metrics.put('Firehose ThrottledRecords', records.length)
      told('turns away')
      throw passingError('ServiceUnavailableException', 503)
    }
    const isPartial = faults.strike('put-partial')
    const RequestResponses = records.map(data => {
      if (isPartial && this.world.dice.chance(0.5)) {
        told('answers an error code for', [data])
        return { ErrorCode: 'ServiceUnavailableException' }
      }
      told('takes', [data])
      return { RecordId: this.take(data) }
    })
    const failed = RequestResponses.filter(({ ErrorCode }) => ErrorCode !== undefined).length
    story.tell('firehose', `takes ${records.length - failed} of ${records.length} records`)
    return { FailedPutCount: failed, RequestResponses }
  }

  /** Takes a record in, from a call or from Kinesis, and answers its id. */
  take(data: Uint8Array): string {
    const { scheduler, numbers, faults } = this.world
    const recordId = String(numbers.next()).padStart(20, '0')
    const times = faults.strike('taken-twice') ? 2 : 1
    for (let i = 0; i < times; i++) {
      if (this.taken.length === 0) scheduler.after(TRANSFORM_BUFFER.seconds * 1000, () => void this.transform())
      const id = i === 0 ? recordId : String(numbers.next()).padStart(20, '0')
      this.taken.push({ recordId: id, data, arrivalMs: Math.floor(scheduler.now) })
      this.takenBytes += data.length
      if (this.takenBytes > TRANSFORM_BUFFER.mb * 1024 * 1024) void this.transform()
    }
    return recordId
  }

  private async transform(): Promise<void> {
    const batch = this.taken
    if (batch.length === 0) return
    this.taken = []
    this.takenBytes = 0
    const answer = await this.callTransform(batch)
    if (typeof answer === 'string') {
      for (const record of batch) this.refuse(record, 1 + TRANSFORM_RETRIES, answer)
      return
    }
    const results = new Map(answer.records.map(result => [result.recordId, result]))
    for (const record of batch) {
      const result = results.get(record.recordId)
      if (result === undefined) this.refuse(record, 1, 'Lambda.MissingRecordId')
      else if (result.result === 'Dropped')
        this.world.story.tell('firehose', `drops ${record.recordId}, as it is told to`)
      else if (result.result !== 'Ok') {
        this.world.metrics.put('world records refused by the transform', 1)
        this.refuse(record, 1, 'Lambda.ProcessingFailedStatus')
      } else this.accept(record, result.data ?? '', String(result.metadata?.partitionKeys?.event_date))
    }
  }

  /** The answer, or the code of the error after all tries. */
  private async callTransform(batch: readonly Taken[]): Promise<FirehoseTransformationResult | string> {
    const { faults, dice } = this.world
    const event: FirehoseTransformationEvent = {
      invocationId: dice.hex(16),
      deliveryStreamArn: 'arn:aws:firehose:us-east-1:123456789012:deliverystream/simulated',
      region: 'us-east-1',
      records: batch.map(({ recordId, data, arrivalMs }) => ({
        recordId,
        approximateArrivalTimestamp: arrivalMs,
        data: Buffer.from(data).toString('base64'),
      })),
    }
    for (let attempt = 0; attempt <= TRANSFORM_RETRIES; attempt++) {
      if (faults.strike('transform-fails')) {
        this.world.metrics.put('Lambda transform Invocations', 1)
        this.world.metrics.put('Lambda transform Errors', 1)
        continue
      }
      try {
        const answer = await invoke(this.world, this.options.transform, event)
        if (!faults.strike('transform-times-out')) return answer
        this.world.metrics.put('Lambda transform Errors', 1)
      } catch {}
    }
    this.world.metrics.put('world batches refused unread', 1)
    return 'Lambda.FunctionError'
  }

  private accept(record: Taken, data: string, date: string): void {
    const lines = Buffer.from(data, 'base64')
      .toString()
      .split('\n')
      .filter(line => line !== '')
    const columns = this.columns()
    for (const made of lines) {
      const line = this.options.columns === undefined ? made : withinSchema(made, columns)
      const problem = checkRowLine(line, columns)
      if (problem === undefined) this.buffer(partitionPrefix({ table: this.options.table.table, date }), line)
      else this.refuseLine(record, line, problem)
    }
  }

  private refuse(record: Taken, attempts: number, code: string): void {
    const { table } = this.options.table
    const about = {
      data: record.data,
      arrival: record.arrivalMs,
      attempts,
      code,
      message: code,
      lambdaArn: 'transform',
    }
    this.buffer(refusedPrefix('processing-failed', table), processingFailedLine(about, this.nowMs).trimEnd())
    this.world.story.tell('firehose', `refuses ${record.recordId}: ${code}`)
    this.world.story.detail('firehose', () => `refuses ${sequencesIn([Buffer.from(record.data).toString()]).join(' ')}`)
  }

  private refuseLine(record: Taken, line: string, problem: string): void {
    const kept = {
      attemptsMade: 1,
      arrivalTimestamp: record.arrivalMs,
      lastErrorCode: 'DataFormatConversion.MalformedData',
      lastErrorMessage: problem,
      attemptEndingTimestamp: this.nowMs,
      rawData: Buffer.from(line).toString('base64'),
    }
    this.buffer(refusedPrefix('format-conversion-failed', this.options.table.table), JSON.stringify(kept))
    this.world.metrics.put('Firehose FailedConversion.Records', 1)
    this.world.story.tell('firehose', `cannot convert a row of ${record.recordId}: ${problem}`)
  }

  private get nowMs(): number {
    return Math.floor(this.world.scheduler.now)
  }

  private buffer(prefix: string, line: string): void {
    const known = this.buffers.get(prefix)
    if (known !== undefined) {
      known.lines.push(line)
      return
    }
    this.buffers.set(prefix, { lines: [line], sinceMs: this.nowMs })
    this.world.scheduler.after(BUFFER.seconds * 1000, () => void this.write(prefix))
  }

  /** Writes an object until S3 has it, or a day is over and it is lost. */
  private async write(prefix: string): Promise<void> {
    const { scheduler, faults, metrics, story, losses, dice } = this.world
    const { lines, sinceMs } = this.buffers.get(prefix) as Buffered
    this.buffers.delete(prefix)
    await this.fallBehind(sinceMs)
    let unheardTimes = 0
    while (scheduler.now - sinceMs < (this.options.keptMs ?? DAY_MS)) {
      if (faults.strike('s3-slow')) await scheduler.sleep(dice.between(1000, 30_000))
      const refused = faults.strike('s3-refuses')
      this.tellAge(sinceMs)
      metrics.put('Firehose DeliveryToS3.Success', refused ? 0 : 1)
      if (!refused) {
        this.writeOnce(prefix, lines)
        const unheard = faults.strike('s3-unheard') && ++unheardTimes <= MOST_UNHEARD
        if (!unheard && faults.strike('delivered-twice')) this.writeOnce(prefix, lines)
        if (!unheard) return
      }
      await scheduler.sleep(RETRY_MS)
    }
    story.tell('firehose', `loses ${lines.length} lines of ${prefix}, which were too old`)
    story.detail('firehose', () => `loses ${sequencesIn(lines).join(' ')}`)
    losses.push({ kind: 'undelivered', texts: lines, takenMs: sinceMs, lostMs: scheduler.now })
  }

  /** So long that a day is over, and copied, before its last object comes; never so long that it is lost. */
  private async fallBehind(sinceMs: number): Promise<void> {
    const { scheduler, faults, dice } = this.world
    if (!faults.strike('delivery-slow')) return
    for (const untilMs = scheduler.now + dice.between(HOUR_MS, 20 * HOUR_MS); scheduler.now < untilMs; ) {
      this.tellAge(sinceMs)
      await scheduler.sleep(RETRY_MS)
    }
  }

  private tellAge(sinceMs: number): void {
    this.world.metrics.put('Firehose DeliveryToS3.DataFreshness', (this.world.scheduler.now - sinceMs) / 1000)
  }

  private writeOnce(prefix: string, lines: readonly string[]): void {
    const time = new Date(this.nowMs).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-')
    this.world.story.detail('firehose', () => `writes ${sequencesIn(lines).join(' ')} under ${prefix}`)
    this.options.archive.put(`${prefix}rows-1-${time}-${this.world.dice.hex(8)}`, Buffer.from(`${lines.join('\n')}\n`))
  }
}
