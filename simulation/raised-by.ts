/**
 * What can raise each alarm in a world, by what the alarm measures (`infra/alarms.ts`, `infra/journal-alarms.ts`) and
 * by what strikes there: reasons, not what was seen. An alarm that comes with anything else is one too many.
 */
import { BUFFER } from '../aws/firehose-buffer.js'
import { ADOPTED } from './eraser.js'
import type { FaultKind } from './faults.js'
import { LIMITS } from './limits.js'
import type { Scenario } from './scenario.js'
import { DAY_MS, HOUR_MS, MINUTE_MS } from './times.js'
import type { Remains } from './world.js'

/** True where something can have been measured in a period that ends in an alarm. Milliseconds since 1970. */
export type Reason = (remains: Remains, beginMs: number, endMs: number) => boolean

/** What ends with the call of a function that a fault struck, or with the try after it. */
const CALL_MS = 2 * MINUTE_MS

/**
 * One of these faults struck in the period, or so long before it began, in milliseconds, as it takes until all that it
 * did is over.
 */
function after(withinMs: number, kinds: readonly FaultKind[]): Reason {
  return ({ world: { faults } }, beginMs, endMs) => kinds.some(kind => faults.happened(kind, beginMs - withinMs, endMs))
}

/** What has waited for so long, in milliseconds, or a day more, was kept from going on when it began to wait, too. */
function lasting(ms: number, reasons: readonly Reason[]): readonly Reason[] {
  const begins: Reason = (remains, ...[, endMs]) =>
    reasons.some(reason => reason(remains, endMs - ms - DAY_MS, endMs - ms + CALL_MS))
  return reasons.map(
    reason =>
      (remains, ...period) =>
        reason(remains, ...period) && begins(remains, ...period),
  )
}

function where(holds: (scenario: Scenario) => boolean, reason: Reason): Reason {
  return (remains, ...period) => holds(remains.scenario) && reason(remains, ...period)
}

/** What makes a call of any function fail. */
const CALLS: readonly FaultKind[] = ['function-killed', 'function-unheard', 'function-doubled']
/** What Firehose does to whoever calls it. */
const PUTS: readonly FaultKind[] = ['put-throttled', 'put-partial', 'put-unheard', 'put-hangs', 'put-slow']
/** What S3 does to whoever calls it. */
const S3: readonly FaultKind[] = ['s3-refuses', 's3-unheard', 's3-slow']
/** What keeps keys from a transform that seals. */
const KEYS: readonly FaultKind[] = ['table-throttled', 'table-slow', 'table-unheard', 'kms-refuses']

const hasPersons = ({ load }: Scenario) => load.persons !== undefined
const hasLarge = ({ load }: Scenario) => load.oversize > 0

/** Nobody writes what cannot be understood, or alters what lies there; no service here counts its like. */
const NOTHING: readonly Reason[] = []

const TRANSFORM: readonly Reason[] = [
  after(CALL_MS, [...CALLS, 'transform-fails', 'transform-times-out']),
  where(hasPersons, after(2 * CALL_MS, KEYS)),
  keysAway,
]

const BUFFER_MS = 1000 * BUFFER.seconds

/** Rows that wait for S3 once they were gathered; a Firehose that is slow waits so long for itself. */
const WAITING: readonly Reason[] = [
  after(CALL_MS, ['s3-refuses', 's3-unheard']),
  after(20 * HOUR_MS + CALL_MS, ['delivery-slow']),
]

/** What keeps a batch from its end, and what the mapping then has to catch up with. */
const BEHIND: readonly Reason[] = [
  after(HOUR_MS, [...PUTS, ...CALLS, 'function-throttled']),
  after(HOUR_MS, ['mapping-pauses']),
  where(hasLarge, after(HOUR_MS, S3)),
]

/** What the forwarder cannot bring to where it belongs. */
const LEFT: readonly Reason[] = [after(CALL_MS, PUTS), where(hasLarge, after(CALL_MS, S3))]

/** DynamoDB is slow by itself, or tries again. */
const REPLICATION: readonly Reason[] = [
  after(4 * HOUR_MS, ['replication-slow']),
  after(10 * MINUTE_MS, ['kinesis-throttles']),
]

const LOCKING: readonly FaultKind[] = [...CALLS, 's3-refuses', 's3-slow']
const UNLOCKED: readonly FaultKind[] = [...LOCKING, 'function-throttled', 'message-unheard', 'message-twice']

/** What keeps the sealer, or the check, from its end. */
const SEALING: readonly FaultKind[] = [...CALLS, ...S3, 'function-throttled']

/** By alarm; one that is not here is not known. */
export const RAISED_BY: { readonly [alarm: string]: readonly Reason[] } = {
  'record-refused': NOTHING,
  'conversion-failed': NOTHING,
  'transform-errors': TRANSFORM,
  'transform-throttles': [after(CALL_MS, ['function-throttled'])],
  'transform-down': TRANSFORM,
  'delivery-slow': lasting(BUFFER_MS, WAITING),
  'delivery-late': lasting(HOUR_MS - BUFFER_MS, WAITING),
  'delivery-fails': [after(CALL_MS, ['s3-refuses'])],
  'too-many-dates': NOTHING,
  'key-refused': NOTHING,

  'stream-behind': lasting(5 * MINUTE_MS, BEHIND),
  'stream-far-behind': lasting(HOUR_MS, BEHIND),
  'twelve-hours-to-loss': lasting(12 * HOUR_MS, BEHIND),
  'stream-unread': [...BEHIND, needlessWrites],
  'batch-given-up': lasting(DAY_MS, BEHIND),
  'records-dropped': [after(CALL_MS, ['s3-refuses'])],
  'give-up-failed': [after(CALL_MS, ['s3-refuses'])],
  'put-failures': LEFT,
  'put-failures-persist': LEFT,
  'record-oversize': [largeWrites],
  'forwarder-errors': [after(CALL_MS, CALLS)],
  'forwarder-throttles': [after(CALL_MS, ['function-throttled'])],
  'firehose-throttles': [after(CALL_MS, ['put-throttled'])],

  'change-skipped': [largeWrites],
  'replication-slow': REPLICATION,
  'replication-late': lasting(HOUR_MS, REPLICATION),
  'replication-throttles': [after(MINUTE_MS, ['kinesis-throttles'])],
  'kinesis-behind': lasting(5 * MINUTE_MS, [after(3 * HOUR_MS, ['kinesis-behind'])]),
  'replay-late': lasting(HOUR_MS - BUFFER_MS, WAITING),
  'kinesis-half-forgotten': lasting(84 * HOUR_MS, [after(3 * HOUR_MS, ['kinesis-behind'])]),

  'lock-errors': [after(CALL_MS, LOCKING)],
  'lock-late': [after(15 * MINUTE_MS, UNLOCKED)],
  'object-unlocked': [after(8 * MINUTE_MS, UNLOCKED)],
  'lock-event-lost': [after(MINUTE_MS, ['queue-refuses'])],

  'seal-late': [after(HOUR_MS, SEALING)],
  'journal-forked': [after(DAY_MS, SEALING)],
  'object-altered': NOTHING,
  'object-unlisted': NOTHING,
  'key-closing': [after(HOUR_MS, SEALING)],
  // or a sealing signed and died before its claim; or another looked in between, of which the stack allows one at once
  'key-used': [after(HOUR_MS, ['key-misused', 'sealed-twice', ...SEALING])],
  'journal-unchecked': [after(HOUR_MS, SEALING)],
  'turn-late': NOTHING,
}

/** The table of keys was lost and put back, and nobody had adopted it when the period began. */
function keysAway({ world: { faults, metrics } }: Remains, beginMs: number, endMs: number): boolean {
  const lostMs = faults.times.get('keys-lost')?.findLast(ms => ms <= endMs)
  if (lostMs === undefined) return false
  const adopted = [...metrics.minutesOf(ADOPTED).keys()].map(minute => (minute + 1) * MINUTE_MS)
  return (adopted.find(ms => ms > lostMs) ?? endMs) >= beginMs - CALL_MS
}

/** A version was written whose record Firehose, or Kinesis, may not take; its record may be under way for a day. */
function largeWrites({ table }: Remains, beginMs: number, endMs: number): boolean {
  return table.versions.some(({ before, after, timeUs }) => {
    const isLarge = (before?.length ?? 0) + (after?.length ?? 0) > LIMITS.recordBytes / 2
    return isLarge && beginMs - DAY_MS <= timeUs / 1000 && timeUs / 1000 <= endMs
  })
}

/** The mapping looks for news so often. */
const NEWS_MS = 10_000

/** No write of the period changed anything, or each did so in its last seconds, which are read in the next. */
function needlessWrites({ table }: Remains, beginMs: number, endMs: number): boolean {
  return !table.versions.some(({ timeUs }) => beginMs <= timeUs / 1000 && timeUs / 1000 < endMs - NEWS_MS)
}
