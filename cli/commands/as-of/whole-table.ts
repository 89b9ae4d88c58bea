import type { Table } from 'apache-arrow'
import { batchesOf } from '../../../capture/batches.js'
import { type Unsealing, unsealText } from '../../../erasure/reveal.js'
import { archiveBegan } from '../../../queries/verdict/state-at.js'
import { type ItemOfTable, itemsAt } from '../../../queries/verdict/table-at.js'
import { parseItem, valueAt } from '../../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../../transform/instant.js'
import type { ConfiguredColumn, TableConfiguration } from '../../../transform/table-configuration.js'
import { type Asking, judgedParts, judgementOf, savedQuestion } from '../../ask/question.js'
import { tellRemarks } from '../../ask/remarks.js'
import { type Opening, revealingOf } from '../../ask/revealing.js'
import type { Workspace } from '../../ask/workspace.js'
import { EXIT, type Io } from '../../io.js'
import { archiveFlag, isOnAws } from '../../show/archive-name.js'
import { showTime } from '../../show/confidence.js'
import { showValue } from '../../show/item.js'
import { showItemKey } from '../../show/item-key.js'
import { RawJson } from '../../show/json-text.js'
import { CONTRADICTING, showInstant, WHY_UNKNOWN } from '../../show/state.js'
import type { AnswerSurface } from '../../show/surface.js'
import { printTable } from '../../show/table.js'
import { exitOfVerdict, pageVerdict, printVerdict } from '../../show/table-verdict.js'
import { cut } from '../../show/text.js'

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
export async function tableAsOf(asking: Asking, table: TableConfiguration, at: Instant): Promise<AnswerSurface> {
  const { archive, engine, root } = asking.workspace
  const counts = { items: 0, unknown: 0, altered: 0, unchecked: 0 }
  const items = itemsAt(engine, table, at)
  const { shown, given, ready } = await revealingOf(asking.workspace, table, asking.options)
  const revealed = (unseal: Unsealing) => revealItems(items, unseal, ready, counts)
  const programs = () => revealed(given)
  const moment = { at: formatInstant(at.us, 6) }
  const judgement = judgementOf(savedQuestion('table-as-of', table, moment), asking, () =>
    archive.run('table-as-of', table.table, moment),
  )
  const { verdict } = judgement
  return {
    page: async io => {
      await printItems(revealed(shown), table, io)
      printVerdict(await verdict(), root, io.out, io)
    },
    rows: () => describeItems(programs(), table, at),
    images: () => imagesOf(programs()),
    table: () => textTableOf(programs(), at),
    web: async () => ({
      question: `What did ${table.table} hold at ${showInstant(at)}?`,
      parameters: { table: table.table },
      empty: 'no item',
      details: ['as_of', 'event_id', 'image_hash'],
      confidence: pageVerdict(await verdict(), root),
    }),
    ...judgedParts(judgement, root),
    end: async io => {
      const isLater = await tellCounts(counts, asking.workspace, table, at, io)
      if (counts.unknown > 0 || isLater) return EXIT.unchecked
      if (counts.altered > 0) return EXIT.findings
      return counts.unchecked > 0 ? EXIT.unchecked : exitOfVerdict(await verdict())
    },
  }
}

interface Counts {
  items: number
  unknown: number
  altered: number
  unchecked: number
}

/** True where the archive begins later than the moment. */
async function tellCounts(
  { items, unknown, altered, unchecked }: Counts,
  { engine, root }: Workspace,
  table: TableConfiguration,
  at: Instant,
  io: Io,
): Promise<boolean> {
  io.err(`${items} ${items === 1 ? 'item' : 'items'} of ${table.table} as of ${showInstant(at, io.zone)}\n`)
  if (unknown > 0) io.err(`${unknown} ${WHY_UNKNOWN}\n`)
  const question = isOnAws(root) ? 'query altered-rows' : 'verify rows'
  if (altered > 0) io.err(`${altered} altered: itemtrail ${question} ${table.table}${archiveFlag(root)}\n`)
  if (unchecked > 0)
    io.err(`${unchecked} unchecked: a later itemtrail wrote rows of them, in a version that this one does not know\n`)
  const began = await archiveBegan(engine, table)
  tellRemarks(engine, io)
  if (at.us >= began) return false
  io.err(
    `the archive begins later, at ${showInstant({ us: began }, io.zone)}: what the table held before is not known\n`,
  )
  return true
}

/** Items whose keys are fetched together. */
const AT_ONCE = 100

async function* revealItems(
  items: AsyncIterable<ItemOfTable>,
  unseal: Unsealing,
  ready: Opening['ready'],
  counts: Counts,
): AsyncGenerator<ItemOfTable> {
  for await (const batch of batchesOf(items, AT_ONCE)) {
    await ready(batch.map(({ image }) => image))
    for (const item of batch) {
      count(item, counts)
      const image = item.image === null ? null : unsealText(item.image, unseal)
      yield image === item.image ? item : { ...item, image }
    }
  }
}

async function* imagesOf(items: AsyncIterable<ItemOfTable>): AsyncGenerator<string> {
  for await (const { image } of items) if (image !== null) yield image
}

async function textTableOf(items: AsyncIterable<ItemOfTable>, at: Instant): Promise<Table> {
  const { textTable } = await import('../../../queries/engines/text-table.js')
  const rows: (readonly (string | null)[])[] = []
  const asOf = formatInstant(at.us, 6)
  for await (const { itemKey, state, confidence, image, imageHash, last } of items)
    rows.push([
      itemKey,
      asOf,
      state,
      confidence,
      last?.event_id ?? null,
      last === undefined ? null : showTime(last).replace(' ', 'T'),
      last?.actor ?? null,
      imageHash,
      image,
    ])
  return textTable(STATE_COLUMNS, rows)
}

function count({ state, confidence }: ItemOfTable, counts: Counts): void {
  counts.items++
  if (state === 'unknown') counts.unknown++
  if (confidence === 'ALTERED') counts.altered++
  if (confidence === 'UNCHECKED') counts.unchecked++
}

/** The configured attributes, or what stands first in an item where none are: a whole image fits no line. */
async function printItems(items: AsyncIterable<ItemOfTable>, table: TableConfiguration, io: Io): Promise<void> {
  const names = table.columns.length > 0 ? table.columns.map(({ column }) => column) : ['attributes']
  const unknown = names.map((_, i) => (i === 0 ? '(unknown)' : ''))
  const rows: (readonly string[])[] = []
  for await (const { itemKey, image, last } of items) {
    const values = image === null ? unknown : showColumns(image, itemKey, table.columns)
    rows.push([showItemKey(itemKey), last === undefined ? '' : showTime(last, io.zone), last?.actor ?? '', ...values])
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
  const asOf = formatInstant(at.us, 6)
  for await (const { itemKey, state, confidence, image, imageHash, last, unresolved } of items) {
    yield {
      table,
      item_key: new RawJson(itemKey),
      as_of: asOf,
      state,
      confidence,
      event_id: last?.event_id ?? null,
      event_time: last === undefined ? null : showTime(last).replace(' ', 'T'),
      actor: last?.actor ?? null,
      remarks: unresolved ? [CONTRADICTING] : [],
      image_hash: imageHash,
      // it was read before it came here, and is one JSON object
      item: image === null ? null : new RawJson(image),
      // of a whole table nobody looks
      live: null,
    }
  }
}
