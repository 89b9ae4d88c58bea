import type { Table } from 'apache-arrow'
import type { Unsealing } from '../../erasure/reveal.js'
import { imagesIn, revealHistory } from '../../erasure/revealed.js'
import { type AnsweredChange, placeOfEvent } from '../../queries/answers/read-found-event.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { restoredBy } from '../../restore/restored-by.js'
import { parseItem } from '../../transform/attribute-value.js'
import { namedChange, tableAndEvent } from '../ask/named-event.js'
import { ANSWER_OPTIONS, askArchive, PLACE_OPTIONS } from '../ask/question.js'
import { REVEAL_OPTION, revealingOf, revealTable } from '../ask/revealing.js'
import type { Command, Io } from '../io.js'
import { problemsAt } from '../show/change.js'
import { exitOf, itemEnding, pageConfidence, shortId, showConfidence, showTime } from '../show/confidence.js'
import { showItem } from '../show/item.js'
import { showItemKey } from '../show/item-key.js'
import type { AnswerSurface } from '../show/surface.js'
import { paint } from '../show/terminal.js'
import { pad, printable, widthOf } from '../show/text.js'
import { changeLines, describeChange, printChange } from './history.js'

/** One change, by the id that every answer prints. */
export const show: Command = {
  usage: 'show <event> [more]',
  shownArguments: '[table] <event id>',
  summary: 'one change by its id: both images, its place, its hashes, whether it is sealed',
  options: [...PLACE_OPTIONS, REVEAL_OPTION, ...ANSWER_OPTIONS],
  example: 'itemtrail show ed5f5aa2',
  run: (args, options, io) =>
    askArchive(options, io, async ({ workspace, receipts }) => {
      const [table, event] = tableAndEvent(args)
      const found = await namedChange(workspace, table, event)
      // how sure a change is its item's history says: a receipt is of that
      const receipt = await receipts.keep(found.history.answer, workspace)
      const revealing = await revealingOf(workspace, found.of.table, options)
      const { shown, given, ready } = revealing
      await ready(imagesIn([found.history]))
      const columns = await revealTable(found.table, revealing)
      const [page, programs] = [revealed(found, shown), { ...revealed(found, given), table: columns }]
      return surfaceOf(found.of.table.table, page, programs, workspace.root, receipt)
    }),
}

function revealed(found: AnsweredChange, unseal: Unsealing): AnsweredChange {
  return { ...found, ...placeOfEvent(revealHistory(found.history, unseal), found.change.event_id) }
}

/** `shown` is for people, `found` for programs: with `--reveal`, and after an erasure, not the same. */
function surfaceOf(
  table: string,
  shown: AnsweredChange,
  found: AnsweredChange,
  root: string,
  receipt: Receipt | undefined,
): AnswerSurface {
  const { history, change } = found
  return {
    page: io => printPage(table, shown, io),
    whole: () => describe(table, found),
    table: async () => found.table,
    web: async () => ({
      question: `What did the ${change.event_name} of ${table} ${showItemKey(history.itemKey)} at ${showTime(change)} do?`,
      parameters: { table, event: change.event_id, place: placeOf(found) },
      confidence: pageConfidence(history),
      table: () => readableTable(shown),
    }),
    receipt: async () => receipt,
    ...itemEnding(history, () => [placeOf(found)], table, root),
    end: () => exitOf(history.confidence),
  }
}

function placeOf({ place, history }: AnsweredChange): string {
  return `change ${place} of ${history.changes.length} of the item`
}

function printPage(table: string, found: AnsweredChange, io: Io): void {
  const { history, change, step } = found
  io.out(`${paint(io, 'bold', `${table} ${showItemKey(history.itemKey)}`)}  ${placeOf(found)}\n`)
  io.out(`${showConfidence(history, io)}\n`)
  printChange(change, step, history, io)
  for (const [when, image] of sidesOf(change)) {
    io.out(`\n${paint(io, 'bold', `the item ${when} it`)}\n`)
    const lines = image === null ? [missingImage(change, when)] : showItem(parseItem(image), io, INDENT)
    io.out(`${(lines.length === 0 ? [`${INDENT}no attribute`] : lines).join('\n')}\n`)
  }
  io.out('\n')
  const facts = factsOf(found, io.zone)
  const width = widthOf(facts.map(([name]) => name))
  for (const [name, text] of facts) io.out(`${pad(name, width)}  ${printable(text)}\n`)
}

const INDENT = '    '

function sidesOf({ old_image, new_image }: HistoryChange): readonly (readonly ['before' | 'after', string | null])[] {
  return [
    ['before', old_image],
    ['after', new_image],
  ]
}

/** Nothing was there before an INSERT nor after a REMOVE; of any other change the stream kept no image. */
function missingImage(change: HistoryChange, when: 'before' | 'after'): string {
  const { event_name: name, view_type: view, altered } = change
  const part = when === 'before' ? 'old_image' : 'new_image'
  const unreadable = altered.find(one => one.part === part)?.unreadable ?? null
  if (unreadable !== null) return `${INDENT}ALTERED: it cannot be read: ${printable(unreadable)}`
  if (when === 'before' ? name === 'INSERT' : name === 'REMOVE') return `${INDENT}not there`
  if (name === 'BASELINE') return `${INDENT}a baseline tells what it saw, and not what was before`
  return `${INDENT}the stream kept no image${view === null ? '' : printable(` (view type ${view})`)}`
}

/** Where the change lies, and what it is proven by, for people. */
function factsOf(found: AnsweredChange, zone?: string): readonly (readonly [name: string, text: string])[] {
  const { change, row, earlier, later, objects } = found
  const text = (value: unknown) => (value === null || value === undefined ? 'none' : String(value))
  const other = (of: HistoryChange | undefined) =>
    of === undefined ? 'none' : `${shortId(of.event_id)}  ${of.event_name} ${showTime(of, zone)}`
  return [
    ['event id', change.event_id],
    ['earlier', other(earlier)],
    ['later', other(later)],
    ['actor from', change.actor_source],
    ['delivered', `${change.repeats + 1} ${change.repeats === 0 ? 'time' : 'times'}`],
    ['stream', text(row.source)],
    ['sequence', text(change.sequence)],
    ['configuration', text(row.config_id)],
    ['SHA-256 before', text(row.old_hash)],
    ['SHA-256 after', text(row.new_hash)],
    ['SHA-256 of the row', text(row.row_hash)],
    ...sealedFacts(objects),
  ]
}

const SEALED_WORDS = {
  sealed: 'sealed',
  altered: 'ALTERED: another than was sealed',
  'not sealed': 'not sealed yet',
  'no journal': 'nothing is sealed: itemtrail seal begins a journal',
} as const

function sealedFacts(objects: AnsweredChange['objects']): readonly (readonly [name: string, text: string])[] {
  if (objects === null) return [['object', 'not looked at: the archive is no folder']]
  return objects.flatMap(({ key, sealed }) => [['object', key] as const, ['', SEALED_WORDS[sealed]] as const])
}

/** A page is for people: what it did, both sides and the facts, a row each. */
async function readableTable(found: AnsweredChange): Promise<Table> {
  const { textTable } = await import('../../queries/engines/text-table.js')
  const { change } = found
  const plain = { columns: PAGE_WIDTH, colour: false } as const
  const sides = sidesOf(change).map(([when, image]) => [
    `the item ${when} it`,
    image === null ? missingImage(change, when).trim() : showItem(parseItem(image), plain).join('\n'),
  ])
  const what = changeLines(change, plain).map(line => line.slice(INDENT.length))
  return textTable(['', 'change'], [['what changed', what.join('\n')], ...sides, ...factsOf(found)])
}

const PAGE_WIDTH = 90

function describe(table: string, found: AnsweredChange): object {
  const { history, change, step, place, row, earlier, later, objects } = found
  return {
    table,
    item_key: JSON.parse(history.itemKey) as object,
    place,
    of: history.changes.length,
    confidence: history.confidence,
    remarks: history.remarks,
    change: describeChange(change, step, restoredBy(history).get(change.event_id)),
    problems: problemsAt(change, step, history),
    earlier: earlier?.event_id ?? null,
    later: later?.event_id ?? null,
    source: row.source,
    source_event_id: row.source_event_id,
    config_id: row.config_id,
    old_hash: row.old_hash,
    new_hash: row.new_hash,
    row_hash: row.row_hash,
    objects,
  }
}
