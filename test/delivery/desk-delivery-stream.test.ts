import type { FirehoseTransformationEvent, FirehoseTransformationResult } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type BufferingHints, DeliveryStream } from '../../delivery/desk-delivery-stream.js'
import { ParquetConverter } from '../../delivery/parquet-conversion.js'
import { DiskArchive } from '../../store/folder.js'
import { createHandler, type TransformHandler } from '../../transform/handler.js'
import { configurationKey, parsePartition } from '../../transform/layout.js'
import { rowConfiguration, type TableConfiguration } from '../../transform/table-configuration.js'
import {
  ARRIVAL,
  CHANGED_AT,
  type RecordContent,
  recordBytes,
  streamsRecord,
  tableConfiguration,
} from '../factories.js'
import { temporaryFolder } from './desk.js'
import { readParquet } from './parquet-reader.js'

let converter: ParquetConverter
beforeAll(async () => {
  converter = await ParquetConverter.create()
})
afterAll(() => converter.close())

const HINTS: BufferingHints = {
  transformBytes: 5000,
  transformInterval: 1000,
  objectBytes: 1e6,
  objectInterval: 10_000,
}
const GOOD = streamsRecord()
const BAD = 'no JSON'

let archive: DiskArchive
let clock: number
beforeEach(() => {
  archive = new DiskArchive(temporaryFolder())
  clock = ARRIVAL
})

interface Line {
  readonly [field: string]: unknown
}

function streamWith(handler: TransformHandler, hints: Partial<BufferingHints> = {}, table = tableConfiguration()) {
  return new DeliveryStream({ table, archive, handler, converter, hints: { ...HINTS, ...hints }, now: () => clock })
}

/** The real handler, with the events that it was given. */
function watched(table: TableConfiguration = tableConfiguration()) {
  const events: FirehoseTransformationEvent[] = []
  const real = createHandler(table)
  const handler: TransformHandler = async event => {
    events.push(event)
    return real(event)
  }
  return { events, handler, sizes: () => events.map(event => event.records.length) }
}

async function put(stream: DeliveryStream, ...records: readonly RecordContent[]): Promise<void> {
  for (const record of records) await stream.put(recordBytes(record))
}

async function rowsIn(): Promise<number> {
  let rows = 0
  for (const key of await objects()) rows += (await readParquet(archive.pathOf(key))).length
  return rows
}
const objects = async () => (await archive.list('data/')).filter(key => key.endsWith('.parquet'))

async function refusedLines(): Promise<readonly (Line & { readonly key: string })[]> {
  const lines = []
  for (const key of await archive.list('refused/')) {
    for (const line of Buffer.from(await archive.open(key))
      .toString()
      .trimEnd()
      .split('\n')) {
      lines.push({ key, ...(JSON.parse(line) as Line) })
    }
  }
  return lines
}

describe('a delivery stream before the transform', () => {
  it('waits until the buffer is full', async () => {
    const { sizes, handler } = watched()
    const stream = streamWith(handler, { transformBytes: recordBytes(GOOD).length * 3 })
    await put(stream, GOOD, GOOD, GOOD)
    expect(sizes()).toEqual([])
    await put(stream, GOOD)
    expect(sizes()).toEqual([3])
    await stream.flush()
    expect(sizes()).toEqual([3, 1])
  })

  it('sends a record alone that is larger than the buffer', async () => {
    const { sizes, handler } = watched()
    const stream = streamWith(handler, { transformBytes: 10 })
    await put(stream, GOOD, GOOD)
    await stream.flush()
    expect(sizes()).toEqual([1, 1])
  })

  it('waits no longer than the interval, whether records come or not', async () => {
    const { sizes, handler } = watched()
    const stream = streamWith(handler)
    await put(stream, GOOD)
    clock += 999
    await stream.tick()
    await put(stream, GOOD)
    expect(sizes()).toEqual([])
    clock += 1
    await put(stream, GOOD)
    expect(sizes()).toEqual([3])
    await put(stream, GOOD)
    clock += 1000
    await stream.tick()
    expect(sizes()).toEqual([3, 1])
    clock += 5000
    await stream.tick()
    expect(sizes()).toEqual([3, 1])
  })

  it('calls nothing for nothing', async () => {
    const { sizes, handler } = watched()
    const stream = streamWith(handler)
    await stream.flush()
    clock += 1e6
    await stream.tick()
    expect(sizes()).toEqual([])
    expect(await archive.list('data/')).toEqual([])
    expect(stream.counts).toEqual({ records: 0, rows: 0, refused: 0, objects: 0 })
  })

  it('gives the transform the event that Firehose gives', async () => {
    const { events, handler } = watched()
    const stream = streamWith(handler)
    await stream.put(recordBytes(GOOD), 1234)
    await stream.put(Buffer.from([0xff, 0x00]))
    await stream.flush()
    const [event] = events
    expect(event).toEqual({
      invocationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      deliveryStreamArn: expect.stringMatching(/^arn:aws:firehose:/),
      region: expect.any(String),
      records: [
        {
          recordId: expect.any(String),
          approximateArrivalTimestamp: 1234,
          data: Buffer.from(recordBytes(GOOD)).toString('base64'),
        },
        { recordId: expect.any(String), approximateArrivalTimestamp: ARRIVAL, data: '/wA=' },
      ],
    })
    expect(new Set(event?.records.map(record => record.recordId)).size).toBe(2)
  })

  it('tells of the Kinesis stream where that is the capture', async () => {
    const table = tableConfiguration({ capture: 'kinesis' })
    const { events, handler } = watched(table)
    const stream = streamWith(handler, {}, table)
    await put(stream, GOOD)
    await stream.flush()
    expect(events[0]).toMatchObject({ sourceKinesisStreamArn: expect.stringMatching(/^arn:aws:kinesis:/) })
    expect(events[0]?.records[0]?.kinesisRecordMetadata).toEqual({
      shardId: expect.stringMatching(/^shardId-/),
      partitionKey: expect.any(String),
      approximateArrivalTimestamp: ARRIVAL,
      sequenceNumber: expect.any(String),
      subsequenceNumber: expect.any(String),
    })
  })
})

describe('a delivery stream before an object', () => {
  const at = (days: number) => streamsRecord({ ApproximateCreationDateTime: CHANGED_AT - days * 86_400 })

  it('puts each row into the partition of its own date', async () => {
    const stream = streamWith(watched().handler)
    await put(stream, at(0), at(3), at(0), at(1))
    await stream.flush()
    const dates = (await objects()).map(key => parsePartition(key).date)
    expect(dates).toEqual(['2026-11-19', '2026-11-21', '2026-11-22'])
    for (const key of await objects()) {
      for (const row of await readParquet(archive.pathOf(key))) {
        expect((row.event_time as string).slice(0, 10)).toBe(parsePartition(key).date)
      }
    }
    expect(stream.counts).toEqual({ records: 4, rows: 4, refused: 0, objects: 3 })
  })

  it('waits until an object is large enough', async () => {
    const stream = streamWith(watched().handler, { transformBytes: 1, objectBytes: 2500 })
    await put(stream, at(0), at(0))
    expect(await objects()).toHaveLength(0)
    await put(stream, at(0), at(1), at(0), at(0))
    expect(await objects()).toHaveLength(1)
    await stream.flush()
    expect(await rowsIn()).toBe(6)
    expect(stream.counts).toMatchObject({ records: 6, rows: 6 })
  })

  it('waits no longer than the interval, each partition for itself', async () => {
    const stream = streamWith(watched().handler)
    await put(stream, at(0))
    clock += 1000
    await put(stream, at(1))
    clock += 4000
    await put(stream, at(1))
    await stream.tick()
    clock += 5000
    await stream.tick()
    expect((await objects()).map(key => parsePartition(key).date)).toEqual([])
    clock += 1000
    await stream.tick()
    expect((await objects()).map(key => parsePartition(key).date)).toEqual(['2026-11-21', '2026-11-22'])
  })

  it('waits no longer than the interval where records never pause and nobody ticks', async () => {
    const stream = streamWith(watched().handler)
    for (let i = 0; i < 13; i++) {
      await put(stream, at(0))
      clock += 1000
    }
    expect(await objects()).toHaveLength(1)
    await stream.flush()
    expect(await rowsIn()).toBe(13)
  })

  it('names objects as Firehose does, and gives each record once after a flush and another', async () => {
    const stream = streamWith(watched().handler)
    await put(stream, at(0))
    await stream.flush()
    await put(stream, at(0))
    await stream.flush()
    await stream.flush()
    const keys = await objects()
    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(key).toMatch(/^data\/Orders\/event_date=2026-11-22\/rows-1-2026-11-22-10-00-02-[0-9a-f-]{36}\.parquet$/)
    }
    expect(await rowsIn()).toBe(2)
  })

  it('keeps the configuration beside the rows before it keeps the rows', async () => {
    const table = tableConfiguration({ actor: ['by'] })
    const stream = streamWith(watched(table).handler, {}, table)
    await put(stream, at(0))
    await stream.flush()
    const kept = Buffer.from(await archive.open(configurationKey(table))).toString()
    expect(kept).toBe(rowConfiguration(table))
    const [key] = await objects()
    const [row] = await readParquet(archive.pathOf(key as string))
    expect(configurationKey(table)).toContain(row?.config_id)
    // another run finds it there, and it is never rewritten
    const again = streamWith(watched(table).handler, {}, table)
    await put(again, at(0))
    await again.flush()
    expect(await archive.list('config/')).toHaveLength(1)
  })

  it('takes it well that another ingest keeps the configuration at the same moment', async () => {
    const table = tableConfiguration()
    const other = new DiskArchive(archive.root)
    class Overtaken extends DiskArchive {
      override async list(prefix: string): Promise<readonly string[]> {
        const keys = await super.list(prefix)
        if (keys.length === 0) await other.put(configurationKey(table), Buffer.from(rowConfiguration(table)))
        return keys
      }
    }
    archive = new Overtaken(archive.root)
    const stream = streamWith(watched().handler)
    await put(stream, at(0))
    await stream.flush()
    expect(stream.counts).toMatchObject({ rows: 1, objects: 1 })
  })

  it('leaves nothing behind in the staging folder', async () => {
    const stream = streamWith(watched().handler, { objectBytes: 1 })
    await put(stream, at(0), BAD, at(1))
    await stream.flush()
    expect(await archive.list('.staging/')).toEqual([])
  })
})

describe('a record that the transform refuses', () => {
  it("is kept in the format of Firehose's error output, with its original bytes", async () => {
    const stream = streamWith(watched().handler)
    await put(stream, GOOD)
    await stream.put(Buffer.from([0xff, 0xfe]), 1234)
    clock += 10
    await stream.flush()
    const [line, ...others] = await refusedLines()
    expect(others).toEqual([])
    expect(line).toEqual({
      key: expect.stringMatching(/^refused\/processing-failed\/Orders\/refused-1-2026-11-22-10-00-02-[0-9a-f-]{36}$/),
      attemptsMade: 1,
      arrivalTimestamp: 1234,
      errorCode: 'Lambda.ProcessingFailedStatus',
      errorMessage: 'ProcessingFailed status set for record',
      attemptEndingTimestamp: ARRIVAL + 10,
      rawData: '//4=',
      lambdaArn: 'local',
    })
    expect(stream.counts).toEqual({ records: 2, rows: 1, refused: 1, objects: 1 })
  })

  it('takes nothing along but what shares its record', async () => {
    const stream = streamWith(watched().handler)
    const pack = `${JSON.stringify(GOOD)}\n${BAD}`
    await put(stream, GOOD, pack, GOOD)
    await stream.flush()
    expect(await rowsIn()).toBe(2)
    expect((await refusedLines()).map(line => Buffer.from(line.rawData as string, 'base64').toString())).toEqual([pack])
  })
})

describe('a transform that breaks its contract', () => {
  const real = createHandler(tableConfiguration())
  const changed =
    (change: (answer: FirehoseTransformationResult) => unknown): TransformHandler =>
    async event =>
      change(await real(event)) as FirehoseTransformationResult
  type Answer = { records: Record<string, unknown>[] }
  const firstRecord = (fields: object) =>
    changed(answer => ({ records: answer.records.map((record, i) => (i === 0 ? { ...record, ...fields } : record)) }))

  /** Sends two records and expects both refused after all attempts, with their bytes. */
  async function expectBothRefused(handler: TransformHandler, code: string, message: string | RegExp) {
    let calls = 0
    const stream = streamWith(event => {
      calls++
      return handler(event)
    })
    await put(stream, GOOD, GOOD)
    await stream.flush()
    const lines = await refusedLines()
    expect(lines.map(line => [line.errorCode, line.attemptsMade])).toEqual([
      [code, 4],
      [code, 4],
    ])
    expect(lines[0]?.errorMessage).toMatch(message)
    expect(lines.map(line => line.rawData)).toEqual(Array(2).fill(Buffer.from(recordBytes(GOOD)).toString('base64')))
    expect(calls).toBe(4)
    expect(stream.counts).toEqual({ records: 2, rows: 0, refused: 2, objects: 0 })
  }

  it('is found out where a record id is missing', () =>
    expectBothRefused(
      changed(answer => ({ records: answer.records.slice(1) })),
      'Lambda.MissingRecordId',
      /^record id \d+ is missing/,
    ))

  it('is found out where a record id is there twice', () =>
    expectBothRefused(
      changed(answer => ({ records: [...answer.records, answer.records[0]] })),
      'Lambda.DuplicatedRecordId',
      /^record id \d+ is there twice/,
    ))

  it('is found out where a result is unknown', () =>
    expectBothRefused(firstRecord({ result: 'OK' }), 'Lambda.JsonProcessingException', 'has result "OK"'))

  it('is found out where the answer is none', async () => {
    for (const answer of [undefined, null, {}, { records: 'none' }, []]) {
      archive = new DiskArchive(temporaryFolder())
      await expectBothRefused(
        changed(() => answer),
        'Lambda.JsonProcessingException',
        'answer has no array "records"',
      )
    }
  })

  it('is found out where the answer is larger than Lambda allows', () =>
    expectBothRefused(firstRecord({ data: 'A'.repeat(6_300_000) }), 'Lambda.FunctionError', /^answer has 63\d+ bytes/))

  it('is found out where it throws', () =>
    expectBothRefused(
      async () => {
        throw new Error('out of memory')
      },
      'Lambda.FunctionError',
      'out of memory',
    ))

  it('is tried again where it throws, and then works', async () => {
    let calls = 0
    const stream = streamWith(async event => {
      if (++calls < 3) throw new Error('throttled')
      return real(event)
    })
    await put(stream, GOOD, GOOD)
    await stream.flush()
    expect(calls).toBe(3)
    expect(stream.counts).toEqual({ records: 2, rows: 2, refused: 0, objects: 1 })
    expect(await refusedLines()).toEqual([])
  })

  it('cannot drop a record', async () => {
    const stream = streamWith(firstRecord({ result: 'Dropped' }))
    await put(stream, GOOD, GOOD)
    await stream.flush()
    expect((await refusedLines()).map(line => line.errorCode)).toEqual(['Lambda.DroppedStatus'])
    expect(await rowsIn()).toBe(1)
  })

  it('cannot make a record vanish by answering Ok without a row', async () => {
    for (const fields of [{ data: '' }, { data: undefined }, { data: Buffer.from('\n').toString('base64') }]) {
      archive = new DiskArchive(temporaryFolder())
      const stream = streamWith(firstRecord(fields))
      await put(stream, GOOD, GOOD)
      await stream.flush()
      expect(await refusedLines()).toHaveLength(1)
      expect(stream.counts).toEqual({ records: 2, rows: 1, refused: 1, objects: 1 })
    }
  })

  it('cannot put a row where no partition is', async () => {
    for (const metadata of [
      undefined,
      {},
      { partitionKeys: {} },
      { partitionKeys: { event_date: '2026-02-30' } },
      { partitionKeys: { event_date: '../../x' } },
    ]) {
      archive = new DiskArchive(temporaryFolder())
      const stream = streamWith(firstRecord({ metadata }))
      await put(stream, GOOD, GOOD)
      await stream.flush()
      expect((await refusedLines()).map(line => line.errorCode)).toEqual([
        'DynamicPartitioning.MetadataExtractionFailed',
      ])
      expect(await rowsIn()).toBe(1)
    }
  })

  it('loses only the line that cannot become a row', async () => {
    const table = tableConfiguration({ columns: [{ column: 'total', path: ['total'], type: 'decimal(12,2)' }] })
    const good = createHandler(table)
    const bad = ['{"event_id":', '{"colour":"red"}', '[]']
    const handler: TransformHandler = async event => {
      const answer = (await good(event)) as unknown as Answer
      for (const [i, record] of answer.records.entries()) {
        const lines = Buffer.from(record.data as string, 'base64').toString()
        const rounded = lines
          .replace('"misfits"', '"new_total":"1.005","misfits"')
          .replace(/\}\n$/, ',"new_total":"1.005"}\n')
        const more = i === 1 ? `${bad.join('\n')}\n${rounded}` : ''
        record.data = Buffer.from(lines + more).toString('base64')
      }
      return answer as unknown as FirehoseTransformationResult
    }
    const stream = streamWith(handler, {}, table)
    await put(stream, GOOD, GOOD)
    await stream.flush()
    const lines = await refusedLines()
    expect(lines.slice(0, 3).map(line => Buffer.from(line.rawData as string, 'base64').toString())).toEqual(bad)
    expect(lines.map(line => line.ErrorMessage)).toEqual([
      'line is not JSON',
      'column "colour" is not in the table',
      'line is not a JSON object',
      'column new_total has "1.005", expected decimal(12,2)',
    ])
    expect(lines[0]).toEqual({
      key: expect.stringMatching(/^refused\/format-conversion-failed\/Orders\//),
      attemptsMade: 1,
      arrivalTimestamp: ARRIVAL,
      ErrorCode: 'DataFormatConversion.MalformedData',
      ErrorMessage: 'line is not JSON',
      attemptEndingTimestamp: ARRIVAL,
      rawData: expect.any(String),
      sequenceNumber: null,
      subSequenceNumber: null,
      dataCatalogTable: { tableName: 'Orders' },
    })
    expect(stream.counts).toEqual({ records: 2, rows: 2, refused: 4, objects: 1 })
    expect(await rowsIn()).toBe(2)
  })
})

describe('an answer that would be too large', () => {
  it('is divided by the transform itself: what does not fit is kept to be sent again', async () => {
    const large = streamsRecord({
      NewImage: { order_id: { S: 'ORD12345' }, text: { S: 'x'.repeat(390_000) } },
    })
    const stream = streamWith(watched().handler, { transformBytes: 12_000_000 })
    for (let i = 0; i < 14; i++) await put(stream, large)
    await stream.flush()
    const { rows, refused } = stream.counts
    expect(rows + refused).toBe(14)
    expect(refused).toBeGreaterThan(0)
    expect(await rowsIn()).toBe(rows)
    expect(await refusedLines()).toHaveLength(refused)
  })
})
