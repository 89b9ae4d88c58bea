import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bindStatement } from '../../../queries/engines/athena-parameters.js'

/** What SQL reads from a literal. */
const read = (literal: string) => literal.slice(1, -1).replaceAll("''", "'")

describe('bindStatement', () => {
  it('sends a string as a literal in single quotes, those inside doubled, and a number bare', () => {
    expect(bindStatement('select a from t where a = ? and b > ? and c < ?', ["it's", 42, -1.5])).toEqual({
      sql: 'select a from t where a = ? and b > ? and c < ?',
      parameters: ["'it''s'", '42', '-1.5e+0'],
    })
  })

  it('sends whole numbers in full, however great', () => {
    expect(bindStatement('? ?', [Number.MAX_SAFE_INTEGER, 1e21]).parameters).toEqual([
      '9007199254740991',
      `1${'0'.repeat(21)}`,
    ])
  })

  it('sends a string in pieces where it is longer than a parameter may be', () => {
    const { sql, parameters } = bindStatement('select a from t where a = ? and b = ? and c = ?', [
      'x',
      'y'.repeat(2500),
      'z',
    ])
    expect(sql).toBe('select a from t where a = ? and b = (? || ? || ?) and c = ?')
    expect(parameters.map(text => text.length)).toEqual([3, 1024, 1024, 458, 3])
  })

  it('never puts a value into the text, keeps each parameter within 1024 bytes, and loses no character', () => {
    const piece = fc.constantFrom("'", "''", '?', '\\', '\n', '\0', '--', ';', '😀', 'ä', 'a', ' or 1=1', '(', '"')
    const value = fc.array(piece, { maxLength: 1500 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(value, value, (first, second) => {
        const { sql, parameters } = bindStatement('select a from t where a = ? and b = ?', [first, second])
        expect(sql).toMatch(/^select a from t where a = [? |()]+ and b = [? |()]+$/)
        expect(sql.split('?').length - 1).toBe(parameters.length)
        for (const parameter of parameters) {
          expect(Buffer.byteLength(parameter)).toBeLessThanOrEqual(1024)
          expect(parameter).toMatch(/^'(?:[^']|'')*'$/)
        }
        expect(parameters.map(read).join('')).toBe(first + second)
      }),
      { seed: 20261122, numRuns: 100 },
    )
  })
})
