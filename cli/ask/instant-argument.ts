import { type Instant, parseInstant } from '../../transform/instant.js'
import { CommandError } from '../io.js'

/** The moment that a user typed: ISO 8601 with a zone, or `now`. Throws `CommandError` with the accepted form. */
export function instantOf(typed: string, name: string, now = Date.now()): Instant {
  if (typed === 'now') return { us: now * 1000, precision: 'ms' }
  const instant = parseInstant(typed)
  if (instant !== undefined) return instant
  const looksRight = /^\d{4}-\d{2}-\d{2}$/.test(typed) ? `${typed}T00:00:00Z` : '2026-11-19T12:00:00Z'
  throw new CommandError(
    `${name} is ${JSON.stringify(typed)}, expected ISO 8601 with a zone such as ${looksRight}, or now`,
  )
}
