import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CommandError } from '../../cli/io.js'
import { parseItemKey, showItemKey } from '../../cli/show/item-key.js'
import { printable } from '../../cli/show/text.js'
import { canonicalAttributes, canonicalItem } from '../../transform/attribute-value.js'
import { runs } from '../transform/arbitraries.js'

const canonical = (key: object) => canonicalItem(canonicalAttributes(key, 'key', 'once'), 'key')

const SIMPLE = canonical({ order_id: { S: 'any' } })
const NUMBER = canonical({ id: { N: '1' } })
const BINARY = canonical({ id: { B: 'AA==' } })
const COMPOSITE = canonical({ pk: { S: 'any' }, sk: { S: 'any' } })
const MIXED = canonical({ pk: { S: 'any' }, sk: { N: '1' } })

describe('a key that is typed', () => {
  it.each([
    ['bare', SIMPLE, 'ORD12345', { order_id: { S: 'ORD12345' } }],
    ['with its name', SIMPLE, 'order_id=ORD12345', { order_id: { S: 'ORD12345' } }],
    ['beginning with a hyphen', SIMPLE, 'order_id=-5', { order_id: { S: '-5' } }],
    ['with commas and equals signs', SIMPLE, 'a,b=c,d', { order_id: { S: 'a,b=c,d' } }],
    ['with blanks', SIMPLE, '  two  words ', { order_id: { S: '  two  words ' } }],
    ['in any script', SIMPLE, 'Zoë 🎈 é 王', { order_id: { S: 'Zoë 🎈 é 王' } }],
    ['as plain JSON', SIMPLE, '{"order_id":"ORD12345"}', { order_id: { S: 'ORD12345' } }],
    ['as DynamoDB JSON', SIMPLE, ' {"order_id":{"S":"ORD12345"}}', { order_id: { S: 'ORD12345' } }],
    ['as JSON that is no key', SIMPLE, '{"other":1}', { order_id: { S: '{"other":1}' } }],
    ['as a whole item', SIMPLE, '{"order_id":"ORD12345","total":3}', { order_id: { S: 'ORD12345' } }],
    ['of two attributes', COMPOSITE, 'pk=a,sk=b', { pk: { S: 'a' }, sk: { S: 'b' } }],
    ['of two attributes, the other way round', COMPOSITE, 'sk=b,pk=a', { pk: { S: 'a' }, sk: { S: 'b' } }],
    ['of two with commas', COMPOSITE, 'pk=a,b,sk=c,d', { pk: { S: 'a,b' }, sk: { S: 'c,d' } }],
    ['of two with equals signs', COMPOSITE, 'pk=a=b,sk=c=d', { pk: { S: 'a=b' }, sk: { S: 'c=d' } }],
    ['of two, one empty', COMPOSITE, 'pk=,sk=b', { pk: { S: '' }, sk: { S: 'b' } }],
    ['of two as JSON', COMPOSITE, '{"sk":"b,pk=c","pk":"a"}', { pk: { S: 'a' }, sk: { S: 'b,pk=c' } }],
    ['of a text and a number', MIXED, 'pk=a,sk=7', { pk: { S: 'a' }, sk: { N: '7' } }],
    ['of both as JSON', MIXED, '{"pk":"a","sk":7}', { pk: { S: 'a' }, sk: { N: '7' } }],
    ['as a number', NUMBER, '42', { id: { N: '42' } }],
    ['as a negative number', NUMBER, '-42.5', { id: { N: '-42.5' } }],
    ['as a JSON number', NUMBER, '{"id":42}', { id: { N: '42' } }],
    ['in bytes', BINARY, 'AQID', { id: { B: 'AQID' } }],
    ['in bytes with its name', BINARY, 'id=AQ==', { id: { B: 'AQ==' } }],
  ])('is read %s', (_, sample, typed, key) => {
    expect(parseItemKey(typed, sample)).toBe(canonical(key))
  })

  it.each([
    ['1.0', '1'],
    ['01', '1'],
    ['+1', '1'],
    ['1.', '1'],
    ['.5', '0.5'],
    ['-0', '0'],
    ['0.0', '0'],
    ['-00.500', '-0.5'],
    ['1e3', '1000'],
    ['1.25E+1', '12.5'],
    ['125e-4', '0.0125'],
    ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
  ])('as the number %s is looked for as DynamoDB writes it, %s', (typed, written) => {
    expect(parseItemKey(typed, NUMBER)).toBe(canonical({ id: { N: written } }))
  })

  it('keeps a text that looks like a number', () => {
    expect(parseItemKey('01', SIMPLE)).toBe(canonical({ order_id: { S: '01' } }))
  })

  it.each([
    [
      'one value for two attributes',
      COMPOSITE,
      'a',
      'key "a" does not say pk and sk',
      'type it as pk=...,sk=..., or as JSON: {"pk":"...","sk":"..."}',
    ],
    ['a misspelt attribute', COMPOSITE, 'pk=a,sort=b', 'key "pk=a,sort=b" does not say pk and sk', 'type it as pk=...'],
    ['JSON that lacks one', COMPOSITE, '{"pk":"a"}', 'key "{\\"pk\\":\\"a\\"}" does not say pk and sk', 'type it as'],
    [
      'a text for a number',
      NUMBER,
      'x',
      'key.id has N "x", which is no number that DynamoDB has',
      'type it as the bare value of id, or as JSON: {"id":"..."}',
    ],
    [
      'a text for bytes',
      BINARY,
      'hello',
      'key.id has B "hello", which is not base64',
      'type it as the bare value of id in base64, or as JSON: {"id":"BASE64"}',
    ],
    [
      'a JSON number that lost digits',
      NUMBER,
      '{"id":12345678901234567890}',
      'key.id is a JSON number of more than 15 digits, write it as a string',
      'type it as the bare',
    ],
    ['a lone surrogate', SIMPLE, 'a\ud800', 'key.order_id has a lone surrogate, which no UTF-8 text can carry', 'type'],
  ])('is refused with the accepted form: %s', (_, sample, typed, message, hint) => {
    expect.assertions(3)
    try {
      parseItemKey(typed, sample)
    } catch (error) {
      expect(error).toBeInstanceOf(CommandError)
      expect((error as CommandError).message).toBe(message)
      expect((error as CommandError).hint).toContain(hint)
    }
  })
})

describe('a key that is shown', () => {
  it.each([
    ['ORD12345', { order_id: { S: 'ORD12345' } }],
    ['-1.5', { id: { N: '-1.5' } }],
    ['pk=a,sk=b', { pk: { S: 'a' }, sk: { S: 'b' } }],
    ['pk=a,b=c,sk=1', { pk: { S: 'a,b=c' }, sk: { N: '1' } }],
    ['👩‍🚀 é', { order_id: { S: '👩‍🚀 é' } }],
  ])('is bare: %s', (shown, key) => {
    expect(showItemKey(canonical(key))).toBe(shown)
  })

  it.each([
    ['typed bare it would be another item', { pk: { S: 'a,sk=b' }, sk: { S: 'c' } }],
    ['its name would be taken off', { order_id: { S: 'order_id=1' } }],
    ['it looks like JSON of itself', { order_id: { S: '{"order_id":"x"}' } }],
    ['it is empty', { order_id: { S: '' } }],
  ])('is JSON where %s', (_, key) => {
    expect(showItemKey(canonical(key))).toBe(canonical(key))
  })

  it('is JSON with escapes where it holds what cannot be seen', () => {
    expect(showItemKey(canonical({ id: { S: 'a\u001b[2Jb\u009b' } }))).toBe('{"id":{"S":"a\\u001b[2Jb\\u009b"}}')
    expect(showItemKey(canonical({ id: { S: 'ORD1\u200b' } }))).toBe('{"id":{"S":"ORD1\\u200b"}}')
    expect(showItemKey(canonical({ id: { S: 'abc\u202efed' } }))).toBe('{"id":{"S":"abc\\u202efed"}}')
  })

  it('is any other text as it is', () => {
    expect(showItemKey('not a key')).toBe('not a key')
  })

  const name = fc.constantFrom('pk', 'sk', 'id', 'a=b', 'a,b', '"', 'ü', '')
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('a', ',', '=', 'p', 's', 'k', '{', '"', '\u0000', '\u202e') }),
  )
  const value = fc.oneof(
    text.filter(content => content.isWellFormed()).map(S => ({ S })),
    fc.integer().map(N => ({ N: String(N) })),
    fc.constantFrom('1.0', '01', '-0', '1e5').map(N => ({ N })),
    fc.uint8Array().map(bytes => ({ B: Buffer.from(bytes).toString('base64') })),
  )
  const key = fc
    .uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 2, selector: ([attribute]) => attribute })
    .map(attributes => canonical(Object.fromEntries(attributes)))

  it('can be typed again, and means the same item', () => {
    fc.assert(
      fc.property(key, item => {
        const shown = showItemKey(item)
        expect(printable(shown)).toBe(shown)
        expect(parseItemKey(shown, item)).toBe(item)
      }),
      runs(1000),
    )
  })
})
