import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTopLevel, readPath, writePath } from '../../queries/attribute-path.js'
import { tableConfiguration } from '../factories.js'
import { archiveOf, change, keyOf } from './story.js'

const segment = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }).map(name => ({ name })),
  fc.string({ minLength: 1, unit: 'grapheme' }).map(element => ({ element })),
)
const path = fc
  .tuple(
    fc.string({ minLength: 1, unit: 'grapheme' }).map(name => ({ name })),
    fc.array(segment, { maxLength: 4 }),
  )
  .map(([first, others]) => [first, ...others])

describe('an attribute’s path', () => {
  it('is read as it is printed, whatever the names and values in it', () => {
    fc.assert(
      fc.property(path, segments => {
        expect(readPath(writePath(segments))).toEqual(segments)
      }),
      { numRuns: 1000 },
    )
    expect(readPath('lines[sku=TEA].qty')).toEqual([{ name: 'lines' }, { element: 'sku=TEA' }, { name: 'qty' }])
    expect(readPath('"address.v2".city')).toEqual([{ name: 'address.v2' }, { name: 'city' }])
  })

  it('is a mere name where it is no path', () => {
    for (const name of ['status', 'a b', 'a..b', '.a', 'a.', 'a[', 'a[]', '[0]', '"a', 'a]b', '?', "it's"])
      expect(isTopLevel(name), name).toBe(true)
    for (const text of ['a.b', 'a[0]', '"a b"', '"a".b']) expect(isTopLevel(text), text).toBe(false)
  })
})

const shipping = (city: string, zip: string) => ({ M: { city: { S: city }, zip: { S: zip }, "o'd: ?": { N: '1' } } })
const lines = (...skus: readonly [sku: string, qty: string][]) => ({
  L: skus.map(([sku, qty]) => ({ M: { sku: { S: sku }, qty: { N: qty } } })),
})
const state = (status: string, ...more: object[]) => Object.assign({ status: { S: status } }, ...more)
const FIRST = {
  ...state('NEW'),
  shipping: shipping('Bonn', '53111'),
  lines: lines(['TEA', '1'], ['CUP', '2']),
  box: { M: { state: { S: 'OPEN' } } },
  'plain.name': { N: '1' },
  plain: { M: { name: { N: '5' } } },
}
const MOVED = { ...FIRST, shipping: shipping('Köln', '50667'), 'plain.name': { N: '2' } }
const SWAPPED = { ...MOVED, lines: lines(['CUP', '2'], ['TEA', '7']), box: { M: { state: { S: 'SHUT' } } } }

describe('a question about a path', () => {
  const { ask } = archiveOf(
    [
      change('A', '20T10:00:00', undefined, FIRST),
      change('A', '20T11:00:00', FIRST, MOVED),
      change('A', '20T12:00:00', MOVED, SWAPPED),
      change('A', '20T13:00:00', SWAPPED, undefined),
      change('B', '20T11:00:30', undefined, FIRST),
      change('B', '20T12:00:30', FIRST, SWAPPED),
    ],
    tableConfiguration({
      columns: [{ column: 'town', path: ['shipping', 'city'], type: 'string' }],
      lifecycle: { path: ['box', 'state'], allowed: [['SHUT', 'OPEN']] },
    }),
  )
  const A = { item_key: keyOf('A') }
  const history = (attribute: string) => ask('attribute-history', { ...A, attribute }, ['old_value', 'new_value'])
  const CITIES = [
    [null, '{"S":"Bonn"}'],
    ['{"S":"Bonn"}', '{"S":"Köln"}'],
    ['{"S":"Köln"}', null],
  ]

  it('tells what changed there, and passes over changes beside it', async () => {
    expect(await history('shipping.city')).toEqual(CITIES)
    expect(await history(`shipping."o'd: ?"`)).toEqual([
      [null, '{"N":"1"}'],
      ['{"N":"1"}', null],
    ])
  })

  it('finds the elements of lists by what they are, and by their place', async () => {
    expect(await history('lines[sku=TEA].qty')).toEqual([
      [null, '{"N":"1"}'],
      ['{"N":"1"}', '{"N":"7"}'],
      ['{"N":"7"}', null],
    ])
    expect((await history('lines[0].sku')).slice(1, 2)).toEqual([['{"S":"TEA"}', '{"S":"CUP"}']])
  })

  it('takes the configured column of a path', async () => {
    expect(await history('town')).toEqual(CITIES)
  })

  it('prefers the attribute whose whole name it is', async () => {
    expect((await history('plain.name'))[1]).toEqual(['{"N":"1"}', '{"N":"2"}'])
    expect(await history('"plain"."name"')).toEqual([
      [null, '{"N":"5"}'],
      ['{"N":"5"}', null],
    ])
  })

  it('refuses a path that no item ever had, with those beside it', async () => {
    await expect(history('shipping.ctiy')).rejects.toThrow(
      'parameter attribute is "shipping.ctiy", which no item ever had, expected an attribute such as shipping.city',
    )
    await expect(history('shiping.city')).rejects.toThrow(
      'which no item ever had, expected an attribute such as shipping',
    )
    await expect(history('lines[sku=POT].qty')).rejects.toThrow('which no item ever had')
    await expect(ask('blame', { ...A, attribute: 'status.x' }, ['value'])).rejects.toThrow('which no item ever had')
  })

  it('is asked of all items, of their steps, and of who was the last', async () => {
    const columns = ['item_key', 'old_value', 'new_value']
    const byAttribute = await ask(
      'changes-by-attribute',
      { attribute: 'shipping.city', from: '2026-11-20T11:00:00Z', to: '2026-11-20T12:30:00Z' },
      columns,
    )
    expect(byAttribute).toEqual([
      [keyOf('A'), '{"S":"Bonn"}', '{"S":"Köln"}'],
      [keyOf('B'), null, '{"S":"Bonn"}'],
      [keyOf('B'), '{"S":"Bonn"}', '{"S":"Köln"}'],
    ])
    const steps = ['item_key', 'from_status', 'to_status']
    expect(await ask('status-transitions', { attribute: 'box.state' }, [...steps, 'seconds_in_status'])).toEqual([
      [keyOf('A'), null, 'OPEN', 7200],
      [keyOf('B'), null, 'OPEN', 3600],
      [keyOf('A'), 'OPEN', 'SHUT', 3600],
      [keyOf('B'), 'OPEN', 'SHUT', null],
      [keyOf('A'), 'SHUT', null, null],
    ])
    // the life cycle's own attribute is a path, too
    expect(await ask('illegal-transitions', {}, steps)).toEqual([
      [keyOf('A'), 'OPEN', 'SHUT'],
      [keyOf('B'), 'OPEN', 'SHUT'],
    ])
    expect(
      await ask('blame', { ...A, attribute: 'shipping.city', at: '2026-11-20T12:30:00Z' }, [
        'attribute',
        'value',
        'event_time',
      ]),
    ).toEqual([['shipping.city', '{"S":"Köln"}', '2026-11-20T11:00:00.000Z']])
    expect(await ask('blame', { ...A, attribute: 'status' }, ['attribute', 'event_name'])).toEqual([
      ['status', 'REMOVE'],
    ])
    const burst = await ask('mass-changes', { attribute: 'lines[sku=TEA].qty', at_least: '2' }, [
      'attribute',
      'changes',
      'items',
    ])
    expect(burst).toEqual([['lines[sku=TEA].qty', 2n, 2n]])
    expect(await ask('mass-changes', { attribute: 'status', at_least: '1' }, ['attribute'])).toEqual([])
  })
})
