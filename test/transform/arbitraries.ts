/** Random items and records for the laws, as odd as DynamoDB allows them. */
import type { AttributeValue } from 'aws-lambda'
import fc from 'fast-check'
import {
  type Attributes,
  baselineDocument,
  CHANGED_AT,
  kinesisDocument,
  streamsRecord,
  TIME_TO_LIVE,
  tableConfiguration,
} from '../factories.js'
import { plainNumber } from './second-implementation.js'

/** How a law is tried: the same cases in every run. */
export const runs = (numRuns: number) => ({ seed: 20261122, numRuns })

/** All of Unicode but surrogates, with a liking for what has tripped somebody. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '-', '\0', '"', '\\', '\n', '\u2028', '～', '😀', '\uffff', '\u{10ffff}'),
  },
)

const attributeName = fc.oneof(
  { weight: 3, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'S',
      'M',
      'L',
      'length',
      '1',
      '10',
      '9',
      '-1',
      'a.b',
    ),
  },
)

/** A number by its parts, so that a test can compute with it: `digits * 10^exponent`, written as `text`. */
export interface Numeral {
  readonly text: string
  readonly digits: bigint
  readonly exponent: number
}

/** DynamoDB's numbers, of up to 38 digits, in every form that it or an emulator writes. */
export const numeral: fc.Arbitrary<Numeral> = fc
  .record({
    negative: fc.boolean(),
    whole: fc.stringMatching(/^(0|[1-9]\d{0,18})$/),
    fraction: fc.option(fc.stringMatching(/^\d{1,19}$/)),
    power: fc.option(fc.integer({ min: -130, max: 125 })),
    letter: fc.constantFrom('e', 'E', 'E+'),
  })
  .map(({ negative, whole, fraction, power, letter }) => {
    const sign = negative ? '-' : ''
    const exponent = power === null ? '' : `${power < 0 ? letter.slice(0, 1) : letter}${power}`
    const magnitude = BigInt(whole + (fraction ?? ''))
    return {
      text: `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent}`,
      digits: negative ? -magnitude : magnitude,
      exponent: (power ?? 0) - (fraction?.length ?? 0),
    }
  })
  .filter(({ digits, exponent }) => {
    const magnitude = String(digits < 0n ? -digits : digits).length - 1 + exponent
    return digits === 0n || (magnitude >= -130 && magnitude <= 125)
  })

/** As DynamoDB writes them. */
const number = numeral.map(({ text }) => plainNumber(text))
const binary = fc.uint8Array({ maxLength: 12 }).map(bytes => Buffer.from(bytes).toString('base64'))
const setOf = (element: fc.Arbitrary<string>) => fc.uniqueArray(element, { minLength: 1, maxLength: 5 })

export const { item } = fc.letrec<{ value: AttributeValue; item: Attributes }>(tie => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    text.map(S => ({ S })),
    number.map(N => ({ N })),
    binary.map(B => ({ B })),
    fc.boolean().map(BOOL => ({ BOOL })),
    fc.constant({ NULL: true }),
    setOf(text).map(SS => ({ SS })),
    setOf(number).map(NS => ({ NS })),
    setOf(binary).map(BS => ({ BS })),
    fc.array(tie('value'), { maxLength: 4 }).map(L => ({ L })),
    tie('item').map(M => ({ M })),
  ),
  // fromEntries, because an assignment to __proto__ would be lost
  item: fc
    .uniqueArray(fc.tuple(attributeName, tie('value')), { selector: ([name]) => name, maxLength: 5 })
    .map(members => Object.fromEntries(members)),
}))

/** A table with a flat column of every declared type; each attribute of the same name often fits. */
export const typedTable = tableConfiguration({
  actor: ['meta', 'by'],
  columns: [
    { column: 'string', path: ['string'], type: 'string' },
    { column: 'number', path: ['number'], type: 'number' },
    { column: 'json', path: ['meta'], type: 'json' },
    { column: 'bigint', path: ['bigint'], type: 'bigint' },
    { column: 'double', path: ['number'], type: 'double' },
    { column: 'decimal', path: ['decimal'], type: 'decimal(12,2)' },
    { column: 'boolean', path: ['boolean'], type: 'boolean' },
    { column: 'timestamp', path: ['timestamp'], type: 'timestamp', unit: 's' },
  ],
})

const typedItem = fc
  .record(
    {
      order_id: fc.constant<AttributeValue>({ S: 'ORD12345' }),
      string: text.map(S => ({ S })),
      number: number.map(N => ({ N })),
      bigint: fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(whole => ({ N: String(whole) })),
      decimal: fc.integer().map(cents => ({ N: String(cents / 100) })),
      boolean: fc.oneof(
        fc.boolean().map(BOOL => ({ BOOL })),
        fc.constant({ S: 'true' }),
      ),
      timestamp: fc.integer({ min: -1e9, max: 1e10 }).map(seconds => ({ N: String(seconds) })),
      meta: fc.oneof(fc.record({ by: text.map(S => ({ S })) }), item).map(M => ({ M })),
    },
    { requiredKeys: ['order_id'] },
  )
  .map((attributes): Attributes => attributes)

const images = fc.oneof(
  typedItem.map(NewImage => ({ NewImage })),
  typedItem.map(OldImage => ({ OldImage })),
  fc.record({ OldImage: typedItem, NewImage: typedItem }),
)
const userIdentity = fc.constantFrom(null, TIME_TO_LIVE, { type: 'a "é"', principalId: '山田' })
const eventID = fc.option(fc.uuid(), { nil: undefined })
const awsRegion = fc.constantFrom('us-east-1', undefined)
const seconds = fc.integer({ min: CHANGED_AT - 1e8, max: CHANGED_AT })

const streams = fc
  .record({
    images,
    fields: fc.record({
      eventID,
      awsRegion,
      userIdentity,
      ApproximateCreationDateTime: fc.option(seconds, { nil: undefined }),
      SequenceNumber: fc.option(fc.stringMatching(/^\d{1,40}$/), { nil: undefined }),
      StreamViewType: fc.constantFrom('NEW_AND_OLD_IMAGES' as const, undefined),
    }),
  })
  .map(({ images, fields }) => streamsRecord({ ...images, ...fields }))

const kinesis = fc
  .record({
    images,
    fields: fc.record({ eventID, awsRegion, userIdentity }),
    time: fc.oneof(
      seconds.map(time => ({ ApproximateCreationDateTime: time * 1000 + 370 })),
      seconds.map(time => ({
        ApproximateCreationDateTime: time * 1_000_000 + 370_456,
        ApproximateCreationDateTimePrecision: 'MICROSECOND' as const,
      })),
      fc.constant({ ApproximateCreationDateTime: undefined }),
    ),
  })
  .map(({ images, fields, time }) => kinesisDocument({ ...images, ...fields, ...time }))

/** A baseline document of table Orders. */
export const baseline = fc
  .record({ Item: typedItem, time: seconds.map(time => new Date(time * 1000).toISOString()) })
  .map(fields => baselineDocument(fields))

/** A document of each kind that the transform reads, of table Orders. */
export const changeDocument: fc.Arbitrary<object> = fc.oneof(streams, kinesis, baseline)
