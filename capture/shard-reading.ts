/** How the reading of one shard goes on: what an answer means is decided here, and done by who asked. */
import { isMissed, mayHaveLost, RETENTION_MS } from './gap.js'
import type { LambdaRecord } from './lambda-record.js'
import type { ShardAnswer } from './shard-reader.js'
import type { Shard, ShardPosition } from './shards.js'

/** What is remembered from one answer to the next. */
export interface Reading {
  /** Answers without records in a row. */
  readonly empty: number
  /** Why records may be missing before the next one. */
  readonly gap: string | undefined
}

/** A shard of which nothing was read yet. */
export const BEGUN: Reading = { empty: 0, gap: undefined }

/** What an answer asks for, to be done in order. */
export type Effect =
  /** Records before `first`, or all that are left, may be missing: to be kept as a fact. */
  | { readonly kind: 'gap'; readonly first: LambdaRecord | undefined; readonly reason: string }
  | { readonly kind: 'record'; readonly record: LambdaRecord }
  /** The shard was read up to here by other means than its records. */
  | { readonly kind: 'position'; readonly position: Partial<ShardPosition> }
  | { readonly kind: 'note'; readonly text: string }
  /** The shard is read to its end; from when on, if not from there, what comes after it has to be whole. */
  | { readonly kind: 'end'; readonly wholeFrom?: number }

/** When an answer was asked for, what the time is, and how many answers without records count as a shard's end. */
export interface ReadingMoment {
  readonly askedAt: number
  readonly now: number
  readonly emptyAnswers: number
}

/** What an answer about a shard means after what was read before. */
export function next(
  reading: Reading,
  shard: Shard,
  answer: ShardAnswer,
  moment: ReadingMoment,
): { readonly reading: Reading; readonly effects: readonly Effect[] } {
  if (answer.kind === 'gone') return { reading: BEGUN, effects: afterGone(reading, shard, moment.now) }
  if (answer.kind === 'trimmed') return afterTrimmed(reading, shard, moment.now)
  const { records, atEnd } = answer
  const empty = records.length === 0 ? reading.empty + 1 : 0
  const isEmpty = empty >= moment.emptyAnswers
  const gap = reading.gap !== undefined && (records.length > 0 || atEnd || isEmpty) ? reading.gap : undefined
  const effects: Effect[] = records.map(record => ({ kind: 'record', record }))
  if (gap !== undefined) effects.unshift({ kind: 'gap', first: records[0], reason: gap })
  if (isEmpty) effects.push({ kind: 'position', position: { emptyAt: moment.askedAt } })
  if (atEnd) effects.push({ kind: 'end' })
  return { reading: { empty, gap: gap === undefined ? reading.gap : undefined }, effects }
}

/**
 * The gap ends with what is younger than the retention, and from there on the shard's children have to be whole: the
 * stream forgets while they wait to be read.
 */
function afterGone({ gap }: Reading, shard: Shard, now: number): readonly Effect[] {
  const reason = gap ?? 'shard is no longer in the stream'
  const forgotten: Effect = { kind: 'position', position: { after: null, madeAt: null, emptyAt: null } }
  if (!isMissed(shard)) return [forgotten, { kind: 'end' }]
  return [{ kind: 'gap', first: undefined, reason }, forgotten, { kind: 'end', wholeFrom: now - RETENTION_MS }]
}

function afterTrimmed(reading: Reading, shard: Shard, now: number): ReturnType<typeof next> {
  if (mayHaveLost(shard, now))
    return { reading: { ...reading, gap: 'records after this place are no longer in the stream' }, effects: [] }
  const text = `shard ${shard.id} begins again with the oldest record that it has, nothing was lost`
  return { reading, effects: [{ kind: 'note', text }] }
}
