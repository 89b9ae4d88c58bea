import type { Answer } from '../../queries/answers/answer.js'
import type { Anchor } from '../../queries/verdict/archive-facts.js'
import type { KnownErasure } from '../../queries/verdict/erasures.js'
import { type Confidence, type ItemFinding, isDoubtful } from '../../queries/verdict/findings.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import { formatInstant } from '../../transform/instant.js'
import { EXIT, type ExitCode, type Io } from '../io.js'
import { archiveFlag, isOnAws } from './archive-name.js'
import type { Surface } from './surface.js'
import { paint } from './terminal.js'
import { printable, wrap } from './text.js'
import { showMoment, wordsIn } from './zone.js'

/** An event's id as people read and type it. */
export function shortId(eventId: string): string {
  return eventId.slice(0, 8)
}

/** A change's time as precisely as it is known. @default zone - UTC */
export function showTime(
  change: { readonly event_time_us: number; readonly time_precision: string },
  zone?: string,
): string {
  const digits = change.time_precision === 's' ? 0 : change.time_precision === 'us' ? 6 : 3
  return showMoment(change.event_time_us, digits, zone)
}

/** The colour of each confidence on a terminal. */
export const COLOURS = {
  COMPLETE: 'green',
  UNBROKEN: 'green',
  ERASED: 'green',
  'CONFIG-BOUNDARY': 'green',
  'PRE-ARCHIVE': 'yellow',
  'KEYS-ONLY': 'yellow',
  DIFFERS: 'red',
  GAP: 'red',
  CONFLICT: 'red',
  UNCHECKED: 'red',
  ALTERED: 'red',
} as const

/** How a command ends whose answer is so sure: what could not be checked is no finding. */
export function exitOf(confidence: Confidence, isDoubted = isDoubtful(confidence)): ExitCode {
  if (!isDoubted) return EXIT.done
  return confidence === 'UNCHECKED' ? EXIT.unchecked : EXIT.findings
}

/** One line that says how sure an answer about an item is, and remarks that do not change it. */
export function showConfidence(history: ItemHistory, io: Io): string {
  const { confidence } = history
  // what facts hold stays on its line
  const text = wrap(wordsIn(printable(describeConfidence(history)), io.zone), io.columns)
  // painted after it was broken into lines, because the colour has no width
  return text.startsWith(confidence) ? paint(io, COLOURS[confidence], confidence) + text.slice(confidence.length) : text
}

/** The same as plain text on one line. */
export function describeConfidence(history: ItemHistory): string {
  return [explain(history), ...remarks(history)].join('; ')
}

/** The same for a page, the word apart from its explanation. */
export function pageConfidence(history: ItemHistory): { readonly word: string; readonly text: string } {
  const { confidence: word } = history
  return { word, text: describeConfidence(history).slice(word.length).replace(/^: /, '').trim() }
}

function explain(history: ItemHistory): string {
  const { confidence, findings, changes, steps, start, end, completeUntil } = history
  const [first] = changes
  if (first === undefined && !isDoubtful(confidence)) return explainUnseen(history)
  const found = findings.filter(({ finding }) => finding === confidence)
  const where = found[0] === undefined ? '' : showFinding(found[0])
  const place = found.length > 1 ? `, the first of ${found.length}` : ''
  if (found.length === 0 && (confidence === 'GAP' || confidence === 'ALTERED')) return OF_SEALED[confidence]
  switch (confidence) {
    case 'COMPLETE':
      return `COMPLETE: each change starts where the one before ended, and the item was what the table held at ${showAnchor(start)} and at ${showAnchor(end)}`
    case 'UNBROKEN':
      return completeUntil === null
        ? `UNBROKEN${sinceWhen(first, start)}: each change starts where the one before ended`
        : `UNBROKEN: each change starts where the one before ended; COMPLETE until ${showAnchor(completeUntil)}, UNBROKEN since`
    case 'ERASED':
    case 'CONFIG-BOUNDARY':
      return `${confidence}: ${missingText(found[0] as ItemFinding)}${place}`
    case 'PRE-ARCHIVE':
      if (first === undefined)
        return 'PRE-ARCHIVE: no change of it had come by then and no baseline tells of it, so what it was is not known'
      return 'PRE-ARCHIVE: the item is older than its first change in the archive, what happened before is not known'
    case 'KEYS-ONLY':
      return `KEYS-ONLY: ${found[0]?.changes} of ${changes.length} changes lack an image, so what they changed and whether one is missing cannot be told`
    case 'DIFFERS':
      return `DIFFERS: ${missingText(found[0] as ItemFinding)}`
    case 'GAP':
      return `GAP: ${missingText(found[0] as ItemFinding)} in the archive${place}`
    case 'ALTERED':
      return `ALTERED: ${alteredText(found[0] as ItemFinding, steps)}${place}`
    case 'UNCHECKED':
      return `UNCHECKED: change ${where} was written by a later itemtrail, in a row version that this one does not know, so it cannot be held against its hashes${place}`
    case 'CONFLICT':
      return `CONFLICT: the archive holds change ${where} with different contents, one of them is shown${place}`
  }
}

/** What is no finding about the item itself; the remarks name the objects. */
const OF_SEALED = {
  GAP: 'GAP: objects of the table that were sealed are missing, or others now, and changes of the item may have been in them',
  ALTERED: 'ALTERED: objects of the table are not those that were sealed, and changes of the item may be in them',
}

/** Of an item without any change until then. */
function explainUnseen({ confidence, start, end }: ItemHistory): string {
  const lacked = `the table did not have it at ${showAnchor(start)}`
  if (confidence === 'COMPLETE')
    return `COMPLETE: ${lacked} nor at ${showAnchor(end)}, and no change of it lies between`
  return start === null
    ? 'UNBROKEN: its first change came later'
    : `UNBROKEN: ${lacked}, and no change of it came since`
}

/** An answer about a moment rests on the last baseline before it: what is missing before that does not concern it. */
function sinceWhen(first: ItemHistory['changes'][number] | undefined, start: Anchor | null): string {
  if (first === undefined) return ''
  return start !== null && start.us > first.event_time_us
    ? ` since ${showAnchor(start)}`
    : ` since ${first.event_name} ${showTime(first)}`
}

function showAnchor(anchor: Anchor | null): string {
  return anchor === null ? 'no time' : `${formatInstant(anchor.us, 0).replace('T', ' ')} (${anchor.kind})`
}

/** What of a change is not what its hashes say: its image, where that is all. */
function alteredText(finding: ItemFinding, steps: ItemHistory['steps']): string {
  const where = showFinding(finding)
  const changes = steps.flatMap(step => step.changes)
  const altered = changes.find(({ event_id: id }) => id === finding.eventId)?.altered ?? []
  const unreadable = altered.find(({ unreadable }) => unreadable !== null)?.unreadable
  if (unreadable !== undefined) return `the image of ${where} cannot be read (${unreadable})`
  const parts = altered.map(({ part }) => part)
  if (parts.every(part => part === 'changed')) return `what ${where} changed is not what its images say`
  return !parts.includes('row')
    ? `the image of ${where} is not what its hash says`
    : `change ${where} is not what its row_hash says`
}

/** What is missing, contradicts itself, or cannot be compared, and where. */
export function missingText(finding: ItemFinding): string {
  const { absence } = finding
  if (finding.finding === 'DIFFERS')
    return `the table held something else when it was compared at ${formatInstant(finding.eventTimeUs, 0).replace('T', ' ')}: changes since ${finding.sinceUs === null ? 'its first' : formatInstant(finding.sinceUs, 0).replace('T', ' ')} are missing, or had not arrived yet`
  if (finding.eventId === null)
    return `changes of the table${since(finding)} to ${formatInstant(finding.untilUs, 0).replace('T', ' ')} are missing, and the item's may be among them,`
  const where = showFinding(finding)
  if (finding.finding === 'CONFLICT') return `change ${where} was delivered with different contents`
  if (finding.finding === 'ERASED')
    return `${where} leaves what the change before entered in all that can be compared; of what was erased (${finding.erasures.map(showErasure).join(', ')}) nothing can be`
  if (finding.finding === 'CONFIG-BOUNDARY')
    return `${where} leaves what the change before entered in all that can be compared; the rest is sealed otherwise since the table's erasable values are others`
  if (absence === null) return `one or more changes before ${where} are missing`
  const lacks = `baseline ${absence.source} lacks the item`
  return absence.missing === 'REMOVE'
    ? `a REMOVE after ${where} (${lacks}) is missing`
    : `an INSERT before ${where} (${lacks}) is missing`
}

/** An erasure as people are told of it: when, and by which certificate. */
export function showErasure({ destroyed, certificate }: KnownErasure): string {
  return destroyed === null ? 'being erased' : `erased ${destroyed.slice(0, 10)}, certificate ${certificate}`
}

function since({ sinceUs }: ItemFinding): string {
  return sinceUs === null ? '' : ` from ${formatInstant(sinceUs, 0).replace('T', ' ')}`
}

function showFinding({ eventId, eventTimeUs }: Pick<ItemFinding, 'eventId' | 'eventTimeUs'>): string {
  return `${shortId(eventId ?? '')} (${formatInstant(eventTimeUs, eventTimeUs % 1_000_000 === 0 ? 0 : 3).replace('T', ' ')})`
}

function remarks({ findings, steps, remarks: known }: ItemHistory): readonly string[] {
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
    ...known,
  ]
}

/** Tells of images in an answer that are not what the hashes beside them say; true where there are any. */
export function tellAlteredImages(answer: Answer, io: Io): boolean {
  const altered = answer.alteredImages()
  if (altered === 0) return false
  const images =
    altered === 1
      ? '1 image of the answer is not what its hash says'
      : `${altered} images of the answer are not what their hashes say`
  io.err(`${paint(io, 'red', 'ALTERED')}: ${images}\n`)
  return true
}

/** What every answer about one item ends with: `lines` of its own, how sure it is, and what to do next. */
export function itemEnding(
  history: ItemHistory,
  lines: () => readonly string[],
  table: string,
  root: string,
): Required<Pick<Surface, 'summary' | 'advice'>> {
  return {
    summary: io => io.err(`${[...lines(), describeConfidence(history)].join('\n')}\n`),
    advice: io => {
      for (const text of itemAdvice(history.confidence, table, root)) io.err(`${text}\n`)
    },
  }
}

/** What to do next about a doubtful answer about an item; nothing where there is no doubt. */
export function itemAdvice(confidence: Confidence, table: string, root: string): readonly string[] {
  if (!isDoubtful(confidence)) return []
  const archive = archiveFlag(root)
  if (confidence === 'DIFFERS')
    return [
      `once what was late has arrived, compare again: itemtrail reconcile ${table} --scan${isOnAws(root) ? ' --stack NAME' : archive}`,
    ]
  const onAws = isOnAws(root)
  if (confidence === 'ALTERED' || confidence === 'UNCHECKED') {
    const rows = onAws ? 'query altered-rows' : 'verify rows'
    const what =
      confidence === 'ALTERED' ? 'all that is another than it was made' : 'how many rows are of which version'
    return [`${what}: itemtrail ${rows} ${table}${archive}`]
  }
  const question = onAws ? 'query' : 'verify'
  return [
    ...(confidence === 'GAP' && !onAws
      ? [`a missing change may be among the refused: itemtrail status${archive}`]
      : []),
    `all that does not fit together: itemtrail ${question} continuity ${table}${archive}`,
  ]
}
