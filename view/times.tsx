import { formatInstant, parseInstant } from '../transform/instant.js'
import { AddressError } from './address.js'

/** Shows moments in one time zone. */
export interface Clock {
  readonly zone: string
  /** `2026-11-19 12:00:00.123Z`, or in another zone `2026-11-19 13:00:00.123 +01:00`. */
  readonly text: (us: number, precision?: string) => string
}

/** The clock of a zone. Throws an `AddressError` for a zone that is none. */
export function clockOf(zone = 'UTC'): Clock {
  if (zone === 'UTC')
    return { zone, text: (us, precision) => formatInstant(us, digitsOf(us, precision)).replace('T', ' ') }
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('sv-SE', { ...FIELDS, timeZone: zone })
  } catch {
    throw new AddressError(`tz is ${JSON.stringify(zone)}, expected UTC or a zone such as Europe/Berlin`)
  }
  return { zone, text: (us, precision) => zonedText(format, us, digitsOf(us, precision)) }
}

const FIELDS = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'longOffset',
} as const

function zonedText(format: Intl.DateTimeFormat, us: number, digits: 0 | 3 | 6): string {
  const parts = new Map(format.formatToParts(Math.floor(us / 1000)).map(({ type, value }) => [type, value]))
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? ''
  // the fraction is the same in every zone
  const fraction = digits === 0 ? '' : (/\.\d+/.exec(formatInstant(us, digits))?.[0] ?? '')
  const offset = part('timeZoneName').replace(/^GMT/, '').replace('\u2212', '-') || '+00:00'
  const day = `${part('year')}-${part('month')}-${part('day')}`
  return `${day} ${part('hour')}:${part('minute')}:${part('second')}${fraction} ${offset}`
}

function digitsOf(us: number, precision?: string): 0 | 3 | 6 {
  if (precision === 's') return 0
  if (precision === 'us') return 6
  if (precision !== undefined) return 3
  return us % 1_000_000 === 0 ? 0 : us % 1000 === 0 ? 3 : 6
}

/** A moment on a page. */
export function Time({
  us,
  precision,
  clock,
}: {
  readonly us: number
  readonly precision?: string
  readonly clock: Clock
}) {
  return <time datetime={formatInstant(us, us % 1000 === 0 ? 3 : 6)}>{clock.text(us, precision)}</time>
}

/** A moment that a row has as text; what is none stays as it is. */
export function InstantText({ text, clock }: { readonly text: string; readonly clock: Clock }) {
  const us = parseInstant(text)?.us
  return us === undefined ? <bdi>{text}</bdi> : <Time us={us} clock={clock} />
}
