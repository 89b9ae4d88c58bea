import type { Checkpoint } from '../../capture/checkpoint.js'
import { CheckpointError } from '../../capture/checkpoint.js'
import type { TableStreams } from '../../capture/table-streams.js'
import type { TailOptions, TailOutcome } from '../../capture/tail.js'
import { type Configuration, tableConfiguration } from '../../config/configuration.js'
import { TABLE_NAME } from '../../config/schema.js'
import { DiskArchive } from '../../local/archive.js'
import type { TableSummary } from '../../local/ingest.js'
import { checkpointPath, loadCheckpoint, lockTail } from '../../local/tail-state.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { checkColumns, describeWriteFailure } from '../archive-writing.js'
import { type Connection, connectionOf, describeAwsFailure, ENDPOINT_OPTION, REGION_OPTION } from '../connection.js'
import { describeSummary, printReasons, printSummaries } from '../delivery-summary.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf, shorterTime, toJson } from '../print.js'
import { grouped } from '../progress.js'
import { TailProgress } from '../tail-progress.js'
import { printable } from '../text.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../workspace.js'

/** Follows the stream of a live table into the archive. */
export const tail: Command = {
  usage: 'tail <table>',
  summary: "follows a live table's stream into the archive, from where it left off",
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ENDPOINT_OPTION,
    REGION_OPTION,
    ['--until-caught-up', 'ends once everything up to now is in the archive'],
    ['--flush-interval <seconds>', 'writes objects so often, and sooner when there is much', '60'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail tail Orders --until-caught-up',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const flushInterval = flushIntervalOf(options)
    const configuration = loadConfiguration(options)
    const [name, root, connection] = [args[0] as string, archiveRoot(options), connectionOf(options)]
    const table = tableToTail(configuration, name)
    checkColumns(root, configuration)
    const checkpoint = readCheckpoint(root, name)
    const { clients, findStreams } = await connect(connection, name)
    checkStreams(await findStreams(), table, checkpoint)
    const lock = takeLock(root, name)
    const progress = new TailProgress(io, name)
    const stop = stopOnSignal(progress)
    try {
      const { summary, outcome } = await run(table, root, {
        table: name,
        client: clients.streams,
        findStreams,
        ...(checkpoint && { checkpoint }),
        untilCaughtUp: options.untilCaughtUp === true,
        flushInterval: flushInterval * 1000,
        flushSize: FLUSH_BYTES,
        stop: stop.signal,
        ...(options.untilCaughtUp === true && { tries: TRIES }),
        onStatus: status => progress.update(status),
        onRetry: error => progress.retry(error),
        note: text => progress.say(text),
      })
      progress.end()
      if (format === 'table') printOutcome(summary, outcome, root, io)
      else io.out(`${toJson(describe(summary, outcome))}\n`)
      printReasons([summary], root, io)
      return exitOf(summary, outcome)
    } catch (error) {
      progress.end()
      const failure = describeAwsFailure(error, `stream of ${name}`, connection)
      throw failure ?? describeWriteFailure(error, root, 'run it again, it goes on from there')
    } finally {
      stop.release()
      lock.release()
    }
  },
}

/** Of records read: what waits for a flush must fit on the disk twice. */
const FLUSH_BYTES = 64 * 1024 * 1024

/** Of a call, half a minute of them: who waits for an end wants to hear that there will be none. */
const TRIES = 12

function flushIntervalOf({ flushInterval }: Options): number {
  const seconds = Number(flushInterval)
  if (!(seconds >= 0.1 && seconds <= 3600))
    throw new CommandError(`flush interval is ${JSON.stringify(flushInterval)}, expected 0.1 to 3600 seconds`)
  return seconds
}

function tableToTail(configuration: Configuration | undefined, name: string): TableConfiguration {
  if (!TABLE_NAME.test(name))
    throw new CommandError(
      `table is ${JSON.stringify(name)}, expected a name of 3 to 255 letters, digits, "_", "-" or "."`,
    )
  const table = tableConfiguration(configuration, name)
  if (table.capture === 'kinesis')
    throw new CommandError(
      `table ${JSON.stringify(name)} is configured with capture "kinesis", tail reads DynamoDB Streams`,
      EXIT.usage,
      'through both ways each change would get two ids; an archive has one of them',
    )
  return table
}

function readCheckpoint(root: string, table: string): Checkpoint | undefined {
  try {
    return loadCheckpoint(root, table)
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    const hint = 'without the file everything that the stream still holds is read again, and counts once'
    throw new CommandError(error.message, EXIT.unchecked, hint)
  }
}

/** The SDK takes longer to load than most commands to run. */
async function connect(connection: Connection, table: string) {
  const [{ DynamoDBClient }, { DynamoDBStreamsClient }, { findStreams }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('@aws-sdk/client-dynamodb-streams'),
    import('../../capture/table-streams.js'),
  ])
  const clients = {
    table: new DynamoDBClient(connection),
    streams: new DynamoDBStreamsClient({ ...connection, maxAttempts: 1 }),
  }
  return {
    clients,
    findStreams: async () => {
      try {
        return await findStreams(clients, table)
      } catch (error) {
        throw describeAwsFailure(error, `table ${JSON.stringify(table)}`, connection) ?? error
      }
    },
  }
}

/** Throws a `CommandError` where there is nothing to follow, or the configuration is not of this table. */
function checkStreams(
  { exists, latest, keys }: TableStreams,
  table: TableConfiguration,
  checkpoint?: Checkpoint,
): void {
  const name = JSON.stringify(table.table)
  // what is left of a stream can be read when the table itself is gone
  if (!exists && checkpoint === undefined) throw new CommandError(`table ${name} is not there`)
  if (exists && latest === undefined && checkpoint === undefined)
    throw new CommandError(`table ${name} has no stream`, EXIT.usage, enableHint(table.table))
  const configured = table.keys.map(({ attribute }) => attribute).sort()
  const actual = [...keys].sort()
  if (exists && configured.length > 0 && configured.join('\n') !== actual.join('\n'))
    throw new CommandError(
      `table ${name} has the keys ${actual.join(', ')}, the configuration says ${configured.join(', ')}`,
    )
}

function enableHint(table: string): string {
  return `aws dynamodb update-table --table-name ${table} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES`
}

function takeLock(root: string, table: string) {
  const lock = lockTail(root, table)
  if (typeof lock === 'number')
    throw new CommandError(
      `table ${JSON.stringify(table)} is tailed into ${JSON.stringify(root)} already, by process ${lock}`,
    )
  return lock
}

/** The first signal asks for an orderly end, a second one ends the process at once. */
function stopOnSignal(progress: TailProgress) {
  const controller = new AbortController()
  const signals = ['SIGINT', 'SIGTERM'] as const
  const release = () => {
    for (const name of signals) process.off(name, onSignal)
  }
  const onSignal = () => {
    release()
    progress.say('stopping: what was read goes into the archive; once more ends it at once')
    controller.abort()
  }
  for (const name of signals) process.on(name, onSignal)
  return { signal: controller.signal, release }
}

/** Tails into the desk's delivery stream. */
async function run(table: TableConfiguration, root: string, options: Omit<TailOptions, 'sink'>) {
  const [{ tail: follow }, { ArchiveSink }] = await Promise.all([
    import('../../capture/tail.js'),
    import('../../local/tail-sink.js'),
  ])
  const sink = await ArchiveSink.open(new DiskArchive(root), table)
  try {
    const outcome = await follow({ ...options, sink })
    return { outcome, summary: sink.summary }
  } finally {
    sink.close()
  }
}

/** Who asked it to stop has what was asked for; who waits for its end wants to know what was found. */
function exitOf({ refused }: TableSummary, { ending, gaps }: TailOutcome): ExitCode {
  if (ending === 'stopped') return EXIT.done
  return ending === 'caught-up' && gaps.length === 0 && refused === 0 ? EXIT.done : EXIT.findings
}

function describe(summary: TableSummary, { ending, gaps, changes, status }: TailOutcome): object {
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

function printOutcome(summary: TableSummary, { ending, gaps, changes }: TailOutcome, root: string, io: Io): void {
  printSummaries([summary], io)
  for (const { previous, source } of changes)
    io.err(
      `the stream was replaced: ${printable(previous)} ended, ${printable(source)} follows; what changed between them is in neither\n`,
    )
  for (const { shard, after, before, from, to, reason } of gaps) {
    const [start, end] = [from, to].map(time => (time === null ? 'its beginning' : shorterTime(time)))
    io.err(
      `GAP in shard ${printable(shard)} between ${start} and ${end} (after ${after ?? 'nothing'}, before ${before ?? 'nothing'}): ${reason}\n`,
    )
  }
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
