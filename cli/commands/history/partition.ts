import type { Table } from 'apache-arrow'
import type { Unsealing } from '../../../erasure/reveal.js'
import { imagesIn, revealHistory } from '../../../erasure/revealed.js'
import { answerQuery } from '../../../queries/answers/ask.js'
import { narrowTable } from '../../../queries/answers/narrow-history.js'
import { savedQuery } from '../../../queries/catalog.js'
import { keyMember, valueIn } from '../../../queries/item-key.js'
import { isDoubtful, worstOf } from '../../../queries/verdict/findings.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import { readHistories } from '../../../queries/verdict/histories.js'
import type { HistoryChange } from '../../../queries/verdict/item-change.js'
import { listItems } from '../../../queries/verdict/item-list.js'
import type { Step } from '../../../queries/verdict/step.js'
import { parseItem } from '../../../transform/attribute-value.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { withTokens } from '../../ask/key-tokens.js'
import { type Asking, lazily } from '../../ask/question.js'
import { revealingOf, revealTable } from '../../ask/revealing.js'
import { CommandError, EXIT, type Io } from '../../io.js'
import { COLOURS, describeConfidence, exitOf } from '../../show/confidence.js'
import { parseItemKey } from '../../show/item-key.js'
import { grouped } from '../../show/progress.js'
import type { AnswerSurface } from '../../show/surface.js'
import { paint } from '../../show/terminal.js'
import { printable, wrap } from '../../show/text.js'
import { wordsIn } from '../../show/zone.js'
import type { Narrowing } from './narrowing.js'

/** Prints a change as `history` does, `of` behind it. */
type PrintChange = (change: HistoryChange, step: Step<HistoryChange>, found: ItemHistory, io: Io, of: string) => void
/** A change as JSON, as `history` has it. */
type DescribeChange = (change: HistoryChange, step: Step<HistoryChange>, found: ItemHistory) => object

/** How `history` shows one change. */
export interface ChangeShown {
  readonly print: PrintChange
  readonly describe: DescribeChange
  readonly lines: (change: HistoryChange) => readonly string[]
  /** Which of the changes are shown. How sure the answer is rests on all of them. */
  readonly narrowing: Narrowing
}

/** Items that are told together; their histories are in memory at once. */
const MOST_ITEMS = 1000

/**
 * What happened to the items that share what was typed, `pk=CUSTOMER#1`, interleaved in time; undefined for a text that
 * is the key of one item. Throws `CommandError` for a partition without an item, and for one that is too large.
 */
export async function partitionHistory(
  asking: Asking,
  table: TableConfiguration,
  typed: string,
  shown: ChangeShown,
): Promise<AnswerSurface | undefined> {
  const { engine, archive } = asking.workspace
  const sample = await archive.sampleKey(table.table)
  if (sample === undefined || isWholeKey(typed, sample)) return undefined
  const key = await withTokens(asking.workspace, table, keyed => keyMember(typed, sample, keyed))
  if (key === undefined) return undefined
  // what names a person is not told again
  const named = `${typed.slice(0, typed.indexOf('='))}=${valueIn(key)}`
  const shared = table.keyIsPersonal === undefined ? typed : named
  const keys: string[] = []
  for await (const item of listItems(engine, table, { key, atUs: Date.now() * 1000, limit: MOST_ITEMS + 1 })) {
    if (item.known > MOST_ITEMS) throw tooMany(table.table, shared, item.known)
    keys.push(item.itemKey)
  }
  if (keys.length === 0)
    throw new CommandError(
      `${table.table} ${shared} was never seen: the archive has no item of it`,
      EXIT.findings,
      `itemtrail items ${table.table} lists those that it has`,
    )
  const items = [...(await readHistories(engine, table, keys)).values()]
  return surfaceOf({ table, typed: shared, key, items }, asking, shown)
}

function isWholeKey(typed: string, sample: string): boolean {
  try {
    parseItemKey(typed, sample)
    return true
  } catch (error) {
    if (error instanceof CommandError) return false
    throw error
  }
}

function tooMany(table: string, typed: string, known: number): CommandError {
  return new CommandError(
    `${table} ${typed} has ${grouped(known)} items, at most ${grouped(MOST_ITEMS)} are told together`,
    EXIT.usage,
    `itemtrail items ${table} ${JSON.stringify(typed)} lists them`,
  )
}

interface Partition {
  readonly table: TableConfiguration
  readonly typed: string
  /** What the items' keys have in them. */
  readonly key: string
  readonly items: readonly ItemHistory[]
}

/** One change of one of the items. */
interface OfItem {
  readonly change: HistoryChange
  readonly step: Step<HistoryChange>
  readonly item: ItemHistory
}

async function surfaceOf(partition: Partition, asking: Asking, shown: ChangeShown): Promise<AnswerSurface> {
  const { workspace, options, receipts } = asking
  const { table, typed, items } = partition
  const confidence = worstOf(items.map(item => item.confidence))
  const { narrowing } = shown
  const revealing = await revealingOf(workspace, table, options)
  await revealing.ready(imagesIn(items))
  const keep = (unseal: Unsealing) =>
    keptOf(
      items.map(item => revealHistory(item, unseal)),
      narrowing,
    )
  // people and programs: with --reveal, and after an erasure, not the same
  const [page, programs] = [keep(revealing.shown), keep(revealing.given)]
  const answer = lazily(() =>
    answerQuery(workspace.engine, savedQuery('partition-history'), table, { key: partition.key }),
  )
  const receipt = lazily(async () => (receipts.isWanted ? receipts.keep(await answer(), workspace) : undefined))
  return {
    page: io => printPage(partition, page, shown, io),
    whole: () => describePartition(partition, programs, shown),
    rows: () => programs.map(of => describeOf(of, shown)),
    table: async () => {
      const columns = await revealTable((await answer()).table, revealing)
      return narrowing.flags === '' ? columns : narrowTable(columns, new Set(programs.map(({ change }) => change)))
    },
    web: async () => ({
      question: `What happened to ${table.table} ${typed}, newest first?`,
      parameters: {
        ...Object.fromEntries(items.map(item => [nameIn(item, partition), describeConfidence(item)])),
        ...(narrowing.flags !== '' && { shown: countShown(partition, programs, narrowing) }),
      },
      sql: (await answer()).asked.sql,
      confidence: { word: confidence, text: wordsOf(items) },
      table: () => readableTable(partition, page, shown),
    }),
    receipt,
    summary: io => {
      const part = narrowing.flags === '' ? [] : [countShown(partition, programs, narrowing)]
      io.err(`${[...part, ...doubts(partition)].join('\n')}\n`)
    },
    end: io => {
      const slip = narrowing.slip(items.flatMap(item => item.changes))
      if (slip !== undefined) io.err(`${printable(slip)}\n`)
      return exitOf(confidence)
    },
  }
}

/** The changes that are shown, newest first. */
function keptOf(items: readonly ItemHistory[], narrowing: Narrowing): readonly OfItem[] {
  const all = newestFirst(items)
  const kept = narrowing.of(all.map(({ change }) => change).reverse())
  return all.filter(({ change }) => kept.has(change))
}

/** All changes by time, of one item in its own order. */
function newestFirst(items: readonly ItemHistory[]): readonly OfItem[] {
  const placed = items.flatMap(item => {
    let latest = 0
    return item.steps.flatMap(step =>
      step.changes.map(change => {
        latest = Math.max(latest, change.event_time_us)
        return { us: latest, of: { change, step, item } }
      }),
    )
  })
  // a sort is stable: what has one time keeps the order of its item
  return placed
    .sort((a, b) => a.us - b.us)
    .map(({ of }) => of)
    .reverse()
}

/** An item's name without what all of them share: `sk=ORDER#1`. */
function nameIn({ itemKey }: ItemHistory, { typed }: Partition): string {
  const [shared] = typed.split('=')
  const others = Object.entries(parseItem(itemKey)).filter(([name]) => name !== shared)
  return printable(others.map(([name, value]) => `${name}=${Object.values(value)[0]}`).join(','))
}

function wordsOf(items: readonly ItemHistory[]): string {
  const counts = new Map<string, number>()
  for (const { confidence } of items) counts.set(confidence, (counts.get(confidence) ?? 0) + 1)
  return [...counts].map(([word, n]) => `${grouped(n)} ${word}`).join(', ')
}

/** Doubtful items that a person is told of one by one. */
const MOST_DOUBTS = 20

/** How sure the histories are: those that are doubtful one by one. An item that never came shows nowhere. */
function doubts(partition: Partition): readonly string[] {
  const { items } = partition
  const doubtful = items.filter(({ confidence }) => isDoubtful(confidence))
  const left = doubtful.length - MOST_DOUBTS
  return [
    `${grouped(items.length)} ${items.length === 1 ? 'item' : 'items'}: ${wordsOf(items)}`,
    ...doubtful.slice(0, MOST_DOUBTS).map(item => printable(`${nameIn(item, partition)}: ${describeConfidence(item)}`)),
    ...(left > 0 ? [`and ${grouped(left)} more`] : []),
    'not shown by this: an item of the partition none of whose changes came',
  ]
}

function printPage(partition: Partition, changes: readonly OfItem[], { print, narrowing }: ChangeShown, io: Io): void {
  const { table, typed, items } = partition
  const all = countOf(partition)
  const count = `${grouped(all)} ${all === 1 ? 'change' : 'changes'}`
  const of = `${grouped(items.length)} ${items.length === 1 ? 'item' : 'items'}`
  io.out(`${paint(io, 'bold', printable(`${table.table} ${typed}`))}  ${count} of ${of}\n`)
  const [words, ...rest] = doubts(partition) as [string, ...string[]]
  io.out(`${paint(io, COLOURS[worstOf(items.map(item => item.confidence))], words)}\n`)
  for (const line of rest) io.out(`${wrap(wordsIn(line, io.zone), io.columns)}\n`)
  if (narrowing.flags !== '') io.out(`${countShown(partition, changes, narrowing)}\n`)
  for (const { change, step, item } of changes) print(change, step, item, io, nameIn(item, partition))
}

function countOf({ items }: Partition): number {
  return items.reduce((sum, item) => sum + item.changes.length, 0)
}

function countShown(partition: Partition, changes: readonly OfItem[], { flags }: Narrowing): string {
  const shown = changes.length === 0 ? 'none' : grouped(changes.length)
  return `${shown} of ${grouped(countOf(partition))} shown: ${printable(flags)}`
}

function describePartition(partition: Partition, changes: readonly OfItem[], shown: ChangeShown): object {
  const { table, typed, items } = partition
  return {
    table: table.table,
    partition: typed,
    confidence: worstOf(items.map(item => item.confidence)),
    items: items.map(item => ({
      item_key: JSON.parse(item.itemKey) as object,
      confidence: item.confidence,
      changes: item.changes.length,
      remarks: item.remarks,
    })),
    left_out: countOf(partition) - changes.length,
    changes: changes.map(of => describeOf(of, shown)),
  }
}

function describeOf({ change, step, item }: OfItem, { describe }: ChangeShown): object {
  return { item_key: JSON.parse(item.itemKey) as object, ...describe(change, step, item) }
}

async function readableTable(partition: Partition, changes: readonly OfItem[], { lines }: ChangeShown): Promise<Table> {
  const { textTable } = await import('../../../queries/engines/text-table.js')
  const rows = changes.map(({ change, item }) => [
    new Date(change.event_time_us / 1000).toISOString(),
    nameIn(item, partition),
    change.event_name,
    change.actor ?? '',
    lines(change).join('\n'),
    change.event_id,
  ])
  return textTable(['time', 'item', 'change', 'actor', 'what changed', 'event_id'], rows)
}
