import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldParts, textDifference } from '../../queries/text-difference.js'
import { runs } from '../transform/arbitraries.js'

const words = (n: number, seed = 1) =>
  Array.from({ length: n }, (_, i) => `word${(i * 7919 * seed) % 1000}${i % 12 === 11 ? '\n' : ''}`).join(' ')

describe('the difference of two texts', () => {
  it('marks the words that differ, and nothing else', () => {
    expect(textDifference('the quick brown fox', 'the quick red fox')).toEqual([
      { kind: 'same', text: 'the quick ' },
      { kind: 'removed', text: 'brown' },
      { kind: 'added', text: 'red' },
      { kind: 'same', text: ' fox' },
    ])
    expect(textDifference('same', 'same')).toEqual([{ kind: 'same', text: 'same' }])
    expect(textDifference('', 'new')).toEqual([{ kind: 'added', text: 'new' }])
    expect(textDifference('40 left', '41 left').slice(0, 2)).toEqual([
      { kind: 'removed', text: '40' },
      { kind: 'added', text: '41' },
    ])
  })

  it('has both texts in it, to the last character, and cuts no character in two', () => {
    const unit = fc.constantFrom('a', 'b', ' ', '\n', '\u{1f600}', '\u{1f601}', 'é', '\u202e', '.', '\r')
    const text = fc.string({ unit, maxLength: 60 })
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = textDifference(before, after)
        const without = (kind: string) => parts.filter(part => part.kind !== kind).map(part => part.text)
        expect(without('added').join('')).toBe(before)
        expect(without('removed').join('')).toBe(after)
        for (const part of parts) expect(part.text.isWellFormed()).toBe(true)
        for (const part of foldParts(parts, 3)) if ('text' in part) expect(part.text.isWellFormed()).toBe(true)
      }),
      runs(500),
    )
  })

  it('finds twelve characters in 112 KB, and folds the rest away', () => {
    const before = words(16_000)
    const at = before.indexOf(' ', 50_000) + 1
    const after = `${before.slice(0, at)}twelve-chars${before.slice(before.indexOf(' ', at))}`
    const folded = foldParts(textDifference(before, after), 30)
    expect(folded.filter(({ kind }) => kind === 'added')).toEqual([{ kind: 'added', text: 'twelve-chars' }])
    expect(folded.reduce((sum, part) => sum + ('text' in part ? part.text.length : 0), 0)).toBeLessThan(120)
  })

  it('finds two changes that 5 MB on one line lie between', () => {
    const five = words(600_000).replaceAll('\n', ',')
    const parts = textDifference(five, `start ${five.slice(6, -8)} ending`)
    expect(parts.filter(({ kind }) => kind !== 'same').every(({ text }) => text.length < 20)).toBe(true)
  })

  it('ends soon for 5 MB, whatever they are', () => {
    const five = words(600_000)
    const ends = `start ${five.slice(6, -8)} ending`
    const cases = [
      [five, words(600_000, 3)],
      [five, ends],
      [five.replaceAll('\n', ' '), ends.replaceAll('\n', ' ')],
      [five.replaceAll('\n', ','), ends.replaceAll('\n', ',')],
      ['a'.repeat(5_000_000), 'b'.repeat(5_000_000)],
      ['ab'.repeat(2_500_000), 'ba'.repeat(2_500_000)],
    ] as const
    for (const [before, after] of cases) {
      const began = performance.now()
      const parts = textDifference(before, after)
      expect(performance.now() - began).toBeLessThan(5000)
      expect(
        parts
          .filter(({ kind }) => kind !== 'added')
          .map(({ text }) => text)
          .join('') === before,
      ).toBe(true)
    }
  })
})
