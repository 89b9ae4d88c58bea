import { formatDay } from '../transform/instant.js'
import { PARTITION_COLUMN } from '../transform/layout.js'

/** True for days of a list, as few ranges as there are. */
export function daysSql(days: readonly string[]): string {
  const ranges: [first: string, last: string][] = []
  for (const day of days) {
    const range = ranges.at(-1)
    if (range !== undefined && dayAfter(range[1]) === day) range[1] = day
    else ranges.push([day, day])
  }
  const conditions = ranges.map(([first, last]) => `${PARTITION_COLUMN} between '${first}' and '${last}'`)
  return conditions.length === 0 ? '(false)' : `(${conditions.join(' or ')})`
}

function dayAfter(day: string): string {
  return formatDay(Date.parse(day) + 86_400_000)
}
