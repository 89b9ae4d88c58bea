import { existsSync } from 'node:fs'
import type { OpenArchive } from '../../library/archive.js'
import { QueryError } from '../../queries/engines/engine.js'
import {
  type ComparedArchive,
  ComparisonError,
  digestAsCompared,
  findingsOf,
} from '../../restore/reconcile-findings.js'
import type { ReconcileSource } from '../../restore/reconcile-source.js'
import { MOST_EXCEPTED, reconciliationFact } from '../../restore/reconciliation-fact.js'
import { StateStore } from '../../restore/state-store.js'
import { DiskArchive } from '../../store/folder.js'
import { keepFact } from '../../store/kept-facts.js'
import { factInstant } from '../../transform/fact.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { LIVE_OPTIONS } from '../ask/connection.js'
import { KEYS_OF_OPTION, sealedByStack } from '../ask/key-store.js'
import { keyedTable } from '../ask/keyed-table.js'
import { MEMORY_OPTION, memoryOf } from '../ask/memory-option.js'
import { lookAtKeys } from '../ask/own-keys.js'
import { tellSealed } from '../ask/remarks.js'
import {
  ARCHIVE_OPTION,
  archiveRoot,
  CONFIG_OPTION,
  journalOptions,
  loadConfiguration,
  openArchiveIn,
} from '../ask/workspace.js'
import { describeWriteFailure } from '../failures.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { grouped } from '../show/progress.js'
import { WIPE_LINE } from '../show/terminal.js'
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
    const [name, root] = [args[0] as string, archiveRoot(options)]
    checkUse(options, root)
    const waitMs = waitOf(options)
    const memory = memoryOf(options)
    const configuration = loadConfiguration(options)
    if (options.keysOf === undefined) await lookAtKeys(configuration, root)
    const source = await openSource(name, options, io)
    const table = await sealedByStack(await keyedTable(name, configuration, source.keys, root), options)
    const store = await StateStore.open()
    try {
      await source.fill(store, table)
      store.seal()
      const configured = [...(configuration?.tables.values() ?? [])]
      const archived = {
        open: async () => (await openArchiveIn(root, [table, ...configured], { memory })).engine,
        store,
        waitMs,
        onComparing: () => io.errIsTerminal && io.err('comparing ...'),
      }
      const exit = await compareWith(source, table, archived, { root, report, writes: options.fact !== false, io })
      const known = await openArchiveIn(root, [table, ...configured], {
        ...journalOptions(configuration, root),
        memory,
      })
      const sealed = await heldAgainstJournal(known, table, source.toUs(), io)
      return exit === EXIT.done || sealed === EXIT.findings ? sealed : exit
    } catch (error) {
      if (error instanceof ComparisonError) throw new CommandError(error.message, EXIT.unchecked)
      const problem = describeWriteFailure(error, store.folder)
      if (problem === undefined || error instanceof QueryError) throw error
      throw new CommandError(problem, EXIT.unchecked, 'TMPDIR names another place for what is compared')
    } finally {
      store.remove()
    }
  },
}

/** States that are equal say nothing of what the archive tells between them. */
async function heldAgainstJournal(
  { engine }: OpenArchive,
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

function checkUse(options: Options, root: string): void {
  const { scan, endpoint, region, segments, wait } = options
  if ((options.export === undefined) === (scan !== true))
    throw new CommandError('an archive is compared with one thing, expected --scan or --export DIR')
  const live = Object.entries({ '--endpoint': endpoint, '--region': region, '--segments': segments, '--wait': wait })
  const stray = live.find(([, value]) => value !== undefined)
  if (scan !== true && stray !== undefined)
    throw new CommandError(`${stray[0]} is of a live table, expected --scan with it`)
  if (!existsSync(root)) throw new CommandError(`archive ${JSON.stringify(root)} is not there`, EXIT.unchecked)
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
  readonly root: string
  readonly report: ReconcileReport
  readonly writes: boolean
  readonly io: Io
}

async function compareWith(
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
  { root, report, writes, io }: Target,
): Promise<ExitCode> {
  let items = 0
  const [differing, unsettled] = [new Map<string, number | null>(), new Set<string>()]
  const onCompared = (count: number) => {
    if (io.errIsTerminal) io.err(WIPE_LINE)
    items = count
    report.begin(table.table, source)
  }
  for await (const { finding, side } of findingsOf(source, table, archived, onCompared)) {
    report.add(finding, side)
    if (/^(changed-meanwhile|unknown|erased|config-boundary)$/.test(finding.kind)) unsettled.add(finding.itemKey)
    else differing.set(finding.itemKey, finding.lastChangeUs)
  }
  const many = differing.size + unsettled.size > MOST_EXCEPTED
  if (many) io.err(`more than ${grouped(MOST_EXCEPTED)} items are not equal, so no fact of the comparison is kept\n`)
  let key: string | undefined
  if (writes && !many) {
    const except = [...new Set([...differing.keys(), ...unsettled])]
    const digest = await digestAsCompared(source, table, archived, except)
    key = await keepFact(
      new DiskArchive(root),
      reconciliationFact(comparedSource(table, source), { items, differing, unsettled, digest }, Date.now()),
    )
  }
  return report.end(items, factInstant(source.toUs()), key)
}

function comparedSource({ table }: TableConfiguration, { kind, source, fromUs, toUs }: ReconcileSource) {
  return { table, method: kind === 'scan' ? 'scan' : 'export', source, fromUs, toUs: toUs() } as const
}
