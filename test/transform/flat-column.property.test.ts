import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FlatValue, fitValue } from '../../transform/flat-column.js'
import type { DeclaredType } from '../../transform/table-configuration.js'
import { numeral, runs } from './arbitraries.js'

function fitted(value: { N: string } | { S: string }, type: DeclaredType, unit?: 's' | 'ms'): FlatValue | undefined {
  return fitValue(value, { column: 'c', path: ['c'], type, ...(unit && { unit }) })
}

/** `digits * 10^exponent` when that is a whole number. */
function wholeOf(digits: bigint, exponent: number): bigint | undefined {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent)
  const divisor = 10n ** BigInt(-exponent)
  return digits % divisor === 0n ? digits / divisor : undefined
}

/** `digits * 10^exponent`, floored. */
function floorOf(digits: bigint, exponent: number): bigint {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent)
  const divisor = 10n ** BigInt(-exponent)
  return (digits - (((digits % divisor) + divisor) % divisor)) / divisor
}

const EARLIEST = BigInt(Date.UTC(1600, 0, 1))
const LATEST = BigInt(Date.UTC(9999, 11, 31, 23, 59, 59, 999))

/** The text of a timestamp column, for milliseconds in the years that every engine can read. */
function timestampOf(milliseconds: bigint): string | undefined {
  if (milliseconds < EARLIEST || milliseconds > LATEST) return undefined
  return new Date(Number(milliseconds)).toISOString().slice(0, -1).replace('T', ' ')
}

describe('a bigint column', () => {
  it('holds every whole number of 64 bits and nothing else', () => {
    fc.assert(
      fc.property(numeral, ({ text, digits, exponent }) => {
        const whole = wholeOf(digits, exponent)
        const fits = whole !== undefined && whole >= -(2n ** 63n) && whole < 2n ** 63n
        expect(fitted({ N: text }, 'bigint')).toBe(fits ? whole : undefined)
      }),
      runs(600),
    )
  })

  it('is exact at its limits', () => {
    fc.assert(
      fc.property(fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt({ min: -2n, max: 2n }), (limit, off) => {
        const whole = limit + off
        expect(fitted({ N: String(whole) }, 'bigint')).toBe(BigInt.asIntN(64, whole) === whole ? whole : undefined)
      }),
      runs(20),
    )
  })
})

describe('a decimal column', () => {
  const types = fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38))
    .map(([precision, scale]) => [precision, Math.min(precision, scale)] as const)

  it('holds a number that is exact at its precision and scale, and nothing else', () => {
    fc.assert(
      fc.property(numeral, types, ({ text, digits, exponent }, [precision, scale]) => {
        const unscaled = wholeOf(digits, exponent + scale)
        const fits =
          unscaled !== undefined && unscaled < 10n ** BigInt(precision) && -unscaled < 10n ** BigInt(precision)
        const value = fitted({ N: text }, `decimal(${precision},${scale})`)
        if (fits) {
          expect(value).toMatch(scale === 0 ? /^-?(0|[1-9]\d*)$/ : new RegExp(`^-?(0|[1-9]\\d*)\\.\\d{${scale}}$`))
          expect(BigInt(String(value).replace('.', ''))).toBe(unscaled)
        } else {
          expect(value).toBeUndefined()
        }
      }),
      runs(800),
    )
  })

  it('has no minus before zero', () => {
    expect(fitted({ N: '-0' }, 'decimal(12,2)')).toBe('0.00')
    expect(fitted({ N: '-0.000E+9' }, 'decimal(12,0)')).toBe('0')
  })
})

describe('a double column', () => {
  it('holds the nearest double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        expect(Number(fitted({ N: String(value) }, 'double'))).toBe(value === 0 ? 0 : value)
      }),
      runs(300),
    )
  })

  it('is a finite number in text that converters read', () => {
    fc.assert(
      fc.property(numeral, ({ text }) => {
        const value = fitted({ N: text }, 'double')
        expect(value).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/)
        expect(Number(value)).toBe(Number(text) === 0 ? 0 : Number(text))
      }),
      runs(300),
    )
  })
})

describe('a timestamp column', () => {
  const pad = (value: number, length: number) => String(value).padStart(length, '0')
  const isoTime = fc.record({
    year: fc.integer({ min: 1599, max: 9999 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
    second: fc.nat(86_399),
    fraction: fc.stringMatching(/^\d{0,9}$/),
    offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
  })

  it('holds a text in ISO 8601 with a zone, floored to milliseconds', () => {
    fc.assert(
      fc.property(isoTime, ({ year, month, day, second, fraction, offset }) => {
        const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map(part => pad(part, 2))
        const away = Math.abs(offset)
        const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(away / 60), 2)}:${pad(away % 60, 2)}`
        const text = `${year}-${pad(month, 2)}-${pad(day, 2)}T${clock.join(':')}${fraction && `.${fraction}`}${zone}`
        const local = BigInt(Date.UTC(year, month - 1, day)) + BigInt(second) * 1000n
        const expected = local - BigInt(offset) * 60_000n + BigInt(fraction.padEnd(3, '0').slice(0, 3))
        expect(fitted({ S: text }, 'timestamp')).toBe(timestampOf(expected))
      }),
      runs(800),
    )
  })

  it.each([
    ['s', 3, 1],
    ['ms', 0, 1000],
  ] as const)('holds a number that counts %s since 1970, floored to milliseconds', (unit, places, scale) => {
    const near = fc
      .record({
        whole: fc.integer({ min: -2e10 * scale, max: 3e11 * scale }),
        fraction: fc.stringMatching(/^\d{1,9}$/),
      })
      .map(({ whole, fraction }) => ({
        text: `${whole}.${fraction}`,
        digits: BigInt(`${whole}${fraction}`),
        exponent: -fraction.length,
      }))
    fc.assert(
      fc.property(fc.oneof(numeral, near), ({ text, digits, exponent }) => {
        expect(fitted({ N: text }, 'timestamp', unit)).toBe(timestampOf(floorOf(digits, exponent + places)))
      }),
      runs(800),
    )
  })

  it('holds the last millisecond that it can write, and no later one', () => {
    expect(fitted({ S: '9999-12-31T23:59:59.999Z' }, 'timestamp')).toBe('9999-12-31 23:59:59.999')
    expect(fitted({ S: '9999-12-31T23:59:59.999999Z' }, 'timestamp')).toBe('9999-12-31 23:59:59.999')
    expect(fitted({ N: '253402300799999' }, 'timestamp', 'ms')).toBe('9999-12-31 23:59:59.999')
    expect(fitted({ N: '253402300800000' }, 'timestamp', 'ms')).toBeUndefined()
  })
})
