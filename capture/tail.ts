/**
 * Follows a table's stream into an archive: from where the last tail left off, over streams that were replaced, to now.
 */

import type { DynamoDBStreamsClient, StreamViewType } from '@aws-sdk/client-dynamodb-streams'
import { type Patience, sleepUntil, startTimer } from '../aws/patience.js'
import { FACT_VERSION, factInstant, type GapFact, type StreamChangedFact } from '../transform/fact.js'
import type { TailSink } from './intake.js'
import { type Intervals, USUAL_INTERVALS } from './intervals.js'
import { Lineage } from './shards.js'
import { type FollowerEnding, type FollowerOptions, StreamFollower } from './stream-follower.js'
import { StreamSource } from './stream-source.js'
import type { TableStreams } from './table-streams.js'
import type { TailCheckpoint } from './tail-checkpoint.js'
import type { TailStatus } from './tail-status.js'

/** What a tail of one table takes. */
export interface TailOptions {
  readonly table: string
  /** It must not retry by itself (`maxAttempts: 1`). */
  readonly client: DynamoDBStreamsClient
  readonly findStreams: () => Promise<TableStreams>
  readonly sink: TailSink
  /** Where the last tail of the table left off. @default - the oldest that the table's stream holds */
  readonly checkpoint?: TailCheckpoint
  /** Ends once everything that was there at the start is in the archive. */
  readonly untilCaughtUp: boolean
  /** Writes what was read into the archive after so many milliseconds, or so many bytes of records. */
  readonly flushInterval: number
  readonly flushSize: number
  /** Asks for an orderly end: what was read is written, and remembered. */
  readonly stop: AbortSignal
  /** Tries of a call before giving up. @default - without end */
  readonly tries?: number
  readonly onStatus?: (status: TailStatus) => void
  readonly onGap?: (gap: GapFact) => void
  /** Called with each failure after which it waits and tries again. */
  readonly onRetry?: (error: Error) => void
  /** Called with what else happens, as sentences for people. */
  readonly note?: (text: string) => void
  /** @default - kind to AWS */
  readonly intervals?: Intervals
  /** Milliseconds since 1970. @default - the clock, put right by what AWS says the time is */
  readonly now?: () => number
  /** Milliseconds of a clock that is never put back. @default - the process's own */
  readonly elapsed?: () => number
  /** @default - Math.random */
  readonly random?: () => number
  /** Calls back once so long has passed, unless what it answers was called. @default - a timer */
  readonly after?: NonNullable<Patience['after']>
}

/** Why a tail ended: `disabled` and `gone` mean that the table has no stream any more, or is none any more. */
export type TailEnding = Exclude<FollowerEnding, 'over'> | 'disabled' | 'gone'

/** How a tail went. */
export interface TailOutcome {
  readonly ending: TailEnding
  readonly gaps: readonly GapFact[]
  readonly changes: readonly StreamChangedFact[]
  readonly status: TailStatus | undefined
}

/**
 * Follows the streams of a table, one after the other. Every record goes to the sink at least once; what the stream has
 * forgotten before it could be read is kept as a fact, never passed over.
 */
export async function tail(options: TailOptions): Promise<TailOutcome> {
  const gaps: GapFact[] = []
  const changes: StreamChangedFact[] = []
  let status: TailStatus | undefined
  let records = 0
  let { checkpoint } = options
  const { now = Date.now } = options
  const end = (ending: TailEnding): TailOutcome => ({ ending, gaps, changes, status })
  for (;;) {
    const streams = await options.findStreams()
    const streamArn = nextStream(streams, checkpoint)
    if (streamArn === undefined) return end(streams.exists ? 'disabled' : 'gone')
    if (checkpoint !== undefined && checkpoint.stream !== streamArn) {
      const change = changeOf(options.table, checkpoint.stream, streamArn, now())
      await options.sink.addFact(change)
      changes.push(change)
      const { previous } = change
      options.note?.(`stream ${previous} was replaced by ${streamArn}: what changed between them is in neither`)
    }
    const resumed = checkpoint?.stream === streamArn ? checkpoint : undefined
    const lineage = new Lineage(resumed?.shards, resumed?.saved)
    const before = records
    // a stream that was replaced comes to an end, and only then has everything been read
    const untilCaughtUp = options.untilCaughtUp && streamArn === streams.latest
    const { ending, saved } = await follow({ ...options, untilCaughtUp }, streamArn, lineage, {
      onGap: gap => {
        gaps.push(gap)
        options.onGap?.(gap)
      },
      onStatus: one => {
        records = before + one.records
        status = { ...one, records }
        options.onStatus?.(status)
      },
    })
    checkpoint = saved
    if (ending !== 'over') return end(ending)
  }
}

/** Follows one stream until there is a reason to end. */
async function follow(
  options: TailOptions,
  streamArn: string,
  lineage: Lineage,
  listeners: Pick<FollowerOptions, 'onGap' | 'onStatus'>,
): Promise<{ readonly ending: FollowerEnding; readonly saved: TailCheckpoint | undefined }> {
  const { client, table, sink, untilCaughtUp, flushInterval, flushSize, stop, tries, note = () => {} } = options
  const { random = Math.random, intervals = USUAL_INTERVALS, elapsed = () => performance.now(), onRetry } = options
  // the SDK learns how far this machine's clock is off, should AWS refuse a call for it
  const { now = () => Date.now() + client.config.systemClockOffset } = options
  const { after = startTimer } = options
  const sleep = (ms: number, signal: AbortSignal) => sleepUntil(after, ms, signal)
  const patience = { random, after, ...(tries !== undefined && { tries }), ...(onRetry && { onRetry }) }
  const follower = new StreamFollower({
    ...{
      table,
      streamArn,
      lineage,
      sink,
      untilCaughtUp,
      flushInterval,
      flushSize,
      intervals,
      now,
      elapsed,
      sleep,
      stop,
    },
    ...{ note, ...listeners },
    connect: signal => new StreamSource({ client, signal, sleep: ms => sleep(ms, signal), ...patience }),
    onViewType: viewType => {
      const lost = viewType === undefined ? undefined : MISSING_IMAGES[viewType]
      if (lost !== undefined) note(`stream of ${table} is of view type ${viewType}: ${lost}`)
    },
  })
  const ending = await follower.follow()
  return { ending, saved: follower.intake.checkpoint }
}

/** What a stream of a view type cannot tell. Its view type cannot be changed, only a new stream can have another. */
const MISSING_IMAGES: Readonly<Record<StreamViewType, string | undefined>> = {
  NEW_AND_OLD_IMAGES: undefined,
  NEW_IMAGE: 'what an item was before a change is not in it, so a missing change cannot be noticed',
  OLD_IMAGE: 'what a change made of an item is not in it, so the newest state is not known',
  KEYS_ONLY: 'it tells which items changed, not what they were or became',
}

/** The stream to read now: the one that was not read to its end, else the one after it, else the table's own. */
function nextStream({ latest, readable }: TableStreams, checkpoint: TailCheckpoint | undefined): string | undefined {
  if (checkpoint === undefined) return latest
  if (!checkpoint.finished) return checkpoint.stream
  const candidates = latest === undefined || readable.includes(latest) ? readable : [...readable, latest]
  const later = candidates.find(arn => labelOf(arn) > labelOf(checkpoint.stream))
  // a DynamoDB Local that was started anew may count its time from anywhere
  return later ?? (latest === checkpoint.stream || readable.includes(checkpoint.stream) ? undefined : latest)
}

/** The end of a stream's ARN: the moment at which it was made. */
function labelOf(streamArn: string): string {
  return streamArn.slice(streamArn.lastIndexOf('/') + 1)
}

function changeOf(table: string, previous: string, source: string, now: number): StreamChangedFact {
  return { version: FACT_VERSION, kind: 'stream-changed', table, recorded: factInstant(now * 1000), previous, source }
}
