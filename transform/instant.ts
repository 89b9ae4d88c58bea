/** How precisely a time is known; `arrival` stands for a record without a time of its own. */
export type TimePrecision = 's' | 'ms' | 'us' | 'arrival'

/** A moment in microseconds since 1970-01-01T00:00:00Z, a safe integer, and how precisely it is known. */
export interface Instant {
  readonly us: number
  readonly precision: TimePrecision
}

const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2}))$/i

/** A moment as it was written: whole seconds since 1970, and the digits of the fraction that follows them. */
export interface WrittenInstant {
  readonly seconds: number
  readonly fraction: string
}

/**
 * Reads an ISO 8601 date and time with a zone, such as `2026-11-20T14:02:00.123456Z` or `2026-11-20T15:02+01:00`.
 * Digits beyond the microsecond are cut off. Undefined for anything else, an impossible date among it.
 */
export function parseInstant(text: string): Instant | undefined {
  const written = readInstant(text)
  if (written === undefined) return undefined
  const { seconds, fraction } = written
  return {
    us: seconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0')),
    precision: precisionOf(fraction.length),
  }
}

/** The same without a loss in any year: microseconds as one number are exact only until the year 2255. */
export function readInstant(text: string): WrittenInstant | undefined {
  const match = ISO_8601.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || hour > 23 || minute > 59 || second > 59) return undefined
  const offset = offsetMinutes(match[8] as string)
  if (offset === undefined) return undefined
  return { seconds: date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second, fraction: match[7] ?? '' }
}

function offsetMinutes(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(-2))
  if (hours > 18 || minutes > 59) return undefined
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

function precisionOf(fractionDigits: number): TimePrecision {
  if (fractionDigits === 0) return 's'
  return fractionDigits <= 3 ? 'ms' : 'us'
}

/** ISO 8601 in UTC with `digits` digits of a second's fraction: 0, 3 or 6. The rest is cut off, never rounded. */
export function formatInstant(us: number, digits: 0 | 3 | 6): string {
  const seconds = Math.floor(us / 1_000_000)
  const whole = `${formatDay(seconds * 1000)}T${formatClock(seconds)}`
  if (digits === 0) return `${whole}Z`
  const fraction = String(Math.floor(us - seconds * 1_000_000)).padStart(6, '0')
  return `${whole}.${digits === 3 ? fraction.slice(0, 3) : fraction}Z`
}

/**
 * The text that both Parquet converters read as a timestamp, from milliseconds since 1970: `2026-11-22 10:00:00.123`,
 * UTC.
 */
export function formatTimestamp(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const fraction = String(Math.floor(ms - seconds * 1000)).padStart(3, '0')
  return `${formatDay(ms)} ${formatClock(seconds)}.${fraction}`
}

function formatClock(seconds: number): string {
  const time = seconds - Math.floor(seconds / DAY_S) * DAY_S
  const minutes = Math.floor(time / 60)
  return `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[time % 60]}`
}

const DAY_S = 24 * 60 * 60
const DAY_MS = DAY_S * 1000
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** Days that were asked for: one record after another is of the same few. */
const days = new Map<number, string>()
const MAX_DAYS = 1000

/** The UTC day, `2026-11-22`, of milliseconds since 1970. */
export function formatDay(ms: number): string {
  const day = Math.floor(ms / DAY_MS)
  const known = days.get(day)
  if (known !== undefined) return known
  const [text] = new Date(day * DAY_MS).toISOString().split('T') as [string]
  if (days.size === MAX_DAYS) days.clear()
  days.set(day, text)
  return text
}

/** A moment as people read it: a blank for the T, and as many digits as it needs. */
export function readableInstant(us: number): string {
  return formatInstant(us, us % 1_000_000 === 0 ? 0 : us % 1000 === 0 ? 3 : 6).replace('T', ' ')
}
