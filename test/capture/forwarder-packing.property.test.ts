import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CALL_BYTES, CALL_RECORDS, RECORD_BYTES } from '../../aws/firehose-limits.js'
import { countForCall, PACK_BYTES, type Packed, packRecords } from '../../capture/packing.js'
import { transformRecord } from '../../transform/transform.js'
import { ARRIVAL, CHANGED_AT, STREAM_ARN, streamsRecord, tableConfiguration } from '../factories.js'
import { changeDocument, runs } from '../transform/arbitraries.js'

const LIMITS = { packBytes: 4_000, recordBytes: 8_000 }

const DAY = 86_400

/** A change that the transform reads, of one of three days, with a text of some length. */
const change = fc
  .record({
    day: fc.integer({ min: 0, max: 2 }),
    second: fc.integer({ min: 0, max: 35_999 }),
    table: fc.constantFrom('Orders', 'Orders', 'Customers'),
    fill: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 500 }) },
      { weight: 1, arbitrary: fc.integer({ min: 2_000, max: 12_000 }) },
    ),
    letter: fc.constantFrom('x', 'é', '"', '\n', '📦'),
  })
  .map(({ day, second, table, fill, letter }) =>
    streamsRecord({
      eventSourceARN: STREAM_ARN.replace('Orders', table),
      ApproximateCreationDateTime: CHANGED_AT - day * DAY - second,
      NewImage: { order_id: { S: 'ORD12345' }, fill: { S: letter.repeat(fill) } },
    }),
  )

/** What the forwarder cannot place: no time, no table, an unknown shape. */
const misfit = fc.constantFrom<unknown>(
  null,
  'text',
  7,
  [],
  {},
  { dynamodb: null },
  streamsRecord({ ApproximateCreationDateTime: undefined }),
  streamsRecord({ eventSourceARN: 'arn:aws:dynamodb' }),
  streamsRecord({ eventName: undefined }),
  { ...streamsRecord(), dynamodb: { ...streamsRecord().dynamodb, ApproximateCreationDateTime: 1e300 } },
)

const records = fc.array(
  fc.oneof({ weight: 9, arbitrary: change as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: misfit }),
  { maxLength: 60 },
)

const everyPack = ({ packs, oversize }: Packed) => [...packs, ...oversize]
const textOf = (data: Uint8Array) => Buffer.from(data).toString()

describe('packs', () => {
  it('hold every record once, byte for byte, in the order of the stream', () => {
    fc.assert(
      fc.property(records, records => {
        const packed = packRecords(records, LIMITS)
        const seen = everyPack(packed).flatMap(({ data, positions }) => {
          expect(textOf(data).split('\n')).toEqual(positions.map(position => JSON.stringify(records[position])))
          expect(positions).toEqual([...positions].sort((a, b) => a - b))
          return positions
        })
        expect(seen.sort((a, b) => a - b)).toEqual(records.map((_, position) => position))
        const firsts = packed.packs.map(({ positions }) => positions[0] as number)
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b))
      }),
      runs(300),
    )
  })

  it('are within their limit, and larger only for a record that is so by itself', () => {
    fc.assert(
      fc.property(records, records => {
        const { packs, oversize } = packRecords(records, LIMITS)
        for (const { data, positions } of packs) {
          if (positions.length > 1) expect(data.length).toBeLessThanOrEqual(LIMITS.packBytes)
          expect(data.length).toBeLessThanOrEqual(LIMITS.recordBytes)
        }
        for (const { data, positions } of oversize) {
          expect(positions).toHaveLength(1)
          expect(data.length).toBeGreaterThan(LIMITS.recordBytes)
        }
      }),
      runs(300),
    )
  })

  it('of more than one record are taken by the transform, with the rows of the records alone', () => {
    const rowsOf = (data: Uint8Array, table: string) => {
      const outcome = transformRecord(data, ARRIVAL, tableConfiguration({ table }))
      return outcome.kind === 'transformed' ? outcome.lines : outcome.reason
    }
    fc.assert(
      fc.property(records, records => {
        for (const { data, positions } of packRecords(records, LIMITS).packs) {
          if (positions.length === 1) continue
          const table = /table\/(\w+)\//.exec(textOf(data))?.[1] as string
          const alone = positions.map(position => rowsOf(Buffer.from(JSON.stringify(records[position])), table))
          expect(rowsOf(data, table)).toBe(alone.join(''))
        }
      }),
      runs(200),
    )
  })

  it('keep items as odd as DynamoDB allows them', () => {
    fc.assert(
      fc.property(fc.array(changeDocument, { minLength: 1, maxLength: 10 }), records => {
        // as Lambda gets them: parsed from text
        const parsed = JSON.parse(JSON.stringify(records)) as unknown[]
        const texts = everyPack(packRecords(parsed)).flatMap(({ data }) => textOf(data).split('\n'))
        expect(texts.sort()).toEqual(records.map(record => JSON.stringify(record)).sort())
      }),
      runs(200),
    )
  })
})

describe('a record', () => {
  const alone = (record: unknown) => {
    const { packs } = packRecords([streamsRecord(), record, streamsRecord()])
    return packs.map(({ positions }) => positions)
  }

  it.each<readonly [string, unknown]>([
    ['without a time', streamsRecord({ ApproximateCreationDateTime: undefined })],
    ['of an unknown shape', { detail: 'no change' }],
    ['that is no object', 'text'],
    ['without a table', streamsRecord({ eventSourceARN: undefined })],
    ['of another day', streamsRecord({ ApproximateCreationDateTime: CHANGED_AT - DAY })],
    ['of another table', streamsRecord({ eventSourceARN: STREAM_ARN.replace('Orders', 'Customers') })],
  ])('%s is alone, and its neighbours are together', (_about, record) => {
    expect(alone(record)).toEqual([[0, 2], [1]])
  })

  it('belongs to the UTC day of its own time, to the second', () => {
    const midnight = Date.UTC(2026, 10, 23) / 1000
    const at = (seconds: number) => streamsRecord({ ApproximateCreationDateTime: seconds })
    const { packs } = packRecords([at(midnight - 1), at(midnight), at(midnight - 86_400), at(midnight + 86_399)])
    expect(packs.map(({ positions }) => positions)).toEqual([
      [0, 2],
      [1, 3],
    ])
  })

  it('keeps an attribute called __proto__', () => {
    const image = '{"order_id":{"S":"ORD12345"},"__proto__":{"M":{"__proto__":{"N":"1"}}}}'
    const text = JSON.stringify(streamsRecord()).replace(/"NewImage":\{.*?\}\}/, `"NewImage":${image}`)
    expect(text).toContain(image)
    const [pack] = packRecords([JSON.parse(text)]).packs
    expect(textOf(pack?.data as Uint8Array)).toBe(text)
  })

  it('that is large leaves the pack open which has more room', () => {
    const ofBytes = (bytes: number) => streamsRecord({ NewImage: { fill: { S: 'x'.repeat(bytes) } } })
    const { packs } = packRecords([ofBytes(10), ofBytes(3 * PACK_BYTES), ofBytes(10)])
    expect(packs.map(({ positions }) => positions)).toEqual([[0, 2], [1]])
  })

  it('of two texts of 400 KB passes, one of two binaries of 400 KB is oversize', () => {
    const pair = (image: object) => streamsRecord({ OldImage: image as never, NewImage: image as never })
    const text = pair({ order_id: { S: 'ORD1' }, fill: { S: 'x'.repeat(399_000) } })
    const binary = pair({ order_id: { S: 'ORD1' }, fill: { B: Buffer.alloc(399_000).toString('base64') } })
    const { packs, oversize } = packRecords([text, binary])
    expect(packs.map(({ positions }) => positions)).toEqual([[0]])
    expect(oversize.map(({ positions }) => positions)).toEqual([[1]])
    expect(oversize[0]?.data.length).toBeGreaterThan(RECORD_BYTES)
  })
})

describe('a call', () => {
  it('takes as many packs as fit, at least one, in order', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: RECORD_BYTES })), {
      minLength: 1,
      maxLength: 600,
    })
    const bytes = Buffer.alloc(RECORD_BYTES)
    fc.assert(
      fc.property(sizes, sizes => {
        const packs = sizes.map(size => ({ data: bytes.subarray(0, size), positions: [] }))
        const requestBytes = (count: number) =>
          sizes.slice(0, count).reduce((sum, size) => sum + Math.ceil(size / 3) * 4 + 12, 0)
        const count = countForCall(packs)
        expect(count).toBeGreaterThan(0)
        expect(count).toBeLessThanOrEqual(CALL_RECORDS)
        if (count > 1) expect(requestBytes(count)).toBeLessThanOrEqual(CALL_BYTES)
        if (count < packs.length && count < CALL_RECORDS) expect(requestBytes(count + 1)).toBeGreaterThan(CALL_BYTES)
      }),
      runs(200),
    )
  })
})
