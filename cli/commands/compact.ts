import { existsSync } from 'node:fs'
import { type CopyCheck, checkCopy } from '../../derived/check.js'
import { type Compaction, compactTable } from '../../derived/desk-compactor.js'
import { DerivedError } from '../../derived/error.js'
import { sizeOf, totalsOf } from '../../derived/manifest.js'
import { MEMORY } from '../../queries/engines/duckdb-instance.js'
import { DiskArchive } from '../../store/folder.js'
import { listTable } from '../../store/table-objects.js'
import { findTable, tablesIn } from '../../store/tables.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { memoryOf } from '../ask/memory-option.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration, suggestion } from '../ask/workspace.js'
import { archiveFailure } from '../failures.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import type { TextFormat } from '../show/output-format.js'
import { grouped } from '../show/progress.js'
import { WIPE_LINE } from '../show/terminal.js'
import { printable } from '../show/text.js'

/** Builds what makes questions about one item fast, beside the archive and from it alone. */
export const compact: Command = {
  usage: 'compact [table]',
  summary: 'brings the derived copy up to date that makes questions about one item fast; the archive stays as it is',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--check', 'compares the copy with the archive and builds nothing'],
    ['--rebuild', 'makes every file of the copy anew'],
    ['--despite-refused', 'goes on although records of the table wait under refused/'],
    ['--memory <size>', `what DuckDB may hold; more goes to disk, beside the copy (${MEMORY})`],
    FORMAT_OPTION,
  ],
  example: 'itemtrail compact Orders',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const root = archiveRoot(options)
    if (!existsSync(root)) throw new CommandError(`archive ${JSON.stringify(root)} is not there`, EXIT.unchecked)
    const tables = await chooseTables(new DiskArchive(root), args[0], options)
    if (options.check === true) return reportChecks(root, tables, memoryOf(options), format, io)
    return compactTables(root, tables, options, format, io)
  },
}

async function chooseTables(
  archive: DiskArchive,
  name: string | undefined,
  options: Options,
): Promise<readonly TableConfiguration[]> {
  const configured = loadConfiguration(options)?.tables.values() ?? []
  const known = await tablesIn(archive, configured)
  if (name === undefined) {
    const found = await Promise.all(
      [...known.values()].map(async table => ({ table, ...(await listTable(archive, table.table)) })),
    )
    return found.filter(({ objects, unread }) => objects.length + unread.length > 0).map(({ table }) => table)
  }
  const table = findTable(known, name)
  if (table === undefined)
    throw new CommandError(
      `table ${JSON.stringify(name)} is not in the archive`,
      EXIT.usage,
      suggestion('table', name, [...known.keys()]),
    )
  return [table]
}

async function compactTables(
  root: string,
  tables: readonly TableConfiguration[],
  options: Options,
  format: TextFormat,
  io: Io,
): Promise<ExitCode> {
  const memory = memoryOf(options)
  const done: Compaction[] = []
  let failed = false
  for (const configuration of tables) {
    try {
      done.push(
        await compactTable(root, configuration.table, {
          configuration,
          rebuild: options.rebuild === true,
          ...(memory !== undefined && { memory }),
          despiteRefused: options.despiteRefused === true,
          ...(io.errIsTerminal && {
            onProgress: step => io.err(`${WIPE_LINE}${printable(`${configuration.table}: ${step}`)}`),
          }),
        }),
      )
    } catch (error) {
      if (!(error instanceof DerivedError)) throw archiveFailure(error, root, 'run it again')
      failed = true
      if (io.errIsTerminal) io.err(WIPE_LINE)
      printFailure(error, io)
    }
  }
  if (io.errIsTerminal) io.err(WIPE_LINE)
  const page = () => {
    if (tables.length === 0) io.out('the archive is empty\n')
    for (const compaction of done) printCompaction(compaction, io)
  }
  await format.print({ page, rows: () => done.map(describeCompaction) }, io)
  return failed ? EXIT.findings : EXIT.done
}

/** Details that are shown one by one. */
const MOST_DETAILS = 20

function printFailure({ message, details, hint }: DerivedError, io: Io): void {
  io.err(`itemtrail: ${printable(message)}\n`)
  for (const detail of details.slice(0, MOST_DETAILS)) io.err(`  ${printable(detail)}\n`)
  if (details.length > MOST_DETAILS) io.err(`  and ${details.length - MOST_DETAILS} more\n`)
  if (hint !== undefined) io.err(`  ${hint}\n`)
}

function printCompaction({ table, changed, manifest, newObjects, filesWritten, rebuilt }: Compaction, io: Io): void {
  const { objects, archiveBytes, rows, deliveries, conflicts, files, bytes } = totalsOf(manifest.runs)
  if (!changed) io.out(`${printable(table)}: nothing new, the copy covers all ${grouped(objects)} objects\n`)
  else io.out(`${printable(table)}: ${grouped(objects)} objects, ${grouped(newObjects)} of them new\n`)
  const kept = conflicts === 0 ? '' : `, ${grouped(conflicts)} changes with rows that contradict one another, all kept`
  io.out(`  ${grouped(rows)} rows, ${grouped(deliveries - rows)} repeats removed${kept}\n`)
  const written = `${grouped(files)} files, ${grouped(filesWritten)} written`
  io.out(`  ${megabytes(archiveBytes)} in the archive, ${megabytes(bytes)} in the copy (${written})\n`)
  const { checkpoints } = manifest
  if (checkpoints.length > 0)
    io.out(
      `  ${grouped(checkpoints.length)} checkpoints up to ${checkpoints.at(-1)?.day}, ${megabytes(bytesOf(checkpoints))}\n`,
    )
  if (rebuilt !== undefined) io.err(`made anew: ${printable(rebuilt)}\n`)
}

function bytesOf(written: readonly { readonly files: string }[]): number {
  return written.reduce((sum, { files }) => sum + sizeOf(files).bytes, 0)
}

function describeCompaction(compaction: Compaction): object {
  const { table, changed, rebuilt, manifest, newObjects, filesWritten, filesReplaced, filesRemoved } = compaction
  const { objects, archiveBytes, rows, deliveries, conflicts, files, bytes } = totalsOf(manifest.runs)
  const { checkpoints, answers, generation } = manifest
  return {
    table,
    changed,
    rebuilt: rebuilt ?? null,
    generation,
    objects: { covered: objects, new: newObjects },
    deliveries,
    rows,
    repeats_removed: deliveries - rows,
    conflicts_kept: conflicts,
    bytes: { archive: archiveBytes, copy: bytes, checkpoints: bytesOf(checkpoints), answers: bytesOf(answers) },
    files: { in_use: files, written: filesWritten, replaced: filesReplaced, removed: filesRemoved },
    checkpoints: checkpoints.map(one => ({
      day: one.day,
      items: one.items,
      rows: one.rows,
      bytes: sizeOf(one.files).bytes,
    })),
  }
}

async function reportChecks(
  root: string,
  tables: readonly TableConfiguration[],
  memory: string | undefined,
  format: TextFormat,
  io: Io,
): Promise<ExitCode> {
  const checks: CopyCheck[] = []
  for (const { table } of tables) checks.push(await checkCopy(root, table, memory))
  const page = () => {
    for (const check of checks) printCheck(check, io)
  }
  await format.print({ page, rows: () => checks }, io)
  if (checks.some(({ problems }) => problems.length > 0)) return EXIT.findings
  return checks.some(({ found }) => !found) ? EXIT.unchecked : EXIT.done
}

function printCheck({ table, found, problems, covered, uncovered }: CopyCheck, io: Io): void {
  if (!found) io.out(`${printable(table)}: no copy, itemtrail compact makes one\n`)
  else if (problems.length === 0)
    io.out(
      `${printable(table)}: the copy holds what its ${grouped(covered)} objects hold; ${grouped(uncovered)} objects have come since\n`,
    )
  for (const problem of problems) io.out(`${printable(`${table}: ${problem}`)}\n`)
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
