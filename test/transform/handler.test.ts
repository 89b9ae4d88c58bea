import type { FirehoseTransformationEvent, FirehoseTransformationResult } from 'aws-lambda'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHandler } from '../../transform/handler.js'
import { transformRecord } from '../../transform/transform.js'
import {
  ARRIVAL,
  CHANGED_AT,
  firehoseEvent,
  kinesisDocument,
  type RecordContent,
  recordBytes,
  STREAM_ARN,
  streamsRecord,
  tableConfiguration,
} from '../factories.js'
import { runs } from './arbitraries.js'

const LIMIT = 6_000_000

const table = tableConfiguration()
const good = streamsRecord()
const bad = streamsRecord({ Keys: {} })

describe('the answer to Firehose', () => {
  it('holds every record id once and in order', async () => {
    const { event, answer } = await deliver([good, 'no JSON', good, good, bad])
    expect(answer.records.map(({ recordId }) => recordId)).toEqual(idsOf(event))
  })

  it('is Ok with the row lines, or ProcessingFailed, and never Dropped', async () => {
    const { answer } = await deliver([good, 'no JSON', good])
    expect(answer.records.map(({ result }) => result)).toEqual(['Ok', 'ProcessingFailed', 'Ok'])
    expect(linesOf(answer, 0)).toBe(linesAlone(good))
  })

  it("holds the partition's keys of each record", async () => {
    const dayBefore = streamsRecord({ ApproximateCreationDateTime: CHANGED_AT - 86_400 })
    const { answer } = await deliver([good, dayBefore])
    expect(answer.records.map(({ metadata }) => metadata)).toEqual([
      { partitionKeys: { event_date: '2026-11-22' } },
      { partitionKeys: { event_date: '2026-11-21' } },
    ])
  })

  it('holds nothing but id and result of a refused record: Firehose keeps the bytes that it sent', async () => {
    const { event, answer } = await deliver([bad])
    expect(answer.records).toEqual([{ recordId: idsOf(event)[0], result: 'ProcessingFailed' }])
  })

  it('is empty for no records', async () => {
    expect((await deliver([])).answer).toEqual({ records: [] })
  })

  it('takes the arrival of each record from Firehose', async () => {
    const event = firehoseEvent([good, good])
    const later = {
      ...event,
      records: event.records.map((record, i) => ({ ...record, approximateArrivalTimestamp: ARRIVAL + i })),
    }
    const answer = await handle(later)
    expect([0, 1].map(i => (JSON.parse(linesOf(answer, i)) as { arrived_at: string }).arrived_at)).toEqual([
      '2026-11-22 10:00:02.250',
      '2026-11-22 10:00:02.251',
    ])
  })

  it('is the same for records that Firehose read from a Kinesis stream', async () => {
    const document = kinesisDocument()
    const event = firehoseEvent([document])
    const kinesisRecordMetadata = {
      shardId: 'shardId-000000000000',
      partitionKey: '4d1ad2b9-24f8-4b9d-a088-76e9947c317a',
      approximateArrivalTimestamp: ARRIVAL,
      sequenceNumber: '49546986683135544286507457936321625675700192471156785154',
      subsequenceNumber: '',
    }
    const records = event.records.map(record => ({ ...record, kinesisRecordMetadata }))
    expect(linesOf(await handle({ ...event, records }), 0)).toBe(linesAlone(document))
  })
})

describe('a Firehose record', () => {
  const pack = (...documents: object[]) => documents.map(document => JSON.stringify(document)).join('\n')

  it('becomes the rows of all its documents, in order', async () => {
    const second = streamsRecord({ SequenceNumber: '2' })
    const { answer } = await deliver([pack(good, second)])
    expect(linesOf(answer, 0)).toBe(linesAlone(good) + linesAlone(second))
  })

  const others: readonly (readonly [string, object])[] = [
    ['that cannot be read', bad],
    ['of another table', streamsRecord({ eventSourceARN: STREAM_ARN.replace('Orders', 'Customers') })],
    ['of another date', streamsRecord({ ApproximateCreationDateTime: CHANGED_AT - 86_400 })],
  ]
  it.each(others)('is refused whole for one document %s, and no other record with it', async (_about, other) => {
    const { answer } = await deliver([good, pack(good, other), pack(other, good), good])
    expect(answer.records.map(({ result }) => result)).toEqual(['Ok', 'ProcessingFailed', 'ProcessingFailed', 'Ok'])
  })
})

describe('an answer near the limit of Lambda', () => {
  /** A record whose row line has about as many bytes as this. */
  const ofBytes = (bytes: number, fill = 'x') =>
    streamsRecord({ NewImage: { order_id: { S: 'ORD12345' }, fill: { S: fill.repeat(bytes) } } })

  const times = (count: number, content: RecordContent) => Array<RecordContent>(count).fill(content)

  const situations: readonly (readonly [string, readonly RecordContent[]])[] = [
    ['25,000 tiny refused records', times(25_000, '{}')],
    ['4 records of 1 MB', times(4, ofBytes(1_000_000))],
    ['4 records of 1 MB whose rows grow, every quote escaped twice', times(4, ofBytes(480_000, '"'))],
    ['9 records of 500 KB and 1,000 small ones', [...times(9, ofBytes(500_000)), ...times(1000, good)]],
    [
      '1,000 small records, refused and not, and 9 of 500 KB',
      [...times(500, good), ...times(500, '{}'), ...times(9, ofBytes(500_000))],
    ],
  ]
  it.each(situations)('stays under 6,000,000 bytes with %s', async (_about, contents) => {
    const { event, answer } = await deliver(contents)
    expect(bytesOf(answer)).toBeLessThanOrEqual(LIMIT)
    expect(answer.records.map(({ recordId }) => recordId)).toEqual(idsOf(event))
  })

  it('stays under 6,000,000 bytes with records of any size', async () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 100_000, max: 900_000 }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(size, { freq: 10 }), { minLength: 5, maxLength: 15 }), async sizes => {
        const { answer } = await deliver(sizes.map(size => (size === null ? 'no JSON' : ofBytes(size))))
        expect(bytesOf(answer)).toBeLessThanOrEqual(LIMIT)
      }),
      runs(8),
    )
  })

  it('takes rows as long as they fit', async () => {
    const { answer } = await deliver(times(6, ofBytes(748_000)))
    expect(answer.records.every(({ result }) => result === 'Ok')).toBe(true)
    expect(bytesOf(answer)).toBeGreaterThan(5_980_000)
  })

  it('refuses the surplus, and takes smaller rows behind it', async () => {
    const big = ofBytes(1_000_000)
    const { answer } = await deliver([...times(5, big), good])
    const expected = ['Ok', 'Ok', 'Ok', 'Ok', 'ProcessingFailed', 'Ok']
    expect(answer.records.map(({ result }) => result)).toEqual(expected)
  })

  it('gives the very rows of the surplus when it is sent again alone', async () => {
    const records = Array.from({ length: 9 }, (_, i) =>
      streamsRecord({ ...withImage(600_000), SequenceNumber: String(i) }),
    )
    const { answer } = await deliver(records)
    const surplus = records.filter((_, i) => answer.records[i]?.result === 'ProcessingFailed')
    expect(surplus.length).toBeGreaterThan(0)
    for (const record of surplus) {
      const { answer } = await deliver([record])
      expect(answer.records[0]?.result).toBe('Ok')
      expect(linesOf(answer, 0)).toBe(linesAlone(record))
    }
  })

  it('says that the surplus was refused for want of room', async () => {
    const { event, log } = await deliver(times(9, ofBytes(600_000)))
    expect(log.map(([id]) => id)).toEqual(idsOf(event).slice(7))
    for (const [, reason] of log) expect(reason).toContain('6000000 bytes')
  })

  it('passes an item of 400 KB before and after, together 800 KB', async () => {
    const image = (fill: string) => ({ order_id: { S: 'ORD12345' }, fill: { S: fill.repeat(399_000) } })
    const { answer } = await deliver([streamsRecord({ OldImage: image('a'), NewImage: image('b') })])
    expect(answer.records[0]?.result).toBe('Ok')
  })

  it('leaves refused what does not fit alone', async () => {
    const columns = Array.from({ length: 8 }, (_, i) => ({ column: `copy${i}`, path: ['fill'], type: 'json' as const }))
    const { answer } = await deliver([streamsRecord(withImage(600_000)), good], tableConfiguration({ columns }))
    expect(answer.records.map(({ result }) => result)).toEqual(['ProcessingFailed', 'Ok'])
  })

  function withImage(bytes: number) {
    return { NewImage: { order_id: { S: 'ORD12345' }, fill: { S: 'x'.repeat(bytes) } } }
  }
})

describe('the log', () => {
  it('is told the id and the reason of each refused record, and nothing of others', async () => {
    const { event, log } = await deliver([good, bad, good, streamsRecord({ eventName: undefined })])
    const ids = idsOf(event)
    expect(log).toEqual([
      [ids[1], "Keys is {}, expected the item's key attributes"],
      [ids[3], 'eventName is undefined, expected INSERT, MODIFY or REMOVE'],
    ])
  })
})

interface Delivered {
  readonly event: FirehoseTransformationEvent
  readonly answer: FirehoseTransformationResult
  readonly log: readonly (readonly [id: string, reason: string])[]
}

async function deliver(contents: readonly RecordContent[], configuration = table): Promise<Delivered> {
  const log: [string, string][] = []
  const event = firehoseEvent(contents)
  const answer = await createHandler(configuration, (id, reason) => log.push([id, reason]))(event)
  return { event, answer, log }
}

async function handle(event: FirehoseTransformationEvent): Promise<FirehoseTransformationResult> {
  return createHandler(table)(event)
}

function idsOf(event: FirehoseTransformationEvent): readonly string[] {
  return event.records.map(({ recordId }) => recordId)
}

function bytesOf(answer: FirehoseTransformationResult): number {
  return Buffer.byteLength(JSON.stringify(answer))
}

function linesOf(answer: FirehoseTransformationResult, record: number): string {
  return Buffer.from(answer.records[record]?.data ?? '', 'base64').toString()
}

function linesAlone(content: RecordContent): string {
  const result = transformRecord(recordBytes(content), ARRIVAL, table)
  return result.kind === 'transformed' ? result.lines : result.reason
}
