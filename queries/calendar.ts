/** Hours, weekdays and zones as people write them, for questions about working hours. */

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** A time of day, `09:00`, `24:00` being the end of the day; undefined for anything else. */
export function readClock(text: string): string | undefined {
  const padded = /^\d:/.test(text) ? `0${text}` : text
  return CLOCK.test(padded) ? padded : undefined
}

/**
 * Weekdays in their order, `mon,tue,wed`, from a list in which `mon-fri` stands for all from one to the other;
 * undefined for anything else.
 */
export function readDays(text: string): string | undefined {
  const found = new Set<number>()
  for (const part of text.toLowerCase().split(',')) {
    const [first, last = first, ...more] = part.split('-').map(day => DAYS.indexOf(day.trim().slice(0, 3) as 'mon'))
    if (first === undefined || last === undefined || first < 0 || last < 0 || more.length > 0) return undefined
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      found.add(day)
      if (day === last) break
    }
  }
  return [...found]
    .sort((a, b) => a - b)
    .map(day => DAYS[day])
    .join(',')
}

/**
 * The name of a zone as the zone database writes it, `Europe/Berlin`, whatever its case; undefined for a name that
 * there is not, and for an offset, which is no zone: it knows no summer.
 */
export function readZone(text: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(text)) return undefined
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions()
    // one that was renamed keeps the name that was typed, which every database still has
    return timeZone.toLowerCase() === text.toLowerCase() ? timeZone : text
  } catch {
    return undefined
  }
}
