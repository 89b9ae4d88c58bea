import type { Table } from 'apache-arrow'
import { imagesIn, revealState } from '../../../erasure/revealed.js'
import type { Receipt } from '../../../queries/answers/receipt.js'
import type { textTable } from '../../../queries/engines/text-table.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import type { ItemState } from '../../../queries/verdict/reconstruct.js'
import { archiveBegan, type StateAt, stateAt } from '../../../queries/verdict/state-at.js'
import { parseItem } from '../../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../../transform/instant.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import type { PageContext } from '../../../view/paper/html-file.js'
import { checkSeen, findHistory } from '../../ask/find-item.js'
import { describeLive, lookAtTable, type TableLook, tellLive } from '../../ask/live-item.js'
import type { Asking } from '../../ask/question.js'
import type { ReceiptFile } from '../../ask/receipt-file.js'
import { revealingOf } from '../../ask/revealing.js'
import type { Workspace } from '../../ask/workspace.js'
import { EXIT, type Io } from '../../io.js'
import { exitOf, itemEnding, pageConfidence, showConfidence, showTime } from '../../show/confidence.js'
import { showItem, showLines, showPath } from '../../show/item.js'
import { showItemKey } from '../../show/item-key.js'
import { describeState, nameState, remarksOn, showInstant } from '../../show/state.js'
import type { AnswerSurface } from '../../show/surface.js'
import { paint } from '../../show/terminal.js'
import { wrap } from '../../show/text.js'
import { STATE_COLUMNS } from './whole-table.js'

/** What one item was at a moment. Of now the table itself is looked at, too. */
export async function itemAsOf(
  asking: Asking,
  table: TableConfiguration,
  typed: string,
  at: Instant,
  isNow: boolean,
): Promise<AnswerSurface> {
  const { workspace, options, receipts } = asking
  const all = await findHistory(workspace, table, typed)
  const receipt = await keepItemReceipt(workspace, table, all.itemKey, at, receipts)
  const found = stateAt(all, at, await archiveBegan(workspace.engine, table))
  const live = isNow ? await lookAtTable(asking, table, all) : undefined
  if (all.changes.length === 0) tellLive(live, asking.io)
  await checkSeen(workspace, table, all, found.until)
  const { shown, given, ready } = await revealingOf(workspace, table, options)
  await ready(imagesIn([all]))
  const sides = { page: revealState(found, shown), programs: revealState(found, given) }
  return surfaceOf(table.table, all, { ...sides, live }, at, workspace.root, receipt)
}

/** What people and programs get, and what the table itself says. */
interface Sides {
  readonly page: StateAt
  readonly programs: StateAt
  readonly live: TableLook | undefined
}

function surfaceOf(
  table: string,
  all: ItemHistory,
  { page: found, programs, live }: Sides,
  at: Instant,
  root: string,
  receipt: Receipt | undefined,
): AnswerSurface {
  const { state, until } = found
  const { state: given } = programs
  return {
    page: io => printState(table, all, found, at, io),
    whole: () => ({ ...stateAsJson(table, all, programs, at), live: describeLive(live) }),
    images: () => (given.kind === 'present' ? [given.image] : []),
    table: async () => (await loadTextTable())(STATE_COLUMNS, [stateAsRow(all, programs, at)]),
    web: async () => ({
      ...describePage(table, all, found, at),
      footer: state.kind === 'present' ? { 'image SHA-256': state.hash } : {},
      table: async () => itemTable(await loadTextTable(), state),
    }),
    receipt: async () => receipt,
    ...itemEnding(until, () => [describeState(found, at)], table, root),
    end: io => {
      tellLive(live, io)
      return state.kind === 'unknown' ? EXIT.unchecked : exitOf(until.confidence)
    },
  }
}

async function loadTextTable(): Promise<typeof textTable> {
  return (await import('../../../queries/engines/text-table.js')).textTable
}

/** The receipt of the saved query that answers the same; what was read of the item's later changes is not in it. */
async function keepItemReceipt(
  workspace: Workspace,
  table: TableConfiguration,
  itemKey: string,
  at: Instant,
  receipts: ReceiptFile,
): Promise<Receipt | undefined> {
  if (!receipts.isWanted) return undefined
  const parameters = { item_key: parseItem(itemKey), at: formatInstant(at.us, 6) }
  return receipts.keep(await workspace.archive.run('item-as-of', table.table, parameters), workspace)
}

function describePage(table: string, all: ItemHistory, found: StateAt, at: Instant): PageContext {
  return {
    question: `What was ${table} ${showItemKey(all.itemKey)} at ${showInstant(at)}?`,
    parameters: { answer: describeState(found, at) },
    empty: nameState(found.state),
    confidence: pageConfidence(found.until),
  }
}

const PAGE_WIDTH = 90

/** A page is for people: an attribute a row. */
function itemTable(make: typeof textTable, state: ItemState): Table {
  const item = state.kind === 'present' ? parseItem(state.image) : {}
  const rows = Object.entries(item).map(([name, value]) => [
    showPath([{ name }]),
    showLines(value, PAGE_WIDTH).join('\n'),
  ])
  return make(['attribute', 'value'], rows)
}

function stateAsRow(all: ItemHistory, { state, until, last }: StateAt, at: Instant): readonly (string | null)[] {
  const present = state.kind === 'present' ? state : undefined
  return [
    all.itemKey,
    formatInstant(at.us, 6),
    nameState(state),
    until.confidence,
    last?.event_id ?? null,
    last === undefined ? null : showTime(last).replace(' ', 'T'),
    last?.actor ?? null,
    present?.hash ?? null,
    present?.image ?? null,
  ]
}

function printState(table: string, all: ItemHistory, found: StateAt, at: Instant, io: Io): void {
  const { state, until } = found
  io.out(`${paint(io, 'bold', `${table} ${showItemKey(all.itemKey)}`)}  as of ${showInstant(at, io.zone)}\n`)
  io.out(`${wrap(describeState(found, at, io.zone), io.columns)}\n`)
  if (found.last !== undefined) io.out(`${showConfidence(until, io)}\n`)
  for (const remark of remarksOn(all, found, at)) io.out(`${paint(io, 'yellow', wrap(remark, io.columns))}\n`)
  if (state.kind === 'present') io.out(`\n${showItem(parseItem(state.image), io).join('\n')}\n`)
}

function stateAsJson(table: string, all: ItemHistory, found: StateAt, at: Instant): object {
  const { state, until, last } = found
  return {
    table,
    item_key: JSON.parse(all.itemKey) as object,
    as_of: formatInstant(at.us, 6),
    state: nameState(state),
    confidence: until.confidence,
    event_id: last?.event_id ?? null,
    event_time: last === undefined ? null : showTime(last).replace(' ', 'T'),
    actor: last?.actor ?? null,
    remarks: [...remarksOn(all, found, at), ...until.remarks],
    image_hash: state.kind === 'present' ? state.hash : null,
    item: state.kind === 'present' ? (JSON.parse(state.image) as object) : null,
  }
}
