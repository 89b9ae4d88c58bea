import { describe, expect, it } from 'vitest'
import { parseMoment } from '../../queries/moment.js'
import { formatInstant } from '../../transform/instant.js'

const NOW = Date.UTC(2026, 10, 29, 19, 28, 20, 123) * 1000

describe('a moment', () => {
  it.each([
    ['now', '2026-11-29T19:28:20.123000Z'],
    ['today', '2026-11-29T00:00:00.000000Z'],
    ['yesterday', '2026-11-28T00:00:00.000000Z'],
    ['2026-11-18', '2026-11-18T00:00:00.000000Z'],
    ['T-7d', '2026-11-22T19:28:20.123000Z'],
    ['7d', '2026-11-22T19:28:20.123000Z'],
    ['7D', '2026-11-22T19:28:20.123000Z'],
    ['10m', '2026-11-29T19:18:20.123000Z'],
    ['2h', '2026-11-29T17:28:20.123000Z'],
    ['90s', '2026-11-29T19:26:50.123000Z'],
    ['2w', '2026-11-15T19:28:20.123000Z'],
    ['0s', '2026-11-29T19:28:20.123000Z'],
    ['2026-11-20T15:02:00.1234567+01:00', '2026-11-20T14:02:00.123456Z'],
  ])('reads %s', (text, expected) => {
    expect(formatInstant(parseMoment(text, NOW)?.us ?? Number.NaN, 6)).toBe(expected)
  })

  it.each([
    '',
    'T-',
    'd',
    '-7d',
    '+7d',
    '7',
    '7y',
    '1.5h',
    '7 d',
    '2026-11-31',
    '2026-11',
    '2026-11-19T12:00',
    '2026-11-19 12:00:00',
    '999999w',
    'tomorrow',
    'Now',
    '٧d',
  ])('does not read %j', text => {
    expect(parseMoment(text, NOW)).toBeUndefined()
  })

  it('reads a day before 1970 as it reads one after', () => {
    expect(parseMoment('1969-12-31', NOW)?.us).toBe(-86_400_000_000)
  })
})
