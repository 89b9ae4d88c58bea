import { tableConfiguration } from '../../config/configuration.js'
import { DiskArchive } from '../../local/archive.js'
import { ingest as ingestInput } from '../../local/ingest.js'
import { openInput } from '../../local/input.js'
import { checkColumns, describeWriteFailure } from '../archive-writing.js'
import { describeSummary, printMisfits, printReasons, printSummaries } from '../delivery-summary.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { FORMAT_OPTION, formatOf, printObjects } from '../print.js'
import { grouped, Progress } from '../progress.js'
import { describeReadFailure } from '../system-errors.js'
import { printable } from '../text.js'
import { ARCHIVE_OPTION, archiveFlag, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../workspace.js'

/** Sends the records of a file through the local delivery stream into the archive. */
export const ingest: Command = {
  usage: 'ingest <file>',
  summary: 'adds the change records of a file, or of standard input (-), to the archive',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--table <table>', 'the table of records that name none, as those read through the Streams API'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail ingest changes.jsonl.gz',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const configuration = loadConfiguration(options)
    const [file, root] = [args[0] as string, archiveRoot(options)]
    checkColumns(root, configuration)
    const input = await openInput(file, io.stdin)
    const progress = new Progress(io, 'record')
    let records = 0
    const onEnd = () => progress.note('writing what was read ...')
    try {
      const summaries = await ingestInput(untilEnd(input.bytes, onEnd), input.modifiedAt, {
        archive: new DiskArchive(root),
        configurationOf: table => tableConfiguration(configuration, table),
        ...(typeof options.table === 'string' && { table: options.table }),
        onRecord: count => {
          records = count
          progress.update(count, input.position(), input.size)
        },
      })
      progress.end()
      if (format !== 'table') printObjects(summaries.map(describeSummary), format, io)
      else if (summaries.length > 0) printSummaries(summaries, io)
      if (summaries.length === 0) io.err(`${file === '-' ? 'standard input' : printable(file)} holds no records\n`)
      printReasons(summaries, root, io)
      printMisfits(summaries, io)
      return summaries.some(summary => summary.refused > 0) ? EXIT.findings : EXIT.done
    } catch (error) {
      progress.end()
      throw describeFailure(error, file, root, records)
    }
  },
}

async function* untilEnd(bytes: AsyncIterable<Uint8Array>, onEnd: () => void): AsyncGenerator<Uint8Array> {
  yield* bytes
  onEnd()
}

/** Errors while reading and writing name no file. What was read before reading failed is archived, see `ingestInput`. */
function describeFailure(error: unknown, file: string, root: string, records: number): unknown {
  const reading = describeReadFailure(error, file)
  const before = `${grouped(records)} ${records === 1 ? 'record' : 'records'} before that went in: itemtrail status${archiveFlag(root)}`
  if (reading !== undefined) return new CommandError(reading, EXIT.findings, records === 0 ? undefined : before)
  return describeWriteFailure(error, root, 'ingest the file again')
}
