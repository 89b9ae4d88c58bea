import { hash } from 'node:crypto'
import { join } from 'node:path'
import { tableConfiguration } from '../../config/configuration.js'
import { NO_TABLE } from '../../delivery/ingest.js'
import { unsearchedIn } from '../../erasure/unsearched.js'
import { type TableStatus, tableStatus } from '../../queries/answers/table-status.js'
import { UnreadableTable } from '../../queries/engines/engine.js'
import type { SealedTable } from '../../queries/verdict/sealed.js'
import { describeSealed, sealedRemarks } from '../../queries/verdict/sealed-told.js'
import { DiskArchive } from '../../store/folder.js'
import type { Objects } from '../../store/objects.js'
import { archiveLedger, Ledger } from '../../store/redriven.js'
import { readRefused, reasonOf, refusedObjects } from '../../store/refused-reader.js'
import { entriesOf, listTable } from '../../store/table-objects.js'
import { REFUSED_PREFIX } from '../../transform/layout.js'
import { ENGINE_OPTIONS, engineOf } from '../ask/engine-choice.js'
import { tellUnbelieved } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, type Workspace, withWorkspace } from '../ask/workspace.js'
import { type Command, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { DEFAULT_ARCHIVE } from '../show/archive-name.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { tellUncertified, tellUnsearched } from '../show/erasures.js'
import { grouped } from '../show/progress.js'
import { printTable, shorterTime } from '../show/table.js'
import { paint } from '../show/terminal.js'
import { printable, wrap } from '../show/text.js'
import { describeFeed, describeTail, type TailFound, tailOf } from './status/feed.js'

/** What one table holds, as `status` tells it. */
interface StatusOfTable extends Omit<TableStatus, 'baselineRows'> {
  readonly baseline_rows: number
  readonly objects: number
  readonly bytes: number
  readonly tail: TailFound | null
}

/** Records refused for one reason. */
interface RefusedStatus {
  /** Null for records that name no table. */
  readonly table: string | null
  readonly reason: string
  readonly records: number
}

/** What the archive holds, and what it refused and why. */
export const status: Command = {
  usage: 'status',
  summary:
    'what the archive holds, and what was refused and why; of a stack, how far behind it is and which alarms are up',
  options: [ARCHIVE_OPTION, CONFIG_OPTION, ...ENGINE_OPTIONS, FORMAT_OPTION],
  example: 'itemtrail status',
  run: (_, options, io) =>
    engineOf(options, DEFAULT_ARCHIVE) === 'athena' ? stackStatus(options, io) : folderStatus(options, io),
}

/** What somebody asks of a stack at three in the morning. */
async function stackStatus(options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  // neither the SDK nor this is for every command to load
  const [{ readStackStatus }, { exitOfStack, printStack }, { describeStackStatus }] = await Promise.all([
    import('./status/stack.js'),
    import('./status/stack-page.js'),
    import('./status/stack-json.js'),
  ])
  const found = await readStackStatus(options, io)
  await format.print({ page: out => printStack(found, out), whole: () => describeStackStatus(found) }, io)
  return exitOfStack(found)
}

/** What a folder holds. */
function folderStatus(options: Options, io: Io): Promise<ExitCode> {
  return withWorkspace(options, async workspace => {
    const format = formatOf(options)
    const archive = new DiskArchive(workspace.root)
    const now = Date.now()
    const tables: StatusOfTable[] = []
    const unreadable: Unreadable[] = []
    const unknown: string[] = []
    for (const table of workspace.tables) {
      const found = await statusOf(workspace, archive, table)
      const tail = tailOf(workspace.root, table, now)
      if (typeof tail === 'string') unknown.push(tail)
      if ('reason' in found) unreadable.push(found)
      else tables.push({ ...found, tail: typeof tail === 'string' ? null : (tail ?? null) })
    }
    const { refused, redriven, damaged } = await refusedStatus(workspace, archive)
    const unsearched = await unsearchedIn(archive, await refusedObjects(archive))
    const page = () => {
      printStatus(workspace.root, tables, unreadable, refused, damaged, now, io)
      if (redriven > 0) io.err(`${grouped(redriven)} refused before, and sent again by redrive since: not counted\n`)
      for (const text of tellUnsearched(unsearched)) io.out(`${paint(io, 'red', wrap(text, io.columns))}\n`)
    }
    await format.print(
      {
        page,
        whole: () => ({ tables: tables.map(describeTable), unreadable, refused, redriven, damaged, unsearched }),
      },
      io,
    )
    for (const { reason } of unreadable) io.err(`${paint(io, 'red', 'unreadable')} ${printable(reason)}\n`)
    for (const table of workspace.tables)
      for (const { key, reason } of (await listTable(archive, table)).unread.filter(one => !one.mayHoldRows))
        io.err(`${printable(`${key} ${reason}`)}\n`)
    const isAltered = tables.some(({ sealed }) => (sealed?.findings.length ?? 0) > 0)
    for (const text of unknown) io.err(`${printable(text)}; how far the tail is is not known\n`)
    const isUncertified = tables.some(({ uncertified }) => uncertified.length > 0)
    const isBehind = tables.some(({ tail }) => tail?.behind === true)
    const isDoubted = refused.length + damaged.length + unsearched.length > 0 || isAltered || isUncertified || isBehind
    const isUnchecked = unreadable.length > 0 || unknown.length > 0
    return tellUnbelieved(workspace, isUnchecked ? EXIT.unchecked : isDoubted ? EXIT.findings : EXIT.done, io)
  })
}

function describeTable({ sealed, ...table }: StatusOfTable): object {
  return { ...table, journal: describeSealed(sealed) }
}

/** A table that costs no other its answer. */
interface Unreadable {
  readonly table: string
  readonly reason: string
}

async function statusOf(
  { engine, archive }: Workspace,
  store: Objects,
  table: string,
): Promise<Omit<StatusOfTable, 'tail'> | Unreadable> {
  const found = await tableStatus(engine, archive.table(table)).catch((error: unknown) => {
    if (error instanceof UnreadableTable) return error
    throw error
  })
  if (found instanceof UnreadableTable) return { table, reason: found.message }
  const { baselineRows, ...rest } = found
  const entries = await entriesOf(store, table)
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const objects = entries.length
  return { ...rest, baseline_rows: baselineRows, objects, bytes }
}

/**
 * A record that was refused twice, because its file was ingested twice, counts once; one that was sent again does
 * not.
 */
async function refusedStatus(workspace: Workspace, archive: DiskArchive) {
  const damaged = new Set<string>()
  const reasons = new Map<string, { readonly table: string; readonly reason: string; readonly records: Set<string> }>()
  const ledger = Ledger.open(archiveLedger(workspace.root), 'archive')
  let redriven = 0
  for await (const { entry, ...place } of readRefused(archive, key => damaged.add(key))) {
    if (ledger.isDone(place)) {
      redriven++
      continue
    }
    const reason = reasonOf(entry, tableConfiguration(workspace.configuration, entry.table))
    const id = `${entry.table}\n${reason}`
    const known = reasons.get(id) ?? { table: entry.table, reason, records: new Set() }
    reasons.set(id, known)
    known.records.add(hash('sha256', entry.data))
  }
  const refused: readonly RefusedStatus[] = [...reasons.values()].map(({ table, reason, records }) => ({
    table: table === NO_TABLE ? null : table,
    reason,
    records: records.size,
  }))
  return { refused: refused.toSorted((a, b) => b.records - a.records), redriven, damaged: [...damaged] }
}

function printStatus(
  root: string,
  tables: readonly StatusOfTable[],
  unreadable: readonly Unreadable[],
  refused: readonly RefusedStatus[],
  damaged: readonly string[],
  now: number,
  io: Io,
): void {
  if (tables.length === 0 && unreadable.length === 0) io.out('the archive is empty\n')
  if (tables.length > 0) printTables(tables, now, io)
  const total = refused.reduce((sum, { records }) => sum + records, 0)
  io.out(
    `\n${paint(io, total === 0 ? 'green' : 'red', `${grouped(total)} refused`)}${total === 0 ? '' : `, kept under ${printable(join(root, REFUSED_PREFIX))}`}\n`,
  )
  for (const { table, reason, records } of refused)
    io.out(`  ${grouped(records)} × ${printable(`${table ?? 'no table'}: ${reason}`)}\n`)
  for (const key of damaged) io.out(`${paint(io, 'red', 'unreadable')} ${printable(key)}\n`)
}

/** The tables, and what of their rows a reader could misread. */
function printTables(tables: readonly StatusOfTable[], now: number, io: Io): void {
  const hasBaselines = tables.some(({ baseline_rows }) => baseline_rows > 0)
  printTable(
    ['table', 'changes', ...(hasBaselines ? ['baseline'] : []), 'items', 'first', 'last', 'size'],
    tables.map(({ table, changes, baseline_rows, items, first, last, bytes }) => [
      table,
      grouped(changes),
      ...(hasBaselines ? [grouped(baseline_rows)] : []),
      grouped(items),
      shorterTime(first ?? '', io.zone),
      shorterTime(last ?? '', io.zone),
      megabytes(bytes),
    ]),
    io,
  )
  for (const { baseline_rows: baselineRows, tail, ...table } of tables) {
    io.out(`${wrap(`${table.table}: ${describeFeed({ ...table, baselineRows }, now, io.zone)}`, io.columns)}\n`)
    if (tail !== null)
      io.out(
        `${table.table}: ${paint(io, tail.behind ? 'red' : 'dim', wrap(describeTail(tail, io.zone), io.columns))}\n`,
      )
  }
  for (const { table, rows, changes, baseline_rows } of tables) {
    const repeats = rows - changes - baseline_rows
    if (repeats > 0) io.out(`${table}: ${grouped(repeats)} repeated deliveries, each change is counted once\n`)
  }
  for (const { table, sealed } of tables) if (sealed !== null) printSealed(table, sealed, io)
  for (const { table, uncertified } of tables)
    for (const one of uncertified) io.out(`${table}: ${paint(io, 'red', wrap(tellUncertified(one), io.columns))}\n`)
  for (const { table, misfits } of tables)
    for (const { column, changes } of misfits)
      io.out(`${table}: ${column} is null in ${grouped(changes)} changes whose value does not fit it\n`)
}

/** What was sealed and is not as it was, first. */
function printSealed(table: string, sealed: SealedTable, io: Io): void {
  const colour = sealed.findings.length > 0 ? 'red' : 'dim'
  for (const text of sealedRemarks(sealed)) io.out(`${table}: ${paint(io, colour, printable(text))}\n`)
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
