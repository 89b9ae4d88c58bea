import { describe, expect, it, vi } from 'vitest'
import { baselineRecords, ORDERS, orderRecords } from '../../../bench/orders.js'
import { baselineDocument as capturedDocument } from '../../../capture/baseline.js'
import { FastTransform } from '../../../transform/fast/transform.js'
import { unconfiguredTable } from '../../../transform/table-configuration.js'
import { transformRecord } from '../../../transform/transform.js'
import {
  ARRIVAL,
  type Attributes,
  baselineDocument,
  firehoseEvent,
  kinesisDocument,
  type RecordContent,
  recordBytes,
  STREAM_ARN,
  streamsRecord,
  TIME_TO_LIVE,
  tableConfiguration,
} from '../../factories.js'
import { readRecord, recordNames } from '../../fixtures/build.js'
import { randomOf } from '../../random.js'

const DAY_AFTER = ARRIVAL + 24 * 60 * 60 * 1000

const kinesisTable = tableConfiguration({ capture: 'kinesis' })

/** The lines of both paths, which must be equal; undefined where the fast one declines. */
function linesOf(content: RecordContent, table = tableConfiguration(), arrival = DAY_AFTER): string | undefined {
  const data = recordBytes(content)
  const fast = new FastTransform(table).transform(Buffer.from(data).toString('base64'), arrival)
  if (fast.kind === 'declined') return undefined
  const plain = transformRecord(data, arrival, table)
  if (plain.kind === 'refused') throw new Error(`the fast path took what is to be refused: ${plain.reason}`)
  expect(Buffer.from(fast.data, 'base64').toString()).toBe(plain.lines)
  expect(fast.date).toBe(plain.partition.date)
  return plain.lines
}

const withItem = (NewImage: Attributes) => streamsRecord({ NewImage: { order_id: { S: 'ORD12345' }, ...NewImage } })
const identified = (userIdentity: object) => ({ ...streamsRecord(), userIdentity })
const withText = (text: string) => JSON.stringify(streamsRecord()).replace('{"S":"PENDING"}', text)

const ESCAPED = [
  'a"b',
  'a!b',
  'a#b',
  'a\\b',
  'a[b',
  'a]b',
  'a\nb',
  'a\tb',
  'a\u001fb',
  'a\u000fb',
  'a',
  'a\n',
  '"',
  '\\',
  '\\\\n',
  'é"',
]
const named = (names: readonly string[]): Attributes => Object.fromEntries(names.map(name => [name, { S: name }]))
const shuffledNames = (count: number) => Array.from({ length: count }, (_, i) => `a${(i * 7919) % 10_007}`)

/** Attributes in no order, some of which are canonical as they stand. */
const VERSIONED: readonly (readonly [string, Attributes[string]])[] = [
  ['zip', { S: 'a"b' }],
  ['total', { N: '12.5' }],
  ['tags', { SS: ['b', 'a'] }],
  ['sorted', { SS: ['a', 'b'] }],
  ['address', { M: { street: { S: 'x' }, city: { S: 'y' } } }],
  ['lines', { L: [{ S: 'x' }, { M: { b: { B: 'AAECAw==' }, a: { NULL: true } } }] }],
  ['a"b', { BOOL: true }],
  ['bytes', { B: 'AAECAw==' }],
  ['ab', { S: '' }],
]
const packOf = (documents: readonly object[]) => documents.map(document => JSON.stringify(document)).join('\n')
const imageOf = (attributes: readonly (readonly [string, Attributes[string]])[]): Attributes => ({
  order_id: { S: 'ORD12345' },
  ...Object.fromEntries(attributes),
})

describe('the fast path', () => {
  it('takes ordinary records, and gives the very bytes of the plain path', () => {
    const records = [...orderRecords({ count: 1000 })]
    const taken = records.filter(record => linesOf(record, ORDERS) !== undefined)
    expect(taken.length / records.length).toBeGreaterThanOrEqual(0.95)
  })

  it('takes every item of a baseline, and gives the very bytes of the plain path', () => {
    for (const table of [ORDERS, { ...ORDERS, capture: 'kinesis' as const }]) {
      const declined = [...baselineRecords({ count: 500 })].filter(record => linesOf(record, table) === undefined)
      expect(declined).toEqual([])
    }
  })

  it('takes the documents that a baseline sends without reading them twice', () => {
    const source = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/2026-11-22T10:00:00Z'
    const origin = { method: 'scan', source, fromUs: ARRIVAL * 1000 } as const
    const document = capturedDocument('{"status":{"S":"PENDING"},"order_id":{"S":"ORD12345"}}', 'Orders', origin)
    const parse = vi.spyOn(JSON, 'parse')
    const data = Buffer.from(document).toString('base64')
    expect(new FastTransform(tableConfiguration()).transform(data, ARRIVAL).kind).toBe('transformed')
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
    expect(linesOf(document)).toContain('"region":"us-east-1"')
  })

  it('takes a pack of changes and baselines, each with binary as it encodes it', () => {
    const item = { order_id: { S: 'ORD12345' }, b: { B: 'AAECAw==' } }
    const pack = [kinesisDocument({ NewImage: item }), baselineDocument({ Item: item }), kinesisDocument()]
    const lines = linesOf(pack.map(document => JSON.stringify(document)).join('\n'), kinesisTable)
    expect(lines?.match(/\{\\"B\\":\\"AAECAw==\\"\}/g)).toHaveLength(2)
  })

  it('builds the key of a baseline from its item, sorted by what the names stand for', () => {
    const keys = ['b', 'a"x', 'a!', 'order_id'].map((attribute, i) => ({ column: `k${i}`, attribute }))
    const table = tableConfiguration({ keys })
    const key = { 'a!': { N: '1' }, 'a"x': { B: 'AA==' }, b: { S: 'é"' }, order_id: { S: 'ORD12345' } }
    for (const Item of [key, { zz: { SS: ['b', 'a'] }, ...key }, Object.fromEntries(Object.entries(key).reverse())]) {
      const row = JSON.parse(linesOf(baselineDocument({ Item }), table) as string)
      expect(row.item_key).toBe(JSON.stringify(key))
      expect([row.key_k0, row.key_k1, row.key_k2]).toEqual(['é"', 'AA==', '1'])
    }
  })

  const { itemtrail, Item, ...others } = baselineDocument()
  const takenBaselines: readonly (readonly [string, RecordContent])[] = [
    ['white space', JSON.stringify(baselineDocument(), null, 1)],
    ['its fields in another order', { itemtrail, Item, ...others }],
    ['its marker at the end', { Item, ...others, itemtrail }],
    ['a source without a region', baselineDocument({ source: 'scan-20261122' })],
    ['a time in another zone', baselineDocument({ time: '2026-11-22T10:59:00.1234567+01:00' })],
  ]
  it.each(takenBaselines)('takes a baseline with %s', (_about, record) => {
    expect(linesOf(record)).toBeDefined()
  })

  const refusedBaselines: readonly (readonly [string, RecordContent, string])[] = [
    ['another version', baselineDocument({ itemtrail: 'baseline/v2' }), 'itemtrail is "baseline/v2"'],
    ['a marker that is null', { ...baselineDocument(), itemtrail: null }, 'itemtrail is null'],
    ['its marker twice', JSON.stringify(baselineDocument()).replace('{', '{"itemtrail":"baseline/v1",'), 'name twice'],
    ['another table', baselineDocument({ table: 'Others' }), 'record is of table "Others"'],
    ['no source', { ...baselineDocument(), source: undefined }, 'source is missing'],
    ['the source "-"', baselineDocument({ source: '-' }), 'source is "-"'],
    ['a region that is "-"', baselineDocument({ source: 'arn:aws:dynamodb:-:1:table/Orders' }), 'region in source'],
    ['no time', { ...baselineDocument(), time: undefined }, 'time is undefined'],
    ['a time that counts', { ...baselineDocument(), time: 1_795_341_540 }, 'time is 1795341540'],
    ['a time without a zone', baselineDocument({ time: '2026-11-22T09:59:00' }), 'time is "2026-11-22T09:59:00"'],
    ['a time before 1970', baselineDocument({ time: '1969-12-31T23:59:59Z' }), 'time is -1000000'],
    ['no item', { ...baselineDocument(), Item: undefined }, 'Item is'],
    ['an item without its key', baselineDocument({ Item: { status: { S: 'PENDING' } } }), 'Item has no "order_id"'],
    ['a key that is a map', baselineDocument({ Item: { order_id: { M: {} } } }), 'Keys.order_id is'],
  ]
  it.each(refusedBaselines)(
    'leaves a baseline with %s to the plain path, which refuses it',
    (_about, record, reason) => {
      expect(linesOf(record)).toBeUndefined()
      expect(transformRecord(recordBytes(record), DAY_AFTER, tableConfiguration())).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining(reason),
      })
    },
  )

  it('leaves a baseline of a table whose keys are not configured to the plain path', () => {
    expect(linesOf(baselineDocument(), unconfiguredTable('Orders'))).toBeUndefined()
    const twice = tableConfiguration({ keys: ['a', 'b'].map(column => ({ column, attribute: 'order_id' })) })
    expect(linesOf(baselineDocument(), twice)).toBeUndefined()
  })

  it('reads an image beside the other of its record as it does alone, whatever is gone, new or elsewhere', () => {
    const random = randomOf(17)
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T
    const anyChange = () => {
      const before = VERSIONED.filter(() => random() < 0.9)
      const after = before
        .filter(() => random() < 0.9)
        .map(([name, value]) => [name, random() < 0.2 ? pick(VERSIONED)[1] : value] as const)
      if (random() < 0.3) after.splice(Math.floor(random() * after.length), 0, ['new', { S: '' }])
      if (random() < 0.3) after.push(...after.splice(0, Math.floor(random() * after.length)))
      return { eventName: 'MODIFY', OldImage: imageOf(before), NewImage: imageOf(after) } as const
    }
    // in packs: what was found of one record must not be believed of the next
    for (let i = 0; i < 20; i++) {
      const changes = Array.from({ length: 20 }, anyChange)
      const oldFirst = changes.map(({ NewImage, ...fields }) => streamsRecord({ ...fields, NewImage }))
      expect(linesOf(packOf(oldFirst))).toBeDefined()
      expect(linesOf(packOf(changes.map(kinesisDocument)), kinesisTable)).toBeDefined()
    }
  })

  it('takes a pack as the forwarder makes it', () => {
    const pack = [...orderRecords({ count: 100 })].join('\n')
    expect(linesOf(pack, ORDERS)?.split('\n')).toHaveLength(101)
  })

  const taken: readonly (readonly [string, RecordContent])[] = [
    ['a minimal record', streamsRecord()],
    ['a delete by time to live', streamsRecord({ OldImage: { order_id: { S: 'x' } }, userIdentity: TIME_TO_LIVE })],
    ['an identity with texts beyond ASCII', identified({ type: 'é"\n', principalId: '山田' })],
    ['an identity of objects and lists', identified({ z: { b: ['1', { a: '' }], a: {} }, PrincipalId: '-', é: [] })],
    [
      'an identity with an escape that is not canonical',
      JSON.stringify(identified({ a: 'b' })).replace('"b"', '"\\u0062\\u00e9"'),
    ],
    ['an empty identity', identified({})],
    ['a record of keys only', streamsRecord({ eventName: 'MODIFY', StreamViewType: 'KEYS_ONLY' })],
    [
      'attributes in any order',
      withItem({ b: { S: '1' }, a: { S: '2' }, ab: { S: '3' }, A: { S: '4' }, '~': { S: '5' } }),
    ],
    [
      'nested maps in any order',
      withItem({ m: { M: { z: { M: { b: { N: '1' }, a: { L: [] } } }, y: { NULL: true } } } }),
    ],
    [
      'sets in any order',
      withItem({ s: { SS: ['b', 'a'] }, n: { NS: ['10', '9', '1'] }, b: { BS: ['BA==', 'AA=='] } }),
    ],
    ['texts with escapes', withItem({ t: { S: 'a"b\\c\n\t\b\f\r\u0000\u001f\u007f\u2028😀' } })],
    ['numbers as DynamoDB writes them', withItem({ a: { N: '-1.5' }, b: { N: '0' }, c: { N: `${'9'.repeat(38)}` } })],
    ['attributes named like parts of JavaScript', withText('{"S":"1"},"__proto__":{"S":"2"},"constructor":{"S":"3"}')],
    ['an empty image', streamsRecord({ NewImage: {} })],
    ['empty values', withItem({ a: { S: '' }, b: { M: {} }, c: { L: [] }, d: { B: '' }, e: { M: { '': { S: '' } } } })],
    ['white space', JSON.stringify(streamsRecord(), null, 1)],
    ['an escape that is not canonical', withText('{"S":"\\u0041"}')],
    ['an upper-case escape', withText('{"S":"\\u001F"}')],
    ['an escape that has a shorter form', withText('{"S":"\\u000a"}')],
    ['a record without a time', streamsRecord({ ApproximateCreationDateTime: undefined })],
    ['a field that is null', JSON.stringify(streamsRecord()).replace('"NewImage"', '"OldImage":null,"NewImage"')],
    [
      'a time with an exponent',
      JSON.stringify(streamsRecord({ ApproximateCreationDateTime: 1_795_341_600 })).replace(
        '1795341600',
        '1.7953416E9',
      ),
    ],
    ['a time as text', JSON.stringify(streamsRecord()).replace('1795341600', '"2026-11-22T11:00:00.25+01:00"')],
    [
      'names with escapes, in the order of what they stand for',
      withItem({ m: { M: named(ESCAPED) }, ...named(ESCAPED) }),
    ],
    ['sets of texts with escapes', withItem({ s: { SS: [...ESCAPED] } })],
    ['an item of a thousand attributes in any order', withItem(named(shuffledNames(1000)))],
    [
      'a list of ten thousand elements',
      withItem({ l: { L: Array.from({ length: 10_000 }, (_, i) => ({ N: `${i}` })) } }),
    ],
    [
      'a set of a thousand numbers in any order',
      withItem({ s: { NS: shuffledNames(1000).map(name => name.slice(1)) } }),
    ],
    ['an escape that needs none', withText('{"S":"a\\/b"}')],
    ['a time with a fraction', streamsRecord({ ApproximateCreationDateTime: 1_795_341_600.123 })],
  ]
  it.each(taken)('takes %s', (_about, record) => {
    expect(linesOf(record)).toBeDefined()
  })

  it('takes Kinesis documents with binary, which is encoded twice there', () => {
    const document = kinesisDocument({
      NewImage: { order_id: { S: 'ORD12345' }, b: { B: 'AAECAw==' }, s: { BS: ['//8=', 'AA=='] } },
    })
    expect(linesOf(document, kinesisTable)).toContain('{\\"B\\":\\"AAECAw==\\"}')
    expect(linesOf(document, tableConfiguration())).toBeUndefined()
    expect(linesOf(withItem({ b: { B: 'AAECAw==' } }), kinesisTable)).toBeUndefined()
  })

  const declined: readonly (readonly [string, RecordContent])[] = [
    ['a lone surrogate', withText('{"S":"\\ud800"}')],
    ['bytes that are not UTF-8', Buffer.from(withText('{"S":"\xff"}'), 'latin1')],
    ['a name that occurs twice', withText('{"S":"1"},"order_id":{"S":"2"}')],
    ['a name that occurs twice in a map', withText('{"M":{"b":{"S":"1"},"a":{"S":"1"},"b":{"S":"2"}}}')],
    ['a field that it does not know', JSON.stringify(streamsRecord()).replace('{', '{"more":["1"],')],
    ['one that is null', JSON.stringify(streamsRecord()).replace('{', '{"more":null,')],
    ['one beside the images', JSON.stringify(streamsRecord()).replace('"Keys"', '"more":"1","Keys"')],
    ['one behind white space', JSON.stringify({ more: '1', ...(streamsRecord() as object) }, null, 1)],
    ['one of a baseline', { ...(baselineDocument() as object), eventName: 'INSERT', dynamodb: {} }],
    [
      'a pack of which one has one',
      `${JSON.stringify(streamsRecord())}\n${JSON.stringify({ ...(streamsRecord() as object), more: 1 })}`,
    ],
    ['a field that occurs twice', JSON.stringify(streamsRecord()).replace('{', '{"eventID":"1",')],
    ['a number that is none', withText('{"N":"1."}')],
    ['a numeral of 201 characters', withText(`{"N":"${'1'.repeat(201)}"}`)],
    ['base64 that is not canonical', withText('{"B":"AB=="}')],
    ['NULL false', withText('{"NULL":false}')],
    ['two types', withText('{"S":"1","N":"1"}')],
    ['41 levels', withText(`${'{"L":['.repeat(41)}{"S":"x"}${']}'.repeat(41)}`)],
    ['a record cut off', JSON.stringify(streamsRecord()).slice(0, -1)],
    ['something behind the record', `${JSON.stringify(streamsRecord())}x`],
    ['no record', ''],
    ['only a line feed', '\n'],
    ['another table', streamsRecord({ eventSourceARN: STREAM_ARN.replace('Orders', 'Others') })],
    ['two tables', JSON.stringify(streamsRecord()).replace('{', '{"tableName":"Others",')],
    [
      'two dates',
      [streamsRecord(), streamsRecord({ ApproximateCreationDateTime: 1 })].map(r => JSON.stringify(r)).join('\n'),
    ],
    ['a size that is a fraction', streamsRecord({ SizeBytes: 1.5 })],
    ['a key that is a map', streamsRecord({ Keys: { order_id: { M: {} } } })],
    ['another key', streamsRecord({ Keys: { id: { S: '1' } } })],
    ['an identity with a number', identified({ a: 1 })],
    ['an identity with a number beyond a double', JSON.stringify(identified({ a: 1 })).replace('"a":1', '"a":1e400')],
    ['an identity with a field twice', JSON.stringify(identified({ a: '', b: '' })).replace('"b"', '"a"')],
    ['an identity that is no JSON', JSON.stringify(identified({ a: '' })).replace('"a":', '"a"::')],
    ['an identity that is a text', { ...streamsRecord(), userIdentity: 'anna' }],
    ['no keys', streamsRecord({ Keys: {} })],
  ]
  it.each(declined)('leaves %s to the plain path', (_about, record) => {
    expect(linesOf(record)).toBeUndefined()
  })

  it('leaves a change of before the first day, or of after its arrival, to the plain path', () => {
    expect(linesOf(streamsRecord(), tableConfiguration({ since: '2026-11-23' }))).toBeUndefined()
    expect(linesOf(streamsRecord(), tableConfiguration(), ARRIVAL - 2 * 24 * 60 * 60 * 1000)).toBeUndefined()
  })

  it('keeps nothing of a record for the next one', () => {
    const fastPath = new FastTransform(tableConfiguration({ actor: ['status'] }))
    const inputs = [
      streamsRecord({ OldImage: { status: { S: 'x'.repeat(3000) } }, userIdentity: TIME_TO_LIVE }),
      streamsRecord({ NewImage: {} }),
      baselineDocument(),
      baselineDocument({ Item: {} }),
      JSON.stringify(streamsRecord()).slice(0, 400),
      streamsRecord(),
      streamsRecord({ StreamViewType: undefined, SizeBytes: undefined, eventID: undefined, SequenceNumber: undefined }),
    ]
    const { records } = firehoseEvent([...inputs, ...inputs.reverse()])
    for (const { data } of records) {
      const alone = new FastTransform(tableConfiguration({ actor: ['status'] })).transform(data, ARRIVAL)
      expect(fastPath.transform(data, ARRIVAL)).toEqual(alone)
    }
  })

  it('takes records of any size that Firehose has, and declines larger ones', () => {
    expect(linesOf(withItem({ fill: { S: 'é"'.repeat(200_000) } }))).toBeDefined()
    expect(linesOf(withItem({ fill: { S: 'x'.repeat(2_000_000) } }))).toBeUndefined()
  })

  it('finds attributes whose names have escapes', () => {
    const column = { column: 'quoted', path: ['say "x"', 'a\\b'], type: 'string' } as const
    const record = withItem({ 'say "x"': { M: { 'a\\b': { S: 'here' } } } })
    expect(linesOf(record, tableConfiguration({ columns: [column] }))).toContain('"new_quoted":"here"')
  })

  it.each([49, 50, 51, 1000])('declines a name that occurs twice among %d that are not sorted', count => {
    const text = JSON.stringify(withItem(named(shuffledNames(count))))
    expect(linesOf(text)).toBeDefined()
    expect(linesOf(text.replace('"a7919"', '"a0"'))).toBeUndefined()
  })
})

describe('golden records', () => {
  it.each(recordNames())('%s is the same on both paths, or the fast one declines', name => {
    const { record, text, base64, arrival, table } = readRecord(name)
    const data = base64 === undefined ? Buffer.from(text ?? JSON.stringify(record)) : Buffer.from(base64, 'base64')
    const lines = linesOf(data, table ?? unconfiguredTable('Orders'), arrival)
    if (name.startsWith('refused-')) expect(lines).toBeUndefined()
  })

  it('are taken by the fast path where they are baselines', () => {
    for (const name of ['baseline-export', 'baseline-scan']) {
      const { record, arrival, table } = readRecord(name)
      expect(linesOf(JSON.stringify(record), table, arrival)).toBeDefined()
    }
  })

  it('are taken by the fast path where they are streams records and Kinesis documents of the usual form', () => {
    const names = recordNames().filter(name => {
      const { record, text, base64, arrival, table } = readRecord(name)
      const data = base64 === undefined ? Buffer.from(text ?? JSON.stringify(record)) : Buffer.from(base64, 'base64')
      return linesOf(data, table ?? unconfiguredTable('Orders'), arrival) !== undefined
    })
    expect(names.length).toBeGreaterThan(recordNames().length / 4)
  })
})
