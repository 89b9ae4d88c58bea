import type { AnswerVerdict } from '../../queries/answers/asked.js'
import { nameSome } from '../../queries/name-some.js'
import { describeRegions } from '../../queries/regions.js'
import { CONFIDENCES, type Confidence, isDoubtful } from '../../queries/verdict/findings.js'
import { sealedRemarks } from '../../queries/verdict/sealed-told.js'
import { NOT_SHOWN, type TableVerdict } from '../../queries/verdict/table-verdict.js'
import { formatInstant, readableInstant } from '../../transform/instant.js'
import { EXIT, type ExitCode, type Io } from '../io.js'
import { archiveFlag, isOnAws } from './archive-name.js'
import { COLOURS, describeConfidence, exitOf } from './confidence.js'
import { grouped } from './progress.js'
import { paint } from './terminal.js'
import { printable, wrap } from './text.js'
import { wordsIn } from './zone.js'

/** What an answer says where `--no-verdict` left out how sure it is. */
const NOT_JUDGED = 'not judged: whether anything is missing from this answer was not looked at'

/** A verdict in a few lines of plain text, worst first; the first begins with its word. */
function verdictLines(verdict: AnswerVerdict | undefined, root: string): readonly string[] {
  if (verdict === undefined) return [NOT_JUDGED]
  const { item, tables } = verdict
  if (item !== undefined) return [describeConfidence(item)]
  const several = tables.length > 1
  return [...tables.flatMap(table => tableLines(table, root, several)), ...(tables.length === 0 ? [] : [NOT_SHOWN])]
}

/** The same for a terminal. */
export function printVerdict(
  verdict: AnswerVerdict | undefined,
  root: string,
  write: (text: string) => void,
  io: Io,
): void {
  for (const line of verdictLines(verdict, root)) {
    const [word = ''] = /^[A-Z-]+(?=:)/.exec(line) ?? []
    const text = wrap(wordsIn(printable(line), io.zone), io.columns)
    const isWord = (CONFIDENCES as readonly string[]).includes(word)
    write(`${isWord ? paint(io, COLOURS[word as Confidence], word) + text.slice(word.length) : text}\n`)
  }
}

/** The same for a page, its word apart from its explanation. */
export function pageVerdict(
  verdict: AnswerVerdict | undefined,
  root: string,
): { readonly word: string; readonly text: string } {
  if (verdict === undefined) return { word: 'not judged', text: NOT_JUDGED.replace(/^not judged: /, '') }
  const lines = verdictLines(verdict, root)
  const { confidence: word } = verdict
  return { word, text: lines.join('; ').replace(new RegExp(`^${word}:? `), '') }
}

/** How a command ends whose answer rests on this; of one that was not judged nobody says that it is doubtful. */
export function exitOfVerdict(verdict: AnswerVerdict | undefined): ExitCode {
  return verdict === undefined ? EXIT.done : exitOf(verdict.confidence, verdict.isDoubtful)
}

/** What an empty answer was empty of. */
export function emptyOf({ tables }: AnswerVerdict): string {
  const [only] = tables
  if (only === undefined) return ''
  const found = CONFIDENCES.filter(word => isDoubtful(word) && only.verdicts[word] > 0)
  const doubts = found.map(word => `${count(only.verdicts[word], 'item')} ${doubtText(word, only.verdicts[word])}`)
  return [`among ${among(only)}`, ...doubts].join('; ')
}

function doubtText(word: Confidence, items: number): string {
  const isThing = word === 'GAP' || word === 'CONFLICT'
  return isThing ? `${items === 1 ? 'has' : 'have'} a ${word} in it` : `${items === 1 ? 'is' : 'are'} ${word}`
}

function among({ changes, items }: TableVerdict): string {
  return `${count(changes, 'change')} of ${count(items, 'item')}`
}

function tableLines(verdict: TableVerdict, root: string, several: boolean): readonly string[] {
  const { table, confidence, verdicts, items, isDoubtful } = verdict
  const counts = CONFIDENCES.filter(word => verdicts[word] > 0).map(word => `${grouped(verdicts[word])} ${word}`)
  const of = counts.length === 1 && verdicts[confidence] === items ? '' : `, ${counts.join(', ')}`
  const name = several ? ` in ${table}` : ''
  return [
    `${confidence}: ${among(verdict)}${name}${items === 0 ? '' : of}${periodText(verdict)}`,
    ...[missingText(verdict), receivedText(verdict), sealedText(verdict)].filter(line => line !== ''),
    ...(isDoubtful ? [adviceOn(verdict, root)] : []),
  ]
}

function periodText({ kind, fromUs, toUs }: TableVerdict): string {
  if (kind === 'states' && toUs !== null) return `, as of ${readableInstant(toUs - 1)}`
  const from = fromUs === null ? '' : ` from ${readableInstant(fromUs)}`
  const to = toUs === null ? '' : ` to ${readableInstant(toUs)}`
  return from === '' && to === '' ? '' : `,${from}${to}`
}

/** All that is known to be missing, in one sentence. */
function missingText(verdict: TableVerdict): string {
  const { missing, gaps, lost, newStreams, brokenBaselines, alteredComparisons } = verdict
  const { refused, altered, unchecked, emptyDays, regions } = verdict
  const severalRegions = describeRegions(regions)
  const since = missing[0]?.sinceUs ?? null
  const stretches = `${since === null ? '' : `from ${readableInstant(since)} `}to ${readableInstant(missing.at(-1)?.untilUs ?? 0)}`
  return [
    ...(gaps === 0
      ? []
      : [
          `${count(gaps, 'gap')} where changes are missing, made ${stretches} in ${count(missing.length, 'stretch', 'stretches')}`,
        ]),
    ...lost.map(
      ({ fact }) => `records of the stream ${fact.from === null ? '' : `from ${fact.from} `}to ${fact.to} were lost`,
    ),
    ...newStreams.map(
      ({ fact }) => `the stream was made anew before ${fact.recorded}, what changed between is in none`,
    ),
    ...brokenBaselines.map(({ us }) => `the baseline of ${readableInstant(us)} is not whole`),
    ...alteredComparisons.map(
      ({ us }) => `rows from before the comparison of ${readableInstant(us)} are missing, or others than then`,
    ),
    ...(refused === null || refused === 0 ? [] : [`${count(refused, 'refused record')} may belong to it`]),
    ...(altered === null || altered === 0 ? [] : [`${count(altered, 'row')} not what their hashes say`]),
    ...(unchecked === null || unchecked === 0
      ? []
      : [`${count(unchecked, 'row')} of versions that this itemtrail does not know, a later one wrote them`]),
    ...(emptyDays.length === 0
      ? []
      : [`${count(emptyDays.length, 'day')} without any change: ${nameSome(emptyDays, DAYS_SHOWN)}`]),
    ...(severalRegions === undefined ? [] : [severalRegions]),
    ...(altered === null ? ['rows were not held against their hashes'] : []),
  ].join('; ')
}

const DAYS_SHOWN = 3

function receivedText({ isBehind, isBefore, receivedUs, beganUs, fromUs, toUs }: TableVerdict): string {
  if (receivedUs === null) return 'BEHIND: the archive has received no change of the table'
  const began =
    beganUs === null ? '' : `the archive begins at ${readableInstant(beganUs)}: what happened before is not known`
  if (isBefore) return began
  const behind = isBehind
    ? `BEHIND: changes have been received until ${readableInstant(receivedUs)}, it goes on to ${readableInstant(toUs ?? 0)}: what happened after is not known`
    : ''
  const early = fromUs !== null && beganUs !== null && fromUs < beganUs ? began : ''
  return [behind, early].filter(text => text !== '').join('; ')
}

function sealedText({ sealed }: TableVerdict): string {
  return sealed === null ? '' : sealedRemarks(sealed).join('; ')
}

function adviceOn(verdict: TableVerdict, root: string): string {
  const { table, confidence, altered, unchecked, refused, fromUs, toUs, sealed } = verdict
  const archive = archiveFlag(root)
  if ((sealed?.findings.length ?? 0) > 0)
    return `what was sealed and is not as it was: itemtrail verify objects${archive}`
  if (!isDoubtful(confidence)) return `whether it is what the table holds: itemtrail reconcile ${table}${archive}`
  // what was refused, and `verify`, are looked at in a folder only
  if (isOnAws(root)) return `what does not fit together: itemtrail query continuity ${table}${archive}`
  if ((altered ?? 0) > 0) return `which rows are altered: itemtrail verify rows ${table}${archive}`
  if ((unchecked ?? 0) > 0) return `which versions they are of: itemtrail verify rows ${table}${archive}`
  if ((refused ?? 0) > 0) return `what was refused, and why: itemtrail status${archive}`
  const from = fromUs === null ? '' : ` --from ${formatInstant(fromUs, digitsOf(fromUs))}`
  const to = toUs === null ? '' : ` --to ${formatInstant(toUs, digitsOf(toUs))}`
  return `what does not fit together: itemtrail verify continuity ${table}${from}${to}${archive}`
}

function digitsOf(us: number): 0 | 3 | 6 {
  return us % 1_000_000 === 0 ? 0 : us % 1000 === 0 ? 3 : 6
}

function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${grouped(n)} ${n === 1 ? noun : nouns}`
}
