import type { Dice } from './dice.js'

/**
 * Everything that can go wrong in a world, each with what it does. A seed has a few of them, each for a while and with
 * a rate of its own.
 */
export const FAULTS = {
  'put-throttled': 'PutRecordBatch throws ServiceUnavailableException',
  'put-partial': 'PutRecordBatch takes some of its records and answers an error code for the others',
  'put-unheard': 'PutRecordBatch takes its records, and its answer is lost',
  'put-hangs': 'PutRecordBatch does not answer before the caller gives up',
  'put-slow': 'PutRecordBatch takes seconds',
  'taken-twice': 'Firehose has a record twice that it took once',
  'transform-fails': 'a call of the transform fails',
  'transform-times-out': 'a call of the transform does its work and is not heard',
  'delivery-slow': 'Firehose writes an object hours after it is due',
  'delivered-twice': 'Firehose writes an object twice under two names',
  's3-refuses': 'S3 answers a write with 503',
  's3-unheard': 'S3 writes the object, and its answer is lost',
  's3-slow': 'S3 takes seconds to write',
  'function-killed': 'the process of a function dies between two of its steps',
  'function-throttled': 'Lambda has no place for another call of a function',
  'function-unheard': 'a function does its work, and Lambda does not hear of it',
  'function-doubled': 'a function is called again while it still runs',
  'function-slow': 'a function is cold, and starts late',
  'mapping-pauses': 'the mapping is disabled for a while',
  'shard-splits': 'a shard of the stream is closed and two begin',
  'same-tick': 'a change has the very time of the one before',
  'replication-slow': 'DynamoDB writes a change into Kinesis hours late',
  'replication-twice': 'DynamoDB writes a change into Kinesis twice, maybe under another id',
  'kinesis-throttles': 'Kinesis turns a change away',
  'kinesis-behind': 'Firehose does not read its Kinesis stream for a while',
  'table-throttled': 'DynamoDB throttles, or fails',
  'table-slow': 'DynamoDB takes seconds',
  'table-unheard': 'DynamoDB writes an item, and its answer is lost',
  'kms-refuses': 'KMS fails',
  'keys-lost': 'the table of keys is lost, and put back from a backup',
  'compacted-twice': 'the compactor is called again while it is at work',
  'athena-fails': 'a statement of Athena fails, and may leave files',
  'athena-slow': 'a statement of Athena takes minutes',
  'athena-throttled': 'Athena turns a request away',
  'event-late': "S3's event comes half an hour late",
  'event-twice': "S3's event comes twice",
  'queue-refuses': 'the queue takes no event of EventBridge',
  'message-twice': 'SQS delivers a message again that was deleted',
  'message-unheard': 'SQS counts a receipt of which nobody hears',
  'sealed-twice': 'the sealer is called again while it is at work',
  'key-misused': "somebody else signs with the journal's key",
  'stream-throttled': 'the Streams API throttles, or fails',
  'stream-slow': 'the Streams API takes seconds, or longer than its caller waits',
  'stream-empty': 'GetRecords answers without records although there are more',
  'desk-off': 'a desk is off for hours, or days',
  'clock-behind': 'the clock of a process is behind, or ahead, by seconds or minutes',
  'clock-jumps': 'the clock of a process jumps forward or back while it is at work',
} as const

/** One of them, by name. */
export type FaultKind = keyof typeof FAULTS

/** A fault of a seed: its kind, and how often it strikes from when to when, in milliseconds from the beginning. */
export interface Fault {
  readonly kind: FaultKind
  readonly fromMs: number
  readonly toMs: number
  readonly rate: number
}

/** The faults of one world, and when each has struck. */
export class Faults {
  /** Milliseconds since 1970, rising. */
  readonly times = new Map<FaultKind, number[]>()
  private readonly byKind = new Map<FaultKind, { readonly fault: Fault; readonly dice: Dice }[]>()

  constructor(
    faults: readonly Fault[],
    dice: Dice,
    private readonly now: () => number,
    private readonly startMs: number,
    private readonly tell: (kind: FaultKind) => void,
  ) {
    for (const [i, fault] of faults.entries()) {
      const known = this.byKind.get(fault.kind) ?? []
      this.byKind.set(fault.kind, [...known, { fault, dice: dice.fork(`${fault.kind} ${i}`) }])
    }
  }

  /** How often each has struck that has. */
  get struck(): ReadonlyMap<FaultKind, number> {
    return new Map([...this.times].map(([kind, times]) => [kind, times.length]))
  }

  /** True where one of this kind struck from a moment to another, in milliseconds since 1970. */
  happened(kind: FaultKind, fromMs: number, toMs: number): boolean {
    const last = this.times.get(kind)?.findLast(ms => ms <= toMs)
    return last !== undefined && last >= fromMs
  }

  /** True where a fault of this kind strikes now. */
  strike(kind: FaultKind): boolean {
    const list = this.byKind.get(kind)
    if (list === undefined) return false
    const now = this.now() - this.startMs
    if (!list.some(({ fault, dice }) => fault.fromMs <= now && now < fault.toMs && dice.chance(fault.rate)))
      return false
    const times = this.times.get(kind)
    if (times === undefined) this.times.set(kind, [this.now()])
    else times.push(this.now())
    this.tell(kind)
    return true
  }
}
