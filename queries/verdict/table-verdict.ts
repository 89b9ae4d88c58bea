import { endsOf } from '../../transform/ends.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { type AlteredRows, countAltered, withAltered } from './altered-items.js'
import { type ArchiveFacts, readArchiveFacts } from './archive-facts.js'
import { beginningOf, findingsByItem, pairByItem, type TableFinding } from './continuity.js'
import { CONFIDENCES, type Confidence, type ItemFinding, isDoubtful, worstOf } from './findings.js'
import { type SealedTable, type Span, sealedOf, sealedWithin, wordsOf } from './sealed.js'
import { canBeApart, type Extent, type ItemSpan, readExtent, spansOfItems } from './table-extent.js'
import { judgeBriefly, momentOf, type Period, periodOver, stateSince } from './verdict.js'

/**
 * What an answer about a table rests on, in microseconds since 1970: the changes of a period [from, to), or what
 * items were at a moment (and up to a later one), which rests on everything before. Null: no such end.
 */
export type AskedPeriod =
  | { readonly kind: 'period'; readonly fromUs: number | null; readonly toUs: number | null }
  | { readonly kind: 'states'; readonly fromUs: number; readonly toUs: number }

/** A time in which something is missing, in microseconds since 1970. */
export interface MissingStretch {
  /** Null where nobody knows when it began. */
  readonly sinceUs: number | null
  readonly untilUs: number
}

/** How far an answer about a table and a period can be believed: the item's verdict, of all of its items. */
export interface TableVerdict {
  readonly table: string
  /** Whether it is about the changes of a period, or about what items were at its end. */
  readonly kind: AskedPeriod['kind']
  /** The period [from, to) that it is about; null: no such end. */
  readonly fromUs: number | null
  readonly toUs: number | null
  /** The worst of all that follows. */
  readonly confidence: Confidence
  /** True where the answer may lack something, or hold something wrong. */
  readonly isDoubtful: boolean
  /** Items that have changes in the period, or of which something is missing there, and how many of each confidence. */
  readonly items: number
  readonly verdicts: Readonly<Record<Confidence, number>>
  /** Changes in the period, repeats and baselines left out. */
  readonly changes: number
  /** Deliveries of these changes beside the first of each. */
  readonly repeats: number
  /** How many gaps there are, and when what is missing was made, overlapping times as one. */
  readonly gaps: number
  readonly missing: readonly MissingStretch[]
  /** What the archive's facts say was lost of the stream in the period. */
  readonly lost: ArchiveFacts['lost']
  readonly newStreams: ArchiveFacts['streams']
  readonly brokenBaselines: ArchiveFacts['broken']
  /** Comparisons with the table of which the archive no longer says what was judged equal. */
  readonly alteredComparisons: ArchiveFacts['altered']
  /** Refused records that may belong to the period; null where nobody looked. */
  readonly refused: number | null
  /** Days of the period without any row, between the first and the last day of the table. */
  readonly emptyDays: readonly string[]
  /** Of the whole table: the regions that its rows are of. Of several, every change may be in it more than once. */
  readonly regions: readonly string[]
  /** Of the whole table: its first change, and until when the archive is known to have received changes. */
  readonly beganUs: number | null
  readonly receivedUs: number | null
  /** The period goes on after what was received: nothing is known of the rest. */
  readonly isBehind: boolean
  /** The period ended before the archive began. */
  readonly isBefore: boolean
  /** Its objects beside the journal, of what is missing or altered that of the period; null: nothing is sealed. */
  readonly sealed: SealedTable | null
  /**
   * Rows that are not what their hashes say: images of the period, and whatever may have been of it. Null: nobody
   * looked.
   */
  readonly altered: number | null
  /** Rows of versions that are not known here, so that nobody can hold them against their hashes. Null: the same. */
  readonly unchecked: number | null
}

/** What else a verdict is made from. */
export interface JudgeOptions {
  /** How many refused records of a table arrived at a moment or later. @default - nobody looks */
  readonly refused?: ((table: string, sinceUs: number | null) => Promise<number>) | undefined
  /**
   * Whether rows are held against their hashes, which reads every image.
   * @default - up to 16 MB of objects in a folder
   */
  readonly hashes?: boolean | undefined
  /** The present, in microseconds since 1970: a period that has not ended yet is no doubt. @default - the clock */
  readonly nowUs?: number
}

/** What ended so shortly ago is the present: of that nobody expects to have heard all. */
const PRESENT_US = 10 * 60 * 1_000_000

/** What every verdict leaves out. */
export const NOT_SHOWN =
  'not shown by this: a lost last change of an item, a change lost together with its way back, or rows rewritten to fit'

/** Judges what an answer about a table and a period rests on. */
export async function judgeTable(
  engine: QueryEngine,
  table: TableConfiguration,
  asked: AskedPeriod,
  options: JudgeOptions = {},
): Promise<TableVerdict> {
  const known = await readArchiveFacts(engine, table)
  const bounds = boundsOf(asked, known)
  // a state rests on every day before it
  const read = asked.kind === 'states' ? { ...spanOf(bounds), afterUs: Number.NEGATIVE_INFINITY } : spanOf(bounds)
  const facts = { ...known, sealed: await sealedOf(engine, table, read) }
  const extent = await readExtent(engine, table)
  const altered = await countAltered(engine, table, bounds, options.hashes)
  const counted = await judgeItems(engine, table, facts, bounds, altered ?? new Map())
  const touching = factsIn(facts, bounds)
  const sealed = facts.sealed && sealedWithin(facts.sealed, spanOf(bounds))
  const refused = (await options.refused?.(table.table, bounds.fromUs)) ?? null
  const received = receivedUntil(extent, facts)
  const knownMissing =
    touching.lost.length +
      touching.newStreams.length +
      touching.brokenBaselines.length +
      touching.alteredComparisons.length +
      (refused ?? 0) >
    0
  const confidence = worstOf([
    ...CONFIDENCES.filter(word => counted.verdicts[word] > 0),
    ...(knownMissing ? (['GAP'] as const) : []),
    ...(sealed === null ? [] : wordsOf(sealed, spanOf(bounds))),
  ])
  const { nowUs = Date.now() * 1000 } = options
  const ends = bounds.toUs ?? Number.NEGATIVE_INFINITY
  const isBehind = ends > (received ?? Number.NEGATIVE_INFINITY) + 1
  const isBefore = bounds.toUs !== null && extent.beganUs !== null && bounds.toUs <= extent.beganUs
  return {
    table: table.table,
    kind: asked.kind,
    fromUs: asked.kind === 'states' ? null : bounds.fromUs,
    toUs: bounds.toUs,
    confidence,
    isDoubtful:
      isDoubtful(confidence) || (isBehind && ends <= nowUs - PRESENT_US) || isBefore || extent.regions.length > 1,
    ...counted,
    ...touching,
    refused,
    emptyDays: extent.emptyDays.filter(day => isDayIn(day, bounds)),
    regions: extent.regions,
    beganUs: extent.beganUs,
    receivedUs: received,
    isBehind,
    isBefore,
    sealed,
    ...countsOf(altered),
  }
}

function countsOf(altered: ReadonlyMap<string, AlteredRows> | null): Pick<TableVerdict, 'altered' | 'unchecked'> {
  if (altered === null) return { altered: null, unchecked: null }
  const sum = (name: keyof AlteredRows) => [...altered.values()].reduce((sum, rows) => sum + rows[name], 0)
  return { altered: sum('altered'), unchecked: sum('unchecked') }
}

/** What counts: rows from `fromUs` to before `toUs`, findings that concern the time after `afterUs`. */
interface Bounds {
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly afterUs: number
  /** The period of an item's verdict, from its first and last change in these bounds. */
  readonly periodOf: (timesUs: readonly number[]) => Period
  /** Whether that is another for each item. */
  readonly isPerItem: boolean
  /** Since when what was sealed and is missing matters to it. */
  readonly sealedAfterOf: (timesUs: readonly number[]) => number
}

function spanOf({ afterUs, toUs }: Bounds): Span {
  return { afterUs, toUs: (toUs ?? Number.POSITIVE_INFINITY) - 1 }
}

function boundsOf(asked: AskedPeriod, facts: ArchiveFacts): Bounds {
  const { fromUs, toUs } = asked
  if (asked.kind === 'states') {
    const { afterUs } = momentOf(facts, asked.fromUs)
    const period = { afterUs, fromUs: asked.fromUs, toUs: asked.toUs, untilUs: asked.toUs }
    const sealedAfterOf = (timesUs: readonly number[]) => stateSince(afterUs, timesUs.at(-1), asked.fromUs)
    return { fromUs: null, toUs: asked.toUs + 1, afterUs, periodOf: () => period, isPerItem: false, sealedAfterOf }
  }
  const afterUs = fromUs === null ? Number.NEGATIVE_INFINITY : fromUs - 1
  const periodOf = (timesUs: readonly number[]) => periodIn(fromUs, toUs, timesUs)
  return { fromUs, toUs, afterUs, periodOf, isPerItem: fromUs === null || toUs === null, sealedAfterOf: () => afterUs }
}

/** An end that was not asked for is where the item's own changes end. */
function periodIn(fromUs: number | null, toUs: number | null, timesUs: readonly number[]): Period {
  const own = timesUs.length === 0 ? { fromUs: 0, toUs: 0 } : periodOver(timesUs)
  const end = toUs === null ? Number.POSITIVE_INFINITY : toUs - 1
  return {
    afterUs: fromUs === null ? Number.NEGATIVE_INFINITY : fromUs - 1,
    fromUs: fromUs ?? own.fromUs,
    toUs: toUs === null ? own.toUs : end,
    untilUs: end,
  }
}

type Counted = Pick<TableVerdict, 'items' | 'verdicts' | 'changes' | 'repeats' | 'gaps' | 'missing'>

async function judgeItems(
  engine: QueryEngine,
  table: TableConfiguration,
  facts: ArchiveFacts,
  bounds: Bounds,
  altered: ReadonlyMap<string, AlteredRows>,
): Promise<Counted> {
  const verdicts = Object.fromEntries(CONFIDENCES.map(word => [word, 0])) as Record<Confidence, number>
  const missing = new MissingStretches()
  let [items, changes, repeats] = [0, 0, 0]
  // sealed objects that are missing are no sign of an item without rows: they may have been any item's
  const ofRowless = { ...facts, sealed: null }
  const count = (itemKey: string, all: readonly TableFinding[], item?: ItemSpan) => {
    const timesUs = item === undefined ? [] : [item.firstUs, item.lastUs]
    const [period, since] = [bounds.periodOf(timesUs), bounds.sealedAfterOf(timesUs)]
    const known = item === undefined ? ofRowless : facts
    const about = withAltered(judgeBriefly(itemKey, all, known, period, since), altered.get(itemKey))
    const { confidence } = about
    // what is missing in the period may be all that the item had there
    if (item === undefined && !isDoubtful(confidence)) return
    items += item?.items ?? 1
    verdicts[confidence] += item?.items ?? 1
    for (const finding of about.findings) {
      if (finding.finding === 'GAP') missing.add(finding)
      if (finding.finding === 'DUPLICATE') repeats += finding.changes
    }
  }
  const compared = facts.comparisons.flatMap(({ differing, unsettled }) => [...differing.keys(), ...unsettled])
  const rowless = new Set(facts.comparisons.flatMap(({ differing }) => [...differing.keys()]))
  const findings = findingsByItem(engine, table, facts)
  try {
    const mayBeTogether = engine.takesLongText === true && areJudgedAlike(facts, bounds)
    const { first, isAll, all: found } = await beginningOf(findings, mayBeTogether ? MOST_APART : 0)
    const apart = [...first.map(({ itemKey }) => itemKey), ...altered.keys(), ...compared]
    const areTogether = mayBeTogether && isAll && apart.length <= MOST_APART && apart.every(canBeApart)
    const spans = spansOfItems(engine, table, bounds, areTogether ? apart : undefined)
    for await (const { itemKey, one: item, other } of pairByItem(spans, found)) {
      rowless.delete(itemKey)
      changes += item?.changes ?? 0
      count(itemKey, other?.findings ?? [], item)
    }
  } finally {
    await findings.return(undefined)
  }
  for (const itemKey of rowless) count(itemKey, [])
  return { items, verdicts, changes, repeats, gaps: missing.gaps, missing: missing.merged() }
}

/** So many items are told apart from all others, of which nothing is said. */
const MOST_APART = 5000

/** True where items of which nothing is said have one verdict, whenever their changes were made. */
function areJudgedAlike({ baselines, compared, sealed }: ArchiveFacts, { isPerItem }: Bounds): boolean {
  const isAnchored = baselines.length > 0 || compared !== null
  return (sealed === null || sealed.findings.length === 0) && !(isPerItem && isAnchored)
}

/** The times in which something is missing, overlapping ones as one: gaps are many more than stretches. */
class MissingStretches {
  gaps = 0
  private held: MissingStretch[] = []
  private most = 10_000

  add({ sinceUs, untilUs }: ItemFinding): void {
    this.gaps++
    this.held.push({ sinceUs, untilUs })
    if (this.held.length < this.most) return
    this.held = [...mergeStretches(this.held)]
    this.most = Math.max(this.most, 2 * this.held.length)
  }

  merged(): readonly MissingStretch[] {
    return mergeStretches(this.held)
  }
}

function mergeStretches(gaps: readonly MissingStretch[]): readonly MissingStretch[] {
  const start = ({ sinceUs }: MissingStretch) => sinceUs ?? Number.NEGATIVE_INFINITY
  const merged: MissingStretch[] = []
  for (const { sinceUs, untilUs } of [...gaps].sort((a, b) => start(a) - start(b) || a.untilUs - b.untilUs)) {
    const last = merged.at(-1)
    if (last === undefined || start({ sinceUs, untilUs }) > last.untilUs) merged.push({ sinceUs, untilUs })
    else merged[merged.length - 1] = { ...last, untilUs: Math.max(last.untilUs, untilUs) }
  }
  return merged
}

function factsIn(
  { lost, streams, broken, altered }: ArchiveFacts,
  { afterUs, toUs }: Bounds,
): Pick<TableVerdict, 'lost' | 'newStreams' | 'brokenBaselines' | 'alteredComparisons'> {
  const end = toUs ?? Number.POSITIVE_INFINITY
  return {
    lost: lost.filter(each => each.toUs > afterUs && (each.fromUs ?? Number.NEGATIVE_INFINITY) < end),
    newStreams: streams.filter(({ us }) => us > afterUs && us < end),
    brokenBaselines: broken.filter(({ us }) => us > afterUs && us < end),
    // what is missing, or another, is from before it
    alteredComparisons: altered.filter(({ us }) => us > afterUs),
  }
}

/** A look at the table itself shows that nothing came until then, too. */
function receivedUntil({ newestUs }: Extent, { baselines, compared }: ArchiveFacts): number | null {
  const known = [newestUs, compared?.us ?? null, ...baselines.map(({ us }) => us)].filter(us => us !== null)
  return known.length === 0 ? null : endsOf(known)[1]
}

const DAY_US = 86_400_000_000

function isDayIn(day: string, { fromUs, toUs }: Bounds): boolean {
  const us = Date.parse(day) * 1000
  return us + DAY_US > (fromUs ?? Number.NEGATIVE_INFINITY) && us < (toUs ?? Number.POSITIVE_INFINITY)
}
