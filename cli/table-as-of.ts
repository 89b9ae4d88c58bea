import { answerQuery } from '../queries/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../queries/catalog.js'
import { isDoubtful } from '../queries/findings.js'
import type { FileFormat } from '../queries/formats.js'
import type { Receipt } from '../queries/receipt.js'
import { archiveBegan } from '../queries/state-at.js'
import { type ItemOfTable, itemsAt } from '../queries/table-at.js'
import { parseItem, valueAt } from '../transform/attribute-value.js'
import { formatInstant, type Instant } from '../transform/instant.js'
import type { ConfiguredColumn, TableConfiguration } from '../transform/table-configuration.js'
import { isFileFormat, pageFooter, printFile } from './answer-file.js'
import { showTime } from './confidence.js'
import { EXIT, type ExitCode, type Io } from './io.js'
import { showItemKey } from './item-key.js'
import { type Format, printStream, printTable, toDynamoDbJson } from './print.js'
import type { ReceiptFile } from './receipt-file.js'
import { tellRemarks } from './remarks.js'
import { showValue } from './show-item.js'
import { showInstant } from './show-state.js'
import { cut } from './text.js'
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
  io: Io,
): Promise<ExitCode> {
  const { engine, root } = workspace
  const receipt = await keepTableReceipt(workspace, table, at, receipts)
  const counts = { items: 0, unknown: 0, doubtful: 0 }
  const items = countItems(itemsAt(engine, table, at), counts)
  if (format === 'table') await printItems(items, table, io)
  else if (format === 'dynamodb') {
    for await (const { image } of items) if (image !== null) io.out(`${toDynamoDbJson(image)}\n`)
  } else if (isFileFormat(format)) await printItemFile(items, table.table, at, format, receipt, io)
  else await printStream(describeItems(items, table, at), format, io)
  io.err(`${counts.items} ${counts.items === 1 ? 'item' : 'items'} of ${table.table} as of ${showInstant(at)}\n`)
  if (counts.unknown > 0)
    io.err(`${counts.unknown} unknown: older than their first change in the archive, or no image tells their state\n`)
  // `verify` looks at a folder only
  const question = isOnAws(root) ? 'query' : 'verify'
  if (counts.doubtful > 0)
    io.err(`${counts.doubtful} doubtful: itemtrail ${question} continuity ${table.table}${archiveFlag(root)}\n`)
  const began = await archiveBegan(engine, table)
  tellRemarks(engine, io)
  if (at.us < began)
    io.err(`the archive begins later, at ${showInstant({ us: began })}: what the table held before is not known\n`)
  if (counts.unknown > 0 || at.us < began) return EXIT.unchecked
  return counts.doubtful > 0 ? EXIT.findings : EXIT.done
}

async function keepTableReceipt(
  workspace: Workspace,
  table: TableConfiguration,
  at: Instant,
  receipts: ReceiptFile,
): Promise<Receipt | undefined> {
  if (!receipts.isWanted) return undefined
  const query = SAVED_QUERIES.get('table-as-of') as SavedQuery
  const answer = await answerQuery(workspace.engine, query, table, { at: formatInstant(at.us, 6) })
  return receipts.keep(answer, workspace)
}

async function printItemFile(
  items: AsyncIterable<ItemOfTable>,
  table: string,
  at: Instant,
  format: FileFormat,
  receipt: Receipt | undefined,
  io: Io,
): Promise<void> {
  const { textTable } = await import('../queries/text-table.js')
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
    footer: await pageFooter(receipt),
  }
  await printFile(textTable(STATE_COLUMNS, rows), format, page, io)
}

async function* countItems(
  items: AsyncIterable<ItemOfTable>,
  counts: { items: number; unknown: number; doubtful: number },
): AsyncGenerator<ItemOfTable> {
  for await (const item of items) {
    counts.items++
    if (item.state === 'unknown') counts.unknown++
    if (isDoubtful(item.confidence)) counts.doubtful++
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
