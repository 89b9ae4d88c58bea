import { type QueryEngine, QueryError } from '../../queries/engines/engine.js'
import { compareAll, comparisonFact } from '../../restore/comparison.js'
import { type ComparedArchive, ComparisonError } from '../../restore/reconcile-findings.js'
import type { ReconcileSource } from '../../restore/reconcile-source.js'
import { StateStore } from '../../restore/state-store.js'
import { keepFact } from '../../store/kept-facts.js'
import type { Objects } from '../../store/objects.js'
import { factInstant, type ReconciliationFact } from '../../transform/fact.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { LIVE_OPTIONS } from '../ask/connection.js'
import { KEYS_OF_OPTION } from '../ask/key-store.js'
import { MEMORY_OPTION } from '../ask/memory-option.js'
import { tellSealed } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, loadConfiguration } from '../ask/workspace.js'
import { describeAwsFailure, describeWriteFailure } from '../failures.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { grouped } from '../show/progress.js'
import { WIPE_LINE } from '../show/terminal.js'
import { printable } from '../show/text.js'
import { openReconcilePlace } from './reconcile/place.js'
import { ReconcileReport } from './reconcile/report.js'
import { openExportSource, openScanSource } from './reconcile/source.js'

/** Compares an archive with the table itself, or with an export of it. */
export const reconcile: Command = {
  usage: 'reconcile <table>',
  summary: 'does the archive hold what the table holds? item by item, field by field',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--scan', 'compares with the live table, with strongly consistent reads'],
    ['--export <dir>', 'compares with an export on disk, full or incremental: its folder AWSDynamoDB/<exportId>'],
    ...LIVE_OPTIONS,
    ['--stack <name>', 'compares the archive on AWS whose stack this is, in place of a folder'],
    ['--segments <n>', 'scans with so many readers at once (1)'],
    ['--wait <seconds>', 'looks again for so long at what differs in a live table, as changes arrive (0)'],
    KEYS_OF_OPTION,
    MEMORY_OPTION,
    ['--no-fact', 'does not write into the archive that it was compared'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail reconcile Orders --scan',
  run: async (args, options, io) => {
    const report = new ReconcileReport(formatOf(options), io)
    const name = args[0] as string
    checkUse(options)
    const waitMs = waitOf(options)
    const place = await openReconcilePlace(options, loadConfiguration(options), io)
    const source = await openSource(name, options, io)
    const table = await place.tableOf(name, source.keys)
    const store = await StateStore.open()
    try {
      await source.fill(store, table)
      store.seal()
      const archived = {
        open: () => place.open(table),
        store,
        waitMs,
        roundMs: place.roundMs,
        onComparing: () => io.errIsTerminal && io.err('comparing ...'),
      }
      const writes = options.fact !== false
      const exit = await compareWith(source, table, archived, { objects: place.objects, report, writes, io })
      const sealed = await heldAgainstJournal(await place.openSealed(table), table, source.toUs(), io)
      return exit === EXIT.done || sealed === EXIT.findings ? sealed : exit
    } catch (error) {
      if (error instanceof ComparisonError) throw new CommandError(error.message, EXIT.unchecked)
      const problem = describeWriteFailure(error, store.folder)
      if (problem === undefined || error instanceof QueryError) throw error
      throw new CommandError(problem, EXIT.unchecked, 'TMPDIR names another place for what is compared')
    } finally {
      store.remove()
      place.end()
    }
  },
}

/** States that are equal say nothing of what the archive tells between them. */
async function heldAgainstJournal(
  engine: QueryEngine,
  table: TableConfiguration,
  toUs: number,
  io: Io,
): Promise<ExitCode> {
  try {
    return await tellSealed(engine, table, toUs, io)
  } finally {
    engine.close()
  }
}

function checkUse(options: Options): void {
  const { scan, stack, endpoint, region, segments, wait } = options
  if ((options.export === undefined) === (scan !== true))
    throw new CommandError('an archive is compared with one thing, expected --scan or --export DIR')
  const live = Object.entries({
    ...{ '--endpoint': endpoint, '--segments': segments, '--wait': wait },
    // a stack has a region, too
    ...(stack === undefined && { '--region': region }),
  })
  const stray = live.find(([, value]) => value !== undefined)
  if (scan !== true && stray !== undefined)
    throw new CommandError(`${stray[0]} is of a live table, expected --scan with it`)
}

const MAX_WAIT_S = 3600

/** How long it is waited for changes that have not arrived yet, in milliseconds. */
function waitOf({ wait }: Options): number {
  const seconds = Number(wait ?? 0)
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > MAX_WAIT_S)
    throw new CommandError(`--wait is ${JSON.stringify(wait)}, expected 0 to ${MAX_WAIT_S} seconds`)
  return seconds * 1000
}

function openSource(name: string, options: Options, io: Io): Promise<ReconcileSource> {
  return typeof options.export === 'string'
    ? openExportSource(name, options.export, io)
    : openScanSource(name, options, io)
}

interface Target {
  /** Where the fact is kept. */
  readonly objects: Pick<Objects, 'put'>
  readonly report: ReconcileReport
  readonly writes: boolean
  readonly io: Io
}

async function compareWith(
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
  { objects, report, writes, io }: Target,
): Promise<ExitCode> {
  const unequal = await compareAll(source, table, archived, {
    onCompared: () => {
      if (io.errIsTerminal) io.err(WIPE_LINE)
      report.begin(table.table, source)
    },
    onFinding: ({ finding, side }) => report.add(finding, side),
    isKept: writes,
  })
  let key: string | undefined
  if (writes) {
    const fact = await comparisonFact(source, table, archived, unequal, Date.now())
    key = await keep(objects, fact, io)
    if (fact.further !== undefined) io.err(`${tellFurther(fact.differing.length + fact.unsettled.length)}\n`)
  }
  return report.end(unequal.items, factInstant(source.toUs()), key)
}

function tellFurther(named: number): string {
  return `the fact names ${grouped(named)} of the items that are not equal, and counts the others: of no other item it says that it was equal`
}

/** Keeps the fact. One that S3 refuses costs the comparison nothing, and is told. */
async function keep(objects: Target['objects'], fact: ReconciliationFact, io: Io): Promise<string | undefined> {
  try {
    return await keepFact(objects, fact)
  } catch (error) {
    const problem = describeAwsFailure(error, 'no fact of the comparison is kept')
    if (problem === undefined) throw error
    io.err(`${printable(problem.message)}; --no-fact does not try\n`)
    return undefined
  }
}
