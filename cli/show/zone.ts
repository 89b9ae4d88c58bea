import { formatInstant, parseInstant } from '../../transform/instant.js'
import { CommandError } from '../io.js'

/** Flag of every command: by whose clock times are printed for people. */
export const ZONE_OPTION = [
  '--tz <zone>',
  'prints times by the clock of a zone, such as Europe/Berlin (TZ; else UTC)',
] as const

/** The zone that `--tz` names, else that of TZ where there is such a zone. Throws `CommandError` for none. */
export function zoneOf(typed: unknown, fromEnvironment: string | undefined): string | undefined {
  if (typeof typed !== 'string')
    return fromEnvironment !== undefined && isZone(fromEnvironment) ? fromEnvironment : undefined
  if (isZone(typed)) return typed
  throw new CommandError(`--tz is ${JSON.stringify(typed)}, expected the name of a zone such as Europe/Berlin or UTC`)
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/**
 * A moment as people read it, by the clock of a zone and with its offset; of UTC, or where no zone is said, with `Z`.
 */
export function showMoment(us: number, digits: 0 | 3 | 6, zone: string | undefined): string {
  const offset = zone === undefined ? 0 : offsetSeconds(zone, us)
  const text = formatInstant(us + offset * 1_000_000, digits).replace('T', ' ')
  return offset === 0 ? text : `${text.slice(0, -1)}${offsetText(offset)}`
}

/** A time in words, and not one that a command is to be typed with. */
const TIME = /(?<!--(?:from|to|as-of|at) )\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g

/**
 * Words in which all times are of UTC, as those that explain a verdict are, whoever is told them: with its times by the
 * clock of a zone.
 */
export function wordsIn(words: string, zone: string | undefined): string {
  if (zone === undefined) return words
  return words.replaceAll(TIME, time => {
    const us = parseInstant(time.replace(' ', 'T'))?.us
    const fraction = time.split('.')[1]?.length ?? 0
    return us === undefined ? time : showMoment(us, fraction === 0 ? 0 : fraction > 4 ? 6 : 3, zone)
  })
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Seconds by which the clocks of a zone are ahead of UTC at a moment. */
function offsetSeconds(zone: string, us: number): number {
  const formatter =
    formatters.get(zone) ?? new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  formatters.set(zone, formatter)
  const name = formatter.formatToParts(us / 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours, minutes, seconds = '0'] = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(name) ?? []
  if (sign === undefined) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds))
}

function offsetText(offset: number): string {
  const part = (seconds: number) => String(Math.floor(seconds)).padStart(2, '0')
  const size = Math.abs(offset)
  const rest = size % 60 === 0 ? '' : `:${part(size % 60)}`
  return `${offset < 0 ? '-' : '+'}${part(size / 3600)}:${part((size % 3600) / 60)}${rest}`
}
