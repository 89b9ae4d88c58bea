import type { Table } from 'apache-arrow'
import { imagesIn, revealHistory } from '../../erasure/revealed.js'
import { narrowTable } from '../../queries/answers/narrow-history.js'
import type { AnsweredHistory } from '../../queries/answers/read-history.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import { differencesOf } from '../../queries/difference.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { Step } from '../../queries/verdict/step.js'
import { type RestoredBy, restoredBy } from '../../restore/restored-by.js'
import { type Item, parseItem } from '../../transform/attribute-value.js'
import { formatInstant } from '../../transform/instant.js'
import { checkSeen, findHistory } from '../ask/find-item.js'
import { describeLive, LIVE_OPTION, lookAtTable, type TableLook, tellLive } from '../ask/live-item.js'
import { ANSWER_OPTIONS, askArchive, PLACE_OPTIONS } from '../ask/question.js'
import { REVEAL_OPTION, revealingOf, revealTable } from '../ask/revealing.js'
import { findWorkspaceTable } from '../ask/workspace.js'
import type { Command, Io } from '../io.js'
import { showActor } from '../show/actor.js'
import { describeEffect, objectOf, problemsAt, showRestore } from '../show/change.js'
import { exitOf, itemEnding, pageConfidence, shortId, showConfidence, showTime } from '../show/confidence.js'
import { type Paper, showDifferences, showItem } from '../show/item.js'
import { showItemKey } from '../show/item-key.js'
import type { AnswerSurface } from '../show/surface.js'
import { paint } from '../show/terminal.js'
import { printable } from '../show/text.js'
import { NARROWING_OPTIONS, type Narrowing, readNarrowing } from './history/narrowing.js'
import { type ChangeShown, partitionHistory } from './history/partition.js'

/** What happened to one item, like `git log`. */
export const history: Command = {
  usage: 'history <table> <key>',
  summary: 'what happened to one item, or to all of a partition (pk=...), newest first',
  options: [...PLACE_OPTIONS, ...NARROWING_OPTIONS, LIVE_OPTION, REVEAL_OPTION, ...ANSWER_OPTIONS],
  example: 'itemtrail history Orders ORD12345',
  run: async ([name, key], options, io) => {
    const narrowing = readNarrowing(options)
    return askArchive(options, io, async asking => {
      const { workspace, receipts } = asking
      const table = findWorkspaceTable(workspace, name as string, key)
      const partition = await partitionHistory(asking, table, key as string, { ...SHOWN, narrowing })
      if (partition !== undefined) return partition
      const found = await findHistory(workspace, table, key as string)
      const receipt = await receipts.keep(found.answer, workspace)
      const live = await lookAtTable(asking, table, found)
      if (found.changes.length === 0) tellLive(live, asking.io)
      await checkSeen(workspace, table, found)
      const revealing = await revealingOf(workspace, table, options)
      await revealing.ready(imagesIn([found]))
      const parts = {
        page: partOf(revealHistory(found, revealing.shown), narrowing),
        programs: partOf(revealHistory(found, revealing.given), narrowing),
        columns: await revealTable(found.answer.table, revealing),
        narrowing,
        live,
      }
      return surfaceOf(table.table, parts, workspace.root, receipt)
    })
  },
}

/** A change of a partition looks as one of an item does. */
const SHOWN: Omit<ChangeShown, 'narrowing'> = {
  print: (change, step, found, io, of) => printChange(change, step, found, io, of),
  describe: (change, step, found) => describeChange(change, step, restoredBy(found).get(change.event_id)),
  lines: change => changeLines(change, PLAIN).map(line => line.slice(INDENT.length)),
}

/** A history, and those of its changes that are shown. */
interface Part {
  readonly found: AnsweredHistory
  readonly shown: ReadonlySet<HistoryChange>
  /** The flags that leave changes out; empty where none does. */
  readonly flags: string
}

function partOf(found: AnsweredHistory, { of, flags }: Narrowing): Part {
  return { found, shown: of(found.changes), flags }
}

/** What people and programs get: with `--reveal`, and after an erasure, not the same. */
interface Parts {
  readonly page: Part
  readonly programs: Part
  readonly columns: Table
  readonly narrowing: Narrowing
  readonly live: TableLook | undefined
}

function surfaceOf(
  table: string,
  { page, programs, columns, narrowing, live }: Parts,
  root: string,
  receipt: Receipt | undefined,
): AnswerSurface {
  const { found, shown, flags } = programs
  const { answer, confidence } = found
  return {
    page: io => printHistory(table, page, io),
    whole: () => ({ ...describeHistory(table, programs), live: describeLive(live) }),
    rows: () => describeChanges(programs),
    table: async () => (flags === '' ? columns : narrowTable(columns, shown)),
    web: async () => ({
      question: `What happened to ${table} ${showItemKey(found.itemKey)}, newest first?`,
      sql: answer.asked.sql,
      ...(flags !== '' && { parameters: { shown: countShown(programs) } }),
      confidence: pageConfidence(found),
      table: () => readableTable(page),
    }),
    receipt: async () => receipt,
    // a file of rows does not tell that it is a part, and the verdict is about the whole
    ...itemEnding(found, () => (flags === '' ? [] : [countShown(programs)]), table, root),
    end: io => {
      const slip = narrowing.slip(found.changes)
      if (slip !== undefined) io.err(`${printable(slip)}\n`)
      tellLive(live, io)
      return exitOf(confidence)
    },
  }
}

/** A page is for people: what each change did, as on a terminal, newest first. */
async function readableTable({ found, shown }: Part): Promise<Table> {
  const { textTable } = await import('../../queries/engines/text-table.js')
  const restores = restoredBy(found)
  const rows = found.steps.flatMap(step =>
    step.changes
      .filter(change => shown.has(change))
      .map(change => [
        showTime(change),
        change.event_name,
        showActor(change),
        [
          ...[restores.get(change.event_id)].filter(restored => restored !== undefined).map(showRestore),
          ...SHOWN.lines(change),
        ].join('\n'),
        change.event_id,
      ]),
  )
  return textTable(['time', 'change', 'actor', 'what changed', 'event_id'], rows.reverse())
}

const PLAIN = { columns: 90, colour: false } as const

function printHistory(table: string, part: Part, io: Io): void {
  const { found, shown, flags } = part
  const count = found.changes.filter(({ event_name: name }) => name !== 'BASELINE').length
  const seen = found.changes.length - count
  const title = paint(io, 'bold', `${table} ${showItemKey(found.itemKey)}`)
  const sure = showConfidence(found, io)
  const lines = counting(io)
  lines.out(
    `${title}  ${count} ${count === 1 ? 'change' : 'changes'}${seen === 0 ? '' : `, seen by ${seen} ${seen === 1 ? 'baseline' : 'baselines'}`}\n${sure}\n`,
  )
  if (flags !== '') lines.out(`${countShown(part)}\n`)
  for (const step of [...found.steps].reverse())
    for (const change of [...step.changes].reverse()) if (shown.has(change)) printChange(change, step, found, lines)
  // what stands at the top has scrolled away
  if (io.lines !== undefined && lines.count() > io.lines) io.out(`\n${sure}\n`)
}

function countShown({ found, shown, flags }: Part): string {
  return `${shown.size === 0 ? 'none' : shown.size} of ${found.changes.length} shown: ${printable(flags)}`
}

/** The same world, which counts the lines that go there. */
function counting(io: Io): Io & { readonly count: () => number } {
  let lines = 0
  const out = (text: string) => {
    lines += text.split('\n').length - 1
    io.out(text)
  }
  return { ...io, out, count: () => lines }
}

const BULLETS = { INSERT: '●', MODIFY: '●', REMOVE: '✗', BASELINE: '▲' } as const

/**
 * A change as a person reads it: what is to be known of it, and what it did; `of` is its item, where nothing else says
 * it.
 */
export function printChange(
  change: HistoryChange,
  step: Step<HistoryChange>,
  found: ItemHistory,
  io: Io,
  of = '',
): void {
  io.out(`\n${headOf(change, of, io)}\n`)
  const restored = restoredBy(found).get(change.event_id)
  if (restored !== undefined) io.out(`${INDENT}${paint(io, 'cyan', `↺ ${showRestore(restored)}`)}\n`)
  for (const note of problemsAt(change, step, found)) io.out(`${INDENT}${paint(io, 'red', `⚠ ${note}`)}\n`)
  for (const line of changeLines(change, io)) io.out(`${line}\n`)
}

/** When it was and by whom; on a narrow terminal on two lines. */
function headOf(change: HistoryChange, of: string, io: Io): string {
  const when = `${BULLETS[change.event_name]} ${showTime(change, io.zone)}  ${printable(change.event_name).padEnd(8)}`
  const id = paint(io, 'dim', printable(shortId(change.event_id)))
  const who = `${showActor(change)}  ${id}${of === '' ? '' : `  ${of}`}`
  return (io.columns ?? WIDE) < WIDE ? `${when.trimEnd()}\n${INDENT}${who}` : `${when}  ${who}`
}

const WIDE = 70
const INDENT = '    '

/** What a change did, a line for each difference; both sides where that cannot be told. */
export function changeLines(change: HistoryChange, io: Paper): readonly string[] {
  const before = change.old_image === null ? null : parseItem(change.old_image)
  const after = change.new_image === null ? null : parseItem(change.new_image)
  // a baseline changes nothing: it tells what it saw
  if (change.event_name === 'BASELINE' && after !== null) return showItem(after, io, INDENT)
  // of an INSERT the old image is absent and not missing, and so is the new one of a REMOVE
  const missing =
    (after === null && change.event_name !== 'REMOVE') || (before === null && /MODIFY|REMOVE/.test(change.event_name))
  if (change.altered.some(({ unreadable }) => unreadable !== null)) return readableLines(before, after, io)
  if (missing) return oneSidedLines(before, after, change.view_type, io)
  const differences = differencesOf(before, after)
  return differences.length === 0 ? [`${INDENT}nothing differs`] : showDifferences(differences, io, INDENT)
}

function oneSidedLines(before: Item | null, after: Item | null, viewType: string | null, io: Paper): readonly string[] {
  const view = viewType === null ? '' : ` (view type ${viewType})`
  const note = (text: string) => `${INDENT}${paint(io, 'yellow', `the stream kept no image${text}`)}`
  if (before === null && after === null) return [note(view)]
  return after === null
    ? [note(` after the change${view}; before it:`), ...showItem(before as Item, io, INDENT)]
    : [note(` before the change${view}; after it:`), ...showItem(after, io, INDENT)]
}

/** What is left of a change of which an image cannot be read. */
function readableLines(before: Item | null, after: Item | null, io: Paper): readonly string[] {
  const lines = (name: string, item: Item | null) =>
    item === null ? [] : [`${INDENT}${name} it:`, ...showItem(item, io, INDENT)]
  return [...lines('before', before), ...lines('after', after)]
}

function describeHistory(table: string, part: Part): object {
  const { found, shown } = part
  return {
    table,
    item_key: JSON.parse(found.itemKey) as object,
    confidence: found.confidence,
    remarks: found.remarks,
    findings: found.findings.map(({ finding, eventId, eventTimeUs, changes }) => ({
      finding,
      event_id: eventId,
      event_time: formatInstant(eventTimeUs, 6),
      changes,
    })),
    left_out: found.changes.length - shown.size,
    changes: describeChanges(part),
  }
}

function describeChanges({ found, shown }: Part): readonly object[] {
  const restores = restoredBy(found)
  const describeOne = (change: HistoryChange, step: Step<HistoryChange>) =>
    describeChange(change, step, restores.get(change.event_id))
  return found.steps
    .flatMap(step => step.changes.filter(change => shown.has(change)).map(change => describeOne(change, step)))
    .reverse()
}

/** A change as every JSON of a history has it. */
export function describeChange(
  change: HistoryChange,
  step: Step<HistoryChange>,
  restored: RestoredBy | undefined,
): object {
  return {
    event_id: change.event_id,
    event_name: change.event_name,
    event_time: showTime(change).replace(' ', 'T'),
    time_precision: change.time_precision,
    sequence: change.sequence,
    actor: change.actor,
    actor_source: change.actor_source,
    last_writer: change.last_writer,
    user_identity: objectOf(change.user_identity),
    view_type: change.view_type,
    ...describeEffect(change, step),
    restored: restored === undefined ? null : describeRestore(restored),
  }
}

function describeRestore({ fact, certain }: RestoredBy): object {
  const { actor, pastOf, asOf, before = null, undone = null, plan } = fact
  return { certain, actor, table: pastOf, as_of: asOf, before, undone, plan }
}
