import { describe, expect, it } from 'vitest'
import { costOfAmount, costOfIngestion } from '../../aws/prices.js'
import {
  changesTogether,
  forwarderSeconds,
  kinesisShards,
  kinesisShardsOf2023,
  MIB,
  objectsADay,
  streamShards,
  transformCalls,
  transformSeconds,
} from '../../cost/capacity.js'
import { itemBytes } from '../../cost/item-size.js'
import { costOfKept, costOfMoves, keptAfter } from '../../cost/storage.js'

const GB = 1024 ** 3

describe('shards', () => {
  it("of Kinesis come to the developer guide's own example: 1,040 writes a second of 800 bytes, a quarter updates", () => {
    // 1040 × 4.25 × 800 / 1048576 = 3536000 / 1048576
    expect(kinesisShards(1040, 800, 0.25)).toBeCloseTo(3.3722, 4)
    expect(Math.ceil(kinesisShards(1040, 800, 0.25))).toBe(4)
    // the text beside it says 2, as the formula of 2023 does: 1040 × 1.25 × 800 / 1048576 = 0.99, but 1.04 for the
    // records
    expect(kinesisShardsOf2023(1040, 800, 0.25)).toBeCloseTo(1.04, 10)
    expect(Math.ceil(kinesisShardsOf2023(1040, 800, 0.25))).toBe(2)
  })

  it('of Kinesis follow the number of records where these are small', () => {
    expect(kinesisShards(5000, 10, 0)).toBe(5)
  })

  it("of a table's own stream follow write units, and are no fewer than a new table has", () => {
    expect(streamShards(10, 1)).toBe(4)
    // 3,500 writes of 2 units: 7,000 units, 1,000 a partition
    expect(streamShards(3500, 2)).toBe(7)
    expect(streamShards(3501, 2)).toBe(8)
  })
})

describe('functions', () => {
  it('of the forwarder get what comes to one shard in five seconds, up to a thousand', () => {
    expect(changesTogether(0.1, 4)).toBe(1)
    // 25 a second and shard, five seconds, and the one that opened the window
    expect(changesTogether(100, 4)).toBe(126)
    expect(changesTogether(100_000, 4)).toBe(1000)
  })

  it('take a fixed time and one by the MiB', () => {
    expect(forwarderSeconds(2 * MIB)).toBeCloseTo(0.1 + 0.3, 10)
    expect(transformSeconds(MIB)).toBeCloseTo(0.02 + 0.15, 10)
  })

  it('of the transform are called for a full buffer, or once a minute for what there is', () => {
    expect(transformCalls(1000, 3 * MIB)).toBe(3)
    expect(transformCalls(10, 1000)).toBeCloseTo(1 / 60, 10)
    expect(transformCalls(10, 1000, 4)).toBeCloseTo(4 / 60, 10)
    // a record in an hour is a call in an hour
    expect(transformCalls(1 / 3600, 1)).toBeCloseTo(1 / 3600, 10)
  })
})

describe('objects', () => {
  it('are written when the interval is over or the buffer is full', () => {
    // 86,400 / 900
    expect(objectsADay(10, 1000, { mb: 128, seconds: 900 })).toBe(96)
    // 1,000 × 2,000 × 86,400 / (128 × 1,048,576) = 1287.46
    expect(objectsADay(1000, 2000, { mb: 128, seconds: 900 })).toBeCloseTo(1287.46, 2)
    // six changes a day are six objects
    expect(objectsADay(6 / 86_400, 1000, { mb: 128, seconds: 900 })).toBeCloseTo(6, 10)
  })

  it('lie in cheaper classes as they grow old, unless they are small', () => {
    expect(keptAfter(400, 10, 1e6)).toEqual({ standard: 900, infrequentAccess: 2750, instantRetrieval: 350 })
    expect(keptAfter(100, 10, 1e6)).toEqual({ standard: 900, infrequentAccess: 100, instantRetrieval: 0 })
    expect(keptAfter(30, 10, 1e6)).toEqual({ standard: 300, infrequentAccess: 0, instantRetrieval: 0 })
    expect(keptAfter(400, 10, 131_071)).toEqual({ standard: 4000, infrequentAccess: 0, instantRetrieval: 0 })
  })

  it('cost by the class they lie in, and by each move', () => {
    // 100 × 0.023 + 10 × 0.0125 + 1000 × 0.004
    const kept = { standard: 100 * GB, infrequentAccess: 10 * GB, instantRetrieval: 1000 * GB }
    expect(costOfKept(kept)).toBeCloseTo(2.3 + 0.125 + 4, 10)
    // 96 × 365 / 12 = 2,920 objects: 0.0292 to IA, 0.0584 to Glacier IR
    expect(costOfMoves(96, 1e6, 2557)).toBeCloseTo(0.0876, 10)
    expect(costOfMoves(96, 1e6, 200)).toBeCloseTo(0.0292, 10)
    expect(costOfMoves(96, 1e6, 90)).toBe(0)
    expect(costOfMoves(96, 1000, 2557)).toBe(0)
  })
})

describe('prices', () => {
  it('are by the unit that the list names', () => {
    expect(costOfAmount('Lambda, requests', 3_000_000)).toBeCloseTo(0.6, 10)
    expect(costOfAmount('Athena, scanned', 2048)).toBe(10)
  })

  it('of what Firehose takes in fall from tier to tier', () => {
    expect(costOfIngestion(1000)).toBeCloseTo(29, 10)
    // 512,000 GB × 0.029 + 1,572,864 × 0.025 + 1,000 × 0.02
    expect(costOfIngestion(512_000 + 1_572_864 + 1000)).toBeCloseTo(14_848 + 39_321.6 + 20, 6)
  })
})

describe('bytes of an item', () => {
  it('are those of its names and values, as DynamoDB counts them', () => {
    expect(itemBytes({ id: { S: 'ä1' } })).toBe(2 + 3)
    // two digits a byte, and one; a sign is another
    expect(itemBytes({ n: { N: '123' } })).toBe(1 + 2 + 1)
    expect(itemBytes({ n: { N: '-1200' } })).toBe(1 + 1 + 1 + 1)
    expect(itemBytes({ b: { B: 'AAEC' } })).toBe(1 + 3)
    expect(itemBytes({ t: { BOOL: true }, n: { NULL: true } })).toBe(2 + 2)
    expect(itemBytes({ s: { SS: ['a', 'bc'] }, m: { NS: ['1', '22'] } })).toBe(1 + 3 + 1 + 4)
    // a list or map is 3, and 1 for each member: 1 + 3 + (1 + 1) + (1 + 3 + (1 + 1 + 1))
    expect(itemBytes({ l: { L: [{ S: 'x' }, { M: { k: { S: 'v' } } }] } })).toBe(1 + 3 + 2 + 7)
  })

  it('count an attribute of any name', () => {
    const item = JSON.parse('{"__proto__":{"S":"xyz"}}') as Parameters<typeof itemBytes>[0]
    expect(itemBytes(item)).toBe(9 + 3)
  })
})
