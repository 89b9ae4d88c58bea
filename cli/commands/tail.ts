import type { TableStreams } from '../../capture/table-streams.js'
import type { TailOptions } from '../../capture/tail.js'
import type { TailCheckpoint } from '../../capture/tail-checkpoint.js'
import { type Configuration, tableConfiguration } from '../../config/configuration.js'
import { FileError } from '../../config/gate.js'
import { loadCheckpoint, lockTail } from '../../delivery/tail-state.js'
import { DiskArchive } from '../../store/folder.js'
import { regionOfSource } from '../../transform/stream-record.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { TABLE_NAME } from '../../transform/table-names.js'
import { checkColumns, checkRegion } from '../ask/archive-writing.js'
import { type Connection, connectionOf, ENDPOINT_OPTION, REGION_OPTION } from '../ask/connection.js'
import { lookAtKeys } from '../ask/own-keys.js'
import { stopOnSignal } from '../ask/stop-on-signal.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../ask/workspace.js'
import { archiveFailure, callAws, describeAwsFailure } from '../failures.js'
import { type Command, CommandError, EXIT, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { adviseOnActor, printMisfits, printReasons } from '../show/delivery-summary.js'
import { describeGap, describeOutcome, enableHint, exitOf, printOutcome } from './tail/outcome.js'
import { TailProgress } from './tail/progress.js'

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
    await checkColumns(root, configuration)
    await lookAtKeys(configuration, root)
    const { clients, findStreams } = await connect(connection, name)
    const streams = await findStreams()
    checkStreams(streams, table, readCheckpoint(root, name), connection)
    await checkRegion(root, name, regionOfSource(streams.latest ?? streams.readable.at(-1) ?? ''))
    const lock = takeLock(root, name)
    const progress = new TailProgress(io, name)
    const stop = stopOnSignal(() =>
      progress.say('stopping: what was read goes into the archive; once more ends it at once'),
    )
    try {
      // another tail may have moved on until it released the lock
      const checkpoint = readCheckpoint(root, name)
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
        onGap: gap => progress.say(describeGap(gap)),
        onStatus: status => progress.update(status),
        onRetry: error => progress.retry(error),
        note: text => progress.say(text),
      })
      progress.end()
      const page = () => printOutcome(summary, outcome, root, io)
      await format.print({ page, whole: () => describeOutcome(summary, outcome) }, io)
      printReasons([summary], root, io)
      printMisfits([summary], io)
      adviseOnActor([summary], io)
      return exitOf(summary, outcome)
    } catch (error) {
      progress.end()
      const failure = describeAwsFailure(error, `stream of ${name} cannot be read`, connection.endpoint)
      throw failure ?? archiveFailure(error, root, 'run it again, it goes on from there')
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

function readCheckpoint(root: string, table: string): TailCheckpoint | undefined {
  try {
    return loadCheckpoint(root, table)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    const hint =
      'without the file everything that the stream still holds is read again, and counts once; see docs/live-tables.md'
    throw new CommandError(`checkpoint ${error.message}`, EXIT.unchecked, hint)
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
    findStreams: () =>
      callAws(`table ${JSON.stringify(table)} cannot be read`, () => findStreams(clients, table), connection.endpoint),
  }
}

/** Throws a `CommandError` where there is nothing to follow, or the configuration is not of this table. */
function checkStreams(
  { exists, latest, keys }: TableStreams,
  table: TableConfiguration,
  checkpoint: TailCheckpoint | undefined,
  connection: Connection,
): void {
  const name = JSON.stringify(table.table)
  // what is left of a stream can be read when the table itself is gone
  if (!exists && checkpoint === undefined)
    throw new CommandError(`table ${name} is not there`, EXIT.usage, whereHint(connection))
  if (exists && latest === undefined && checkpoint === undefined)
    throw new CommandError(`table ${name} has no stream`, EXIT.usage, enableHint(table.table))
  const configured = table.keys.map(({ attribute }) => attribute).sort()
  const actual = [...keys].sort()
  if (exists && configured.length > 0 && configured.join('\n') !== actual.join('\n'))
    throw new CommandError(
      `table ${name} has the keys ${actual.join(', ')}, the configuration says ${configured.join(', ')}`,
    )
}

function whereHint({ endpoint, region }: Connection): string {
  if (endpoint !== undefined) return 'DynamoDB Local keeps the tables of each access key and region apart'
  return region === undefined
    ? '--region REGION names another region than that of the environment'
    : `looked in ${region}`
}

function takeLock(root: string, table: string) {
  const lock = lockTail(root, table)
  if (typeof lock === 'number')
    throw new CommandError(
      `table ${JSON.stringify(table)} is tailed into ${JSON.stringify(root)} already, by process ${lock}`,
    )
  return lock
}

/** Tails into the desk's delivery stream. */
async function run(table: TableConfiguration, root: string, options: Omit<TailOptions, 'sink'>) {
  const [{ tail: follow }, { ArchiveSink }] = await Promise.all([
    import('../../capture/tail.js'),
    import('../../delivery/tail-sink.js'),
  ])
  const sink = await ArchiveSink.open(new DiskArchive(root), table)
  try {
    const outcome = await follow({ ...options, sink })
    return { outcome, summary: sink.summary }
  } finally {
    sink.close()
  }
}
