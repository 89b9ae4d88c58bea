import { describe, expect, it } from 'vitest'
import { showDifferences } from '../../../cli/show/item.js'
import { differencesOf } from '../../../queries/difference.js'

const PAPER = { columns: 100, colour: false }
const long = (middle: string) => `${'the first words of it '.repeat(3000)}${middle}${' and the last ones'.repeat(3000)}`
const lines = (before: string, after: string) =>
  showDifferences(differencesOf({ note: { S: before } }, { note: { S: after } }), PAPER)

describe('a text that changed', () => {
  it('is shown as it was and is where it is short', () => {
    expect(lines('NEW', 'PAID')).toEqual(['~ note  "NEW" → "PAID"'])
  })

  it('is shown by the words that differ where it is long', () => {
    const [size, place, ...more] = lines(long('twelve signs'), long('other words!'))
    expect(size).toBe('~ note  120,012 → 120,012 characters, 1 place differs')
    expect(place?.trim()).toBe(
      '…s of it the first words of it [-twelve signs-]{+other words!+} and the last ones and the las…',
    )
    expect(more).toEqual([])
  })

  it('cannot steer a terminal, and tells how much is left out', () => {
    const shown = lines(long('a\u202eb'), long(`\u001b[2J${'x'.repeat(1000)}`)).join('\n')
    for (const sign of '\u202e\u001b') expect(shown).not.toContain(sign)
    expect(shown).toContain('\\u202e')
    expect(shown).toMatch(/… \d+ more\+}/)
  })
})
