import { type Unsealing, unsealText } from '../../erasure/reveal.js'
import { imagesIn } from '../../erasure/revealed.js'
import { type AnsweredHistory, answerHistory } from '../../queries/answers/read-history.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import { type Difference, differencesOf } from '../../queries/difference.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { ItemState } from '../../queries/verdict/reconstruct.js'
import { archiveBegan, historyBetween, type StateAt, stateAt } from '../../queries/verdict/state-at.js'
import { type AttributeValue, canonicalValue, type Item, parseItem } from '../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { checkSeen, findHistory } from '../ask/find-item.js'
import { instantOf } from '../ask/instant-argument.js'
import { ANSWER_OPTIONS, type Asking, askArchive, PLACE_OPTIONS } from '../ask/question.js'
import type { ReceiptFile } from '../ask/receipt-file.js'
import { REVEAL_OPTION, type Revealing, revealingOf } from '../ask/revealing.js'
import { findWorkspaceTable, type Workspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type Options } from '../io.js'
import { exitOf, itemEnding, pageConfidence, shortId, showConfidence } from '../show/confidence.js'
import { showDifferences, showPath } from '../show/item.js'
import { showItemKey } from '../show/item-key.js'
import { nameState, showInstant } from '../show/state.js'
import type { AnswerSurface } from '../show/surface.js'
import { paint } from '../show/terminal.js'
import { betweenEvents, eventsTyped } from './diff/events.js'
import { diffOfTable } from './diff/whole-table.js'

/** What differs in an item between two moments, field by field. */
export const diff: Command = {
  usage: 'diff <table> [key] [later]',
  shownArguments: '[table] [key | event event]',
  summary:
    'what differs between two moments, field by field: in an item, or without a key, in a whole table; or between two events',
  options: [
    ...PLACE_OPTIONS,
    ['--from <instant>', 'the earlier moment (not with two events)'],
    ['--to <instant>', 'the later moment', 'now'],
    REVEAL_OPTION,
    ...ANSWER_OPTIONS,
    ['--no-verdict', 'of a whole table, leaves out how sure the answer is, and says so'],
  ],
  example: 'itemtrail diff Orders ORD12345 --from 2026-11-18T12:00:00Z --to 2026-11-20T12:00:00Z',
  run: (args, options, io) =>
    askArchive(options, io, async asking => {
      const events = eventsTyped(args, options, asking.workspace)
      return events === undefined ? diffOfMoments(args, asking) : diffOfEvents(events, asking)
    }),
}

async function diffOfMoments([name, key]: readonly string[], asking: Asking): Promise<AnswerSurface> {
  const { workspace, options, receipts } = asking
  const [from, to] = readMoments(options)
  const table = findWorkspaceTable(workspace, name as string, key)
  if (key === undefined) return diffOfTable(asking, table, [from, to])
  const all = await findHistory(workspace, table, key)
  const receipt = await keepReceipt(all, table, to, workspace, receipts)
  const began = await archiveBegan(workspace.engine, table)
  const [before, after] = [stateAt(all, from, began), stateAt(all, to, began)]
  const until = historyBetween(all, [from.us, before], [to.us, after])
  await checkSeen(workspace, table, all, until)
  checkKnown(before, from, '--from')
  checkKnown(after, to, '--to')
  const revealing = await revealingOf(workspace, table, options)
  await revealing.ready(imagesIn([all]))
  return surfaceOf(table.table, until, [from, before], [to, after], revealing, workspace.root, receipt)
}

async function diffOfEvents(
  typed: NonNullable<ReturnType<typeof eventsTyped>>,
  { workspace, options, receipts }: Asking,
): Promise<AnswerSurface> {
  const { table, all, from, to, until } = await betweenEvents(workspace, typed)
  const [began, ended] = [sideOf(from), sideOf(to)]
  const receipt = await keepReceipt(all, table, ended[0], workspace, receipts)
  const revealing = await revealingOf(workspace, table, options)
  await revealing.ready(imagesIn([all]))
  return surfaceOf(table.table, until, began, ended, revealing, workspace.root, receipt)
}

/** A state after an event, which is named by it. */
function sideOf(found: StateAt): Side {
  const { event_time_us: us, event_id: id } = found.last as HistoryChange
  return [{ us, precision: 'us' }, found, id]
}

function readMoments({ from, to }: Options): readonly [Instant, Instant] {
  if (typeof from !== 'string')
    throw new CommandError('--from is missing, expected an instant such as 2026-11-19T12:00:00Z')
  const moments = [instantOf(from, '--from'), instantOf(to as string, '--to')] as const
  if (moments[0].us > moments[1].us) throw new CommandError(`--from ${from} is after --to ${to}`)
  return moments
}

function surfaceOf(
  table: string,
  until: ItemHistory,
  from: Side,
  to: Side,
  { shown, given }: Revealing,
  root: string,
  receipt: Receipt | undefined,
): AnswerSurface {
  const after = to[1]
  const between = (unseal: Unsealing) => differencesOf(itemOf(from[1].state, unseal), itemOf(after.state, unseal))
  const [page, differences] = [between(shown), between(given)]
  const name = `${table} ${showItemKey(until.itemKey)}`
  return {
    page: io => {
      io.out(`${paint(io, 'bold', name)}\n${showSpan(from, to, io.zone)}\n`)
      if (after.last !== undefined) io.out(`${showConfidence(until, io)}\n`)
      io.out(page.length === 0 ? '\nnothing differs\n' : `\n${showDifferences(page, io).join('\n')}\n`)
    },
    whole: () => describeAll(table, until, from, to, differences),
    rows: () => differences.map(describe),
    table: async () => {
      const { textTable } = await import('../../queries/engines/text-table.js')
      return textTable(['kind', 'path', 'before', 'after'], differences.map(rowOf))
    },
    web: async () => ({
      question: `What differs in ${name}?`,
      parameters: { table, between: showSpan(from, to) },
      confidence: pageConfidence(until),
      empty: 'nothing differs',
    }),
    receipt: async () => receipt,
    ...itemEnding(until, () => [showSpan(from, to)], table, root),
    end: () => exitOf(until.confidence),
  }
}

/** What comes after the later moment is no part of the answer. */
async function keepReceipt(
  { answer, itemKey }: AnsweredHistory,
  table: TableConfiguration,
  to: Instant,
  workspace: Workspace,
  receipts: ReceiptFile,
): Promise<Receipt | undefined> {
  if (!receipts.isWanted) return undefined
  const isOver = to.us < Date.now() * 1000
  const until = isOver ? await answerHistory(workspace.engine, table, itemKey, to.us) : answer
  return receipts.keep(until, workspace)
}

/** Two states can be compared only where both are known. */
function checkKnown({ state, last, next }: StateAt, at: Instant, flag: string): void {
  if (state.kind !== 'unknown') return
  if (last === undefined)
    throw new CommandError(
      `${flag} ${showInstant(at)} is before the item's first change in the archive, which found it there already`,
      EXIT.unchecked,
      `the earliest moment that can be compared is ${formatInstant((next as HistoryChange).event_time_us, 6)}`,
    )
  throw new CommandError(
    `${flag} ${showInstant(at)} is after ${last.event_name} ${shortId(last.event_id)}, of which the stream kept no image`,
    EXIT.unchecked,
    'the item then is not known; itemtrail history shows what is',
  )
}

function itemOf(state: ItemState, unseal: Unsealing): Item | null {
  return state.kind === 'present' ? parseItem(unsealText(state.image, unseal)) : null
}

/** A moment and the state then; after an event, its id, too. */
type Side = readonly [at: Instant, found: StateAt, eventId?: string]

function showSpan(from: Side, to: Side, zone?: string): string {
  const changes = changesBetween(from, to)
  return `${showSide(from, zone)} → ${showSide(to, zone)}, ${changes} ${changes === 1 ? 'change' : 'changes'} between`
}

function showSide([at, { state }, eventId]: Side, zone: string | undefined): string {
  const name = eventId === undefined ? showInstant(at, zone) : `${shortId(eventId)} (${showInstant(at, zone)})`
  return state.kind === 'present' ? name : `${name} (${nameState(state)})`
}

function changesBetween([, before]: Side, [, after]: Side): number {
  return after.until.changes.length - before.until.changes.length
}

function describeAll(
  table: string,
  { itemKey, confidence, remarks }: ItemHistory,
  from: Side,
  to: Side,
  differences: readonly Difference[],
): object {
  return {
    table,
    item_key: JSON.parse(itemKey) as object,
    from: formatInstant(from[0].us, 6),
    to: formatInstant(to[0].us, 6),
    from_event: from[2] ?? null,
    to_event: to[2] ?? null,
    from_state: nameState(from[1].state),
    to_state: nameState(to[1].state),
    changes: changesBetween(from, to),
    confidence,
    remarks,
    differences: differences.map(describe),
  }
}

function rowOf({ kind, path, before, after }: Difference): readonly (string | null)[] {
  const text = (value: AttributeValue | undefined) =>
    value === undefined ? null : canonicalValue(value, 'value', 'once')
  return [kind, showPath(path), text(before), text(after)]
}

function describe({ kind, path, before, after }: Difference): object {
  return { kind, path: showPath(path), before: before ?? null, after: after ?? null }
}
