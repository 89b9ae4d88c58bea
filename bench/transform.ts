import type { FirehoseTransformationEvent } from 'aws-lambda'
import { fastTransform } from '../transform/fast/fast-path.js'
import { createHandler } from '../transform/handler.js'
import { identity, plainPath, tutorial } from './contestants.js'
import { EVENT_RECORDS, firehoseEvents } from './events.js'
import { baselineRecords, ORDERS, orderRecords } from './orders.js'
import { compareCpu, type Finding, PAIRS, type Spread, type Suite, type SuiteResult, showSpread } from './suite.js'

export interface TransformSize {
  readonly records: number
  readonly rounds: number
}

const FULL: TransformSize = { records: 200_000, rounds: PAIRS }

export const suite: Suite = {
  name: 'transform',
  question: 'what does the full transform cost beside doing nothing, and beside the usual tutorial?',
  run: note => measureTransform(FULL, note),
}

/** The suite at any size: a test runs it small. */
export async function measureTransform(
  { records, rounds }: TransformSize,
  note: (text: string) => void,
): Promise<SuiteResult> {
  note(`making ${records} records`)
  const usual = slices(firehoseEvents(orderRecords({ count: records })), rounds)
  note('records as DynamoDB writes them')
  const handler = createHandler(ORDERS)
  const first = await compareCpu(
    { identity: over(usual, identity), tutorial: over(usual, tutorial), ours: over(usual, handler) },
    rounds,
  )
  note('the same without the fast path')
  const plain = await compareCpu({ identity: over(usual, identity), plain: over(usual, plainPath) }, rounds)
  const spaced = slices(firehoseEvents(spacedRecords(records)), rounds)
  note('the same with white space, which the fast path declines at first')
  const second = await compareCpu({ identity: over(spaced, identity), ours: over(spaced, handler) }, rounds)
  const items = slices(firehoseEvents(baselineRecords({ count: records })), rounds)
  note('items of a baseline')
  const baseline = await compareCpu({ identity: over(items, identity), ours: over(items, handler) }, rounds)
  const faster = first.tutorial.ratio.median / first.ours.ratio.median
  return {
    findings: [
      ratio('full transform, fast path', 'identity: base64, JSON.parse, JSON.stringify, base64', first.ours.ratio, 1),
      {
        what: 'full transform, fast path',
        against: 'unmarshall and JSON.stringify, the usual tutorial',
        figure: `${faster.toFixed(2)} x faster`,
        target: 'at least 1.4 x faster',
        reached: faster >= 1.4,
      },
      ratio(
        'full transform, records with white space: rewritten, then the fast path',
        'identity',
        second.ours.ratio,
        1.9,
      ),
      ratio('full transform, plain path alone', 'identity', plain.plain.ratio, 1.9),
      ratio('full transform, baseline documents: fast path', 'identity', baseline.ours.ratio, 1.9),
      { what: 'the usual tutorial', against: 'identity', figure: `${showSpread(first.tutorial.ratio)} of its CPU` },
      {
        what: 'identity, for scale',
        against: '-',
        figure: `${((first.identity.cpuMs.median * 1000) / perRound(records, rounds)).toFixed(1)} µs a record`,
      },
      { what: 'records that the fast path takes', against: '-', figure: `${(100 * shareTaken(usual)).toFixed(1)} %` },
      { what: 'baseline documents that it takes', against: '-', figure: `${(100 * shareTaken(items)).toFixed(1)} %` },
    ],
    remarks: [
      `${records} records of about 1.9 KB in events of ${EVENT_RECORDS}, 20/70/10 INSERT/MODIFY/REMOVE, attributes in an order of their own in every image and map.`,
      'full work: decode, canonical images, both hashes, difference, actor, row hash, key and six flat columns. The tutorial does none of it and loses sets, binary and long numbers.',
    ],
    leftOut: [],
  }
}

type Events = readonly FirehoseTransformationEvent[]

/** A part of the events for each round, and one to warm up. */
export function slices(events: Events, rounds: number): readonly Events[] {
  const size = Math.max(1, Math.floor(events.length / (rounds + 1)))
  return Array.from({ length: rounds + 1 }, (_, i) => events.slice(i * size, (i + 1) * size)).filter(
    slice => slice.length > 0,
  )
}

/** Each call takes the next slice. */
export function over(parts: readonly Events[], transform: (event: FirehoseTransformationEvent) => unknown) {
  let calls = 0
  return async () => {
    for (const event of parts[calls++ % parts.length] as Events) await transform(event)
  }
}

/** The records that a round transforms: of whole events, and of one at least. */
export function perRound(records: number, rounds: number): number {
  return Math.max(EVENT_RECORDS, Math.floor(records / EVENT_RECORDS / (rounds + 1)) * EVENT_RECORDS)
}

/** As Python's `json.dumps` writes it. */
function* spacedRecords(count: number): Generator<string> {
  for (const record of orderRecords({ count })) {
    yield JSON.stringify(JSON.parse(record), null, 1).replaceAll(/,\n */g, ', ').replaceAll(/\n */g, '')
  }
}

function shareTaken(parts: readonly Events[]): number {
  const transform = fastTransform(ORDERS)
  const shares = parts.flat().map(({ records }) => {
    const taken = records.filter(
      ({ data, approximateArrivalTimestamp: arrival }) => transform(data, arrival).kind === 'transformed',
    )
    return taken.length / records.length
  })
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

function ratio(what: string, against: string, spread: Spread, most: number): Finding {
  const figure = `${showSpread(spread)} of its CPU`
  return { what, against, figure, target: `at most ${most.toFixed(1)}`, reached: spread.median <= most }
}
