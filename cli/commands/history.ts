import type { HistoryChange, ItemHistory } from '../../queries/ask.js'
import { differencesOf } from '../../queries/difference.js'
import type { Step } from '../../queries/reconstruct.js'
import { parseItem } from '../../transform/attribute-value.js'
import { isDoubtful, shortId, showConfidence, showTime } from '../confidence.js'
import { findHistory } from '../find-item.js'
import type { Command, Io } from '../io.js'
import { EXIT } from '../io.js'
import { showItemKey } from '../item-key.js'
import { FORMAT_OPTION, formatOf, paint, printable, toJson } from '../print.js'
import { showDifferences } from '../show-item.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findTable, withWorkspace } from '../workspace.js'

/** What happened to one item, like `git log`. */
export const history: Command = {
  usage: 'history <table> <key>',
  summary: 'what happened to one item, newest first',
  options: [ARCHIVE_OPTION, CONFIG_OPTION, FORMAT_OPTION],
  example: 'itemtrail history Orders ORD12345',
  run: (args, options, io) =>
    withWorkspace(options, async workspace => {
      const format = formatOf(options)
      const table = findTable(workspace, args[0] as string)
      const found = await findHistory(workspace, table, args[1] as string)
      if (format === 'table') printHistory(table.table, found, io)
      else if (format === 'ndjson') for (const change of newestFirst(found)) io.out(`${toJson(describe(change))}\n`)
      else io.out(`${toJson(describeHistory(table.table, found))}\n`)
      return isDoubtful(found) ? EXIT.findings : EXIT.done
    }),
}

function newestFirst(found: ItemHistory): readonly HistoryChange[] {
  return [...found.changes].reverse()
}

function printHistory(table: string, found: ItemHistory, io: Io): void {
  const count = found.changes.length
  io.out(
    `${paint(io, 'bold', `${table} ${printable(showItemKey(found.itemKey))}`)}  ${count} ${count === 1 ? 'change' : 'changes'}\n`,
  )
  io.out(`${showConfidence(found, io)}\n`)
  for (const step of [...found.steps].reverse()) {
    for (const change of [...step.changes].reverse()) printChange(change, step, found, io)
  }
}

const BULLETS = { INSERT: '●', MODIFY: '●', REMOVE: '✗', BASELINE: '▲' } as const

function printChange(change: HistoryChange, step: Step<HistoryChange>, found: ItemHistory, io: Io): void {
  const head = `${BULLETS[change.event_name]} ${showTime(change)}  ${change.event_name.padEnd(8)}  ${showActor(change)}`
  const notes = [...(step.ordered ? [] : ['order not certain']), ...problemsAt(change, found)]
  const warning = notes.length === 0 ? '' : `  ${paint(io, 'red', `⚠ ${notes.join(', ')}`)}`
  io.out(`\n${head}  ${paint(io, 'dim', shortId(change.event_id))}${warning}\n`)
  for (const line of changeLines(change, io)) io.out(`    ${line}\n`)
}

function problemsAt(change: HistoryChange, found: ItemHistory): readonly string[] {
  const at = found.findings.filter(finding => finding.eventId === change.event_id)
  return at.flatMap(({ finding }) => {
    if (finding === 'GAP') return ['GAP: one or more changes before this are missing']
    return finding === 'CONFLICT' ? ['CONFLICT: deliveries of this change contradict one another'] : []
  })
}

/** Who made a change, with how that is known where it is not the change itself that says so. */
export function showActor(change: Pick<HistoryChange, 'actor' | 'actor_source' | 'event_name'>): string {
  const { actor, actor_source: source, event_name: name } = change
  if (actor === null) return 'actor not recorded'
  if (source === 'service')
    return actor === 'dynamodb.amazonaws.com' ? 'by DynamoDB time to live' : `by ${printable(actor)}`
  return source === 'old_image' && name === 'REMOVE' ? `last written by ${printable(actor)}` : `by ${printable(actor)}`
}

function changeLines(change: HistoryChange, io: Io): readonly string[] {
  const before = change.old_image === null ? null : parseItem(change.old_image)
  const after = change.new_image === null ? null : parseItem(change.new_image)
  const hidden = change.event_name === 'MODIFY' && (before === null || after === null)
  if (hidden) return [paint(io, 'yellow', `view type ${change.view_type ?? 'unknown'} does not show what changed`)]
  return showDifferences(differencesOf(before, after), io)
}

function describeHistory(table: string, found: ItemHistory): object {
  return {
    table,
    item_key: JSON.parse(found.itemKey) as object,
    confidence: found.confidence,
    findings: found.findings.map(({ finding, eventId, changes }) => ({ finding, event_id: eventId, changes })),
    changes: newestFirst(found).map(describe),
  }
}

function describe(change: HistoryChange): object {
  const image = (text: string | null) => (text === null ? null : (JSON.parse(text) as object))
  return {
    event_id: change.event_id,
    event_name: change.event_name,
    event_time: showTime(change).replace(' ', 'T'),
    time_precision: change.time_precision,
    sequence: change.sequence,
    actor: change.actor,
    actor_source: change.actor_source,
    changed: change.changed,
    old_image: image(change.old_image),
    new_image: image(change.new_image),
    repeats: change.repeats,
  }
}
