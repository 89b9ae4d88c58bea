import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparableAttributes, comparableHash, isSameItem } from '../../restore/comparable.js'
import { canonicalAttributes, canonicalItem, type Item } from '../../transform/attribute-value.js'
import { item, type Numeral, numeral, runs } from '../transform/arbitraries.js'

function textOf(value: unknown): string {
  return canonicalItem(canonicalAttributes(value, 'item', 'once'), 'item')
}

/** Whether two numbers are one, in whole numbers. */
function isEqual(a: Numeral, b: Numeral): boolean {
  const least = Math.min(a.exponent, b.exponent)
  const scaled = ({ digits, exponent }: Numeral) => digits * 10n ** BigInt(exponent - least)
  return scaled(a) === scaled(b)
}

/** The same number, written otherwise. */
const rewritten = fc.tuple(numeral, fc.nat(3), fc.nat(3)).map(([number, zeros, power]) => {
  const negative = number.digits < 0n ? '-' : ''
  const magnitude = number.digits < 0n ? -number.digits : number.digits
  const text = `${negative}${'0'.repeat(zeros)}${magnitude}${'0'.repeat(power)}E${number.exponent - power}`
  return [number.text, text] as const
})

describe('comparable form', () => {
  it('is one for two numbers exactly where they are equal', () => {
    fc.assert(
      fc.property(numeral, numeral, (a, b) => {
        const [left, right] = [textOf({ n: { N: a.text } }), textOf({ n: { N: b.text } })]
        expect(isSameItem(left, right)).toBe(isEqual(a, b))
      }),
      runs(500),
    )
    fc.assert(
      fc.property(rewritten, ([a, b]) => {
        const deep = (N: string) => textOf({ l: { L: [{ M: { n: { N } } }, { NS: [N] }] } })
        expect(isSameItem(deep(a), deep(b))).toBe(true)
      }),
      runs(500),
    )
  })

  it.each([
    ['1.0', '1'],
    ['-0.00', '0'],
    ['1E+3', '1000'],
    ['1.5e-3', '0.0015'],
    ['0012.340', '12.34'],
    ['1E-130', `0.${'0'.repeat(129)}1`],
  ])('writes %s as DynamoDB does: %s', (written, plain) => {
    expect(comparableAttributes({ n: { N: written } }).get('n')).toBe(`{"N":"${plain}"}`)
  })

  it('leaves everything but numbers as it is, and is its own form', () => {
    fc.assert(
      fc.property(item, value => {
        const text = textOf(value)
        const once = canonicalItem(comparableAttributes(JSON.parse(text) as Item), 'item')
        expect(comparableHash(once)).toBe(comparableHash(text))
        if (!/"NS?":/.test(text)) expect(once).toBe(text)
      }),
      runs(300),
    )
  })
})
