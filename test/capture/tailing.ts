/** A tail in a test: against a scripted server, into a sink that remembers, and fails or dies on demand. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import type { TailSink } from '../../capture/intake.js'
import type { LambdaRecord } from '../../capture/lambda-record.js'
import { findStreams } from '../../capture/table-streams.js'
import { type TailOptions, type TailOutcome, tail } from '../../capture/tail.js'
import { readCheckpoint, type TailCheckpoint, writeCheckpoint } from '../../capture/tail-checkpoint.js'
import type { GapFact, StreamChangedFact } from '../../transform/fact.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import type { StreamsServer } from '../streams-server.js'

/** What the machine is taken away with: nothing is written after it. */
export class Death extends Error {
  override readonly name = 'Death'
}

/** Remembers as a disk does: what was put and not flushed is gone when the process dies. */
export class MemorySink implements TailSink {
  /** Sequence numbers that are durable, in the order in which they became so, repeats among them. */
  readonly durable: string[] = []
  readonly facts: (GapFact | StreamChangedFact)[] = []
  checkpoint: TailCheckpoint | undefined
  flushes = 0
  /** Called at each step that touches the disk; it may throw. */
  onStep: (step: 'put' | 'flush' | 'fact' | 'save') => void = () => {}
  private pending: string[] = []
  private busy = false

  async put(record: LambdaRecord): Promise<void> {
    await this.alone(() => {
      this.onStep('put')
      this.pending.push(record.dynamodb.SequenceNumber)
    })
  }

  async flush(): Promise<void> {
    await this.alone(() => {
      // a flush that dies half-way has written some of it
      const half = this.pending.splice(0, Math.ceil(this.pending.length / 2))
      this.durable.push(...half)
      this.onStep('flush')
      this.durable.push(...this.pending.splice(0))
      this.flushes++
    })
  }

  async addFact(fact: GapFact | StreamChangedFact): Promise<void> {
    await this.alone(() => {
      this.onStep('fact')
      this.facts.push(fact)
    })
  }

  async save(checkpoint: TailCheckpoint): Promise<void> {
    await this.alone(() => {
      this.onStep('save')
      const durable = new Set(this.durable)
      for (const [shard, { after }] of Object.entries(checkpoint.shards))
        if (after !== null && !durable.has(after))
          throw new Error(`checkpoint of ${shard} is ahead of what is durable: ${after}`)
      this.checkpoint = readCheckpoint(writeCheckpoint(checkpoint), 'checkpoint')
    })
  }

  /** What the next process finds. */
  restart(): void {
    this.pending = []
    this.busy = false
    this.onStep = () => {}
  }

  get gaps(): readonly GapFact[] {
    return this.facts.filter(fact => fact.kind === 'gap')
  }

  /** Fails where two calls overlap, or where one comes after a failure. */
  private async alone(work: () => void): Promise<void> {
    if (this.busy) throw new Error('sink was called while a call was under way, or after it had failed')
    this.busy = true
    await new Promise(resolve => setImmediate(resolve))
    work()
    this.busy = false
  }
}

/** As fast as a test wants it. */
export const QUICK = { emptyAnswers: 4, settle: 0, idle: 1, longestIdle: 2, successor: 1, refresh: 10, tick: 1 }

/** Tails the server's table into a sink, going on from its checkpoint. */
export async function tailInto(
  sink: MemorySink,
  server: StreamsServer,
  more: Partial<TailOptions> = {},
): Promise<TailOutcome> {
  const connection = { ...LOOPBACK_CONNECTION, endpoint: server.endpoint }
  const streams = new DynamoDBStreamsClient({ ...connection, maxAttempts: 1 })
  const table = new DynamoDBClient(connection)
  try {
    return await tail({
      table: 'Orders',
      client: streams,
      findStreams: () => findStreams({ table, streams }, 'Orders'),
      sink,
      ...(sink.checkpoint && { checkpoint: sink.checkpoint }),
      untilCaughtUp: true,
      flushInterval: 60_000,
      flushSize: 1e9,
      stop: new AbortController().signal,
      tries: 8,
      intervals: QUICK,
      random: () => 0,
      ...more,
    })
  } finally {
    streams.destroy()
    table.destroy()
  }
}
