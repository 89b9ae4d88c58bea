import { MOMENT_FORMS, parseMoment } from '../../queries/moment.js'
import type { Instant } from '../../transform/instant.js'
import { CommandError } from '../io.js'

/** The moment that a user typed. Throws `CommandError` with the accepted forms. */
export function instantOf(typed: string, name: string, now = Date.now()): Instant {
  const instant = parseMoment(typed, now * 1000)
  if (instant !== undefined) return instant
  const withZone = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)$/.exec(typed)
  const like = withZone === null ? '2026-11-19T12:00:00Z' : `${withZone[1]}T${withZone[2]}Z`
  throw new CommandError(
    `${name} is ${JSON.stringify(typed)}, expected ISO 8601 with a zone such as ${like}, ${MOMENT_FORMS}`,
  )
}

/** True for what can be read as a moment. */
export function isInstant(typed: string): boolean {
  return parseMoment(typed, Date.now() * 1000) !== undefined
}
