import { askQuery, foldHistory, type HistoryChange, type ItemHistory } from '../../queries/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { type ItemState, lastState } from '../../queries/reconstruct.js'
import { type Row, rowsOf } from '../../queries/rows.js'
import { type AttributeValue, parseItem } from '../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { isDoubtful, shortId, showConfidence, showTime } from '../confidence.js'
import { findHistory } from '../find-item.js'
import { instantOf } from '../instant.js'
import { type Command, EXIT, type ExitCode, type Io } from '../io.js'
import { showItemKey } from '../item-key.js'
import { formatOf, paint, printable, printRows, toJson } from '../print.js'
import { showPath, showValue } from '../show-item.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findTable, type Workspace, withWorkspace } from '../workspace.js'

const FORMATS = ['table', 'json', 'ndjson', 'dynamodb'] as const

/** What one item, or the whole table, was at a moment. */
export const asOf: Command = {
  usage: 'as-of <table> <key-or-instant> [instant]',
  summary: 'what an item was at a moment; without a key, what the table held',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--format <format>', 'table, json, ndjson, or dynamodb: {"Item":{...}} lines as in its export', 'table'],
  ],
  example: 'itemtrail as-of Orders ORD12345 2026-11-19T12:00:00Z',
  run: (args, options, io) =>
    withWorkspace(options, async workspace => {
      const [tableName, second, third] = args as [string, string, string | undefined]
      const format = formatOf(options, FORMATS)
      const at = instantOf(third ?? second, 'instant')
      const table = findTable(workspace, tableName)
      return third === undefined
        ? tableAsOf(workspace, table, at, format, io)
        : itemAsOf(workspace, table, second, at, format, io)
    }),
}

type ItemFormat = (typeof FORMATS)[number]

async function itemAsOf(
  workspace: Workspace,
  table: TableConfiguration,
  typed: string,
  at: Instant,
  format: ItemFormat,
  io: Io,
): Promise<ExitCode> {
  const all = await findHistory(workspace, table, typed)
  const until = foldHistory(
    all.itemKey,
    all.changes.filter(change => change.event_time_us <= at.us),
  )
  const state = lastState(until.steps)
  if (format === 'table') printState(table.table, all, until, state, at, io)
  else if (format === 'dynamodb') {
    if (state.kind === 'present') io.out(`{"Item":${state.image}}\n`)
    io.err(`${describeState(state, all, until, at)}\n`)
  } else io.out(`${toJson(stateAsJson(table.table, all, until, state, at))}\n`)
  if (state.kind === 'unknown') return EXIT.unchecked
  return isDoubtful(until) ? EXIT.findings : EXIT.done
}

function printState(table: string, all: ItemHistory, until: ItemHistory, state: ItemState, at: Instant, io: Io): void {
  io.out(`${paint(io, 'bold', `${table} ${printable(showItemKey(all.itemKey))}`)}  as of ${showInstant(at)}\n`)
  io.out(`${describeState(state, all, until, at)}\n`)
  if (until.changes.length > 0) io.out(`${showConfidence(until, io)}\n`)
  for (const remark of precisionRemarks(all, at)) io.out(`${paint(io, 'yellow', remark)}\n`)
  if (state.kind === 'present') io.out(`\n${showItem(state.image)}`)
}

function describeState(state: ItemState, all: ItemHistory, until: ItemHistory, at: Instant): string {
  const last = until.changes.at(-1)
  const next = all.changes[until.changes.length]
  const then = next === undefined ? 'no change since' : `next change ${shortId(next.event_id)} at ${showTime(next)}`
  if (last === undefined)
    return `not there yet in the archive at ${showInstant(at)}: its first change is ${showTime(next as HistoryChange)}`
  const after = `${last.event_name} ${shortId(last.event_id)} at ${showTime(last)}`
  switch (state.kind) {
    case 'deleted':
      return `deleted by ${after}; ${then}`
    case 'unknown':
      return `unknown: no image tells the state after ${after}; ${then}`
    default:
      return `state after ${after}; ${then}`
  }
}

/** Where a time is known to the second only, the moment asked for may lie before or after the change within it. */
function precisionRemarks(all: ItemHistory, at: Instant): readonly string[] {
  const within = all.changes.filter(
    change => change.time_precision === 's' && Math.floor(at.us / 1_000_000) * 1_000_000 === change.event_time_us,
  )
  return within.map(
    change =>
      `${shortId(change.event_id)} happened within this very second, its time is known to the second only; it is counted as before`,
  )
}

function showInstant(at: Instant): string {
  return formatInstant(at.us, at.us % 1_000_000 === 0 ? 0 : at.us % 1000 === 0 ? 3 : 6).replace('T', ' ')
}

/** An item as lines of attribute and value. */
function showItem(image: string): string {
  const attributes = Object.entries(parseItem(image)).map(([name, value]) => [showPath([{ name }]), value] as const)
  const width = Math.max(...attributes.map(([name]) => name.length))
  return attributes.map(([name, value]) => `${name.padEnd(width)}  ${showLong(value, width + 2)}\n`).join('')
}

/** Lists and maps get a line for each element where they would make one long line. */
function showLong(value: AttributeValue, indent: number): string {
  const short = showValue(value)
  if (short.length <= 100 || !('L' in value || 'M' in value)) return short
  const parts =
    'L' in value
      ? value.L.map(showValue)
      : Object.entries(value.M).map(([name, inner]) => `${showPath([{ name }])}: ${showValue(inner)}`)
  return parts.map((part, i) => (i === 0 ? part : ' '.repeat(indent) + part)).join('\n')
}

function stateAsJson(table: string, all: ItemHistory, until: ItemHistory, state: ItemState, at: Instant): object {
  const last = until.changes.at(-1)
  return {
    table,
    item_key: JSON.parse(all.itemKey) as object,
    as_of: formatInstant(at.us, 6),
    state: state.kind === 'never seen' ? 'not there yet' : state.kind,
    confidence: until.confidence,
    event_id: last?.event_id ?? null,
    event_time: last === undefined ? null : showTime(last).replace(' ', 'T'),
    remarks: precisionRemarks(all, at),
    item: state.kind === 'present' ? (JSON.parse(state.image) as object) : null,
  }
}

async function tableAsOf(
  workspace: Workspace,
  table: TableConfiguration,
  at: Instant,
  format: ItemFormat,
  io: Io,
): Promise<ExitCode> {
  const query = SAVED_QUERIES.get('table-as-of') as SavedQuery
  const answer = await askQuery(workspace.engine, query, table, { at: formatInstant(at.us, 6) })
  let unknown = 0
  const counted = function* (): Generator<Row> {
    for (const row of rowsOf(answer)) {
      if (row.state === 'unknown') unknown++
      yield row
    }
  }
  if (format === 'dynamodb') {
    for (const row of counted()) if (row.image !== null) io.out(`{"Item":${row.image}}\n`)
  } else if (format === 'table') {
    const rows = [...counted()].map(row => [
      showItemKey(row.item_key as string),
      row.event_time as string,
      row.actor as string | null,
      row.image as string | null,
    ])
    printRows(
      ['item', 'since', 'actor', 'image'],
      rows.map(([item, since, actor, image]) => ({
        item: item as string,
        since: since as string,
        actor: actor as string,
        image: image as string,
      })),
      'table',
      io,
    )
  } else printRows(SAVED_QUERIES.get('table-as-of')?.columns.map(column => column.name) ?? [], counted(), format, io)
  io.err(
    `${answer.numRows} items of ${table.table} as of ${showInstant(at)}${unknown === 0 ? '' : `, the state of ${unknown} unknown`}\n`,
  )
  return unknown === 0 ? EXIT.done : EXIT.unchecked
}
