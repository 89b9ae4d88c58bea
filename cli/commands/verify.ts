import { UnreadableTable } from '../../queries/engines/engine.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { instantOf } from '../ask/instant.js'
import { KEY_OPTION, POLICY_OPTION } from '../ask/journal.js'
import { SINCE_OPTION } from '../ask/kept-checkpoint.js'
import { nearest } from '../ask/nearest.js'
import { tellRemarks, tellUnbelieved } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findWorkspaceTable, withWorkspace } from '../ask/workspace.js'
import { type Failure, failureOf, isInterrupted } from '../failure-of.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf, type TextFormat } from '../show/formats.js'
import { toJson } from '../show/json.js'
import { print } from '../show/printers.js'
import type { TableSurface } from '../show/surface.js'
import { TABLES_PRINTERS, type TablesPrinter } from '../show/table-printers.js'
import { printable } from '../show/text.js'
import { type Asked, type Verification, verifyContinuity } from './verify/continuity.js'
import { verifyBag, verifyProof } from './verify/handed-on.js'
import { checkJournal, type JournalCheck } from './verify/journal.js'
import { verifyRows } from './verify/rows.js'
import { describeJournal, printEnd, printJournal } from './verify/show-journal.js'

/** What can be verified of a table; each says how it ended. */
const SUBJECTS: Readonly<Record<string, Verification>> = { continuity: verifyContinuity, rows: verifyRows }

/** What can be verified, in the order in which all of it is. */
const PARTS = ['log', 'objects', 'rows', 'continuity', 'proof', 'bundle'] as const

/** Whether the archive is whole, and what somebody was given of it. */
export const verify: Command = {
  usage: 'verify [part] [of]',
  summary:
    'is anything missing, or another than it was? all of it, or: log, objects, rows, continuity, proof FILE, bundle FOLDER',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    KEY_OPTION,
    POLICY_OPTION,
    SINCE_OPTION,
    ['--full', 'hashes every object, also those that are unchanged by size and time since they were hashed'],
    ['--from <instant>', 'the period that rows and continuity are about; without it, from the first change'],
    ['--to <instant>', 'the moment after the last of the period'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail verify --key seal.key.vkey --since kept.checkpoint',
  run: async (args, options, io) => {
    const [part, of] = args
    const format = formatOf(options)
    if (part === undefined) return verifyAll(options, format, io)
    if (part === 'log' || part === 'objects') {
      if (of !== undefined)
        throw new CommandError(`verify ${part} is of the whole archive, not of ${JSON.stringify(of)}`)
      return verifyJournal(part === 'log', options, format, io)
    }
    if (part === 'proof' || part === 'bundle') {
      if (of === undefined) throw new CommandError(`verify ${part} wants ${part === 'proof' ? 'a FILE' : 'a FOLDER'}`)
      return (part === 'proof' ? verifyProof : verifyBag)(of, options, format, io)
    }
    const subject = subjectOf(part)
    const asked = readPeriod(options)
    return withWorkspace(options, async workspace => {
      if (workspace.tables.length === 0) throw new CommandError('the archive has no table yet', EXIT.unchecked)
      const exit = await verifyTables(subject, { workspace, period: asked, io }, of, format)
      return tellUnbelieved(workspace, exit, io)
    })
  },
}

async function verifyJournal(logAlone: boolean, options: Options, format: TextFormat, io: Io): Promise<ExitCode> {
  const check = await checkJournal(options, logAlone, io)
  if (check === undefined) throw new CommandError('archive is not sealed', EXIT.unchecked, 'itemtrail seal seals it')
  const page = () => {
    printJournal(check, io)
    printEnd(check, io)
  }
  const summary = () => printEnd(check, { ...io, out: io.err })
  const shape = { page, summary, whole: () => describeJournal(check), rows: () => check.findings }
  await print(shape, format, io)
  return check.findings.length > 0 ? EXIT.findings : EXIT.done
}

/** Log, objects, rows, continuity. What is broken weighs most: it may be why something else could not be checked. */
async function verifyAll(options: Options, format: TextFormat, io: Io): Promise<ExitCode> {
  const period = readPeriod(options)
  const check = await checkJournal(options, false, io)
  const isBroken = check !== undefined && check.findings.length > 0
  beginAll(check, format, io)
  const exit = await verifyParts(options, { period, isSealed: check !== undefined }, format, io)
  if (format === 'json') io.out('}\n')
  else endAll(check, exit, format === 'ndjson' ? { ...io, out: io.err } : io)
  return isBroken ? EXIT.findings : exit
}

/** Rows and continuity of every table; a part that cannot be checked costs no other, and JSON says of each. */
async function verifyParts(
  options: Options,
  { period, isSealed }: { readonly period: Asked['period']; readonly isSealed: boolean },
  format: TextFormat,
  io: Io,
): Promise<ExitCode> {
  const left = ['rows', 'continuity']
  try {
    return await withWorkspace(options, async workspace => {
      let worst: ExitCode = workspace.tables.length === 0 && !isSealed ? EXIT.unchecked : EXIT.done
      for (let part = left.shift(); part !== undefined; part = left.shift()) {
        if (format === 'json') io.out(`,\n"${part}":`)
        const subject = SUBJECTS[part] as Verification
        worst = worse(worst, await verifyTables(subject, { workspace, period, io }, undefined, format))
      }
      return tellUnbelieved(workspace, worst, io)
    })
  } catch (error) {
    const { message, exit } = tellFailure(error, io)
    if (format === 'json')
      for (const part of left) io.out(`,\n"${part}":[{"table":null,"not_checked":${toJson(message)}}]`)
    return exit
  }
}

function beginAll(check: JournalCheck | undefined, format: TextFormat, io: Io): void {
  if (format === 'json') io.out(`{"journal":${toJson(check === undefined ? null : describeJournal(check))}`)
  else if (format === 'ndjson') for (const finding of check?.findings ?? []) io.out(`${toJson(finding)}\n`)
  else if (check !== undefined) printJournal(check, io)
}

function endAll(check: JournalCheck | undefined, exit: ExitCode, io: Io): void {
  if (check === undefined) io.out('not checked: nothing is sealed, so who can write the archive can change all of it\n')
  else printEnd(check, io, exit)
}

/** One subject of the table that is named, else of every one. */
async function verifyTables(
  subject: Verification,
  asked: Asked,
  name: string | undefined,
  format: TextFormat,
): Promise<ExitCode> {
  const { workspace, io } = asked
  const tables = (name === undefined ? workspace.tables : [name]).map(table => findWorkspaceTable(workspace, table))
  const printer = TABLES_PRINTERS[format](io)
  let exit: ExitCode = EXIT.done
  printer.begin()
  for (const table of tables) exit = worse(exit, await verifyTable(subject, asked, table, printer))
  printer.end()
  return exit
}

/** What of one table cannot be read costs no other its answer. */
async function verifyTable(
  subject: Verification,
  asked: Asked,
  table: TableConfiguration,
  printer: TablesPrinter,
): Promise<ExitCode> {
  const { workspace, io } = asked
  let surface: TableSurface | undefined
  try {
    await printer.table(table.table, async () => {
      await workspace.engine.run(`select 1 from ${deliveriesOf(table)} limit 0`)
      surface = await subject(asked, table)
      return surface
    })
    tellRemarks(workspace.engine, io)
    return (surface as TableSurface | undefined)?.end() ?? EXIT.done
  } catch (error) {
    // a question that is given up is given up whole
    if (isInterrupted(error)) throw error
    if (error instanceof UnreadableTable) io.err(`${printable(error.message)}\n`)
    else tellFailure(error, io)
    return EXIT.unchecked
  }
}

/** Tells what could not be checked, and why. */
function tellFailure(error: unknown, io: Io): Failure {
  const failure = failureOf(error)
  io.err(`itemtrail: ${failure.message}\n${failure.hint === undefined ? '' : `  ${failure.hint}\n`}`)
  return { ...failure, exit: failure.exit === EXIT.findings ? EXIT.unchecked : failure.exit }
}

function subjectOf(name: string): Verification {
  const subject = Object.hasOwn(SUBJECTS, name) ? SUBJECTS[name] : undefined
  if (subject !== undefined) return subject
  const near = nearest(name, PARTS)
  throw new CommandError(
    `${JSON.stringify(name)} cannot be verified, expected ${PARTS.join(', ')}`,
    EXIT.usage,
    near.length > 0 ? `did you mean: itemtrail verify ${near[0]}` : undefined,
  )
}

/** A period of the flags, in microseconds since 1970, its end not included. */
function readPeriod(options: Options): { readonly fromUs?: number; readonly toUs?: number } {
  const us = (flag: 'from' | 'to') =>
    typeof options[flag] === 'string' ? instantOf(options[flag], `--${flag}`).us : undefined
  const [fromUs, toUs] = [us('from'), us('to')]
  if (fromUs !== undefined && toUs !== undefined && fromUs >= toUs)
    throw new CommandError(`--from ${options.from} is not before --to ${options.to}`)
  return { ...(fromUs !== undefined && { fromUs }), ...(toUs !== undefined && { toUs }) }
}

/** What could not be checked hides findings, so it weighs more. */
function worse(a: ExitCode, b: ExitCode): ExitCode {
  return a > b ? a : b
}
