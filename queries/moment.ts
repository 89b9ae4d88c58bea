import { type Instant, parseInstant } from '../transform/instant.js'

const DAY = /^\d{4}-\d{2}-\d{2}$/
const AGO = /^(?:T-)?(\d{1,6})(s|m|h|d|w)$/i
const DAY_US = 86_400_000_000
const UNIT_US = { s: 1_000_000, m: 60_000_000, h: 3_600_000_000, d: DAY_US, w: 7 * DAY_US } as const

/** How a moment may be written, for messages. */
export const MOMENT_FORMS = 'a day (2026-11-19), now, today, yesterday or how long ago (10m, 2h, 7d)'

/**
 * A moment as people write it, `nowUs` being microseconds since 1970: ISO 8601 with a zone; a day, `today` or
 * `yesterday`, which is its beginning in UTC, as the archive's days are; `now`; or how long ago, in seconds, minutes,
 * hours, days or weeks, `7d` or `T-7d`. Undefined for anything else, a date and time without a zone among it: nobody
 * could tell which moment is meant.
 */
export function parseMoment(text: string, nowUs: number): Instant | undefined {
  if (text === 'now') return { us: nowUs, precision: 'ms' }
  if (text === 'today' || text === 'yesterday') {
    const today = nowUs - (nowUs % DAY_US)
    return { us: text === 'today' ? today : today - DAY_US, precision: 's' }
  }
  if (DAY.test(text)) return parseInstant(`${text}T00:00:00Z`)
  const [, count, unit] = AGO.exec(text) ?? []
  if (count === undefined || unit === undefined) return parseInstant(text)
  const us = nowUs - Number(count) * UNIT_US[unit.toLowerCase() as keyof typeof UNIT_US]
  return us < 0 ? undefined : { us, precision: 'ms' }
}

/** How long ago a moment was, both in microseconds since 1970, in the largest unit that says it: `9 days`. */
export function ageOf(us: number, nowUs: number): string {
  const age = Math.max(0, nowUs - us)
  const [unit, size] = AGES.find(([, size]) => age >= size) ?? SECOND
  const n = Math.floor(age / size)
  return `${n} ${unit}${n === 1 ? '' : 's'}`
}

const SECOND = ['second', UNIT_US.s] as const
const AGES = [['day', UNIT_US.d], ['hour', UNIT_US.h], ['minute', UNIT_US.m], SECOND] as const
