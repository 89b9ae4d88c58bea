import { dayOf } from '../../../queries/verdict/row-check.js'
import { RowsByQuery } from '../../../queries/verdict/rows-by-query.js'
import { type AlteredRow, type PassedOver, RowCheck, type RowTally } from '../../../queries/verdict/verify-rows.js'
import { formatInstant } from '../../../transform/instant.js'
import { ROW_VERSIONS } from '../../../transform/row-versions.js'
import type { ConfiguredColumn } from '../../../transform/table-configuration.js'
import { EXIT, type ExitCode, type Io } from '../../io.js'
import { isOnAws } from '../../show/archive-name.js'
import { shortId } from '../../show/confidence.js'
import { showItemKey } from '../../show/item-key.js'
import { mapAsync } from '../../show/json-text.js'
import { grouped, Progress } from '../../show/progress.js'
import { paint } from '../../show/terminal.js'
import { cut, printable } from '../../show/text.js'
import type { Verification } from './continuity.js'

/** Is a row another than it was made? Its hashes tell, its images and its configuration. */
export const verifyRows: Verification = async ({ workspace: { root, engine }, period, io: world }, configuration) => {
  const { table } = configuration
  const progress = new Progress(world, 'row')
  const onAws = isOnAws(root)
  const check = onAws
    ? new RowsByQuery(engine, configuration, period)
    : new RowCheck(root, table, { ...period, onRows: rows => progress.update(rows, 0, undefined) })
  const beyond = onAws ? ['changed', 'misfits', ...configuration.columns.flatMap(flatNames)] : []
  const passedOver: PassedOver[] = []
  async function* alteredRows(): AsyncGenerator<AlteredRow> {
    try {
      for await (const finding of check.findings()) {
        // a line that rewrites itself makes way for what is found
        progress.end()
        if (finding.kind === 'file') passedOver.push(finding)
        else yield finding
      }
    } finally {
      progress.end()
    }
  }
  const summary = (io: Io) => {
    printSummary(table, check.tally, passedOver, io)
    if (onAws) io.out(`  ${BY_QUERY}\n`)
  }
  return {
    list: 'altered',
    isApart: false,
    page: async io => {
      for await (const finding of alteredRows()) io.out(`${showFinding(table, finding, io)}\n`)
      summary(io)
    },
    rows: () => mapAsync(alteredRows(), describe),
    beside: () => describeAll(check.tally, passedOver, beyond),
    summary: io => summary({ ...io, out: io.err }),
    end: () => exitOf(check.tally, passedOver),
  }
}

/** What a statement does not look at. */
const BY_QUERY =
  'not looked at on AWS: changed, misfits and flat columns, and which object a row lies in; verify rows of a copy does'

function flatNames({ column }: ConfiguredColumn): readonly string[] {
  return [`old_${column}`, `new_${column}`]
}

/** Findings in what was read weigh less than what could not be: it may hold any. */
function exitOf({ findings, unknownVersions }: RowTally, passedOver: readonly PassedOver[]): ExitCode {
  if (unknownVersions.size > 0 || passedOver.some(({ isUnreadable }) => isUnreadable)) return EXIT.unchecked
  return findings > 0 || passedOver.length > 0 ? EXIT.findings : EXIT.done
}

/** Values that are shown of a column; programs get the whole. */
const VALUE_WIDTH = 60

function showFinding(table: string, finding: AlteredRow, io: Io): string {
  const { column, held, found, itemKey, eventName, eventId, object } = finding
  const item = itemKey === null ? 'no item' : showItemKey(itemKey)
  const which = `${eventName ?? 'no kind'} ${eventId === null ? 'without an id' : shortId(eventId)} (${showTime(finding)})`
  const value = (text: string | null) => (text === null ? 'nothing' : cut(text, VALUE_WIDTH))
  const place =
    column === 'event_date'
      ? `lies in ${object ?? 'another folder'}`
      : `${column} is ${value(held)}, expected ${value(found)}`
  return `${paint(io, 'red', `✗ ${printable(column)}`)}  ${printable(`${table} ${item}  ${which} is another than it was made: ${place}`)}`
}

function showTime({ eventTimeUs }: AlteredRow): string {
  return hasTime(eventTimeUs) ? formatInstant(eventTimeUs, 0) : `${eventTimeUs ?? 'no'} microseconds since 1970`
}

function hasTime(us: number | null): us is number {
  return us !== null && dayOf({ event_time_us: BigInt(us) }) !== null
}

function describe({ column, itemKey, eventId, eventName, eventTimeUs, held, found, object }: AlteredRow): object {
  return {
    altered: column,
    item_key: itemKey,
    event_id: eventId,
    event_name: eventName,
    event_time: hasTime(eventTimeUs) ? formatInstant(eventTimeUs, 6) : null,
    held,
    found,
    ...(object !== null && { object }),
  }
}

function describeAll(tally: RowTally, passedOver: readonly PassedOver[], beyond: readonly string[]): object {
  const { rows, outside, unconfigured, blind, versions, unknownVersions } = tally
  const told = (counts: ReadonlyMap<string, number>, isKnown: boolean) =>
    [...counts].sort().map(([version, count]) => ({ row_version: version, rows: count, known: isKnown }))
  return {
    rows,
    versions: [...told(versions, true), ...told(unknownVersions, false)],
    outside_period: outside,
    passed_over: passedOver.map(({ object, reason, rows: count }) => ({ object, reason, rows: count })),
    underived: {
      columns: [...underivedOf(tally), ...beyond],
      without_configuration: unconfigured,
      without_image: blind,
    },
  }
}

/** What of the versions that were looked at is told by nothing else; where no row was, of those that there are. */
function underivedOf({ versions }: RowTally): readonly string[] {
  const names = versions.size > 0 ? [...versions.keys()] : [...ROW_VERSIONS.keys()]
  return [...new Set(names.flatMap(name => ROW_VERSIONS.get(name)?.underived ?? []))]
}

function printSummary(table: string, tally: RowTally, passedOver: readonly PassedOver[], io: Io): void {
  const { rows, outside, findings, unconfigured, blind } = tally
  const name = printable(table)
  for (const { object, reason, rows: count } of passedOver)
    io.out(
      `${paint(io, 'red', '✗ passed over')}  ${printable(`${object}: ${reason}`)}${count === null ? '' : `, ${grouped(count)} rows`}\n`,
    )
  for (const [version, count] of [...tally.unknownVersions].sort())
    io.out(
      `${paint(io, 'red', '✗ not checked')}  ${grouped(count)} rows of ${printable(version)}: this itemtrail knows ${[...ROW_VERSIONS.keys()].join(', ')}\n`,
    )
  if (findings > 0) io.err(`${name}: ${grouped(findings)} findings in ${grouped(rows)} rows\n`)
  else io.out(`${name}: ${grouped(rows)} rows are what they were when they were made, as far as they tell themselves\n`)
  if (outside > 0) io.out(`  ${grouped(outside)} rows outside of the period were not looked at\n`)
  for (const [version, count] of [...tally.versions].sort())
    io.out(`  ${grouped(count)} rows of ${printable(version)}\n`)
  io.out(`  not derived again: ${underivedOf(tally).join(' and ')} of any row\n`)
  if (unconfigured > 0)
    io.out(
      `  not derived again: flat columns, misfits and actor of ${grouped(unconfigured)} rows, whose configuration is not kept\n`,
    )
  if (blind > 0) io.out(`  not derived again: item_key of ${grouped(blind)} rows, which have no image\n`)
}
