import type { RetentionRule } from '../functions/lock-objects.js'
import { Dice } from './dice.js'
import { FAULTS, type Fault, type FaultKind } from './faults.js'
import type { Precision } from './kinesis.js'
import { HOUR_MS } from './times.js'
import type { Load } from './workload.js'

/** What a seed makes of a world before it begins: plain data, so that it can be made smaller and told. */
export interface Scenario {
  readonly seed: number
  readonly hours: number
  readonly load: Load
  readonly faults: readonly Fault[]
  /** Records that the mapping hands over at once, at most. */
  readonly batchSize: number
  /** Which way changes take to an archive: Lambda and Firehose, or a `tail` on a desk. */
  readonly path: 'aws' | 'desk'
  /** How changes come to Firehose; a desk follows the table's own stream. */
  readonly capture: 'streams' | 'kinesis'
  /** Of times in Kinesis. */
  readonly precision: Precision
  /** Whether the archive is sealed each hour. */
  readonly isSealed: boolean
  /** How objects are locked as they are written. @default - they are not */
  readonly lock: RetentionRule | undefined
  /** Whether somebody sends again what was refused, all the time and at last. */
  readonly isOperated: boolean
  /** Whether the same takes baselines now and then. */
  readonly hasBaselines: boolean
  /** Whether the same compares the archive with the live table now and then: it takes long. @default - never */
  readonly isReconciled?: boolean
  /** Whether it waits for what has not arrived by then. @default - it looks again at once */
  readonly isAwaited?: boolean
  /** Whether a desk is brought files in place of following the table. @default - it follows */
  readonly isIngested?: boolean
  /** Whether its columns, and what is erasable, are changed by deployments now and then. @default - they stay */
  readonly isRedeployed?: boolean
  /** Whether somebody restores the table now and then. */
  readonly isRestored: boolean
  /** Whether the archive is compacted. @default - it is not */
  readonly isCompacted?: boolean
  /** Whether its owner reads it at last, by the real engine: it takes long. */
  readonly isReadAtLast: boolean
}

const LOCKS: readonly RetentionRule[] = [
  { mode: 'GOVERNANCE', days: 30 },
  { mode: 'COMPLIANCE', days: 2557 },
]

/** What can go wrong on a desk; on AWS all else can. */
const OF_DESK: readonly FaultKind[] = ['stream-throttled', 'stream-slow', 'stream-empty', 'desk-off']
const OF_BOTH: readonly FaultKind[] = ['shard-splits', 'function-killed', 'clock-behind', 'clock-jumps']
const OF_LOCKS: readonly FaultKind[] = [
  'event-late',
  'event-twice',
  'queue-refuses',
  'message-twice',
  'message-unheard',
]
const OF_KINESIS: readonly FaultKind[] = [
  'same-tick',
  'replication-slow',
  'replication-twice',
  'kinesis-throttles',
  'kinesis-behind',
]
/** What can go wrong with whoever puts records into Firehose, a forwarder or `redrive`. */
const OF_PUTS: readonly FaultKind[] = ['put-throttled', 'put-partial', 'put-unheard', 'put-hangs', 'put-slow']
const OF_STREAMS: readonly FaultKind[] = [...OF_PUTS, 'mapping-pauses', 'shard-splits']
const OF_TABLE: readonly FaultKind[] = ['table-throttled', 'table-slow', 'table-unheard']
/** Twice, because few worlds have persons. */
const OF_KEYS: readonly FaultKind[] = ['kms-refuses', 'keys-lost', 'kms-refuses', 'keys-lost']
const OF_COPY: readonly FaultKind[] = ['compacted-twice', 'athena-fails', 'athena-slow', 'athena-throttled']
/** What can go wrong everywhere, and more often where a day that is late is copied again. */
const OF_LATE_DAYS: readonly FaultKind[] = ['delivery-slow', 'delivery-slow']
const OF_JOURNAL: readonly FaultKind[] = ['sealed-twice', 'key-misused']
const ELSEWHERE: ReadonlySet<FaultKind> = new Set([
  ...OF_DESK,
  ...OF_STREAMS,
  ...OF_KINESIS,
  ...OF_LOCKS,
  ...OF_TABLE,
  ...OF_JOURNAL,
  ...OF_KEYS,
  ...OF_COPY,
])
const OF_AWS = (Object.keys(FAULTS) as FaultKind[]).filter(kind => !ELSEWHERE.has(kind))

/** What can go wrong with the parts that a world has. */
function kindsOf(parts: Parts): readonly FaultKind[] {
  const { path, capture, isIngested, isSealed, lock, isOperated, hasBaselines, isReconciled } = parts
  const { isRestored, isCompacted } = parts
  const hasPersons = parts.persons !== undefined
  const ofTable = hasBaselines || isReconciled || isRestored || hasPersons ? OF_TABLE : []
  if (path === 'desk') return [...(isIngested ? [] : OF_DESK), ...OF_BOTH, ...ofTable]
  return [
    ...OF_AWS,
    ...(capture === 'streams' ? OF_STREAMS : [...OF_KINESIS, ...(isOperated ? OF_PUTS : [])]),
    ...ofTable,
    ...(isSealed ? OF_JOURNAL : []),
    ...(lock === undefined ? [] : OF_LOCKS),
    ...(hasPersons ? OF_KEYS : []),
    ...(isCompacted ? [...OF_COPY, ...OF_LATE_DAYS] : []),
  ]
}

/** What a world is made of. */
type Parts = Pick<
  Scenario,
  | 'path'
  | 'capture'
  | 'isIngested'
  | 'isSealed'
  | 'lock'
  | 'isOperated'
  | 'hasBaselines'
  | 'isReconciled'
  | 'isRestored'
  | 'isCompacted'
> & {
  /** How many persons its items concern. @default - none */
  readonly persons?: number | undefined
}

/** How many kinds of faults each of ten seeds that follow each other has. */
const COUNTS = [0, 1, 2, 2, 2, 3, 3, 3, 4, 6] as const
const PAIRED = COUNTS.filter(count => count >= 2).length

/** A world that has all that can go wrong on a way. */
const WAYS: readonly Parts[] = (['streams', 'kinesis', 'desk'] as const).map(way => ({
  path: way === 'desk' ? 'desk' : 'aws',
  capture: way === 'kinesis' ? 'kinesis' : 'streams',
  isSealed: way !== 'desk',
  lock: way === 'desk' ? undefined : LOCKS[0],
  isOperated: way !== 'desk',
  hasBaselines: way !== 'desk',
  isRestored: true,
  isCompacted: way !== 'desk',
  persons: way === 'streams' ? 1 : undefined,
}))

/** Any two faults of one way, in an order that is no order. Seeds that follow each other have one after the other. */
export const PAIRS: readonly FaultPair[] = shuffled(
  WAYS.flatMap(way => {
    const pairs = pairsIn(kindsOf(way)).map(kinds => ({ ...waysOf(way), kinds }))
    // there are few on a desk, which is a third of the ways
    return way.path === 'desk' ? [...pairs, ...pairs] : pairs
  }),
)

/** Two kinds of faults, and the way on which they are to meet. */
export interface FaultPair extends Pick<Parts, 'path' | 'capture'> {
  readonly kinds: readonly [FaultKind, FaultKind]
}

function waysOf({ path, capture }: Parts) {
  return { path, capture }
}

function pairsIn(kinds: readonly FaultKind[]): readonly (readonly [FaultKind, FaultKind])[] {
  return [...new Set(kinds)].flatMap((a, i, all) => all.slice(i + 1).map(b => [a, b] as const))
}

function shuffled<T>(list: readonly T[]): readonly T[] {
  const dice = new Dice(1)
  return list
    .map(entry => [dice.random(), entry] as const)
    .sort(([a], [b]) => a - b)
    .map(([, entry]) => entry)
}

/**
 * The scenario of a seed. It is a swarm: each seed has a few kinds of faults, some none, so that they meet in
 * combinations which are rare and deep, and do not drown each other. Where there are several, two are given by the seed's
 * number and meet, so that no two are left out in a row of seeds.
 */
export function scenarioOf(seed: number, hours: number): Scenario {
  const dice = new Dice(seed).fork('scenario')
  const [turn, round] = [seed % COUNTS.length, Math.floor(seed / COUNTS.length)]
  const count = COUNTS[turn] as number
  const pair = count < 2 ? undefined : PAIRS[(round * PAIRED + turn + PAIRED - COUNTS.length) % PAIRS.length]
  const parts = partsWith(pair, dice)
  const { persons, ...own } = parts
  const more = Array.from({ length: count - (pair?.kinds.length ?? 0) }, () => dice.pick(kindsOf(parts)))
  const kinds = new Set([...(pair?.kinds ?? []), ...more])
  const faults = [...kinds].map(kind => faultsOf(kind, dice, hours * HOUR_MS))
  return {
    seed,
    hours,
    batchSize: dice.pick([1, 3, 10, 100, 1000]),
    ...own,
    isRedeployed: parts.path === 'aws' && dice.chance(0.25),
    isReadAtLast: dice.chance(0.15) && persons === undefined,
    precision: dice.chance(0.7) ? 'MICROSECOND' : 'MILLISECOND',
    load: {
      items: dice.pick([1, 3, 10, 40]),
      perHour: dice.pick([2, 10, 30]),
      bursts: dice.pick([0, 0.1, 0.5]),
      oversize: dice.chance(0.2) ? 0.05 : 0,
      ...(persons !== undefined && { persons }),
    },
    faults: (pair === undefined ? faults : meeting(faults)).flat(),
    isAwaited: parts.isReconciled === true && dice.chance(0.5),
  }
}

/** Parts as they come, drawn until two faults can meet in them. */
function partsWith(pair: FaultPair | undefined, dice: Dice): Parts {
  for (;;) {
    const parts = partsOf(dice)
    if (pair === undefined) return parts
    const kinds = kindsOf(parts)
    const isWay = parts.path === pair.path && parts.capture === pair.capture
    if (isWay && pair.kinds.every(kind => kinds.includes(kind))) return parts
  }
}

function partsOf(dice: Dice): Parts {
  const path = dice.pick(['aws', 'aws', 'desk'] as const)
  const isSealed = path === 'aws' && dice.chance(0.3)
  const lock = path === 'aws' && dice.chance(0.5) ? LOCKS[dice.between(0, LOCKS.length)] : undefined
  const capture = path === 'aws' && dice.chance(0.35) ? 'kinesis' : 'streams'
  const isOperated = path === 'aws' && dice.chance(0.4)
  const persons = path === 'aws' && capture === 'streams' && dice.chance(0.3) ? dice.pick([1, 3, 8]) : undefined
  // neither a baseline nor a comparison nor a last look seals yet
  const hasBaselines = isOperated && dice.chance(0.4) && persons === undefined
  const isReconciled = isOperated && dice.chance(0.25) && persons === undefined
  const isCompacted = path === 'aws' && dice.chance(0.25)
  const isIngested = path === 'desk' && dice.chance(0.4)
  const isRestored = dice.chance(0.15)
  const byPeople = { isOperated, hasBaselines, isReconciled, isRestored }
  return { path, capture, isIngested, isSealed, lock, ...byPeople, isCompacted, persons }
}

/** The first two kinds at one moment: where they do not meet, the second one comes when the first one does. */
function meeting([first = [], second = [], ...others]: readonly (readonly Fault[])[]): readonly (readonly Fault[])[] {
  const meets = (a: Fault) => second.some(b => a.fromMs < b.toMs && b.fromMs < a.toMs)
  if (first.some(meets)) return [first, second, ...others]
  const [{ fromMs }, moved] = [first[0] as Fault, second[0] as Fault]
  const lasts = moved.toMs - moved.fromMs
  return [first, [{ ...moved, fromMs, toMs: fromMs + lasts }, ...second.slice(1)], ...others]
}

/** One to three stretches of a fault: a trickle all the time, a bad hour, or an outage in which nothing works. */
function faultsOf(kind: FaultKind, dice: Dice, spanMs: number): readonly Fault[] {
  return Array.from({ length: dice.between(1, 4) }, (): Fault => {
    const form = dice.pick(['trickle', 'bad hour', 'outage'] as const)
    if (form === 'trickle') return { kind, fromMs: 0, toMs: spanMs, rate: dice.pick([0.01, 0.05, 0.2]) }
    const fromMs = dice.between(0, spanMs)
    if (form === 'bad hour') return { kind, fromMs, toMs: fromMs + dice.between(60_000, 2 * HOUR_MS), rate: 0.5 }
    // a tail asks every few seconds as long as the API is down, so a day of that would be all that a seed is about
    const longest = OF_DESK.includes(kind) ? HOUR_MS : 26 * HOUR_MS
    const lasts = Math.min(longest, dice.pick([5 * 60_000, HOUR_MS, 6 * HOUR_MS, 26 * HOUR_MS]))
    return { kind, fromMs, toMs: fromMs + lasts, rate: 1 }
  })
}
