import { isObject } from '../transform/json.js'
import { shown } from '../transform/refusal.js'
import type { ShardPosition } from './shards.js'

const VERSION = 'tail-checkpoint/v1'

/** How far a table's stream is in the archive: everything up to these positions is durable there. */
export interface Checkpoint {
  readonly table: string
  /** The stream's ARN. */
  readonly stream: string
  /** True where the stream was read to its very end: it was disabled, and nothing can come any more. */
  readonly finished: boolean
  /** Milliseconds since 1970. */
  readonly saved: number
  readonly shards: Readonly<Record<string, ShardPosition>>
}

/** A checkpoint that cannot be understood. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/** A checkpoint as it is kept: JSON for people, with its times as ISO 8601. */
export function writeCheckpoint({ table, stream, finished, saved, shards }: Checkpoint): string {
  const positions = Object.entries(shards).map(([id, { parent, state, after, madeAt, emptyAt }]) => [
    id,
    { parent, state, after, madeAt: instantOf(madeAt), emptyAt: instantOf(emptyAt) },
  ])
  const file = { version: VERSION, table, stream, finished, saved: instantOf(saved) }
  return `${JSON.stringify({ ...file, shards: Object.fromEntries(positions) }, null, 2)}\n`
}

/** Reads what `writeCheckpoint` wrote. Throws a `CheckpointError` that says what is wrong with it. */
export function readCheckpoint(text: string): Checkpoint {
  const value = parse(text)
  if (!isObject(value) || value.version !== VERSION)
    throw new CheckpointError(`version is ${shown(isObject(value) ? value.version : value)}, expected "${VERSION}"`)
  const { table, stream, finished, shards } = value
  if (typeof table !== 'string' || typeof stream !== 'string' || typeof finished !== 'boolean' || !isObject(shards))
    throw new CheckpointError('table, stream, finished or shards are missing')
  const saved = timeOf(value.saved, 'saved')
  if (saved === null) throw new CheckpointError('saved is missing')
  const positions = Object.entries(shards).map(([id, position]) => [id, readPosition(id, position)] as const)
  return { table, stream, finished, saved, shards: Object.fromEntries(positions) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CheckpointError('it is no JSON', { cause: error })
  }
}

function readPosition(id: string, value: unknown): ShardPosition {
  if (!isObject(value)) throw new CheckpointError(`shard ${id} is ${shown(value)}`)
  const { parent, state, after } = value
  if (state !== 'waiting' && state !== 'reading' && state !== 'ended')
    throw new CheckpointError(`shard ${id} has state ${shown(state)}, expected waiting, reading or ended`)
  if (!isTextOrNull(parent)) throw new CheckpointError(`shard ${id} has parent ${shown(parent)}`)
  if (!isTextOrNull(after) || !/^\d*$/.test(after ?? ''))
    throw new CheckpointError(`shard ${id} has after ${shown(after)}, expected a sequence number`)
  const times = { madeAt: timeOf(value.madeAt, `${id}.madeAt`), emptyAt: timeOf(value.emptyAt, `${id}.emptyAt`) }
  return { parent, state, after, ...times }
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function instantOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}

function timeOf(value: unknown, name: string): number | null {
  if (value === null) return null
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw new CheckpointError(`${name} is ${shown(value)}, expected ISO 8601`)
  return time
}
