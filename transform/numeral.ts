/**
 * Numbers of DynamoDB as text. They are values, not spellings: `100`, `1E+2` and `100.0` are one number, and DynamoDB
 * itself sends only the first form (developer guide, "Data types": leading and trailing zeros are trimmed). So an image
 * holds each number in one spelling, and equal items have equal hashes wherever they came from.
 */

/** A numeral without its point: `digits * 10^exponent`, no zeros at either end of the digits. Zero has no digits. */
export interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

/** Sign, digits before the point and after it, power of ten. */
const NUMERAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** Longer texts are no number of anybody's. 1E-130 with 38 digits, written without an exponent, has 171 characters. */
const MAX_LENGTH = 200

/** Developer guide, "Data types": up to 38 digits, magnitudes from 1E-130 to 9.99...E+125. */
const MAX_DIGITS = 38
const LEAST_POWER = -130
const GREATEST_POWER = 125

/** A numeral that is spelt so already: no exponent, no zeros at either end, at most 38 digits. */
const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/

/** Reads a decimal numeral, with an exponent or without; undefined for any other text. */
export function readNumeral(text: string): Decimal | undefined {
  const match = text.length > MAX_LENGTH ? null : NUMERAL.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = match
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return ZERO
  return { negative: sign === '-', digits, exponent: Number(power) - fraction.length + (all.length - digits.length) }
}

const ZERO: Decimal = { negative: false, digits: '', exponent: 0 }

/**
 * The one spelling of a number: without exponent, plus sign, or zeros that say nothing, and zero without a sign.
 * Undefined for what is no number of DynamoDB's.
 */
export function canonicalNumeral(text: string): string | undefined {
  if (text.length <= MAX_DIGITS && PLAIN.test(text) && text !== '-0') return text
  const decimal = readNumeral(text)
  return decimal && isInRange(decimal) ? plainText(decimal) : undefined
}

function isInRange({ digits, exponent }: Decimal): boolean {
  const power = digits.length - 1 + exponent
  return digits === '' || (digits.length <= MAX_DIGITS && power >= LEAST_POWER && power <= GREATEST_POWER)
}

function plainText({ negative, digits, exponent }: Decimal): string {
  if (digits === '') return '0'
  const sign = negative ? '-' : ''
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`
  const point = digits.length + exponent
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
