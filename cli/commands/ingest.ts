import { availableParallelism } from 'node:os'
import { openInput } from '../../capture/input.js'
import { tableConfiguration } from '../../config/configuration.js'
import { DeliveryError, ingest as ingestInput, NO_TABLE } from '../../delivery/ingest.js'
import { DiskArchive } from '../../store/folder.js'
import { Refusal, shown } from '../../transform/refusal.js'
import { streamOf } from '../../transform/stream-record.js'
import { checkColumns } from '../ask/archive-writing.js'
import { lookAtKeys } from '../ask/own-keys.js'
import { wholeNumber } from '../ask/whole-number.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../ask/workspace.js'
import { archiveFailure, describeReadFailure, describeSystemError, describeWriteFailure } from '../failures.js'
import { type Command, CommandError, EXIT, type Options } from '../io.js'
import { archiveFlag } from '../show/archive-name.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { adviseOnActor, describeSummary, printMisfits, printReasons, printSummaries } from '../show/delivery-summary.js'
import { grouped, Progress } from '../show/progress.js'
import { printable } from '../show/text.js'

/** Each takes memory of its own, some 60 MB. */
const USUAL_THREADS = 8
const MOST_THREADS = 64

/** Sends the records of a file through the local delivery stream into the archive. */
export const ingest: Command = {
  usage: 'ingest <file>',
  summary: 'adds the change records of a file, or of standard input (-), to the archive',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--table <table>', 'the table of records that name none, as those read through the Streams API'],
    [
      '--stream-arn <arn>',
      'the stream of records that name none (default: the one that the archive has of their table)',
    ],
    ['--threads <n>', `reads with so many threads (as many as there are cores, at most ${USUAL_THREADS})`],
    FORMAT_OPTION,
  ],
  example: 'itemtrail ingest changes.jsonl.gz',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const configuration = loadConfiguration(options)
    const [file, root] = [args[0] as string, archiveRoot(options)]
    const origin = originOf(options)
    const threads = threadsOf(options)
    await checkColumns(root, configuration)
    await lookAtKeys(configuration, root)
    const input = await openInput(file, io.stdin)
    const progress = new Progress(io, 'record')
    let records = 0
    const onEnd = () => progress.note('writing what was read ...')
    try {
      const summaries = await ingestInput(untilEnd(input.bytes, onEnd), input.modifiedAt, {
        archive: new DiskArchive(root),
        configurationOf: table => tableConfiguration(configuration, table),
        ...origin,
        threads,
        onRecord: count => {
          records = count
          progress.update(count, input.position(), input.size)
        },
      })
      progress.end()
      const page = () => (summaries.length > 0 ? printSummaries(summaries, io) : undefined)
      await format.print({ page, rows: () => summaries.map(describeSummary) }, io)
      if (summaries.length === 0) io.err(`${file === '-' ? 'standard input' : printable(file)} holds no records\n`)
      printReasons(summaries, root, io)
      printMisfits(summaries, io)
      adviseOnActor(summaries, io)
      return summaries.some(summary => summary.refused > 0) ? EXIT.findings : EXIT.done
    } catch (error) {
      progress.end()
      throw describeFailure(error, file, root, records)
    } finally {
      input.close()
    }
  },
}

function threadsOf(options: Options): number {
  const threads = wholeNumber(options, 'threads') ?? Math.min(availableParallelism(), USUAL_THREADS)
  if (threads <= MOST_THREADS) return threads
  throw new CommandError(`--threads is "${threads}", expected a whole number from 1 to ${MOST_THREADS}`)
}

/** What the flags say of records that name neither their table nor their stream. */
function originOf({ table, streamArn }: Options): { readonly table?: string; readonly streamArn?: string } {
  if (typeof streamArn !== 'string') return typeof table === 'string' ? { table } : {}
  const ofStream = tableOfStream(streamArn)
  if (table !== undefined && table !== ofStream)
    throw new CommandError(`--stream-arn is of table ${shown(ofStream)}, --table is ${shown(table)}`)
  return { table: ofStream, streamArn }
}

function tableOfStream(arn: string): string {
  try {
    return streamOf(arn).table
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new CommandError(error.message.replace('eventSourceARN', '--stream-arn'))
  }
}

async function* untilEnd(bytes: AsyncIterable<Uint8Array>, onEnd: () => void): AsyncGenerator<Uint8Array> {
  yield* bytes
  onEnd()
}

/**
 * Errors while reading and writing name no file. What was read before reading failed is archived, see `ingestInput`.
 */
function describeFailure(error: unknown, file: string, root: string, records: number): unknown {
  const reading = describeReadFailure(error, file)
  const before = `${grouped(records)} ${records === 1 ? 'record' : 'records'} before that went in: itemtrail status${archiveFlag(root)}`
  if (reading !== undefined) return new CommandError(reading, EXIT.findings, records === 0 ? undefined : before)
  return describeDelivery(error, root) ?? archiveFailure(error, root, 'ingest the file again')
}

/** What kept each table from being written; undefined for anything else. */
function describeDelivery(error: unknown, root: string): CommandError | undefined {
  if (!(error instanceof DeliveryError)) return undefined
  const lines = [...error.failures].map(([table, failure]) => {
    const subject = table === NO_TABLE ? 'what names no table' : `table ${table}`
    const archive = `archive ${JSON.stringify(root)}`
    const problem = describeWriteFailure(failure, root, archive) ?? describeSystemError(failure as Error)
    return `${subject}: ${problem ?? (failure as Error).message}`
  })
  const hint = 'what was read of other tables is in the archive; mend that and ingest the file again'
  return new CommandError(lines.join('\n'), EXIT.findings, hint)
}
