import { type AttributeValue, type BinaryEncoding, canonicalValue } from './attribute-value.js'
import { formatTimestamp, readInstant } from './instant.js'
import { canonicalNumeral, type Decimal, readNumeral } from './numeral.js'
import type { ConfiguredColumn } from './table-configuration.js'

/** What a flat column holds: JSON's own types only, so a row line can be written without a second thought. */
export type FlatValue = string | number | boolean | bigint

/**
 * The value of an attribute in the type that its column declares, or undefined where it does not fit. It never rounds,
 * but for `double`, which is the nearest double by definition, and `timestamp`, which is floored to milliseconds.
 */
export function fitValue(
  value: AttributeValue,
  column: ConfiguredColumn,
  binary: BinaryEncoding = 'once',
): FlatValue | undefined {
  switch (column.type) {
    case 'string':
      return 'S' in value ? value.S : undefined
    case 'number':
      return 'N' in value ? canonicalNumeral(value.N) : undefined
    case 'json':
      return canonicalValue(value, column.column, binary)
    case 'boolean':
      return 'BOOL' in value ? value.BOOL : undefined
    case 'bigint':
      return 'N' in value ? fitBigint(value.N) : undefined
    case 'double':
      return 'N' in value ? fitDouble(value.N) : undefined
    case 'timestamp':
      return fitTimestamp(value, column.unit)
    default:
      return 'N' in value ? fitDecimal(value.N, ...parseDecimalType(column.type)) : undefined
  }
}

/** Precision and scale of `decimal(p,s)`. */
export function parseDecimalType(type: `decimal(${number},${number})`): readonly [precision: number, scale: number] {
  const [precision, scale] = type.slice('decimal('.length, -1).split(',').map(Number)
  return [precision as number, scale as number]
}

/** A numeral that an image held, and so is one. */
function decimalOf(text: string): Decimal {
  return readNumeral(text) as Decimal
}

/** How many digits a numeral has before its point and after it, without zeros at either end. */
export function sizeOfNumeral(text: string): { readonly before: number; readonly after: number } {
  const { digits, exponent } = decimalOf(text)
  return { before: Math.max(0, digits.length + exponent), after: Math.max(0, -exponent) }
}

/** A whole number of up to 18 digits, written without any more ado. */
const PLAIN_WHOLE = /^[1-9]\d{0,17}$/

function fitBigint(text: string): bigint | undefined {
  if (PLAIN_WHOLE.test(text)) return BigInt(text)
  const { negative, digits, exponent } = decimalOf(text)
  if (exponent < 0 || digits.length + exponent > 19) return undefined
  const magnitude = BigInt(digits + '0'.repeat(exponent))
  const whole = negative ? -magnitude : magnitude
  return BigInt.asIntN(64, whole) === whole ? whole : undefined
}

function fitDouble(text: string): string | undefined {
  const value = Number(text)
  return Number.isFinite(value) ? String(value) : undefined
}

function fitDecimal(text: string, precision: number, scale: number): string | undefined {
  const { negative, digits, exponent } = decimalOf(text)
  if (-exponent > scale || digits.length + exponent > precision - scale) return undefined
  const unscaled = (digits + '0'.repeat(exponent + scale)).padStart(scale + 1, '0')
  const point = unscaled.length - scale
  const plain = scale === 0 ? unscaled : `${unscaled.slice(0, point)}.${unscaled.slice(point)}`
  return negative ? `-${plain}` : plain
}

/** Before 1582 engines disagree on the calendar; years above 9999 have no common text form. */
const EARLIEST_MS = Date.UTC(1600, 0, 1)
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

function fitTimestamp(value: AttributeValue, unit: 's' | 'ms' | undefined): string | undefined {
  const ms = millisecondsOf(value, unit)
  return ms !== undefined && ms >= EARLIEST_MS && ms <= LATEST_MS ? formatTimestamp(ms) : undefined
}

/** Floored: a fraction is added to whole seconds, before 1970 too. */
function millisecondsOf(value: AttributeValue, unit: 's' | 'ms' | undefined): number | undefined {
  if ('S' in value) {
    const written = readInstant(value.S)
    return written && written.seconds * 1000 + Number(written.fraction.slice(0, 3).padEnd(3, '0'))
  }
  return 'N' in value && unit !== undefined ? shiftDecimal(value.N, unit === 's' ? 3 : 0) : undefined
}

/** The numeral times 10^places, floored to a whole number; undefined beyond what a double holds exactly. */
function shiftDecimal(text: string, places: number): number | undefined {
  const { negative, digits, exponent } = decimalOf(text)
  const shift = exponent + places
  if (digits.length + shift > 15) return undefined
  const whole = Number(shift >= 0 ? digits + '0'.repeat(shift) : digits.slice(0, shift) || '0')
  const inexact = shift < 0 && digits !== ''
  if (!negative) return whole
  return inexact ? -whole - 1 : -whole
}
