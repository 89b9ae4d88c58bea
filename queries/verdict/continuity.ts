import { formatInstant } from '../../transform/instant.js'
import { compareUtf8 } from '../../transform/json.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { bindQuery } from '../bind.js'
import { savedQuery } from '../catalog.js'
import { balanceOfAll, breaksOfAll, continuityOfAll, itemsLackedBy, rowsOfEachItem } from '../each-item.js'
import type { QueryEngine } from '../engines/engine.js'
import { fewOnce, once } from '../engines/once.js'
import type { Row } from '../engines/rows.js'
import type { Anchor, ArchiveFacts } from './archive-facts.js'
import { type Boundary, boundaryBetween } from './boundary.js'
import type { Boundaries } from './erasures.js'
import { explained, type Finding, type ItemFinding, type Missing } from './findings.js'

/** A finding about one item of a table. */
export interface TableFinding extends ItemFinding {
  readonly itemKey: string
}

/** All findings about one item. */
export interface FindingsOfItem {
  readonly itemKey: string
  readonly findings: readonly TableFinding[]
}

/** Why the chain of an item breaks at a change, where nothing need be missing. */
interface ExplainedBreak {
  readonly kind: 'explained'
  readonly itemKey: string
  readonly eventId: string
  readonly boundary: Boundary
}

/** A change of which rows differ only by the keys under which they were sealed: it came again after an erasure. */
interface Resealed {
  readonly kind: 'resealed'
  readonly itemKey: string
  readonly eventId: string
}

type Reason = ExplainedBreak | Resealed

type Piece = (TableFinding & { readonly kind: 'finding' }) | Reason

/**
 * What does not fit together in a table, item by item in the order of their keys: what `continuity` finds, and
 * `anchors` of each complete baseline. Memory holds one item's findings at a time where the engine can stream.
 */
export async function* findingsByItem(
  engine: QueryEngine,
  table: TableConfiguration,
  facts: ArchiveFacts,
): AsyncGenerator<FindingsOfItem> {
  const streams = [
    asFindings(chainFindings(engine, table)),
    ...facts.baselines.map(each => asFindings(anchorFindings(engine, table, each))),
    reasonsByItem(engine, table, facts.boundaries),
  ]
  for await (const pieces of groupByItem<Piece>(streams)) yield findingsOfItem(pieces)
}

/** What two streams have of one item. */
export interface PairOfItem<A, B> {
  readonly itemKey: string
  readonly one: A | undefined
  readonly other: B | undefined
}

/**
 * What two streams have of each item, each of them in the order of the items' keys and with one of an item at most.
 * Neither is held in memory.
 */
export async function* pairByItem<A extends { readonly itemKey: string }, B extends { readonly itemKey: string }>(
  ones: AsyncGenerator<A>,
  others: AsyncGenerator<B>,
): AsyncGenerator<PairOfItem<A, B>> {
  try {
    let one = await nextOf(ones)
    let other = await nextOf(others)
    while (one !== undefined || other !== undefined) {
      // one of them tells of few items, and past its last keys need not be compared
      const order = one === undefined ? 1 : other === undefined ? -1 : compareUtf8(one.itemKey, other.itemKey)
      if (order === 0) yield { itemKey: (one as A).itemKey, one, other }
      else if (order < 0) yield { itemKey: (one as A).itemKey, one, other: undefined }
      else yield { itemKey: (other as B).itemKey, one: undefined, other }
      if (order <= 0) one = await nextOf(ones)
      if (order >= 0) other = await nextOf(others)
    }
  } finally {
    await ones.return(undefined)
    await others.return(undefined)
  }
}

/**
 * What a stream begins with, up to so many, whether that is all of it, and all of it from its beginning. Whoever has
 * the stream ends it.
 */
export async function beginningOf<T>(
  stream: AsyncGenerator<T>,
  most: number,
): Promise<{ readonly first: readonly T[]; readonly isAll: boolean; readonly all: AsyncGenerator<T> }> {
  const first: T[] = []
  let next = await nextOf(stream)
  for (; next !== undefined && first.length < most; next = await nextOf(stream)) first.push(next)
  const rest = next
  return { first, isAll: rest === undefined, all: allOf() }

  async function* allOf(): AsyncGenerator<T> {
    for (const value of first) yield value
    if (rest !== undefined) yield rest
    for await (const value of stream) yield value
  }
}

async function nextOf<T>(stream: AsyncGenerator<T>): Promise<T | undefined> {
  const { value, done } = await stream.next()
  return done === true ? undefined : value
}

async function* asFindings(findings: AsyncGenerator<TableFinding>): AsyncGenerator<Piece> {
  for await (const finding of findings) yield { kind: 'finding', ...finding }
}

function findingsOfItem(pieces: OfItem<Piece>): FindingsOfItem {
  const reasons = new Map(
    pieces.flatMap(piece => (piece.kind === 'explained' ? [[piece.eventId, piece.boundary]] : [])),
  )
  const resealed = new Set(pieces.flatMap(piece => (piece.kind === 'resealed' ? [piece.eventId] : [])))
  const findings = pieces.flatMap(piece => {
    if (piece.kind !== 'finding') return []
    const { kind: _, ...finding } = piece
    if (finding.finding === 'CONFLICT' && resealed.has(finding.eventId ?? '')) return [asRepeats(finding)]
    const isBreak = finding.finding === 'GAP' && finding.absence === null
    return [isBreak ? explained(finding, reasons.get(finding.eventId ?? '')) : finding]
  })
  return { itemKey: pieces[0].itemKey, findings: distinct(findings) }
}

/** A conflict counts deliveries, of which repeats are those behind the first. */
function asRepeats(conflict: TableFinding): TableFinding {
  return { ...conflict, finding: 'DUPLICATE', changes: conflict.changes - 1 }
}

/** Most changes that a statement names: with more its text would be too long for Athena. */
const MOST_NAMED = 2000

/**
 * The breaks of a table that have a reason, as a parameter of a saved query: changes with the words `ERASED` and
 * `CONFIG-BOUNDARY`, and ` again` behind a change that was only sealed again, which is a `DUPLICATE`. Of more than can
 * be named none is, and each is a `GAP` or a `CONFLICT` there.
 */
export async function namedBreaks(
  engine: QueryEngine,
  table: TableConfiguration,
  boundaries: Boundaries,
): Promise<string> {
  const named: Record<string, string> = {}
  let count = 0
  for await (const reason of reasonsByItem(engine, table, boundaries)) {
    if (++count > MOST_NAMED) return '{}'
    if (reason.kind === 'explained') named[reason.eventId] = reason.boundary.finding
    else named[`${reason.eventId} again`] = 'DUPLICATE'
  }
  return JSON.stringify(named)
}

/** What has a reason, by item. Where nothing of the table ever was erasable there is none to be found. */
async function* reasonsByItem(
  engine: QueryEngine,
  table: TableConfiguration,
  boundaries: Boundaries,
): AsyncGenerator<Reason> {
  if (![...boundaries.erasable.values()].some(erasable => erasable.length > 0)) return
  for await (const row of rowsOfEachItem(engine, table, breaksOfAll(table))) {
    const of = { itemKey: row.item_key as string, eventId: row.event_id as string }
    if (row.is_resealed === true) yield { kind: 'resealed', ...of }
    const boundary = row.is_break === true ? boundaryAt(row, boundaries) : undefined
    if (boundary !== undefined) yield { kind: 'explained', ...of, boundary }
  }
}

function boundaryAt(row: Row, boundaries: Boundaries): Boundary | undefined {
  const side = (name: 'before' | 'after') => ({
    image: row[`${name}_image`] as string,
    hash: row[`${name}_hash`] as string,
    configId: row[`${name}_config`] as string,
  })
  return boundaryBetween(side('before'), side('after'), boundaries)
}

/** Of one answer both what is in it and what it rests on are told, so it is asked for twice. */
function chainFindings(engine: QueryEngine, table: TableConfiguration): AsyncGenerator<TableFinding> {
  return fewOnce(engine, `what does not fit together in ${table.table}`, () => askChains(engine, table))
}

async function* askChains(engine: QueryEngine, table: TableConfiguration): AsyncGenerator<TableFinding> {
  for await (const row of rowsOfEachItem(engine, table, continuityOfAll(table))) {
    yield {
      itemKey: row.item_key as string,
      finding: row.finding as Finding,
      eventId: row.event_id as string,
      eventTimeUs: Number(row.event_time_us),
      changes: Number(row.changes),
      sinceUs: row.since_us === null ? null : Number(row.since_us),
      untilUs: Number(row.until_us),
      absence: null,
      erasures: [],
    }
  }
}

/**
 * What is missing because a complete baseline lacks an item. What its own rows contradict, `continuity` finds, too.
 * An opened archive is asked once: it takes a look at every change, and what an item was needs it, too.
 */
export async function* anchorFindings(
  engine: QueryEngine,
  table: TableConfiguration,
  anchor: Anchor,
): AsyncGenerator<TableFinding> {
  yield* await once(engine, `what baseline ${anchor.source} shows of ${table.table}`, async () => {
    const found: TableFinding[] = []
    for await (const finding of askAnchor(engine, table, anchor)) found.push(finding)
    return found
  })
}

async function* askAnchor(
  engine: QueryEngine,
  table: TableConfiguration,
  { source, us, untilUs }: Anchor,
): AsyncGenerator<TableFinding> {
  const { sql, values } = bindQuery(savedQuery('anchors'), table, {
    source,
    time: formatInstant(us, 6),
    until: formatInstant(untilUs, 6),
  })
  const columns = savedQuery('anchors').columns.map(({ name }) => name)
  // whatever the query's own order is
  const ordered = `select * from (\n${sql}\n) as found order by item_key, event_time_us, event_id`
  const narrowing = itemsLackedBy(table, source, us)
  for await (const row of rowsOfEachItem(engine, table, { columns, sql: ordered, values, narrowing })) {
    if (row.missing === 'change') continue
    const missing = row.missing as Missing
    const eventTimeUs = Number(row.event_time_us)
    const [since, until] = missing === 'REMOVE' ? [eventTimeUs, us] : [us, eventTimeUs]
    yield {
      itemKey: row.item_key as string,
      finding: 'GAP',
      eventId: row.event_id as string,
      eventTimeUs,
      changes: 1,
      sinceUs: since,
      untilUs: until,
      absence: { source, missing },
      erasures: [],
    }
  }
}

/** Items whose states do not balance, each with how many changes it lacks at least. */
export async function* unbalancedItems(engine: QueryEngine, table: TableConfiguration): AsyncGenerator<TableFinding> {
  for await (const row of rowsOfEachItem(engine, table, balanceOfAll(table))) {
    const us = Number(row.event_time_us)
    yield {
      itemKey: row.item_key as string,
      finding: 'GAP',
      eventId: row.event_id as string,
      eventTimeUs: us,
      changes: Number(row.missing),
      sinceUs: us,
      untilUs: us,
      absence: null,
      erasures: [],
    }
  }
}

/** What there is of one item. */
export type OfItem<T> = readonly [T, ...T[]]

/** What several streams that are each in the order of their items' keys have of each item. */
export async function* groupByItem<T extends { readonly itemKey: string }>(
  streams: readonly AsyncGenerator<T>[],
): AsyncGenerator<OfItem<T>> {
  let item: [T, ...T[]] | undefined
  for await (const piece of mergeByItem(streams)) {
    if (item !== undefined && item[0].itemKey === piece.itemKey) item.push(piece)
    else {
      if (item !== undefined) yield item
      item = [piece]
    }
  }
  if (item !== undefined) yield item
}

/** Merges streams that are each in the order of their items' keys. */
async function* mergeByItem<T extends { readonly itemKey: string }>(
  streams: readonly AsyncGenerator<T>[],
): AsyncGenerator<T> {
  const heads: { readonly stream: AsyncGenerator<T>; head: T }[] = []
  try {
    for (const stream of streams) {
      const head = await nextOf(stream)
      if (head !== undefined) heads.push({ stream, head })
    }
    while (heads.length > 0) {
      const least = heads.reduce((a, b) => (compareUtf8(b.head.itemKey, a.head.itemKey) < 0 ? b : a))
      yield least.head
      const head = await nextOf(least.stream)
      if (head === undefined) heads.splice(heads.indexOf(least), 1)
      else least.head = head
    }
  } finally {
    for (const stream of streams) await stream.return(undefined)
  }
}

/** A missing change that several baselines show counts once, and once where the chain shows it, too. */
function distinct(findings: readonly TableFinding[]): readonly TableFinding[] {
  const first = new Map<string, TableFinding>()
  for (const finding of findings) {
    const side = finding.absence?.missing === 'REMOVE' ? 'after' : 'before'
    const key = `${finding.finding} ${finding.eventId} ${side}`
    if (!first.has(key)) first.set(key, finding)
  }
  return [...first.values()]
}
