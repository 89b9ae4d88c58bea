import { existsSync } from 'node:fs'
import type { Configuration } from '../../config/configuration.js'
import { DiskArchive } from '../../local/archive.js'
import { DuckDbEngine } from '../../queries/duckdb.js'
import {
  attachStates,
  type Comparison,
  compareTables,
  compareWindow,
  type Disagreement,
  momentOf,
  newest,
} from '../../queries/reconcile.js'
import { type Finding, judge, judgeLive } from '../../queries/reconciliation.js'
import { archiveBegan } from '../../queries/state-at.js'
import { StateStore } from '../../queries/state-store.js'
import { FACT_VERSION, factInstant, factKey, type ReconciliationFact, writeFact } from '../../transform/fact.js'
import { compareUtf8 } from '../../transform/json.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { keyedTable } from '../keyed-table.js'
import { LIVE_OPTIONS } from '../live-table.js'
import { FORMAT_OPTION, formatOf } from '../print.js'
import { Progress } from '../progress.js'
import { openExportSource, openScanSource, type ReconcileSource } from '../reconcile-source.js'
import { ReconcileReport } from '../show-reconcile.js'
import { showInstant } from '../show-state.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration } from '../workspace.js'

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
    ['--segments <n>', 'scans with so many readers at once (1)'],
    ['--no-fact', 'does not write into the archive that it was compared'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail reconcile Orders --scan',
  run: async (args, options, io) => {
    const report = new ReconcileReport(formatOf(options), io)
    const [name, root] = [args[0] as string, archiveRoot(options)]
    checkUse(options, root)
    const configuration = loadConfiguration(options)
    const source = await openSource(name, options, io)
    const table = await keyedTable(name, configuration, source.keys, root)
    const store = await StateStore.open()
    try {
      await source.fill(store, table, io)
      store.seal()
      // opened only now, so that it has what arrived in the meantime
      return await compareWith(
        source,
        store,
        table,
        { root, configuration, report, writes: options.fact !== false },
        io,
      )
    } finally {
      store.seal()
      store.remove()
    }
  },
}

function checkUse(options: Options, root: string): void {
  const { scan, endpoint, region, segments } = options
  if ((options.export === undefined) === (scan !== true))
    throw new CommandError('an archive is compared with one thing, expected --scan or --export DIR')
  const live = Object.entries({ '--endpoint': endpoint, '--region': region, '--segments': segments })
  const stray = live.find(([, value]) => value !== undefined)
  if (scan !== true && stray !== undefined)
    throw new CommandError(`${stray[0]} is of a live table, expected --scan with it`)
  if (!existsSync(root)) throw new CommandError(`archive ${JSON.stringify(root)} is not there`, EXIT.unchecked)
}

function openSource(name: string, options: Options, io: Io): Promise<ReconcileSource> {
  return typeof options.export === 'string'
    ? openExportSource(name, options.export, io)
    : openScanSource(name, options, io)
}

interface Target {
  readonly root: string
  readonly configuration: Configuration | undefined
  readonly report: ReconcileReport
  readonly writes: boolean
}

async function compareWith(
  source: ReconcileSource,
  store: StateStore,
  table: TableConfiguration,
  { root, configuration, report, writes }: Target,
  io: Io,
): Promise<ExitCode> {
  const engine = await DuckDbEngine.open(root, [table, ...(configuration?.tables.values() ?? [])])
  try {
    const twice = await attachStates(engine, store)
    if (twice > 0) throw new CommandError(`${twice} items are in ${source.source} more than once`, EXIT.unchecked)
    await checkBegan(engine, source, table)
    const progress = new Progress(io, 'item')
    progress.note('comparing ...')
    const comparisons = await compare(engine, source, table)
    progress.end()
    const items = comparisons.reduce((sum, { items: compared }) => Math.max(sum, compared), 0)
    report.begin(table.table, source)
    const differing = new Set<string>()
    for (const { disagreements, side } of comparisons) {
      for await (const finding of findingsOf(disagreements, source, table)) {
        report.add(finding, side)
        if (finding.kind !== 'changed-meanwhile' && finding.kind !== 'unknown') differing.add(finding.itemKey)
      }
    }
    const fact = report.isWhole ? reconciliationFact(table, source, items, differing) : undefined
    const key = fact === undefined || !writes ? undefined : await keep(root, fact)
    return report.end(items, factInstant(source.toUs()), key)
  } finally {
    engine.close()
  }
}

/** What was before the archive began it cannot know. */
async function checkBegan(engine: DuckDbEngine, source: ReconcileSource, table: TableConfiguration): Promise<void> {
  const began = await archiveBegan(engine, table)
  if (source.kind !== 'scan' && began >= source.toUs())
    throw new CommandError(
      `archive of ${table.table} begins at ${showInstant({ us: began })}, later than ${source.source}, which tells of ${showInstant({ us: source.toUs() })}`,
      EXIT.unchecked,
    )
}

/** A comparison, and for an incremental export which end of its window it is of. */
interface SidedComparison extends Comparison {
  readonly side: 'from' | 'to'
}

async function compare(
  engine: DuckDbEngine,
  { kind, fromUs, toUs, tellsBefore }: ReconcileSource,
  table: TableConfiguration,
): Promise<readonly SidedComparison[]> {
  if (kind === 'incremental export') {
    const moments = [momentOf(fromUs, true), momentOf(toUs(), true)] as const
    const { before, after } = await compareWindow(engine, table, moments)
    return [...(tellsBefore ? [{ ...before, side: 'from' as const }] : []), { ...after, side: 'to' as const }]
  }
  const moment = kind === 'scan' ? newest(toUs()) : momentOf(toUs(), false)
  return [{ ...(await compareTables(engine, table, moment)), side: 'to' }]
}

/** Second looks under way at once. */
const LOOKS = 16

async function* findingsOf(
  disagreements: AsyncGenerator<Disagreement>,
  { lookAgain, fromUs }: ReconcileSource,
  table: TableConfiguration,
): AsyncGenerator<Finding> {
  if (lookAgain === undefined) {
    for await (const disagreement of disagreements) yield judge(disagreement)
    return
  }
  const look = async (some: readonly Disagreement[]) =>
    Promise.all(some.map(async one => judgeLive(one, await lookAgain(one.itemKey, table), fromUs)))
  let waiting: Disagreement[] = []
  for await (const disagreement of disagreements) {
    waiting.push(disagreement)
    if (waiting.length < LOOKS) continue
    yield* (await look(waiting)).filter(finding => finding !== undefined)
    waiting = []
  }
  yield* (await look(waiting)).filter(finding => finding !== undefined)
}

/** An archive that differs in more than this is another table's, or broken: no list of keys says it better. */
const MOST_DIFFERING = 10_000

function reconciliationFact(
  { table }: TableConfiguration,
  { kind, source, fromUs, toUs }: ReconcileSource,
  items: number,
  differing: ReadonlySet<string>,
): ReconciliationFact | undefined {
  if (differing.size > MOST_DIFFERING) return undefined
  return {
    version: FACT_VERSION,
    kind: 'reconciliation',
    table,
    recorded: factInstant(Date.now() * 1000),
    method: kind === 'scan' ? 'scan' : 'export',
    source,
    from: factInstant(fromUs),
    to: factInstant(toUs()),
    items,
    differing: [...differing].sort(compareUtf8),
  }
}

async function keep(root: string, fact: ReconciliationFact): Promise<string> {
  const key = factKey(fact)
  await new DiskArchive(root).put(key, Buffer.from(writeFact(fact)))
  return key
}
