import type { Table } from 'apache-arrow'
import { answerQuery } from '../../queries/answers/ask.js'
import { savedQuery } from '../../queries/catalog.js'
import { keyBeginning } from '../../queries/item-key.js'
import {
  type ItemListQuestion,
  itemListParameters,
  type ListedItem,
  listItems,
} from '../../queries/verdict/item-list.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { instantOf } from '../ask/instant-argument.js'
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
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { showTime } from '../show/confidence.js'
import { showItemKey } from '../show/item-key.js'
import { grouped } from '../show/progress.js'
import { showInstant } from '../show/state.js'
import type { AnswerSurface } from '../show/surface.js'
import { printTable } from '../show/table.js'
import { exitOfVerdict, pageVerdict, printVerdict } from '../show/table-verdict.js'

/** The items that the archive knows of a table. */
export const items: Command = {
  usage: 'items <table> [prefix]',
  summary: 'the items of a table: last change, how many, and whether each is there now',
  options: [
    ...PLACE_OPTIONS,
    ['--at <instant>', 'as of when', 'now'],
    ['--limit <n>', 'how many, by their keys'],
    ...ANSWER_OPTIONS,
    VERDICT_OPTION,
  ],
  example: 'itemtrail items Orders ORD123 --limit 20',
  run: (args, options, io) => askArchive(options, io, asking => answerItems(args, asking)),
}

async function answerItems([name, prefix = '']: readonly string[], asking: Asking): Promise<AnswerSurface> {
  const { workspace, options } = asking
  const at = instantOf(options.at as string, '--at')
  const limit = wholeNumber(options, 'limit')
  const table = findWorkspaceTable(workspace, name as string, prefix)
  const sample = await workspace.archive.sampleKey(table.table)
  if (sample === undefined) throw new CommandError(`table ${table.table} has no rows in the archive`, EXIT.findings)
  const key = await withTokens(workspace, table, keyed => keyBeginning(prefix, sample, keyed))
  // what names a person is not told again
  const begins = table.keyIsPersonal === undefined ? prefix : 'a value that names a person'
  return surfaceOf(table, { key, atUs: at.us, limit }, prefix === '' ? {} : { 'key begins with': begins }, asking)
}

function surfaceOf(
  table: TableConfiguration,
  question: ItemListQuestion,
  narrowed: Readonly<Record<string, string>>,
  asking: Asking,
): AnswerSurface {
  const { engine, root } = asking.workspace
  const query = savedQuery('items')
  const parameters = itemListParameters(question)
  const counts = { shown: 0, known: 0 }
  const found = countItems(listItems(engine, table, question), counts)
  const asked = { query: query.name, table: table.table, parameters: new Map(Object.entries(parameters)), sql: '' }
  const judgement = judgementOf(asked, asking, () => answerQuery(engine, query, table, parameters))
  const parts = judgedParts(judgement, root)
  return {
    page: async io => {
      await printItems(found, io)
      if (counts.shown === 0) io.out(`${query.empty}\n`)
      printVerdict(await judgement.verdict(), root, io.out, io)
    },
    rows: () => describeItems(found, table),
    table: () => textTableOf(found),
    web: async () => {
      // whether some are left out is known when they are there
      const columns = await textTableOf(found)
      const { shown, known } = counts
      const cut = shown < known && { shown: `${grouped(shown)} of ${grouped(known)} items: --limit cut the rest` }
      return {
        question: `Which items of ${table.table} does the archive know?`,
        parameters: { table: table.table, ...narrowed, 'as of': showInstant({ us: question.atUs }), ...cut },
        empty: query.empty,
        confidence: pageVerdict(await judgement.verdict(), root),
        details: ['event_id', 'time_precision'],
        table: async () => columns,
      }
    },
    ...parts,
    beside: async () => ({ known: counts.known, ...(await parts.beside()) }),
    end: async io => {
      tellCounts(table.table, counts, question, io)
      return exitOfVerdict(await judgement.verdict())
    },
  }
}

async function* countItems(
  found: AsyncIterable<ListedItem>,
  counts: { shown: number; known: number },
): AsyncGenerator<ListedItem> {
  for await (const item of found) {
    counts.shown++
    counts.known = item.known
    yield item
  }
}

function tellCounts(
  table: string,
  { shown, known }: { readonly shown: number; readonly known: number },
  { atUs }: ItemListQuestion,
  io: Io,
): void {
  const moment = showInstant({ us: atUs }, io.zone)
  if (shown < known)
    io.err(`${grouped(shown)} of ${grouped(known)} items of ${table} as of ${moment}: --limit cut the rest\n`)
  else io.err(`${grouped(shown)} ${shown === 1 ? 'item' : 'items'} of ${table} as of ${moment}\n`)
}

const COLUMNS = ['item', 'state', 'last change', 'event', 'actor', 'changes'] as const

async function printItems(found: AsyncIterable<ListedItem>, io: Io): Promise<void> {
  const rows: (readonly string[])[] = []
  for await (const { itemKey, state, last, changes } of found)
    rows.push([
      showItemKey(itemKey),
      state,
      showTime(last, io.zone),
      last.event_name,
      last.actor ?? '',
      grouped(changes),
    ])
  if (rows.length > 0) printTable(COLUMNS, rows, io)
}

/** The columns of the list as a file. */
const FILE_COLUMNS = [
  'item_key',
  'state',
  'event_id',
  'event_name',
  'event_time',
  'time_precision',
  'actor',
  'changes',
] as const

async function textTableOf(found: AsyncIterable<ListedItem>): Promise<Table> {
  const { textTable } = await import('../../queries/engines/text-table.js')
  const rows: (readonly (string | null)[])[] = []
  for await (const { itemKey, state, last, changes } of found)
    rows.push([
      itemKey,
      state,
      last.event_id,
      last.event_name,
      showTime(last).replace(' ', 'T'),
      last.time_precision,
      last.actor,
      String(changes),
    ])
  return textTable(FILE_COLUMNS, rows)
}

async function* describeItems(found: AsyncIterable<ListedItem>, { table }: TableConfiguration): AsyncGenerator<object> {
  for await (const { itemKey, state, last, changes } of found)
    yield {
      table,
      item_key: JSON.parse(itemKey) as object,
      state,
      event_id: last.event_id,
      event_name: last.event_name,
      event_time: showTime(last).replace(' ', 'T'),
      time_precision: last.time_precision,
      actor: last.actor,
      changes,
    }
}
