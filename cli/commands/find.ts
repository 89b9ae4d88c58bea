import type { Table } from 'apache-arrow'
import { findValue, type ValueSearch } from '../../queries/answers/find-value.js'
import { sealedPlaces, tellUnseen } from '../../queries/answers/sealed-places.js'
import { savedQuery } from '../../queries/catalog.js'
import type { ValueSpan } from '../../queries/verdict/value-spans.js'
import { formatInstant } from '../../transform/instant.js'
import { canonicalNumeral } from '../../transform/numeral.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { withTokens } from '../ask/key-tokens.js'
import {
  ANSWER_OPTIONS,
  type Asking,
  askArchive,
  judgedParts,
  judgementOf,
  PLACE_OPTIONS,
  VERDICT_OPTION,
} from '../ask/question.js'
import { wholeNumber } from '../ask/whole-number.js'
import { findWorkspaceTable } from '../ask/workspace.js'
import { type Command, CommandError, type Io } from '../io.js'
import { shortId } from '../show/confidence.js'
import { showItemKey } from '../show/item-key.js'
import { grouped } from '../show/progress.js'
import { showInstant } from '../show/state.js'
import type { AnswerSurface } from '../show/surface.js'
import { printTable } from '../show/table.js'
import { exitOfVerdict, pageVerdict, printVerdict } from '../show/table-verdict.js'
import { printable } from '../show/text.js'

/** Where a value ever stood. */
export const find: Command = {
  usage: 'find <table> <value>',
  summary: 'where a value ever stood: which items, which attributes, from when to when',
  options: [
    ...PLACE_OPTIONS,
    ['--attribute <path>', 'only there, or below it: shipping.city'],
    ['--limit <n>', 'how many items are told', '1000'],
    ...ANSWER_OPTIONS,
    VERDICT_OPTION,
  ],
  example: 'itemtrail find Orders Leipzig --attribute shipping',
  run: (args, options, io) => askArchive(options, io, asking => answerFind(args, asking)),
}

async function answerFind([name, value = '']: readonly string[], asking: Asking): Promise<AnswerSurface> {
  const { workspace, options } = asking
  if (value === '') throw new CommandError('value is empty, expected a text or a number')
  const limit = wholeNumber(options, 'limit')
  const attribute = options.attribute as string | undefined
  const table = findWorkspaceTable(workspace, name as string, value)
  const stored = await withTokens(workspace, table, keyed => workspace.archive.storedValue(keyed, value, attribute))
  const search = await findValue(workspace.engine, table, { value: stored, attribute, limit })
  if (attribute === undefined && table.keyIsPersonal !== undefined)
    asking.io.err(`${printable(keysNotLookedAt(table))}\n`)
  const sealed = await sealedPlaces(workspace.engine, table, attribute)
  if (sealed.length > 0) asking.io.err(`${printable(tellUnseen(table, sealed))}\n`)
  return surfaceOf(table.table, stored, search, sealed, asking)
}

/** A value is looked for as it is, and in the place of these there is another. */
function keysNotLookedAt({ table, keyIsPersonal = [] }: TableConfiguration): string {
  const flags = keyIsPersonal.map(name => `--attribute ${name}`).join(' and ')
  return `keys of ${table} have tokens in the place of ${keyIsPersonal.join(' and ')}: ${flags} looks for the value there`
}

function surfaceOf(
  table: string,
  value: string,
  search: ValueSearch,
  sealed: readonly string[],
  asking: Asking,
): AnswerSurface {
  const { root } = asking.workspace
  const { answer } = search
  const { attribute } = asking.options
  const nowhere =
    attribute === undefined ? savedQuery('items-with-value').empty : `this value never stood at ${String(attribute)}`
  const empty = sealed.length === 0 ? nowhere : `in clear, ${nowhere}`
  const judgement = judgementOf(answer.asked, asking, async () => answer)
  const counts = { spans: 0, items: new Set<string>() }
  const spans = countSpans(search.spans(), counts)
  const parts = judgedParts(judgement, root)
  return {
    page: async io => {
      await printSpans(spans, io)
      if (counts.spans === 0) io.out(`${printable(empty)}\n`)
      printVerdict(await judgement.verdict(), root, io.out, io)
    },
    rows: () => describeSpans(spans, table),
    table: () => textTableOf(spans),
    web: async () => {
      // how many items were not looked at is known when the others were
      const columns = await textTableOf(spans)
      const left = notLookedAt(search)
      return {
        question: `Where did ${JSON.stringify(value)} ever stand in ${table}?`,
        parameters: {
          table,
          ...(attribute !== undefined && { attribute: String(attribute) }),
          ...(sealed.length > 0 && { 'sealed, and not looked into': sealed.join(', ') }),
          ...(left > 0 && { 'not looked at': moreHaveIt(left, counts) }),
        },
        sql: answer.asked.sql,
        empty,
        confidence: pageVerdict(await judgement.verdict(), root),
        table: async () => columns,
      }
    },
    ...parts,
    beside: async () => ({ not_looked_at: notLookedAt(search), sealed, ...(await parts.beside()) }),
    end: async io => {
      tellCounts(value, counts, search, io)
      return exitOfVerdict(await judgement.verdict())
    },
  }
}

interface Counts {
  spans: number
  readonly items: Set<string>
}

async function* countSpans(spans: AsyncIterable<ValueSpan>, counts: Counts): AsyncGenerator<ValueSpan> {
  for await (const span of spans) {
    counts.spans++
    counts.items.add(span.itemKey)
    yield span
  }
}

function notLookedAt({ answer, tally }: ValueSearch): number {
  return answer.length - tally.items
}

function moreHaveIt(left: number, { items }: Counts): string {
  return `${grouped(left)} more ${left === 1 ? 'item has' : 'items have'} it: --limit looks at more than ${grouped(items.size)}`
}

function tellCounts(value: string, counts: Counts, search: ValueSearch, io: Io): void {
  const { spans, items } = counts
  const places = `${grouped(spans)} ${spans === 1 ? 'place' : 'places'}`
  io.err(`${places} in ${grouped(items.size)} ${items.size === 1 ? 'item' : 'items'}\n`)
  const left = notLookedAt(search)
  if (left > 0) io.err(`${moreHaveIt(left, counts)}\n`)
  const numeral = canonicalNumeral(value)
  if (numeral !== undefined && numeral !== value)
    io.err(
      printable(`the number ${value} is written ${numeral} in the archive: itemtrail find TABLE ${numeral}`).concat(
        '\n',
      ),
    )
}

const COLUMNS = ['item', 'attribute', 'from', 'from event', 'until', 'until event', 'confidence'] as const

async function printSpans(spans: AsyncIterable<ValueSpan>, io: Io): Promise<void> {
  const rows: (readonly string[])[] = []
  for await (const span of spans) {
    const { itemKey, path, fromUs, fromEvent, untilUs, untilEvent, confidence } = span
    rows.push([
      showItemKey(itemKey),
      path,
      `${fromEvent === null ? 'before ' : ''}${showInstant({ us: fromUs }, io.zone)}`,
      fromEvent === null ? '' : shortId(fromEvent),
      untilUs === null ? 'still' : `${untilEvent === null ? 'before ' : ''}${showInstant({ us: untilUs }, io.zone)}`,
      untilEvent === null ? '' : shortId(untilEvent),
      // where a change is missing, or lacks an image, nobody knows that a value still stands
      confidence,
    ])
  }
  if (rows.length > 0) printTable(COLUMNS, rows, io)
}

/** The columns of the places as a file. */
const FILE_COLUMNS = ['item_key', 'path', 'from', 'from_event', 'until', 'until_event', 'confidence'] as const

async function textTableOf(spans: AsyncIterable<ValueSpan>): Promise<Table> {
  const { textTable } = await import('../../queries/engines/text-table.js')
  const rows: (readonly (string | null)[])[] = []
  for await (const { itemKey, path, confidence, ...span } of spans) {
    const { from, from_event, until, until_event } = describeTime(span)
    rows.push([itemKey, path, from, from_event, until, until_event, confidence])
  }
  return textTable(FILE_COLUMNS, rows)
}

async function* describeSpans(spans: AsyncIterable<ValueSpan>, table: string): AsyncGenerator<object> {
  for await (const { itemKey, path, confidence, ...span } of spans)
    yield { table, item_key: JSON.parse(itemKey) as object, path, ...describeTime(span), confidence }
}

function describeTime({ fromUs, fromEvent, untilUs, untilEvent }: Omit<ValueSpan, 'itemKey' | 'path' | 'confidence'>) {
  return {
    from: formatInstant(fromUs, 6),
    from_event: fromEvent,
    until: untilUs === null ? null : formatInstant(untilUs, 6),
    until_event: untilEvent,
  }
}
