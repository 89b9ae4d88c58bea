/**
 * How often whoever is at work in a world may ask a service for something: each bound is reckoned from what there was to
 * do. Calls that a fault struck are not counted here, and each explains one more; how those are tried again is bounded
 * in `judge-calls.ts`. What is in no table may not be asked for at all.
 */
import { CALL_RECORDS } from '../aws/firehose-limits.js'
import { groupBy } from '../delivery/redrive.js'
import type { Run } from './calls.js'
import { PAGE_ITEMS } from './dynamodb-client.js'
import { ROUND_MS } from './reconciler.js'
import { PAGE_KEYS } from './s3-client.js'
import type { Remains } from './world.js'

/** What one run may ask for. */
export interface Bound {
  /** All of its calls. */
  readonly most: (world: Reckoning, run: Run) => number
  /** Calls about one and the same thing. @default - as many as all */
  readonly same?: (world: Reckoning, run: Run, about: string) => number
  /** After each such time a thing may be asked for once more, in milliseconds. @default - never */
  readonly everyMs?: number
}

type Bounds = Readonly<Record<string, Bound>>

/** What there was to do in a world. */
export class Reckoning {
  readonly items: number
  readonly versions: number
  readonly shards: ReadonlyMap<string, number>
  /** Keys that one person had at most, one for each new life. */
  readonly generations: number
  private readonly runs: ReadonlyMap<string, readonly Run[]>

  constructor(readonly remains: Remains) {
    const { versions, shards } = remains.table
    this.versions = versions.length
    this.runs = groupBy(remains.world.calls.runs, ({ name }) => whoOf(name))
    const keys = remains.persons?.persons.services.tables.flatMap(({ writes }) => writes) ?? []
    this.generations = Math.max(1, ...keys.map(({ name }) => Number(/ key\/(\d+)$/.exec(name)?.[1] ?? 1)))
    this.items = new Set(versions.map(({ item }) => item)).size
    this.shards = new Map(shards.map(({ id, records }) => [id, records.length]))
  }

  /** Objects below the folders of a place that were ever written by a moment, or by the end of a run. */
  objects(place: string, by: Run | number): number {
    const until = Math.floor((typeof by === 'number' ? by : by.untilMs) / MINUTE_MS)
    let sum = 0
    for (const [minute, counted] of this.remains.world.metrics.minutesOf(`world objects ${place}`))
      if (minute <= until) sum += counted.sum
    return sum
  }

  /** Of these, those that were written while it was at work. */
  arrivals(place: string, run: Run): number {
    return this.objects(place, run) - this.objects(place, run.fromMs - MINUTE_MS)
  }

  get athenaFaults(): number {
    const { struck } = this.remains.world.faults
    return (['athena-fails', 'athena-slow', 'athena-throttled'] as const).reduce(
      (sum, kind) => sum + (struck.get(kind) ?? 0),
      0,
    )
  }

  /** Pages of a list of them: one that is full may be followed by an empty one. */
  pages(place: string, run: Run): number {
    return 1 + Math.floor(this.objects(place, run) / PAGE_KEYS)
  }

  /** Pages of a scan by four workers, each of which has a last one of its own. */
  get scanPages(): number {
    return 4 + Math.ceil(this.items / PAGE_ITEMS)
  }

  /** Runs of the same kind. */
  like(run: Run): readonly Run[] {
    return this.runs.get(whoOf(run.name)) ?? []
  }

  /** Others of its kind that were at work at the same time; what they asked for last may be done a minute later. */
  rivals(run: Run): number {
    const meets = (other: Run) => other.fromMs <= run.untilMs + MINUTE_MS && other.untilMs + MINUTE_MS >= run.fromMs
    return this.like(run).filter(other => other !== run && meets(other)).length
  }

  /** Runs of its kind that came to no end since the last one that did. */
  dead(run: Run): number {
    const before = this.like(run).filter(({ fromMs }) => fromMs < run.fromMs)
    return before.length - 1 - before.findLastIndex(({ isDone }) => isDone)
  }
}

const [SECOND_MS, MINUTE_MS] = [1000, 60_000]

/** Who is at work, whichever run or person it is, and whether it is the last one. */
export function whoOf(name: string): string {
  return name.replace(/^last /, '').replace(/( person-\d+)?( \d+)?$/, '')
}

const ONCE: Bound = { most: () => 1 }
const TWICE: Bound = { most: () => 2 }
/** Each thing once, of so many. */
function each(most: Bound['most'], times = 1): Bound {
  return { most: (world, run) => times * most(world, run), same: () => times }
}

const FORWARDER: Bounds = {
  // packs go 500 to a call, and those that failed go with the next ones
  'firehose PutRecordBatch': { most: ({ remains }) => Math.ceil(remains.scenario.batchSize / CALL_RECORDS) },
  's3 PutObject refused': each(({ remains }) => remains.scenario.batchSize),
}

const TRANSFORM: Bounds = {
  'keys DescribeTable': ONCE,
  'kms Decrypt': each(() => 2),
  // the store, and in a round one call for each key that a person had; another round where a key ran out meanwhile, or
  // where another call was quicker to make it
  'keys BatchGetItem': { most: world => 1 + 2 * (world.generations + 1) },
  // of each person, and of each item that names none
  'keys PutItem': each(({ items, remains }) => items + (remains.scenario.load.persons ?? 0)),
}

/** A message has one event, and is received again where that failed. */
const LOCKER: Bounds = { 's3 GetObjectRetention': ONCE, 's3 PutObjectRetention': ONCE }

/** Of sealers at work together each wins one claim, so whoever loses to all of them tries once more after each. */
const attempts: Bound['most'] = (world, run) => 1 + world.rivals(run)
/** Claims that it may have to finish: its own, those of others at work, and those of sealers that died before. */
const claims: Bound['most'] = (world, run) => attempts(world, run) + world.dead(run)
/** Tiles that are full: others are a handful. */
const tiles: Bound['most'] = (world, run) => Math.floor(world.objects('log', run) / 256)

const SEALED = ['config', 'facts', 'refused'] as const

const SEALER: Bounds = {
  'kms DescribeKey': TWICE,
  'kms GetPublicKey': ONCE,
  'kms GetKeyLastUsage': ONCE,
  'kms Sign': { most: attempts },
  // what is new is described, which a rival that wins may have done in vain
  ...Object.fromEntries(
    ['data', ...SEALED].map(place => [
      `s3 GetObject ${place}`,
      { most: (world, run) => attempts(world, run) * world.objects(place, run), same: attempts } satisfies Bound,
    ]),
  ),
  // of others all keys, before and between the tables' folders; of rows those of the last days and, by turns, of days before
  ...Object.fromEntries(
    SEALED.map(place => [
      `s3 ListObjectsV2 ${place}`,
      { most: (world, run) => attempts(world, run) * world.pages(place, run), same: attempts } satisfies Bound,
    ]),
  ),
  's3 ListObjectsV2 data': {
    most: (world, run) => attempts(world, run) * (5 + 3 * world.pages('data', run)),
    same: (world, run) => 4 * attempts(world, run),
  },
  // all of it where nothing was sealed yet; what is staged at the end
  's3 ListObjectsV2 log': { most: (world, run) => (attempts(world, run) + 1) * world.pages('log', run) },
  // to find the end, to know what is named, to append, and to prove the root: a few tiles each
  's3 GetObject log': {
    most: (world, run) => 4 + 16 * claims(world, run) + 2 * tiles(world, run),
    same: (world, run) => 2 + 4 * claims(world, run),
  },
  // what is staged, the claim, some tiles, the checkpoint, what it keeps in mind
  's3 PutObject log': { most: (world, run) => 1 + 8 * claims(world, run) + 2 * tiles(world, run) },
}

/** All where they are few; of more 64 are drawn, each by its own hash: five standard deviations more. */
const MOST_HASHED = 64 + 5 * 8

const OF_TILES = /\/tile\/[1-9]\d*\//

const CHECK: Bounds = {
  'kms GetPublicKey': ONCE,
  's3 GetObject checked': ONCE,
  's3 PutObject checked': ONCE,
  ...Object.fromEntries(
    ['data', ...SEALED].map(place => [
      `s3 GetObject ${place}`,
      each((world, run) => Math.min(world.objects(place, run), MOST_HASHED)),
    ]),
  ),
  // and once more where no journal is, to know whether there should be one
  ...Object.fromEntries(
    SEALED.map(place => [`s3 ListObjectVersions ${place}`, each((world, run) => world.pages(place, run), 2)]),
  ),
  's3 ListObjectVersions log': each((world, run) => world.pages('log', run)),
  // the last days, days of which something is new, and by turns all others; once more as above
  's3 ListObjectVersions data': { most: (world, run) => 4 + 4 * world.pages('data', run) + days(world) },
  's3 ListObjectsV2 data': { most: world => 3 + days(world) },
  // what is new, and by turns what was verified before: the claim, and the tiles that it had, which the next one reads,
  // too; a tile of tiles that is not full all claims have until it is another. A claim is four files and more,
  // and two where its sealer died
  's3 GetObject log': {
    most: (world, run) => 20 + 2 * world.objects('log', run),
    same: (world, run, path) => 6 + (OF_TILES.test(path) ? world.objects('log', run) / 2 : 0),
  },
}

function days({ remains }: Reckoning): number {
  return Math.ceil(remains.scenario.hours / 24) + 1
}

/**
 * Runs, checkpoints and answers that it tries to write: what it published, and what failed. Of runs it gives up after
 * three days in a row that failed, each tried with ever fewer days before; of the three answers each is tried once. They
 * fail by faults, by what another compactor publishes, and by what comes to the archive meanwhile; the last one of a run
 * that came to no end was not published.
 */
const steps: Bound['most'] = (world, run) => {
  const published = timesOf(run, 's3 PutObject derived', /manifest/)
  const troubles = run.struck + world.athenaFaults + world.rivals(run) + world.arrivals('data', run)
  return published + (run.isDone ? 0 : 1) + Math.min(3 * 3 + 3, troubles)
}
/** It sweeps, and looks how things are before each step, before it forgets what is gone, and where nothing is due. */
const looks: Bound['most'] = (world, run) => steps(world, run) + 8

const COMPACTOR: Bounds = {
  // what runs were made from is read where a day has changed
  's3 GetObject derived': {
    most: (world, run) => looks(world, run) * (1 + days(world)),
    same: looks,
  },
  's3 PutObject derived': { most: (world, run) => 2 * steps(world, run) },
  's3 DeleteObjects derived': ONCE,
  // folders, and months of days; once more after each step, which may have been too slow
  's3 ListObjectsV2 data': {
    most: (world, run) => 2 * looks(world, run) * (1 + 2 * world.pages('data', run)),
    same: (world, run) => 2 * looks(world, run),
  },
  's3 ListObjectsV2 derived': {
    most: (world, run) => 2 * looks(world, run) * world.pages('derived', run),
    same: (world, run) => 2 * looks(world, run),
  },
  // a step has four statements at most, each asked for its columns first
  'athena StartQueryExecution': each((world, run) => 8 * steps(world, run)),
  'athena GetQueryResults': each((world, run) => 8 * steps(world, run)),
  'athena StopQueryExecution': each((world, run) => 8 * steps(world, run)),
  // pauses grow to two seconds, of which chance takes half
  'athena GetQueryExecution': {
    most: () => Number.POSITIVE_INFINITY,
    same: () => 10,
    everyMs: SECOND_MS,
  },
}

function timesOf({ asked }: Run, operation: string, about: RegExp): number {
  const things = [...(asked.get(operation) ?? [])].filter(([name]) => about.test(name))
  return things.reduce((sum, [, { times }]) => sum + times, 0)
}

const TAIL: Bounds = {
  // every ten minutes, and where a shard ends, until its successor is listed
  'streams DescribeStream': {
    most: () => Number.POSITIVE_INFINITY,
    same: ({ shards }) => 4 + 3 * shards.size,
    everyMs: 10 * MINUTE_MS,
  },
  // an iterator that is not used for a quarter of an hour, the longest pause, has expired
  'streams GetShardIterator': { most: () => Number.POSITIVE_INFINITY, same: () => 3, everyMs: 15 * MINUTE_MS },
  // after one record or more at once, then five times until the pause is as long as it gets; after that each time twice,
  // because the iterator has expired
  'streams GetRecords': {
    most: () => Number.POSITIVE_INFINITY,
    same: ({ shards }, _, shard) => 6 * (1 + (shards.get(shard) ?? 0)),
    everyMs: (15 / 2) * MINUTE_MS,
  },
}

const ERASE: Bounds = {
  'keys BatchGetItem': ONCE,
  'keys DescribeTable': ONCE,
  'kms Decrypt': ONCE,
  // a page for each key of the person; what holds it back is looked for before the fence and after it
  'keys Query': { most: world => 2 + world.generations, same: () => 2 },
  // the fence, and the key
  'keys UpdateItem': TWICE,
  // for the fence, and for the certificate
  's3 ListObjectsV2 facts': each((world, run) => world.pages('facts', run), 2),
  's3 GetObject facts': each((world, run) => world.objects('facts', run), 2),
  's3 PutObject facts': TWICE,
  // in two buckets, for the newest and for what is in them
  's3 ListObjectsV2 refused': each((world, run) => 2 * world.pages('refused', run), 2),
  's3 ListObjectsV2 aws': each((world, run) => 2 * world.pages('aws', run), 2),
  's3 GetObject refused': each((world, run) => world.objects('refused', run)),
  's3 GetObject aws': each((world, run) => world.objects('aws', run)),
  'athena rows of a person': ONCE,
}

const RENEW: Bounds = {
  'keys BatchGetItem': ONCE,
  'keys DescribeTable': ONCE,
  'kms Decrypt': ONCE,
  'keys Query': each(world => world.generations),
  'keys PutItem': ONCE,
  's3 ListObjectsV2 facts': each((world, run) => world.pages('facts', run)),
  's3 GetObject facts': each((world, run) => world.objects('facts', run)),
}

const ADOPT: Bounds = {
  'keys DescribeTable': ONCE,
  // each key that a fact names, and then the store
  'keys UpdateItem': each((world, run) => 1 + world.objects('facts', run)),
  's3 ListObjectsV2 facts': each((world, run) => world.pages('facts', run)),
  's3 GetObject facts': each((world, run) => world.objects('facts', run)),
}

const PLAN: Bounds = { 'table DescribeTable': ONCE, 'table Scan': each(world => world.scanPages) }

const RESTORE: Bounds = {
  'table DescribeTable': ONCE,
  // one that leaves some unread is struck
  'table BatchGetItem': each(world => world.items),
  // what it took that was another than planned it puts back
  ...Object.fromEntries(
    ['PutItem', 'UpdateItem', 'DeleteItem'].map(operation => [`table ${operation}`, each(world => world.items, 2)]),
  ),
}

const BASELINE: Bounds = {
  'table DescribeTable': ONCE,
  'table Scan': each(world => world.scanPages),
  // packs go 500 to a call
  'firehose PutRecordBatch': { most: world => 1 + Math.floor(world.items / CALL_RECORDS) },
  // every half minute until all rows have arrived, or for 45 minutes
  's3 ListObjectsV2 data': {
    most: (world, run) => 92 * world.pages('data', run),
    same: () => 2,
    everyMs: MINUTE_MS / 2,
  },
  's3 GetObject data': each((world, run) => world.objects('data', run)),
  's3 PutObject facts': ONCE,
}

/** How often a comparison that waits could look anew: its clock may be set back, so it may wait for longer than it was to. */
const roundsOf: Bound['most'] = ({ remains }, { fromMs, untilMs }) =>
  remains.scenario.isAwaited === true ? Math.floor((untilMs - fromMs) / ROUND_MS) : 0

const RECONCILE: Bounds = {
  'table DescribeTable': ONCE,
  'table Scan': each(world => world.scanPages),
  // each item that is not as it is told is looked at once more, and where it is waited for in each round
  'table GetItem': {
    most: (world, run) => world.items * (1 + roundsOf(world, run)),
    same: (world, run) => 1 + roundsOf(world, run),
  },
  's3 PutObject facts': ONCE,
}

const REDRIVE: Bounds = {
  // in two buckets
  's3 ListObjectsV2 refused': each((world, run) => 2 * world.pages('refused', run)),
  's3 ListObjectsV2 aws': each((world, run) => 2 * world.pages('aws', run)),
  // to find out what can be done, and to send it
  's3 GetObject refused': each((world, run) => world.objects('refused', run), 2),
  's3 GetObject aws': each((world, run) => world.objects('aws', run), 2),
  // 500 documents go together, from each bucket; a version is refused as often as Firehose took it, unheard ten times
  'firehose PutRecordBatch': { most: world => 2 + Math.floor((10 * 3 * world.versions) / CALL_RECORDS) },
}

/** By who is at work, and by operation, with the place of an object or without. */
export const BOUNDS: Readonly<Record<string, Bounds>> = {
  forwarder: FORWARDER,
  transform: TRANSFORM,
  locker: LOCKER,
  sealer: SEALER,
  check: CHECK,
  compactor: COMPACTOR,
  tail: TAIL,
  erase: ERASE,
  renew: RENEW,
  adopt: ADOPT,
  plan: PLAN,
  restore: RESTORE,
  baseline: BASELINE,
  reconcile: RECONCILE,
  redrive: REDRIVE,
}
