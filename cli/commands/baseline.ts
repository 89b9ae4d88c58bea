import { type BaselineResult, type BaselineTarget, rowTimeOf, takeBaseline } from '../../capture/baseline.js'
import { checkEvolution } from '../../config/evolution.js'
import { DiskArchive } from '../../local/archive.js'
import { keptConfigurations } from '../../queries/duckdb.js'
import { type BaselineFact, factInstant, factKey, readFacts } from '../../transform/fact.js'
import { dateOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type BaselineSource, openFullExport, openScan } from '../baseline-source.js'
import { type Command, CommandError, EXIT, type Io, type Options } from '../io.js'
import { keyedTable } from '../keyed-table.js'
import { LIVE_OPTIONS } from '../live-table.js'
import { FORMAT_OPTION, formatOf, paint, toJson } from '../print.js'
import { grouped, Progress } from '../progress.js'
import { printable } from '../text.js'
import { ARCHIVE_OPTION, archiveFlag, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../workspace.js'

/** Gives an archive its beginning: every item that a table holds. */
export const baseline: Command = {
  usage: 'baseline <table>',
  summary: 'adds every item that the table holds now, or held when it was exported',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--export <dir>', 'takes them from a full export on disk: its folder AWSDynamoDB/<exportId>'],
    ['--scan', 'takes them from the live table, with strongly consistent reads'],
    ...LIVE_OPTIONS,
    ['--segments <n>', 'scans with so many readers at once (1)'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail baseline Orders --scan',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const [name, root] = [args[0] as string, archiveRoot(options)]
    checkUse(options)
    const configuration = loadConfiguration(options)
    const source = await openSource(name, options, io)
    const table = await keyedTable(name, configuration, source.keys, root)
    checkSince(table, source)
    checkColumns(root, table)
    const archive = new DiskArchive(root)
    const before = await findBaseline(archive, name, source)
    if (before !== undefined) {
      if (format === 'table') io.out(`this baseline of ${name} is complete already: ${printable(before.source)}\n`)
      else
        io.out(
          `${toJson(describe(name, source, { ...NOTHING, items: before.items, fact: before, key: factKey(before) }))}\n`,
        )
      return EXIT.done
    }
    const { ArchiveTarget } = await import('../../local/baseline-to-archive.js')
    const target = await ArchiveTarget.open(archive, table)
    try {
      const result = await take(source, table, target, io)
      if (format === 'table') print(result, table, source, root, io)
      else io.out(`${toJson(describe(name, source, result))}\n`)
      return result.fact === undefined ? EXIT.findings : EXIT.done
    } finally {
      target.close()
    }
  },
}

const NOTHING = { refused: 0, examples: [] } as const

function checkUse(options: Options): void {
  const { scan, endpoint, region, segments } = options
  const from = options.export
  if ((from === undefined) === (scan !== true))
    throw new CommandError('a baseline comes from one source, expected --export DIR or --scan')
  const live = Object.entries({ '--endpoint': endpoint, '--region': region, '--segments': segments })
  const stray = live.find(([, value]) => value !== undefined)
  if (scan !== true && stray !== undefined)
    throw new CommandError(`${stray[0]} is of a live table, expected --scan with it`)
}

function openSource(name: string, options: Options, io: Io): Promise<BaselineSource> {
  return typeof options.export === 'string' ? openFullExport(name, options.export, io) : openScan(name, options, io)
}

/** The transform would refuse each row, after everything was read. */
function checkSince({ table, since }: TableConfiguration, { origin }: BaselineSource): void {
  const date = dateOf(rowTimeOf(origin))
  if (since !== undefined && date < since)
    throw new CommandError(
      `baseline of ${table} would be of ${date}, before the archive's first day ${since}, see "since" in the configuration`,
      EXIT.usage,
      `all its rows have one time, just before it was taken: "since": ${JSON.stringify(date)} lets them in, on AWS with a deployment`,
    )
}

function checkColumns(root: string, table: TableConfiguration): void {
  const problems = checkEvolution(keptConfigurations(root, table.table), table)
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
}

/** A complete baseline of the same export, which would add the same rows once more. */
async function findBaseline(archive: DiskArchive, table: string, { origin }: BaselineSource) {
  const facts = await readFacts(archive, table)
  return facts.find((fact): fact is BaselineFact => fact.kind === 'baseline' && fact.source === origin.source)
}

async function take(source: BaselineSource, table: TableConfiguration, target: BaselineTarget, io: Io) {
  const progress = new Progress(io, 'item')
  const onItem = (items: number) => {
    const { done, total } = source.progress()
    progress.update(items, done, total)
  }
  const onRead = () => progress.note('writing what was read ...')
  try {
    return await takeBaseline(source.items(), source.origin, table, target, { onItem, onRead, toUs: source.toUs })
  } finally {
    progress.end()
  }
}

function print(
  { items, refused, examples, key }: BaselineResult,
  { table }: TableConfiguration,
  { origin }: BaselineSource,
  root: string,
  io: Io,
): void {
  const what = `${grouped(items)} ${items === 1 ? 'item' : 'items'} of ${table} from ${printable(origin.source)}`
  if (key !== undefined) {
    io.out(`${paint(io, 'green', 'complete')}  ${what}\n`)
    io.out(`  all its rows are of ${factInstant(rowTimeOf(origin))}; ${printable(key)} says that they are all there\n`)
    return
  }
  io.out(`${paint(io, 'red', 'incomplete')}  ${what}: ${grouped(refused)} refused, so this is no baseline\n`)
  for (const { item, reason } of examples) io.out(`  ${printable(item)}  ${printable(reason)}\n`)
  if (refused > examples.length) io.out(`  and ${grouped(refused - examples.length)} further ones\n`)
  io.err(`itemtrail status${archiveFlag(root)} tells what was refused; mend the cause and run it again\n`)
}

function describe(table: string, { origin }: BaselineSource, result: BaselineResult): object {
  const { items, refused, examples, fact, key } = result
  return {
    table,
    complete: fact !== undefined,
    method: origin.method,
    source: origin.source,
    from: factInstant(origin.fromUs),
    to: fact?.to ?? null,
    row_time: factInstant(rowTimeOf(origin)),
    items,
    refused,
    examples,
    digest: fact?.digest ?? null,
    fact: key ?? null,
  }
}
