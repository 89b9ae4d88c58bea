import { type LambdaRecord, toLambdaRecord } from './lambda-record.js'
import type { ShardStart, StreamRecords } from './stream-calls.js'
import type { StreamSource } from './stream-source.js'

/** What reading a shard once came to. */
export type ShardAnswer =
  | { readonly kind: 'records'; readonly records: readonly LambdaRecord[]; readonly atEnd: boolean }
  /** The place to go on from is no longer in the stream. The next answer begins with the oldest that is. */
  | { readonly kind: 'trimmed' }
  /** The shard itself is no longer in the stream. */
  | { readonly kind: 'gone' }

/** Iterators for one place that may expire in a row: a service that gives out no other kind is not asked for ever. */
const ITERATORS = 5

/**
 * Reads one shard, answer by answer, each record once. An iterator that has expired is replaced by one for the same
 * place.
 */
export class ShardReader {
  private iterator: string | undefined
  private last: string | null

  constructor(
    private readonly source: StreamSource,
    private readonly streamArn: string,
    private readonly shardId: string,
    private start: ShardStart,
  ) {
    this.last = start.kind === 'after' ? start.sequence : null
  }

  /** The next answer. After `atEnd` or `gone` there is none. */
  async read(): Promise<ShardAnswer> {
    try {
      return await this.ask()
    } catch (error) {
      const { name } = error as Error
      if (name === 'ResourceNotFoundException') return { kind: 'gone' }
      // where a shard begins is a place that the service need not take: then it cannot be told what is missing before
      const refused = name === 'ValidationException' && this.start.kind === 'at'
      if (name !== 'TrimmedDataAccessException' && !refused) throw error
      this.iterator = undefined
      this.start = { kind: 'oldest' }
      return { kind: 'trimmed' }
    }
  }

  /**
   * An iterator lasts 15 minutes, which a call that is made again and again may outlast, a new one's first call too.
   */
  private async ask(): Promise<ShardAnswer> {
    for (let expired = 1; ; expired++) {
      this.iterator ??= await this.source.iterator(this.streamArn, this.shardId, this.start)
      try {
        return this.take(await this.source.records(this.iterator))
      } catch (error) {
        if ((error as Error).name !== 'ExpiredIteratorException' || expired === ITERATORS) throw error
        this.iterator = undefined
      }
    }
  }

  private take({ records, next }: StreamRecords): ShardAnswer {
    this.iterator = next
    const after = this.last
    const unread = records
      .map(record => toLambdaRecord(record, this.streamArn))
      .filter(({ dynamodb }) => after === null || BigInt(dynamodb.SequenceNumber) > BigInt(after))
    const last = unread.at(-1)?.dynamodb.SequenceNumber
    if (last !== undefined) {
      this.last = last
      this.start = { kind: 'after', sequence: last }
    }
    return { kind: 'records', records: unread, atEnd: next === undefined }
  }
}
