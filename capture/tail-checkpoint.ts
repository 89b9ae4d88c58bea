import { hash } from 'node:crypto'
import { z } from 'zod'
import { checkJson, exactly, FileError, instant, oneOf, record, sha256, text } from '../config/gate.js'
import type { ShardPosition } from './shards.js'

const VERSION = 'tail-checkpoint/v1'

/** How far a table's stream is in the archive: everything up to these positions is durable there. */
export interface TailCheckpoint {
  readonly table: string
  /** The stream's ARN. */
  readonly stream: string
  /** True where the stream was read to its very end: it was disabled, and nothing can come any more. */
  readonly finished: boolean
  /** Milliseconds since 1970. */
  readonly saved: number
  readonly shards: Readonly<Record<string, ShardPosition>>
}

const SEQUENCE = 'a sequence number or null'
const moment = instant.transform(value => Date.parse(value))

const position = record({
  parent: text.nullable(),
  state: oneOf(['waiting', 'reading', 'ended']),
  after: z
    .string(SEQUENCE)
    .regex(/^\d{1,60}$/, SEQUENCE)
    .nullable(),
  madeAt: moment.nullable(),
  emptyAt: moment.nullable(),
})

const checkpoint = record({
  version: exactly(VERSION),
  table: text,
  stream: text,
  finished: z.boolean('true or false'),
  saved: moment,
  shards: z.record(z.string(), position, 'an object'),
  sha256,
})

/** A checkpoint as it is kept: JSON for people, with its times as ISO 8601. */
export function writeCheckpoint(checkpoint: TailCheckpoint): string {
  return `${JSON.stringify({ ...contentOf(checkpoint), sha256: hashOf(checkpoint) }, null, 2)}\n`
}

/**
 * Reads what `writeCheckpoint` wrote. Throws a `FileError` for anything else: one digit that turned would pass over
 * records, and nobody would notice.
 */
export function readCheckpoint(content: string | Uint8Array, file: string): TailCheckpoint {
  const { version: _, sha256, ...found } = checkJson(content, checkpoint, file)
  if (sha256 !== hashOf(found)) throw new FileError(file, ['sha256 is not that of its content'])
  return found
}

function contentOf({ table, stream, finished, saved, shards }: TailCheckpoint) {
  const positions = Object.entries(shards).map(([id, { parent, state, after, madeAt, emptyAt }]) => [
    id,
    { parent, state, after, madeAt: instantOf(madeAt), emptyAt: instantOf(emptyAt) },
  ])
  const file = { version: VERSION, table, stream, finished, saved: instantOf(saved) }
  return { ...file, shards: Object.fromEntries(positions) as object }
}

function hashOf(checkpoint: TailCheckpoint): string {
  return hash('sha256', JSON.stringify(contentOf(checkpoint)))
}

function instantOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
