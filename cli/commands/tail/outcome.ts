import type { TailOutcome } from '../../../capture/tail.js'
import type { TableSummary } from '../../../delivery/table-delivery.js'
import { checkpointPath } from '../../../delivery/tail-state.js'
import type { GapFact } from '../../../transform/fact.js'
import { EXIT, type ExitCode, type Io } from '../../io.js'
import { describeSummary, printSummaries } from '../../show/delivery-summary.js'
import { grouped } from '../../show/progress.js'
import { shorterTime } from '../../show/table.js'
import { printable } from '../../show/text.js'

/** Who asked it to stop has what was asked for; who waits for its end wants to know what was found. */
export function exitOf({ refused }: TableSummary, { ending, gaps }: TailOutcome): ExitCode {
  if (ending === 'stopped') return EXIT.done
  return ending === 'caught-up' && gaps.length === 0 && refused === 0 ? EXIT.done : EXIT.findings
}

/** How a tail went, as programs get it. */
export function describeOutcome(summary: TableSummary, { ending, gaps, changes, status }: TailOutcome): object {
  const seconds = (ms: number | null | undefined) => (ms == null ? null : Math.floor(ms / 1000))
  return {
    ...describeSummary(summary),
    stream: status?.stream ?? null,
    ending,
    gaps: gaps.map(({ source, shard, after, before, from, to, reason }) => ({
      ...{ stream: source, shard, after, before, from, to, reason },
    })),
    streams_changed: changes.map(({ previous, source }) => ({ previous, stream: source })),
    newest_change: status?.newest == null ? null : new Date(status.newest).toISOString(),
    lag_seconds: seconds(status?.lag),
    seconds_until_loss: seconds(status?.untilLoss),
  }
}

/** A gap in a line. */
export function describeGap({ shard, after, before, from, to, reason }: GapFact): string {
  const [start, end] = [from, to].map(time => (time === null ? 'its beginning' : shorterTime(time)))
  const places = `after ${after ?? 'nothing'}, before ${before ?? 'nothing'}`
  return `GAP in shard ${shard} between ${start} and ${end} (${places}): ${reason}`
}

/** How a tail went, for people. */
export function printOutcome(summary: TableSummary, { ending, gaps }: TailOutcome, root: string, io: Io): void {
  printSummaries([summary], io)
  if (gaps.length > 0)
    io.err(
      `${grouped(gaps.length)} ${gaps.length === 1 ? 'gap is' : 'gaps are'} kept under facts/: changes may be missing there for good\n`,
    )
  const endings: Readonly<Record<TailOutcome['ending'], string>> = {
    'caught-up': 'caught up',
    stopped: `stopped; the same command goes on from ${printable(checkpointPath(root, summary.table))}`,
    disabled: `stream of ${summary.table} is disabled: what changes from now on is lost to the archive until it is enabled again\n  ${enableHint(summary.table)}`,
    gone: `table ${summary.table} is no longer there; what its stream still held was read`,
  }
  io.err(`${endings[ending]}\n`)
}

/** How a table gets a stream. */
export function enableHint(table: string): string {
  return `aws dynamodb update-table --table-name ${table} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES`
}
