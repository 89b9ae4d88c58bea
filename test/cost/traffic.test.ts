import { describe, expect, it } from 'vitest'
import { PACK_BYTES } from '../../capture/packing.js'
import { itemBytes } from '../../cost/item-size.js'
import {
  kinesisDocumentOf,
  madeUpChanges,
  SAMPLE_TABLE,
  type SampleChange,
  streamsRecordOf,
} from '../../cost/sample-changes.js'
import { packSample, weighTraffic } from '../../cost/traffic.js'
import { unconfiguredTable } from '../../transform/table-configuration.js'
import { transformRecord } from '../../transform/transform.js'

const shape = { itemBytes: 1024, updates: 0.7, deletes: 0.1 }
const changes = madeUpChanges(shape)

describe('made-up changes', () => {
  it.each([3, 12, 39, 40, 100, 512, 1024, 4096, 100_000, 409_600])('have items of just %d bytes', bytes => {
    const changes = madeUpChanges({ ...shape, itemBytes: bytes })
    const sizes = changes.flatMap(({ oldImage, newImage }) =>
      [oldImage, newImage].filter(image => image !== null).map(itemBytes),
    )
    expect(new Set(sizes)).toEqual(new Set([bytes]))
  })

  it('come in the shares that were asked for', () => {
    const share = (name: string) => changes.filter(({ eventName }) => eventName === name).length / 400
    expect([share('MODIFY'), share('REMOVE'), share('INSERT')]).toEqual([
      expect.closeTo(0.7, 2),
      expect.closeTo(0.1, 2),
      expect.closeTo(0.2, 2),
    ])
    const only = (updates: number, deletes: number) =>
      new Set(madeUpChanges({ itemBytes: 100, updates, deletes }).map(({ eventName }) => eventName))
    expect([only(1, 0), only(0, 1), only(0, 0)]).toEqual([
      new Set(['MODIFY']),
      new Set(['REMOVE']),
      new Set(['INSERT']),
    ])
  })

  it('are such as the transform takes, by either capture', () => {
    const change = changes[2] as SampleChange
    for (const record of [streamsRecordOf(change, 2), kinesisDocumentOf(change, 2)]) {
      const made = transformRecord(
        Buffer.from(JSON.stringify(record)),
        Date.UTC(2026, 10, 23),
        unconfiguredTable(SAMPLE_TABLE),
      )
      expect(made.kind).toBe('transformed')
    }
  })

  it('hold little memory where items are large', () => {
    expect(madeUpChanges({ ...shape, itemBytes: 409_600 })).toHaveLength(20)
  })
})

describe('weighing', () => {
  it('rounds each record as it is billed', () => {
    const { streamsBytes, streamsAloneBytes, kinesisBytes, kinesisBilledBytes, units } = weighTraffic(
      madeUpChanges(shape),
    )
    expect(streamsBytes).toBeLessThan(5120)
    expect(streamsAloneBytes).toBe(5120)
    expect(kinesisBilledBytes - kinesisBytes).toBeGreaterThan(0)
    expect(kinesisBilledBytes - kinesisBytes).toBeLessThan(1024)
    expect(units).toBe(1)
    expect(weighTraffic(madeUpChanges({ ...shape, itemBytes: 1025 })).units).toBe(2)
  })

  it('sees that Kinesis doubles the encoding of binary values', () => {
    const change = (newImage: SampleChange['newImage']): SampleChange => ({
      eventName: 'INSERT',
      keys: { id: { S: 'a' } },
      oldImage: null,
      newImage,
    })
    const text = weighTraffic([change({ id: { S: 'a' }, b: { S: 'A'.repeat(300) } })])
    const binary = weighTraffic([change({ id: { S: 'a' }, b: { B: 'A'.repeat(300) }, l: { L: [{ BS: ['AAAA'] }] } })])
    // 300 characters of base64 become 400; four in a list become eight
    expect(binary.kinesisBytes - binary.streamsBytes - (text.kinesisBytes - text.streamsBytes)).toBe(104)
  })
})

describe('packing a sample', () => {
  it('is billed 5 KB a change where each comes alone', () => {
    const packing = packSample(changes, 1)
    expect(packing).toMatchObject({ changes: 1, records: 1, billedBytes: 5120, puts: 1 })
  })

  it('adds little to the bytes of full packs', () => {
    const packing = packSample(changes, 1000)
    expect(packing.billedBytes / packing.bytes).toBeLessThan(1.02)
    expect(packing.bytes / packing.records).toBeLessThanOrEqual(PACK_BYTES)
    expect(packing.puts).toBe(1 / 1000)
  })

  it('hands over no more than Lambda does: 6 MB', () => {
    const large = madeUpChanges({ ...shape, itemBytes: 65_536 })
    const { changes: together } = packSample(large, 1000)
    const { streamsBytes } = weighTraffic(large)
    expect(together * streamsBytes).toBeLessThanOrEqual(6 * 1024 ** 2)
    expect((together + 2) * streamsBytes).toBeGreaterThan(6 * 1024 ** 2)
  })

  it('goes round the sample where more come together than it has', () => {
    const packing = packSample(changes.slice(0, 7), 50)
    expect(packing.changes).toBe(50)
  })
})
