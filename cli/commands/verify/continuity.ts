import { describeRegions } from '../../../queries/regions.js'
import type { Anchor } from '../../../queries/verdict/archive-facts.js'
import {
  CONFIDENCES,
  type Confidence,
  type Finding,
  type ItemFinding,
  isDoubtful,
} from '../../../queries/verdict/findings.js'
import { ContinuityCheck, type ItemVerdict, verifiedPeriod } from '../../../queries/verdict/verify-continuity.js'
import { formatInstant } from '../../../transform/instant.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import type { Workspace } from '../../ask/workspace.js'
import { EXIT, type Io } from '../../io.js'
import { archiveFlag, isOnAws } from '../../show/archive-name.js'
import { COLOURS, missingText } from '../../show/confidence.js'
import { showItemKey } from '../../show/item-key.js'
import { grouped } from '../../show/progress.js'
import type { TableSurface } from '../../show/surface.js'
import { paint } from '../../show/terminal.js'
import { printable, wrap } from '../../show/text.js'

/** What a verification is asked with. */
export interface Asked {
  readonly workspace: Workspace
  readonly period: { readonly fromUs?: number; readonly toUs?: number }
  /** How far it is goes to standard error. */
  readonly io: Io
}

/** Verifies one table; what it says goes out as it comes. */
export type Verification = (asked: Asked, table: TableConfiguration) => Promise<TableSurface>

/** Findings that a person is shown of one table; programs get all. */
const MOST_ITEMS = 50

/** Is anything missing? The verdict about each item of a table. */
export const verifyContinuity: Verification = async (asked, table) => {
  const check = await ContinuityCheck.open(asked.workspace.engine, table, verifiedPeriod(asked.period))
  let left = 0
  const { facts } = check
  return {
    list: 'findings',
    isApart: true,
    page: async io => {
      io.out(`${paint(io, 'bold', table.table)}\n`)
      left = await printVerdicts(check, table, asked, io)
      printSummary(check, io.out, asked, io)
    },
    rows: () => findingsOf(check),
    beside: () => describe(check, asked.period),
    summary: io => printSummary(check, io.err, asked, io),
    advice: io => advise(check, left, table, asked, io),
    end: () => {
      const isDoubted = CONFIDENCES.some(word => isDoubtful(word) && check.tally.verdicts[word] > 0)
      return isDoubted || facts.broken.length + facts.altered.length > 0 || check.regions.size > 1
        ? EXIT.findings
        : EXIT.done
    },
  }
}

/** The findings about each item, as programs get them. */
async function* findingsOf(check: ContinuityCheck): AsyncGenerator<object> {
  for await (const verdict of check.verdicts())
    for (const finding of verdict.findings) yield describeFinding(finding, verdict)
}

/** Returns how many items are not shown. */
async function printVerdicts(check: ContinuityCheck, table: TableConfiguration, asked: Asked, io: Io): Promise<number> {
  let items = 0
  for await (const verdict of check.verdicts()) {
    if (!verdict.findings.some(({ finding }) => SHOWN_FINDINGS.includes(finding))) continue
    if (items++ < MOST_ITEMS) printVerdict(verdict, table, asked, io)
  }
  return Math.max(0, items - MOST_ITEMS)
}

function printVerdict(
  { itemKey, confidence, findings }: ItemVerdict,
  table: TableConfiguration,
  asked: Asked,
  io: Io,
): void {
  const key = showItemKey(itemKey)
  const shown = findings.filter(({ finding }) => SHOWN_FINDINGS.includes(finding))
  for (const finding of shown)
    io.out(`  ${paint(io, COLOURS[confidence], `✗ ${finding.finding}`)}  ${key}  ${printable(missingText(finding))}\n`)
  io.out(
    `    ${paint(io, 'dim', `itemtrail history ${table.table} ${quoted(key)}${archiveFlag(asked.workspace.root)}`)}\n`,
  )
}

/** What is told item by item; of the other doubts there may be one for each item of a table. */
const SHOWN_FINDINGS: readonly Finding[] = ['CONFLICT', 'GAP', 'DIFFERS']

/** As a shell takes it. */
function quoted(key: string): string {
  return /^[\w.:,=@+-]+$/.test(key) ? key : `'${key.replaceAll("'", "'\\''")}'`
}

function printSummary(check: ContinuityCheck, write: (text: string) => void, { period }: Asked, io: Io): void {
  const { tally } = check
  const line = (name: string, text: string) => write(`  ${name.padEnd(9)} ${text}\n`)
  if (period.fromUs !== undefined || period.toUs !== undefined) line('period', describePeriod(period))
  line('items', `${grouped(tally.items)}, with ${count(tally.changes, 'change')}`)
  for (const confidence of ORDER) {
    const n = tally.verdicts[confidence]
    if (n > 0) line('', `${paint(io, COLOURS[confidence], confidence)} ${grouped(n)}: ${MEANINGS[confidence]}`)
  }
  line(
    'balance',
    tally.unbalanced === 0
      ? 'each state was left as often as it was entered'
      : `${count(tally.unbalanced, 'item')} entered a state oftener than they left it`,
  )
  line('anchors', describeAnchors(check.facts))
  for (const text of brokenTexts(check)) line('', paint(io, 'red', `✗ ${text}`))
  for (const text of lostTexts(check)) line('', paint(io, 'yellow', `⚠ ${text}`))
  if (tally.repeats > 0) line('', `${count(tally.repeats, 'repeated delivery', 'repeated deliveries')} left out`)
  if (tally.unordered > 0)
    line('', `${count(tally.unordered, 'item')} with changes of one time whose order is not certain`)
}

/** What a verdict cannot rest on. */
function brokenTexts({ facts, regions }: ContinuityCheck): readonly string[] {
  const severalRegions = describeRegions([...regions].sort())
  return [
    ...(severalRegions === undefined ? [] : [severalRegions]),
    ...facts.broken.map(({ source, us, items, found }) => {
      const has = found === items ? 'other rows than it wrote' : `${grouped(found)} of its ${grouped(items)} items`
      return `baseline ${printable(source)} (${formatInstant(us, 0)}) has ${has} in the archive, nothing is concluded from it`
    }),
    ...facts.altered.map(
      ({ us }) =>
        `since the comparison at ${formatInstant(us, 0)} rows from before it were removed, altered or added, nothing is concluded from it`,
    ),
  ]
}

/** What no stream has. */
function lostTexts({ facts }: ContinuityCheck): readonly string[] {
  return [
    ...facts.lost.map(
      ({ fact }) =>
        `records of the stream were lost ${fact.from === null ? '' : `from ${fact.from} `}to ${fact.to}: ${printable(fact.reason)}`,
    ),
    ...facts.streams.map(
      ({ fact }) => `the stream was made anew before ${fact.recorded}: what changed between is in no stream`,
    ),
  ]
}

function describePeriod({ fromUs, toUs }: Asked['period']): string {
  const from = fromUs === undefined ? 'the first change' : formatInstant(fromUs, 0)
  return `from ${from} to ${toUs === undefined ? 'now' : `before ${formatInstant(toUs, 0)}`}: nothing else is counted`
}

const ORDER: readonly Confidence[] = CONFIDENCES.toReversed()

const MEANINGS: Readonly<Record<Confidence, string>> = {
  COMPLETE: 'unbroken, and as the table was at both ends',
  UNBROKEN: 'each change starts where the one before ended',
  ERASED: 'unbroken, but for values of persons who were erased',
  'CONFIG-BOUNDARY': 'unbroken, but for values that are sealed otherwise since `erasable` is another',
  'PRE-ARCHIVE': 'older than their first change in the archive',
  'KEYS-ONLY': 'changes lack an image that would tell',
  DIFFERS: 'the table held something else when it was compared',
  GAP: 'one or more changes are missing',
  CONFLICT: 'one change with different contents',
  UNCHECKED: 'a later itemtrail wrote a change, whose hashes cannot be held against it here',
  ALTERED: 'a change is not what its hashes say',
}

function describeAnchors(facts: ContinuityCheck['facts']): string {
  const baselines = facts.baselines.map(({ us }) => `baseline ${formatInstant(us, 0)}`)
  const comparisons = unaltered(facts).map(({ us, differing }) => {
    const but = differing.size === 0 ? '' : ` (but for ${count(differing.size, 'item')} that differed)`
    return `reconciliation ${formatInstant(us, 0)}${but}`
  })
  const all = [...baselines, ...comparisons]
  return all.length === 0 ? 'none: no complete baseline is in the archive' : all.join(', ')
}

function unaltered({ comparisons, altered }: ContinuityCheck['facts']) {
  return comparisons.filter(comparison => comparison.isWhole && !altered.includes(comparison))
}

function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${grouped(n)} ${n === 1 ? noun : nouns}`
}

/** What to do next. */
function advise(
  { tally, facts }: ContinuityCheck,
  left: number,
  table: TableConfiguration,
  { workspace }: Asked,
  io: Io,
): void {
  // what was refused is kept in buckets that a stack names, and a baseline has flags of its own there
  const isInFolder = !isOnAws(workspace.root)
  const archive = isInFolder ? archiveFlag(workspace.root) : ''
  const place = isInFolder ? archive : ' --stack NAME'
  const say = (text: string) => io.err(`${wrap(text, io.columns)}\n`)
  if (left > 0) say(`${grouped(left)} more items: --format json has all`)
  if (tally.verdicts.GAP > 0)
    say(
      `a missing change may be among the refused: itemtrail status${place}; a new baseline makes what follows certain: itemtrail baseline ${table.table}${archive}`,
    )
  else if (facts.broken.length > 0) say(`rows of a baseline may be among the refused: itemtrail status${place}`)
  else if (tally.verdicts['PRE-ARCHIVE'] > 0 && facts.baselines.length === 0)
    say(
      `a baseline gives items that are older than the archive a beginning: itemtrail baseline ${table.table}${archive}`,
    )
}

function describeFinding(finding: ItemFinding, { itemKey, confidence }: ItemVerdict): object {
  return {
    verdict: confidence,
    finding: finding.finding,
    item_key: JSON.parse(itemKey) as object,
    event_id: finding.eventId,
    event_time: formatInstant(finding.eventTimeUs, 6),
    changes: finding.changes,
    since: finding.sinceUs === null ? null : formatInstant(finding.sinceUs, 6),
    until: formatInstant(finding.untilUs, 6),
    missing: finding.absence?.missing ?? null,
    baseline: finding.absence?.source ?? null,
    certificates: finding.erasures.flatMap(({ certificate }) => certificate ?? []),
  }
}

function describeAnchor({ kind, source, us }: Anchor): object {
  return { kind, source, time: formatInstant(us, 6) }
}

function describe({ tally, facts, regions }: ContinuityCheck, { fromUs, toUs }: Asked['period']): object {
  return {
    from: fromUs === undefined ? null : formatInstant(fromUs, 6),
    to: toUs === undefined ? null : formatInstant(toUs, 6),
    items: tally.items,
    changes: tally.changes,
    verdicts: Object.fromEntries(
      ORDER.map(confidence => [confidence.toLowerCase().replace('-', '_'), tally.verdicts[confidence]]),
    ),
    unbalanced: tally.unbalanced,
    repeats: tally.repeats,
    unordered: tally.unordered,
    regions: [...regions].sort(),
    anchors: [...facts.baselines, ...unaltered(facts)].map(describeAnchor),
    altered_comparisons: facts.altered.map(describeAnchor),
    broken_baselines: facts.broken.map(({ source, us, items, found }) => ({
      source,
      time: formatInstant(us, 6),
      items,
      found,
    })),
    lost: facts.lost.map(({ fact }) => ({ source: fact.source, from: fact.from, to: fact.to, reason: fact.reason })),
    new_streams: facts.streams.map(({ fact }) => ({
      previous: fact.previous,
      source: fact.source,
      before: fact.recorded,
    })),
  }
}
