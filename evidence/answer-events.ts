/** A field of a CSV as we write it, and what ends it. */
const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy

/** The ids of events that an `answer.csv` names in a column `event_id`; none where it has no such column. */
export function eventsNamedIn(csv: string): ReadonlySet<string> {
  const events = new Set<string>()
  let [line, column, named] = [0, 0, -1]
  for (const [whole, field = '', end = ''] of csv.matchAll(FIELD)) {
    const text = field.replaceAll('"', '')
    if (line === 0 && text === 'event_id' && named === -1) named = column
    else if (line > 0 && column === named && /^[0-9a-f]{32}$/.test(text)) events.add(text)
    if (whole === '') break
    if (end === ',') column++
    else [line, column] = [line + 1, 0]
  }
  return events
}
