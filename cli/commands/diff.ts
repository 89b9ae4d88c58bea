import { answerHistory } from '../../queries/answers/history.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import { type Difference, differencesOf } from '../../queries/difference.js'
import { isDoubtful } from '../../queries/verdict/findings.js'
import type { ItemHistory } from '../../queries/verdict/history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { ItemState } from '../../queries/verdict/reconstruct.js'
import { archiveBegan, historyBetween, type StateAt, stateAt } from '../../queries/verdict/state-at.js'
import { type AttributeValue, canonicalValue, type Item, parseItem } from '../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../transform/instant.js'
import { findHistory } from '../find-item.js'
import { instantOf } from '../instant.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { showItemKey } from '../item-key.js'
import { ANSWER_OPTIONS, askArchive, PLACE_OPTIONS, QUESTION_FORMATS } from '../question.js'
import { tellRemarks } from '../remarks.js'
import { isFileFormat, pageFooter, printFile } from '../show/answer-file.js'
import { adviseOn, describeConfidence, pageConfidence, shortId, showConfidence } from '../show/confidence.js'
import { printObjects, toJson } from '../show/print.js'
import { showDifferences, showPath } from '../show/show-item.js'
import { nameState, showInstant } from '../show/show-state.js'
import { paint } from '../show/terminal.js'
import { findTable } from '../workspace.js'

/** What differs in an item between two moments, field by field. */
export const diff: Command = {
  usage: 'diff <table> <key>',
  summary: 'what differs in an item between two moments, field by field',
  options: [
    ...PLACE_OPTIONS,
    ['--from <instant>', 'the earlier moment (required)'],
    ['--to <instant>', 'the later moment', 'now'],
    ...ANSWER_OPTIONS,
  ],
  example: 'itemtrail diff Orders ORD12345 --from 2026-11-18T12:00:00Z --to 2026-11-20T12:00:00Z',
  run: (args, options, terminal) =>
    askArchive(options, terminal, QUESTION_FORMATS, async (workspace, format, io, receipts) => {
      if (typeof options.from !== 'string')
        throw new CommandError('--from is missing, expected an instant such as 2026-11-19T12:00:00Z')
      const [from, to] = [instantOf(options.from, '--from'), instantOf(options.to as string, '--to')]
      if (from.us > to.us) throw new CommandError(`--from ${options.from} is after --to ${options.to}`)
      const table = findTable(workspace, args[0] as string)
      let receipt: Receipt | undefined
      const all = await findHistory(workspace, table, args[1] as string, async (answer, itemKey) => {
        if (!receipts.isWanted) return
        // what comes after the later moment is no part of the answer
        const until = to.us >= Date.now() * 1000 ? answer : await answerHistory(workspace.engine, table, itemKey, to.us)
        receipt = await receipts.keep(until, workspace)
      })
      const began = await archiveBegan(workspace.engine, table)
      tellRemarks(workspace.engine, io)
      const [before, after] = [stateAt(all, from, began), stateAt(all, to, began)]
      checkKnown(before, from, '--from')
      checkKnown(after, to, '--to')
      const differences = differencesOf(itemOf(before.state), itemOf(after.state))
      const until = historyBetween(all, from.us, to.us, after)
      if (format === 'table') {
        io.out(`${paint(io, 'bold', `${table.table} ${showItemKey(all.itemKey)}`)}\n`)
        io.out(`${showSpan([from, before], [to, after])}\n`)
        if (after.last !== undefined) io.out(`${showConfidence(until, io)}\n`)
        io.out('\n')
        io.out(differences.length === 0 ? 'nothing differs\n' : `${showDifferences(differences, io).join('\n')}\n`)
      } else if (isFileFormat(format)) {
        const { textTable } = await import('../../queries/engines/text-table.js')
        const page = {
          question: `What differs in ${table.table} ${showItemKey(all.itemKey)}?`,
          parameters: { table: table.table, between: showSpan([from, before], [to, after]) },
          confidence: pageConfidence(until),
          empty: 'nothing differs',
          footer: await pageFooter(receipt),
        }
        await printFile(textTable(['kind', 'path', 'before', 'after'], differences.map(rowOf)), format, page, io)
        if (format !== 'html') io.err(`${showSpan([from, before], [to, after])}\n${describeConfidence(until)}\n`)
      } else if (format === 'ndjson') {
        printObjects(differences.map(describe), format, io)
        io.err(`${showSpan([from, before], [to, after])}\n${describeConfidence(until)}\n`)
      } else io.out(`${toJson(describeAll(table.table, until, [from, before], [to, after], differences))}\n`)
      if (format !== 'json') adviseOn(until.confidence, table.table, workspace.root, io)
      return isDoubtful(until.confidence) ? EXIT.findings : EXIT.done
    }),
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

function itemOf(state: ItemState): Item | null {
  return state.kind === 'present' ? parseItem(state.image) : null
}

type Side = readonly [at: Instant, found: StateAt]

function showSpan(from: Side, to: Side): string {
  const changes = changesBetween(from, to)
  return `${showSide(from)} → ${showSide(to)}, ${changes} ${changes === 1 ? 'change' : 'changes'} between`
}

function showSide([at, { state }]: Side): string {
  return state.kind === 'present' ? showInstant(at) : `${showInstant(at)} (${nameState(state)})`
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
