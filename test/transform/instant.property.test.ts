import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInstant, formatTimestamp, parseInstant } from '../../transform/instant.js'
import { runs } from './arbitraries.js'

/** Microseconds since 1970 that are safe integers: 1684 to 2255. */
const us = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })

describe('formatInstant', () => {
  it('writes microseconds that parseInstant reads back', () => {
    fc.assert(
      fc.property(us, us => {
        expect(parseInstant(formatInstant(us, 6))).toEqual({ us, precision: 'us' })
      }),
      runs(500),
    )
  })

  it('cuts a time down to milliseconds and to seconds, before 1970 too', () => {
    fc.assert(
      fc.property(us, us => {
        const floored = (step: bigint) => Number(BigInt(us) - (((BigInt(us) % step) + step) % step))
        expect(parseInstant(formatInstant(us, 3))).toEqual({ us: floored(1000n), precision: 'ms' })
        expect(parseInstant(formatInstant(us, 0))).toEqual({ us: floored(1_000_000n), precision: 's' })
      }),
      runs(500),
    )
  })

  it('writes text that sorts as the times do', () => {
    fc.assert(
      fc.property(us, us, (one, other) => {
        expect(formatInstant(one, 6) < formatInstant(other, 6)).toBe(one < other)
      }),
      runs(200),
    )
  })
})

describe('formatTimestamp', () => {
  it('writes what formatInstant writes in milliseconds, as converters read it', () => {
    fc.assert(
      fc.property(us, us => {
        const [day, time] = formatInstant(us, 3).slice(0, -1).split('T')
        expect(formatTimestamp(Math.floor(us / 1000))).toBe(`${day} ${time}`)
      }),
      runs(200),
    )
  })
})

describe('parseInstant', () => {
  const pair = (max: number) => fc.integer({ min: 0, max }).map(value => String(value).padStart(2, '0'))
  const text = fc
    .record({
      year: fc.integer({ min: 1690, max: 2250 }),
      month: pair(13),
      day: pair(32),
      hour: pair(24),
      minute: pair(60),
      second: pair(60),
      fraction: fc.option(fc.stringMatching(/^\d{3}$/)),
      zone: fc.oneof(fc.constant('Z'), fc.tuple(fc.constantFrom('+', '-'), pair(14), pair(59))),
    })
    .map(({ year, month, day, hour, minute, second, fraction, zone }) => {
      const offset = typeof zone === 'string' ? zone : `${zone[0]}${zone[1]}:${zone[2]}`
      return `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction === null ? '' : `.${fraction}`}${offset}`
    })

  it('reads what Date reads, and nothing that is no date', () => {
    fc.assert(
      fc.property(text, text => {
        expect(parseInstant(text)?.us).toBe(dateReads(text))
      }),
      runs(1500),
    )
  })

  it('takes a comma, a space and an offset without colon for what they are', () => {
    const us = Date.UTC(2026, 10, 22, 10, 0, 0, 123) * 1000
    expect(parseInstant('2026-11-22 10:00:00,123Z')?.us).toBe(us)
    expect(parseInstant('2026-11-22T11:00:00.123+0100')?.us).toBe(us)
    expect(parseInstant('2026-11-22t10:00:00.123z')?.us).toBe(us)
    expect(parseInstant('2026-11-22T05:00:00.123456789-05:00')).toEqual({ us: us + 456, precision: 'us' })
  })

  it.each([
    ['no zone', '2026-11-22T10:00:00'],
    ['no time', '2026-11-22'],
    ['29 February of a common year', '2026-02-29T00:00:00Z'],
    ['29 February 1900', '1900-02-29T00:00:00Z'],
    ['month 0', '2026-00-10T00:00:00Z'],
    ['day 0', '2026-01-00T00:00:00Z'],
    ['a second of 60', '2026-12-31T23:59:60Z'],
    ['an hour of 24', '2026-12-31T24:00:00Z'],
    ['an offset of a day', '2026-12-31T00:00:00+24:00'],
    ['text behind it', '2026-12-31T00:00:00Z '],
    ['seconds since 1970', '1795341600'],
    ['nothing', ''],
  ])('knows no instant in a text with %s', (_about, text) => {
    expect(parseInstant(text)).toBeUndefined()
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789-+:.,TZ ') }), text => {
        parseInstant(text)
      }),
      runs(500),
    )
  })
})

/** Microseconds by the engine's own reader; undefined for dates that it carries over (30 February) or that are none. */
function dateReads(text: string): number | undefined {
  const local = text.slice(0, 19)
  const carriesOver = new Date(`${local}Z`).toJSON()?.slice(0, 19) !== local
  return carriesOver ? undefined : Date.parse(text) * 1000
}
