/** Random archives: items whose changes are lost, repeated, reordered and contradicted as a bad year might do it. */
import fc from 'fast-check'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ingestRecords, rowsOfRecord, temporaryFolder } from '../delivery/desk.js'
import {
  type Attributes,
  baselineDocument,
  kinesisDocument,
  type RecordContent,
  STREAM_ARN,
  type StreamsFields,
  streamsRecord,
  TIME_TO_LIVE,
  tableConfiguration,
} from '../factories.js'
import { runs } from '../transform/arbitraries.js'

/** Two seconds before midnight, so that every archive has two partitions. In seconds since 1970. */
export const BEGIN = Date.UTC(2026, 10, 21, 23, 59, 58) / 1000

/** Two configurations that an archive saw one after the other: the later one reads another actor. */
export const EARLIER = tableConfiguration()
export const LATER = tableConfiguration({ actor: ['writer'] })

/** The stream, and the one that was made after it had been switched off. */
const STREAMS = [STREAM_ARN, STREAM_ARN.replace('2026-01-01', '2026-11-21')] as const

/** One change as somebody may have seen it; images by number, null where there is none. */
interface Seen {
  readonly before: number | null
  readonly after: number | null
  readonly name: 'INSERT' | 'MODIFY' | 'REMOVE'
  /** In seconds, or with Kinesis in milliseconds, since the beginning. */
  readonly time: number
  readonly by: 'first stream' | 'second stream' | 'kinesis' | 'kinesis in microseconds' | 'no stream' | 'baseline'
  /** Of a baseline: which one, and by how many microseconds its rows' time is before the second. */
  readonly scan: number
  readonly early: number
  readonly timeless: boolean
  readonly delivered: Delivered
}

const NO_SCAN = { scan: 0, early: 0 }

type Delivered =
  | 'lost'
  | 'once'
  | 'again'
  | 'again under another configuration'
  | 'again under another eventID'
  | 'again with other words'

const delivered = fc.oneof(
  { weight: 12, arbitrary: fc.constant('once' as const) },
  { weight: 2, arbitrary: fc.constant('lost' as const) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'again' as const,
      'again under another configuration' as const,
      'again under another eventID' as const,
      'again with other words' as const,
    ),
  },
)
const timeless = fc.integer({ min: 0, max: 15 }).map(dice => dice === 0)
const image = fc.nat(3)
const VIEWS = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY'] as const
type View = (typeof VIEWS)[number]

/** A baseline taken before a change: it sees the state there, or that after some of the next changes, or any. */
const baseline = fc.record({
  ahead: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }) }),
  wrong: fc.option(image, { freq: 1, nil: undefined }).map(wrong => (wrong === 3 ? wrong : undefined)),
  scan: fc.nat(1),
  early: fc.constantFrom(1, 0, -500_000),
})

/** What an item lives through: writes of an image, a delete for null, each so long after the one before. */
const life = fc.array(
  fc.record({
    to: fc.option(image, { freq: 4 }),
    wait: fc.oneof(
      { weight: 24, arbitrary: fc.constant(0) },
      { weight: 12, arbitrary: fc.integer({ min: 1, max: 3 }) },
      // on either side of what a baseline may be ahead by
      { weight: 1, arbitrary: fc.integer({ min: 86_398, max: 86_402 }) },
    ),
    baselines: fc.array(baseline, { maxLength: 2 }),
    delivered,
    timeless,
  }),
  { minLength: 1, maxLength: 9 },
)

type Capture = 'streams' | 'two streams' | 'kinesis' | 'kinesis in microseconds'
const capture = fc.constantFrom<Capture>('streams', 'two streams', 'kinesis', 'kinesis', 'kinesis in microseconds')

/** A life as a capture saw it: each change leaves the state that the one before entered, unless it was lost. */
const plausible = fc.tuple(capture, life).map(([how, steps]) => {
  const seen: Seen[] = []
  let [state, time] = [null as number | null, 0]
  for (const [i, step] of steps.entries()) {
    time += step.wait
    const by =
      how === 'streams' || how === 'two streams'
        ? how === 'two streams' && i > 3
          ? 'second stream'
          : 'first stream'
        : how
    const common = { time, by, timeless: step.timeless, delivered: step.delivered, ...NO_SCAN } as const
    for (const { ahead, wrong, scan, early } of step.baselines) {
      const after = wrong ?? (ahead === 0 ? state : (steps[i + ahead - 1]?.to ?? null))
      if (after === null) continue
      seen.push({ ...common, before: null, after, name: 'MODIFY', by: 'baseline', timeless: false, scan, early })
    }
    if (state === step.to) continue
    const name = state === null ? 'INSERT' : step.to === null ? 'REMOVE' : 'MODIFY'
    seen.push({ ...common, before: state, after: step.to, name })
    state = step.to
  }
  return seen
})

/** Changes that need not fit together at all. */
const wild = fc.array(
  fc.record<Seen>({
    before: fc.option(image),
    after: fc.option(image),
    name: fc.constantFrom('INSERT', 'MODIFY', 'REMOVE'),
    time: fc.nat(4),
    by: fc.constantFrom('first stream', 'second stream', 'kinesis', 'kinesis', 'kinesis', 'no stream', 'baseline'),
    scan: fc.nat(1),
    early: fc.constantFrom(1, 0),
    timeless,
    delivered,
  }),
  { minLength: 1, maxLength: 7 },
)

/** Closed loops and chains inside one millisecond, with or without anything before them. */
const ties = fc.tuple(fc.option(image), fc.array(image, { minLength: 2, maxLength: 5 })).map(([first, path]) => {
  const common = { by: 'kinesis', timeless: false, delivered: 'once', name: 'MODIFY', ...NO_SCAN } as const
  const moves = path.slice(1).map((after, i): Seen => ({ ...common, before: path[i] as number, after, time: 1 }))
  const insert: Seen = { ...common, name: 'INSERT', before: null, after: first, time: 0 }
  const rest: Seen = { ...common, before: path.at(-1) as number, after: 3, time: 2 }
  return [...(first === null ? [] : [insert]), ...moves, rest]
})

/** An item's changes, and how the streams show them. */
const itemLife = fc.record({
  seen: fc.oneof({ weight: 4, arbitrary: plausible }, { weight: 2, arbitrary: wild }, { weight: 1, arbitrary: ties }),
  view: fc.oneof({ weight: 5, arbitrary: fc.constant<View>('NEW_AND_OLD_IMAGES') }, fc.constantFrom<View>(...VIEWS)),
})

/** One arrival of one change. */
interface Delivery {
  readonly record: RecordContent
  readonly arrival: number
  readonly table: TableConfiguration
}

/** Many items' changes as they were delivered. */
export interface RandomArchive {
  readonly rows: readonly AuditRow[]
}

/** `items` items, their rows shuffled as deliveries may be. */
export const randomArchive = (items: number): fc.Arbitrary<RandomArchive> =>
  livesOf(items).map(([lives, seed]) => {
    const deliveries = shuffle(lives.flatMap(toDeliveries), seed)
    const rows = deliveries.flatMap(({ record, arrival, table }) => rowsOfRecord(record, table, arrival))
    // a failure names the items that differ; all rows would only hide it
    return { rows, [fc.toStringMethod]: () => `archive of ${rows.length} rows` }
  })

/** The records of `items` items, each once, in the order in which they were made. */
export const randomRecords = (items: number): fc.Arbitrary<{ readonly records: readonly RecordContent[] }> =>
  livesOf(items).map(([lives]) => {
    const once = lives.map(({ seen, view }) => ({
      view,
      seen: seen.map(change => ({ ...change, delivered: 'once' as const })),
    }))
    const records = once.flatMap(toDeliveries).map(({ record }) => record)
    return { records, [fc.toStringMethod]: () => `${records.length} records` }
  })

function livesOf(items: number) {
  return fc.tuple(fc.array(itemLife, { minLength: items, maxLength: items }), fc.integer())
}

function toDeliveries({ seen, view }: { readonly seen: readonly Seen[]; readonly view: View }, item: number) {
  return seen.flatMap((change, i): readonly Delivery[] => {
    const deliver = (variant: Variant, table = EARLIER): Delivery => ({
      record: toRecord(change, view, item, i, variant),
      arrival: arrivalOf(i, variant) + (change.time > 80_000 ? change.time * 1000 : 0),
      table,
    })
    const deliveries: Readonly<Record<Delivered, readonly Delivery[]>> = {
      lost: [],
      once: [deliver('plain')],
      again: [deliver('plain'), deliver('plain'), deliver('later')],
      'again under another configuration': [deliver('plain'), deliver('later', LATER)],
      // as Kinesis may do; in a stream it would be another change
      'again under another eventID': [
        deliver('plain'),
        ...(change.by.startsWith('kinesis') ? [deliver('renamed')] : []),
      ],
      'again with other words': [deliver('later', LATER), deliver('plain'), deliver('reworded')],
    }
    return deliveries[change.delivered]
  })
}

/** A delivery as it was, one that came later, one with an eventID of its own, or one that says something else. */
type Variant = 'plain' | 'later' | 'renamed' | 'reworded'

function arrivalOf(place: number, variant: Variant): number {
  return BEGIN * 1000 + 1000 + place * 700 + (variant === 'plain' ? 0 : 86_400_000)
}

function toRecord(change: Seen, view: View, item: number, place: number, variant: Variant): RecordContent {
  const { name, time, by } = change
  const Keys: Attributes = { order_id: { S: `ORD${item}` } }
  const whole = by.startsWith('kinesis') || view === 'NEW_AND_OLD_IMAGES'
  const OldImage = whole || view === 'OLD_IMAGE' ? imageOf(Keys, change.before) : undefined
  const NewImage = whole || view === 'NEW_IMAGE' ? imageOf(Keys, change.after) : undefined
  const identity = variant === 'reworded' ? { userIdentity: TIME_TO_LIVE } : {}
  const common = { eventName: name, Keys, OldImage, NewImage, ...identity } as const
  if (by === 'baseline') {
    const at = formatInstant((BEGIN + time) * 1_000_000 - change.early, 6)
    const source = `arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/${change.scan}`
    return baselineDocument({ time: at, source, Item: imageOf(Keys, change.after ?? 0) as Attributes })
  }
  if (by === 'kinesis' || by === 'kinesis in microseconds') {
    const micros = by !== 'kinesis'
    const at = BEGIN * 1000 + time
    return kinesisDocument({
      ...common,
      eventID: `${item}-${place}${variant === 'renamed' ? '-again' : ''}`,
      ApproximateCreationDateTime: change.timeless ? undefined : micros ? at * 1000 + 7 : at,
      ...(micros && { ApproximateCreationDateTimePrecision: 'MICROSECOND' }),
    })
  }
  const fields: StreamsFields = {
    ...common,
    eventID: `${item}-${place}`,
    eventSourceARN: by === 'second stream' ? STREAMS[1] : STREAMS[0],
    ApproximateCreationDateTime: change.timeless ? undefined : BEGIN + time,
    // sequences rise with the place, not with the time: what the stream says goes before what its clock says
    SequenceNumber: by === 'no stream' ? undefined : String(1000 + place),
    StreamViewType: view,
  }
  return streamsRecord(fields)
}

function imageOf(keys: Attributes, image: number | null): Attributes | undefined {
  return image === null ? undefined : { ...keys, v: { N: String(image) }, writer: { S: `w${image}` } }
}

/** Asks an archive of random lives, some of whose changes came twice: `random-archive`'s own table, by DuckDB. */
export async function withRandomArchive(items: number, ask: (engine: DuckDbEngine) => Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(randomRecords(items), async ({ records }) => {
      const root = temporaryFolder()
      await ingestRecords(root, records)
      await ingestRecords(
        root,
        records.filter((_, i) => i % 3 === 0),
      )
      const engine = await DuckDbEngine.open(root, [tableConfiguration()])
      try {
        await ask(engine)
      } finally {
        engine.close()
      }
    }),
    { ...runs(1), endOnFailure: true },
  )
}

/** In an order that depends on the seed alone. */
export function shuffle<T>(values: readonly T[], seed: number): readonly T[] {
  let state = seed >>> 0
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return values
    .map(value => ({ value, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value)
}
