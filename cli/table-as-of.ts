import { answerQuery } from '../queries/answers/ask.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { FileFormat } from '../queries/answers/formats.js'
import type { PageContext } from '../queries/answers/html-page.js'
import type { Receipt } from '../queries/answers/receipt.js'
import { savedQuery } from '../queries/catalog.js'
import { archiveBegan } from '../queries/verdict/state-at.js'
import { type ItemOfTable, itemsAt } from '../queries/verdict/table-at.js'
import { parseItem, valueAt } from '../transform/attribute-value.js'
import { formatInstant, type Instant } from '../transform/instant.js'
import type { ConfiguredColumn, TableConfiguration } from '../transform/table-configuration.js'
import { EXIT, type ExitCode, type Io, type Options } from './io.js'
import { showItemKey } from './item-key.js'
import { judgeFor } from './question.js'
import type { ReceiptFile } from './receipt-file.js'
import { tellRemarks } from './remarks.js'
import { isFileFormat, pageFooter, printFile } from './show/answer-file.js'
import { showTime } from './show/confidence.js'
import { type Format, printStream, printTable, toDynamoDbJson } from './show/print.js'
import { showValue } from './show/show-item.js'
import { showInstant } from './show/show-state.js'
import { pageVerdict, printVerdict, writeJudged } from './show/table-verdict.js'
import { cut } from './show/text.js'
import { archiveFlag, isOnAws, type Workspace } from './workspace.js'

/** The columns of what an item, or each of a table, was at a moment, as files have them. */
export const STATE_COLUMNS = [
  'item_key',
  'as_of',
  'state',
  'confidence',
  'event_id',
  'event_time',
  'actor',
  'image_hash',
  'image',
] as const

/** What the table held at a moment, items among it that were there although the archive cannot say what they were. */
export async function tableAsOf(
  workspace: Workspace,
  table: TableConfiguration,
  at: Instant,
  format: Format,
  receipts: ReceiptFile,
  options: Options,
  io: Io,
): Promise<ExitCode> {
  const { engine, root } = workspace
  const counts = { items: 0, unknown: 0, altered: 0 }
  const items = countItems(itemsAt(engine, table, at), counts)
  const judge = () => judgeFor(askedOf(table, at), workspace, options, io)
  let verdict: AnswerVerdict | undefined
  if (format === 'table') await printItems(items, table, io)
  else if (format === 'dynamodb') {
    for await (const { image } of items) if (image !== null) io.out(`${toDynamoDbJson(image)}\n`)
  } else if (format === 'ndjson') await printStream(describeItems(items, table, at), format, io)
  else if (format === 'json') {
    const writer = writeJudged(io)
    for await (const item of describeItems(items, table, at)) writer.add(item)
    verdict = await judge()
    writer.end(verdict)
  } else {
    verdict = await judge()
    const receipt = await keepTableReceipt(workspace, table, at, receipts, verdict)
    await printItemFile(items, table.table, at, format, receipt, pageVerdict(verdict, root), io)
  }
  if (format !== 'json' && !isFileFormat(format)) verdict = await judge()
  if (!isFileFormat(format)) await keepTableReceipt(workspace, table, at, receipts, verdict)
  const write = format === 'table' ? io.out : io.err
  if (format !== 'json') printVerdict(verdict, root, write, io)
  io.err(`${counts.items} ${counts.items === 1 ? 'item' : 'items'} of ${table.table} as of ${showInstant(at)}\n`)
  if (counts.unknown > 0)
    io.err(`${counts.unknown} unknown: older than their first change in the archive, or no image tells their state\n`)
  if (counts.altered > 0)
    io.err(
      `${counts.altered} altered: itemtrail ${isOnAws(root) ? 'query altered-rows' : 'verify rows'} ${table.table}${archiveFlag(root)}\n`,
    )
  const began = await archiveBegan(engine, table)
  tellRemarks(engine, io)
  if (at.us < began)
    io.err(`the archive begins later, at ${showInstant({ us: began })}: what the table held before is not known\n`)
  if (counts.unknown > 0 || at.us < began) return EXIT.unchecked
  return counts.altered > 0 || verdict?.isDoubtful ? EXIT.findings : EXIT.done
}

/** What the saved query that says the same is asked with. */
function askedOf({ table }: TableConfiguration, at: Instant) {
  return { query: 'table-as-of', table, parameters: new Map([['at', formatInstant(at.us, 6)]]), sql: '' }
}

async function keepTableReceipt(
  workspace: Workspace,
  table: TableConfiguration,
  at: Instant,
  receipts: ReceiptFile,
  verdict: AnswerVerdict | undefined,
): Promise<Receipt | undefined> {
  if (!receipts.isWanted) return undefined
  const query = savedQuery('table-as-of')
  const answer = await answerQuery(workspace.engine, query, table, { at: formatInstant(at.us, 6) })
  return receipts.keep(answer, workspace, verdict ?? null)
}

async function printItemFile(
  items: AsyncIterable<ItemOfTable>,
  table: string,
  at: Instant,
  format: FileFormat,
  receipt: Receipt | undefined,
  confidence: PageContext['confidence'],
  io: Io,
): Promise<void> {
  const { textTable } = await import('../queries/engines/text-table.js')
  const rows: (readonly (string | null)[])[] = []
  for await (const { itemKey, state, confidence, image, imageHash, last } of items)
    rows.push([
      itemKey,
      formatInstant(at.us, 6),
      state,
      confidence,
      last?.event_id ?? null,
      last === undefined ? null : showTime(last).replace(' ', 'T'),
      last?.actor ?? null,
      imageHash,
      image,
    ])
  const page = {
    question: `What did ${table} hold at ${showInstant(at)}?`,
    parameters: { table },
    empty: 'no item',
    confidence,
    footer: await pageFooter(receipt),
  }
  await printFile(textTable(STATE_COLUMNS, rows), format, page, io)
}

async function* countItems(
  items: AsyncIterable<ItemOfTable>,
  counts: { items: number; unknown: number; altered: number },
): AsyncGenerator<ItemOfTable> {
  for await (const item of items) {
    counts.items++
    if (item.state === 'unknown') counts.unknown++
    if (item.confidence === 'ALTERED') counts.altered++
    yield item
  }
}

/** The configured attributes, or what stands first in an item where none are: a whole image fits no line. */
async function printItems(items: AsyncIterable<ItemOfTable>, table: TableConfiguration, io: Io): Promise<void> {
  const names = table.columns.length > 0 ? table.columns.map(({ column }) => column) : ['attributes']
  const unknown = names.map((_, i) => (i === 0 ? '(unknown)' : ''))
  const rows: (readonly string[])[] = []
  for await (const { itemKey, image, last } of items) {
    const values = image === null ? unknown : showColumns(image, itemKey, table.columns)
    rows.push([showItemKey(itemKey), last === undefined ? '' : showTime(last), last?.actor ?? '', ...values])
  }
  if (rows.length === 0) return
  printTable(['item', 'since', 'actor', ...names], rows, io)
  io.err('left out here: whole items; --format json or dynamodb has them\n')
}

/** How much of an item is shown where no columns are configured. */
const EXCERPT = 100

function showColumns(image: string, itemKey: string, columns: readonly ConfiguredColumn[]): readonly string[] {
  const item = parseItem(image)
  if (columns.length === 0) {
    const attributes = Object.entries(item).filter(([name]) => !Object.hasOwn(parseItem(itemKey), name))
    const text = attributes.map(([name, value]) => `${name}: ${showValue(value)}`).join(', ')
    return [cut(text, EXCERPT)]
  }
  return columns.map(({ path }) => {
    const value = valueAt(item, path)
    return value === undefined ? '' : 'S' in value ? value.S : showValue(value)
  })
}

async function* describeItems(
  items: AsyncIterable<ItemOfTable>,
  { table }: TableConfiguration,
  at: Instant,
): AsyncGenerator<object> {
  for await (const { itemKey, state, confidence, image, imageHash, last, unresolved } of items) {
    yield {
      table,
      item_key: JSON.parse(itemKey) as object,
      as_of: formatInstant(at.us, 6),
      state,
      confidence,
      event_id: last?.event_id ?? null,
      event_time: last === undefined ? null : showTime(last).replace(' ', 'T'),
      actor: last?.actor ?? null,
      remarks: unresolved ? ['changes of one time contradict one another, the state after them is one of several'] : [],
      image_hash: imageHash,
      item: image === null ? null : (JSON.parse(image) as object),
    }
  }
}
