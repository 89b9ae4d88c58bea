import { join } from 'node:path'
import { type Configuration, tableConfiguration } from '../../config/configuration.js'
import { checkEvolution } from '../../config/evolution.js'
import { DiskArchive } from '../../local/archive.js'
import { ingest as ingestInput, NO_TABLE, type TableSummary } from '../../local/ingest.js'
import { openInput } from '../../local/input.js'
import { REFUSED_PREFIX } from '../../local/refused-objects.js'
import { keptConfigurations } from '../../queries/duckdb.js'
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { FORMAT_OPTION, type Format, formatOf, printObjects, printTable } from '../print.js'
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
      printSummaries(summaries, format, io)
      if (summaries.length === 0) io.err(`${file === '-' ? 'standard input' : printable(file)} holds no records\n`)
      printReasons(summaries, root, io)
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
  const { syscall, message } = error as NodeJS.ErrnoException
  if (syscall === 'write') return Object.assign(error as Error, { path: root })
  // DuckDB, which writes the Parquet objects, has no codes
  if (/^[A-Z]\w+( \w+)* Error: /.test(message)) {
    const text = `archive ${JSON.stringify(root)} cannot be written: ${message.split('\n')[0]}`
    return new CommandError(text, EXIT.findings, 'what was archived before is whole; ingest the file again')
  }
  return error
}

/** Rows of both kinds would lie under one name for good, so a column that changed is refused before anything is read. */
function checkColumns(root: string, configuration: Configuration | undefined): void {
  const tables = [...(configuration?.tables.values() ?? [])]
  const problems = tables.flatMap(table => checkEvolution(keptConfigurations(root, table.table), table))
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
}

function printSummaries(summaries: readonly TableSummary[], format: Format, io: Io): void {
  if (format === 'json' || format === 'ndjson') printObjects(summaries.map(describe), format, io)
  else if (summaries.length > 0)
    printTable(
      ['table', 'records', 'rows', 'refused', 'objects'],
      summaries.map(({ table, records, rows, refused, objects }) => [
        table === NO_TABLE ? '(no table)' : table,
        ...[records, rows, refused, objects].map(grouped),
      ]),
      io,
    )
}

function printReasons(summaries: readonly TableSummary[], root: string, io: Io): void {
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
  }
}

function describe({ table, records, rows, refused, objects, reasons }: TableSummary): object {
  return {
    table: table === NO_TABLE ? null : table,
    records,
    rows,
    refused,
    objects,
    reasons: [...reasons].map(([reason, times]) => ({ reason, records: times })),
  }
}

const SHOWN_REASONS = 10
