import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderRecords } from '../../bench/orders.js'
import { createRandom } from '../../bench/random.js'
import { type Envelope, readEnvelope } from '../../capture/envelope.js'
import { splitDocuments } from '../../transform/json.js'
import { Refusal } from '../../transform/refusal.js'
import { baselineDocument, kinesisDocument, STREAM_ARN, streamsRecord } from '../factories.js'
import { changeDocument, runs } from '../transform/arbitraries.js'
import { mutate } from '../transform/mutations.js'

const read = (text: string) => readEnvelope(Buffer.from(text))

/** The same, parsed by white space that no glance takes. */
const parsed = (text: string) => read(` ${text}`)

function isRead(text: string): boolean {
  try {
    return splitDocuments(text).length > 0
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

describe('readEnvelope', () => {
  it('tells the table and whether there is a time, of each kind of record', () => {
    const known: Envelope = { isObject: true, table: 'Orders', hasTime: true, isUnnamed: false }
    for (const record of [streamsRecord(), kinesisDocument(), baselineDocument()]) {
      expect(read(JSON.stringify(record))).toEqual(known)
      expect(read(JSON.stringify(record, null, 2))).toEqual(known)
    }
    const timeless = { ApproximateCreationDateTime: undefined }
    for (const record of [streamsRecord(timeless), kinesisDocument(timeless)])
      expect(read(JSON.stringify(record))).toEqual({ ...known, hasTime: false })
    expect(read('no JSON')).toEqual({ isObject: false, table: undefined, hasTime: true, isUnnamed: false })
    expect(read('[]')).toEqual({ isObject: false, table: undefined, hasTime: true, isUnnamed: false })
    expect(read('')).toEqual({ isObject: false, table: undefined, hasTime: true, isUnnamed: false })
  })

  it('is not misled by attributes that are called like fields', () => {
    const named = { S: ',"eventSourceARN":"arn:aws:dynamodb:::table/Other/' }
    const image = { eventSourceARN: named, tableName: named, dynamodb: { M: { ApproximateCreationDateTime: named } } }
    for (const record of [streamsRecord({ NewImage: image }), kinesisDocument({ NewImage: image })])
      expect(read(JSON.stringify(record)).table).toBe('Orders')
    const timeless = kinesisDocument({ NewImage: image, ApproximateCreationDateTime: undefined })
    expect(read(JSON.stringify(timeless)).hasTime).toBe(false)
    const inside = { ...streamsRecord({ eventSourceARN: undefined }), userIdentity: { eventSourceARN: STREAM_ARN } }
    expect(read(JSON.stringify(inside)).table).toBeUndefined()
  })

  it('tells the same of JSON as a parser, at a glance or not', () => {
    fc.assert(
      fc.property(changeDocument, document => {
        const text = JSON.stringify(document)
        expect(read(text)).toEqual(parsed(text))
      }),
      runs(200),
    )
  })

  it('tells the same of a record that was tampered with, as long as it is JSON', () => {
    const random = createRandom(20261122)
    const records = [...orderRecords({ count: 20 }), JSON.stringify(streamsRecord()), JSON.stringify(kinesisDocument())]
    let compared = 0
    for (let i = 0; i < 4_000; i++) {
      const record = records[Math.floor(random() * records.length)] as string
      const bytes = mutate(Buffer.from(record), random)
      const text = bytes.toString()
      const envelope = readEnvelope(bytes)
      // the transform refuses a name that stands twice
      if (!parsed(text).isObject || !isRead(text)) continue
      expect(envelope, text).toEqual(parsed(text))
      compared++
    }
    expect(compared).toBeGreaterThan(800)
  })
})
