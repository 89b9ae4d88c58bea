import { type Configuration, tableConfiguration } from '../../config/configuration.js'
import { checkEvolution } from '../../config/evolution.js'
import { DiskArchive } from '../../local/archive.js'
import { ingest as ingestInput, NO_TABLE, type TableSummary } from '../../local/ingest.js'
import { openInput } from '../../local/input.js'
import { keptConfigurations } from '../../queries/duckdb.js'
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { FORMAT_OPTION, type Format, formatOf, printable, printRows } from '../print.js'
import { grouped, Progress } from '../progress.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../workspace.js'

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
    checkColumns(archiveRoot(options), configuration)
    const archive = new DiskArchive(archiveRoot(options))
    const input = await openInput(args[0] as string, io.stdin)
    const progress = new Progress(io, 'records')
    try {
      const summaries = await ingestInput(input.bytes, input.modifiedAt, {
        archive,
        configurationOf: table => tableConfiguration(configuration, table),
        ...(typeof options.table === 'string' && { table: options.table }),
        onRecord: count => progress.update(count, input.position(), input.size),
      })
      progress.end()
      printSummaries(summaries, format, io)
      return summaries.some(summary => summary.refused > 0) ? EXIT.findings : EXIT.done
    } finally {
      progress.end()
    }
  },
}

/** Rows of both kinds would lie under one name for good, so a column that changed is refused before anything is read. */
function checkColumns(root: string, configuration: Configuration | undefined): void {
  const tables = [...(configuration?.tables.values() ?? [])]
  const problems = tables.flatMap(table => checkEvolution(keptConfigurations(root, table.table), table))
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
}

function printSummaries(summaries: readonly TableSummary[], format: Format, io: Io): void {
  const names = ['table', 'records', 'rows', 'refused', 'objects']
  const rows = summaries.map(({ table, records, rows, refused, objects }) => ({
    table,
    records,
    rows,
    refused,
    objects,
  }))
  if (format === 'table')
    printRows(
      names,
      rows.map(row => ({ ...row, table: row.table === NO_TABLE ? '(no table)' : row.table })),
      format,
      io,
    )
  else printRows(names, rows, format, io)
  for (const { table, refused, reasons } of summaries) {
    if (refused === 0) continue
    io.err(`\n${grouped(refused)} refused${table === NO_TABLE ? '' : ` of ${table}`}, kept under refused/:\n`)
    const mostFirst = [...reasons].sort((a, b) => b[1] - a[1])
    for (const [reason, times] of mostFirst.slice(0, SHOWN_REASONS))
      io.err(`  ${grouped(times)} × ${printable(reason)}\n`)
    if (mostFirst.length > SHOWN_REASONS)
      io.err(`  and ${mostFirst.length - SHOWN_REASONS} further reasons, see itemtrail status\n`)
  }
}

const SHOWN_REASONS = 10
