import type { ItemHistory } from '../queries/ask.js'
import type { Confidence, ItemFinding } from '../queries/reconstruct.js'
import { formatInstant } from '../transform/instant.js'
import type { Io } from './io.js'
import { paint } from './print.js'
import { wrap } from './text.js'
import { archiveFlag } from './workspace.js'

/** An event's id as people read and type it. */
export function shortId(eventId: string): string {
  return eventId.slice(0, 8)
}

/** True where an answer rests on a history with something missing or contradictory in it. */
export function isDoubtful(confidence: Confidence): boolean {
  return confidence === 'GAP' || confidence === 'CONFLICT'
}

/** A change's time as precisely as it is known. */
export function showTime(change: { readonly event_time_us: number; readonly time_precision: string }): string {
  const digits = change.time_precision === 's' ? 0 : change.time_precision === 'us' ? 6 : 3
  return formatInstant(change.event_time_us, digits).replace('T', ' ')
}

const COLOURS = {
  COMPLETE: 'green',
  UNBROKEN: 'green',
  'PRE-ARCHIVE': 'yellow',
  'KEYS-ONLY': 'yellow',
  GAP: 'red',
  CONFLICT: 'red',
} as const

/** One line that says how sure an answer about an item is, and remarks that do not change it. */
export function showConfidence(history: ItemHistory, io: Io): string {
  const { confidence } = history
  const text = wrap(describeConfidence(history), io.columns)
  // painted after it was broken into lines, because the colour has no width
  return text.startsWith(confidence) ? paint(io, COLOURS[confidence], confidence) + text.slice(confidence.length) : text
}

/** The same as plain text on one line. */
export function describeConfidence(history: ItemHistory): string {
  return [explain(history), ...remarks(history)].join('; ')
}

function explain({ confidence, findings, changes }: ItemHistory): string {
  const [first] = changes
  const found = findings.filter(({ finding }) => finding === confidence)
  const where = found[0] === undefined ? '' : showFinding(found[0])
  const place = found.length > 1 ? `, the first of ${found.length}` : ''
  switch (confidence) {
    case 'COMPLETE':
      return 'COMPLETE'
    case 'UNBROKEN':
      return `UNBROKEN${first === undefined ? '' : ` since ${first.event_name} ${showTime(first)}`}: each change starts where the one before ended`
    case 'PRE-ARCHIVE':
      return 'PRE-ARCHIVE: the item is older than its first change in the archive, what happened before is not known'
    case 'KEYS-ONLY':
      return `KEYS-ONLY: ${found[0]?.changes} of ${changes.length} changes lack an image, so what they changed and whether one is missing cannot be told`
    case 'GAP':
      return `GAP: one or more changes before ${where} are missing in the archive${place}`
    case 'CONFLICT':
      return `CONFLICT: the archive holds change ${where} with different contents, one of them is shown${place}`
  }
}

function showFinding({ eventId, eventTimeUs }: ItemFinding): string {
  return `${shortId(eventId)} (${formatInstant(eventTimeUs, eventTimeUs % 1_000_000 === 0 ? 0 : 3).replace('T', ' ')})`
}

function remarks({ findings, steps }: ItemHistory): readonly string[] {
  const repeats = findings
    .filter(({ finding }) => finding === 'DUPLICATE')
    .reduce((sum, { changes }) => sum + changes, 0)
  const unordered = steps.filter(step => !step.ordered).length
  return [
    ...(repeats > 0 ? [`${repeats} repeated ${repeats === 1 ? 'delivery' : 'deliveries'} left out`] : []),
    ...(unordered > 0
      ? [
          `${unordered === 1 ? 'once' : `${unordered} times`} several changes have one time and their order is not certain`,
        ]
      : []),
  ]
}

/** What to do next about a doubtful answer; nothing where there is no doubt. */
export function adviseOn(confidence: Confidence, table: string, root: string, io: Io): void {
  if (!isDoubtful(confidence)) return
  const archive = archiveFlag(root)
  if (confidence === 'GAP') io.err(`a missing change may be among the refused: itemtrail status${archive}\n`)
  io.err(`all that does not fit together: itemtrail query continuity ${table}${archive}\n`)
}
