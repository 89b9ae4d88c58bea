import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Difference, differencesOf } from '../../queries/difference.js'
import { type AttributeValue, type Item, parseItem } from '../../transform/attribute-value.js'
import { item, runs } from '../transform/arbitraries.js'
import { canonicalForm } from '../transform/second-implementation.js'

const s = (S: string): AttributeValue => ({ S })
const n = (N: string): AttributeValue => ({ N })
const m = (M: Item): AttributeValue => ({ M })
const line = (sku: string, qty: string) => m({ sku: s(sku), qty: n(qty) })

/** A path as people read it. */
const pathOf = ({ path }: Difference) =>
  path.map(segment => ('name' in segment ? segment.name : `[${segment.element}]`)).join('/')
const told = (before: Item | null, after: Item | null) =>
  differencesOf(before, after).map(difference => [
    difference.kind,
    pathOf(difference),
    difference.before,
    difference.after,
  ])

describe('differencesOf', () => {
  it('tells what was added, removed and changed, by attribute', () => {
    const before = { kept: s('x'), status: s('PENDING'), gone: n('1') }
    const after = { kept: s('x'), status: s('SHIPPED'), added: m({ a: s('') }) }
    expect(told(before, after)).toEqual([
      ['added', 'added', undefined, m({ a: s('') })],
      ['removed', 'gone', n('1'), undefined],
      ['changed', 'status', s('PENDING'), s('SHIPPED')],
    ])
  })

  it('takes no item for one without attributes', () => {
    expect(told(null, { a: s('x') })).toEqual([['added', 'a', undefined, s('x')]])
    expect(told({ a: s('x') }, null)).toEqual([['removed', 'a', s('x'), undefined]])
    expect(told(null, null)).toEqual([])
  })

  it('goes into maps, whatever their names', () => {
    const names = ['a.b', '__proto__', 'constructor', '_t', '0', '', '.', '😀']
    for (const name of names) {
      const inside = (value: string) => ({ outer: m(Object.fromEntries([[name, s(value)]])) })
      expect(told(inside('x'), inside('y')), name).toEqual([['changed', `outer/${name}`, s('x'), s('y')]])
      const top = (value: string) => Object.fromEntries([[name, s(value)]])
      expect(told(top('x'), top('y')), name).toEqual([['changed', name, s('x'), s('y')]])
    }
  })

  it('tells a change of type, and none where a number is only written otherwise', () => {
    expect(told({ a: n('1') }, { a: s('1') })).toEqual([['changed', 'a', n('1'), s('1')]])
    expect(told({ a: n('1') }, { a: n('1.0') })).toEqual([])
    expect(told({ a: m({}) }, { a: { L: [] } })).toEqual([['changed', 'a', m({}), { L: [] }]])
    expect(told({ a: { NULL: true } }, {})).toEqual([['removed', 'a', { NULL: true }, undefined]])
  })

  it('matches elements of a list by what they are', () => {
    const before = { lines: { L: [line('A', '1'), line('B', '1'), line('C', '1')] } }
    expect(told(before, { lines: { L: [line('A', '1'), line('B', '2'), line('C', '1')] } })).toEqual([
      ['changed', 'lines/[sku=B]/qty', n('1'), n('2')],
    ])
    expect(told(before, { lines: { L: [line('B', '1'), line('C', '1')] } })).toEqual([
      ['removed', 'lines/[sku=A]', line('A', '1'), undefined],
    ])
    expect(told(before, { lines: { L: [...before.lines.L, line('D', '9')] } })).toEqual([
      ['added', 'lines/[sku=D]', undefined, line('D', '9')],
    ])
    const moved = differencesOf(before, { lines: { L: [line('C', '1'), line('A', '1'), line('B', '1')] } })
    expect(moved.map(({ kind }) => kind)).toEqual(['moved'])
  })

  it('finds a difference exactly where images differ, attribute by attribute', () => {
    const mixed = fc.tuple(item, item, fc.array(fc.boolean(), { maxLength: 6 })).map(([a, b, taken]) => {
      const kept = Object.entries(a).filter((_, i) => taken[i])
      return [a as Item, Object.fromEntries([...Object.entries(b), ...kept]) as Item] as const
    })
    fc.assert(
      fc.property(mixed, ([before, after]) => {
        const text = (image: Item, name: string) =>
          Object.hasOwn(image, name) ? canonicalForm({ v: image[name] as AttributeValue }) : undefined
        const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
        const differing = names.filter(name => text(before, name) !== text(after, name))
        const found = differencesOf(parseItem(canonicalForm(before)), parseItem(canonicalForm(after)))
        const tops = found.map(({ path }) => (path[0] as { readonly name: string }).name)
        expect(new Set(tops)).toEqual(new Set(differing))
        for (const { kind, before: left, after: right } of found) {
          expect([kind, left === undefined, right === undefined]).toEqual([
            kind,
            kind === 'added' || kind === 'moved',
            kind === 'removed' || kind === 'moved',
          ])
        }
      }),
      runs(300),
    )
  })
})
