import type { ItemHistory } from '../queries/ask.js'
import type { ItemFinding } from '../queries/reconstruct.js'
import { formatInstant } from '../transform/instant.js'
import type { Io } from './io.js'
import { paint } from './print.js'

/** An event's id as people read and type it. */
export function shortId(eventId: string): string {
  return eventId.slice(0, 8)
}

/** True where an answer rests on a history with something missing or contradictory in it. */
export function isDoubtful(history: ItemHistory): boolean {
  return history.confidence === 'GAP' || history.confidence === 'CONFLICT'
}

/** A change's time as precisely as it is known. */
export function showTime(change: { readonly event_time_us: number; readonly time_precision: string }): string {
  const digits = change.time_precision === 's' ? 0 : change.time_precision === 'us' ? 6 : 3
  return formatInstant(change.event_time_us, digits).replace('T', ' ')
}

/** One line that says how sure an answer about an item is, and remarks that do not change it. */
export function showConfidence(history: ItemHistory, io: Io): string {
  const { confidence, findings, changes } = history
  const first = changes[0]
  const worst = findings.find(finding => finding.finding === confidence)
  const texts = {
    UNBROKEN: `every change leaves the state that the one before entered${first === undefined ? '' : `, since ${first.event_name} ${showTime(first)}`}`,
    'PRE-ARCHIVE': 'the item is older than the archive, what was before its first change is not known',
    'KEYS-ONLY': 'the stream keeps no images that would show what happened, see its view type',
    GAP: `${count(findings, 'GAP')} missing: one or more changes before ${worst === undefined ? '' : shortId(worst.eventId)} are not in the archive`,
    CONFLICT: `deliveries of one change contradict one another, first ${worst === undefined ? '' : shortId(worst.eventId)}`,
  } as const
  const colour =
    confidence === 'UNBROKEN' ? 'green' : confidence === 'PRE-ARCHIVE' || confidence === 'KEYS-ONLY' ? 'yellow' : 'red'
  return [`${paint(io, colour, confidence)}: ${texts[confidence]}`, ...remarks(history)].join('; ')
}

function remarks({ findings, steps }: ItemHistory): readonly string[] {
  const repeats = findings
    .filter(({ finding }) => finding === 'DUPLICATE')
    .reduce((sum, { changes }) => sum + changes, 0)
  const unordered = steps.filter(step => !step.ordered).length
  return [
    ...(repeats > 0 ? [`${repeats} repeated ${repeats === 1 ? 'delivery' : 'deliveries'} left out`] : []),
    ...(unordered > 0
      ? [`the order of changes at one time is not certain (${unordered} ${unordered === 1 ? 'time' : 'times'})`]
      : []),
  ]
}

function count(findings: readonly ItemFinding[], kind: string): string {
  const gaps = findings.filter(({ finding }) => finding === kind).length
  return gaps === 1 ? 'something is' : `in ${gaps} places something is`
}
