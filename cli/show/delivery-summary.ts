import { join } from 'node:path'
import { NO_TABLE } from '../../delivery/ingest.js'
import type { TableSummary } from '../../delivery/table-delivery.js'
import { REFUSED_PREFIX } from '../../transform/layout.js'
import type { Io } from '../io.js'
import { archiveFlag } from '../workspace.js'
import { printTable } from './print.js'
import { grouped } from './progress.js'
import { cut, printable } from './text.js'

/** What became of the records of each table. */
export function printSummaries(summaries: readonly TableSummary[], io: Io): void {
  printTable(
    ['table', 'records', 'rows', 'refused', 'objects'],
    summaries.map(({ table, records, rows, refused, objects }) => [
      table === NO_TABLE ? '(no table)' : table,
      ...[records, rows, refused, objects].map(grouped),
    ]),
    io,
  )
}

/** Why records were refused, the most frequent reasons first, and where they are kept. */
export function printReasons(summaries: readonly TableSummary[], root: string, io: Io): void {
  for (const { table, refused, reasons } of summaries) {
    if (refused === 0) continue
    const whose = table === NO_TABLE ? ' that name no table' : ` of ${table}`
    io.err(`\n${grouped(refused)} refused${whose}, kept under ${printable(join(root, REFUSED_PREFIX))}:\n`)
    const mostFirst = [...reasons].sort((a, b) => b[1] - a[1])
    for (const [reason, times] of mostFirst.slice(0, SHOWN_REASONS))
      io.err(`  ${grouped(times)} × ${printable(reason)}\n`)
    if (mostFirst.length > SHOWN_REASONS)
      io.err(`  and ${mostFirst.length - SHOWN_REASONS} further reasons: itemtrail status${archiveFlag(root)}\n`)
    if (mostFirst.some(([reason]) => reason.startsWith('record names no table')))
      io.err('--table NAME says whose they are; ingest the file again with it\n')
    if (mostFirst.some(([reason]) => reason.startsWith(NO_STREAM)))
      io.err(
        `--stream-arn ARN says which stream they are of, and ingest the file again with it; this tells the ARN:\n  aws dynamodbstreams list-streams --table-name ${table}\n`,
      )
  }
}

/** How much of a value is shown. */
const EXAMPLE = 60

/** Which values did not fit the type that their column declares: the flat column is null there, the image has them. */
export function printMisfits(summaries: readonly TableSummary[], io: Io): void {
  for (const { table, misfits } of summaries) {
    if (misfits.size === 0) continue
    const total = [...misfits.values()].reduce((sum, { values }) => sum + values, 0)
    const fit = total === 1 ? 'value does not fit its column and is' : 'values do not fit their columns and are'
    io.err(`\n${grouped(total)} ${fit} null there (the image has all): itemtrail query misfits ${printable(table)}\n`)
    for (const [column, { values, example }] of misfits)
      io.err(`  ${grouped(values)} × ${column}, such as ${cut(printable(example), EXAMPLE)}\n`)
  }
}

/** Says of tables whose rows name no actor which attribute may: rows are kept as they were made. */
export function adviseOnActor(summaries: readonly TableSummary[], io: Io): void {
  for (const { table, likelyActor } of summaries)
    if (likelyActor !== undefined)
      io.err(
        `${table} has no "actor" in the configuration, and ${printable(JSON.stringify(likelyActor))} looks like who made a change: "actor": ${printable(JSON.stringify(likelyActor))} keeps it with each row\n`,
      )
}

/** A summary as programs get it. */
export function describeSummary({ table, records, rows, refused, objects, reasons, misfits }: TableSummary): object {
  return {
    table: table === NO_TABLE ? null : table,
    records,
    rows,
    refused,
    objects,
    reasons: [...reasons].map(([reason, times]) => ({ reason, records: times })),
    misfits: [...misfits].map(([column, { values, example }]) => ({
      column,
      values,
      example: JSON.parse(example) as object,
    })),
  }
}

/** How the transform's reason for a record of a stream begins that does not name it. */
const NO_STREAM = 'record names no stream'

const SHOWN_REASONS = 10
