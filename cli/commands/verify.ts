import { nearest } from '../../config/nearest.js'
import { UnreadableTable } from '../../queries/engines/engine.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { tablesOf } from '../../store/table-objects.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ENGINE_OPTIONS, engineOf, stackTold } from '../ask/engine-choice.js'
import { instantOf } from '../ask/instant-argument.js'
import { KEY_OPTION, POLICY_OPTION, TSA_OPTION } from '../ask/journal-options.js'
import { SINCE_OPTION } from '../ask/kept-checkpoint.js'
import { MEMORY_OPTION } from '../ask/memory-option.js'
import { tellRemarks, tellUnbelieved } from '../ask/remarks.js'
import { tellUncaptured, uncapturedTables } from '../ask/uncaptured.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findWorkspaceTable, type Workspace, withWorkspace } from '../ask/workspace.js'
import { type Failure, failureOf, isInterrupted } from '../failure-of.js'
import { callAws } from '../failures.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { DEFAULT_ARCHIVE, isOnAws } from '../show/archive-name.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import type { ObjectsInTurn } from '../show/json-text.js'
import type { TextFormat } from '../show/output-format.js'
import type { Surface } from '../show/surface.js'
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
    ...ENGINE_OPTIONS,
    KEY_OPTION,
    POLICY_OPTION,
    SINCE_OPTION,
    TSA_OPTION,
    ['--full', 'hashes every object, also those that are unchanged since they were hashed or, in a bucket, sealed'],
    ['--from <instant>', 'the period that rows and continuity are about; without it, from the first change'],
    ['--to <instant>', 'the moment after the last of the period'],
    MEMORY_OPTION,
    FORMAT_OPTION,
  ],
  example: 'itemtrail verify --key seal.key.vkey --since kept.checkpoint',
  run: async (args, options, io) => {
    const [part, of] = args
    const format = formatOf(options)
    const onAws = engineOf(options, DEFAULT_ARCHIVE) === 'athena'
    if (part === undefined) return verifyAll(options, format, io)
    refuseOthers(part, options)
    if (part === 'log' || part === 'objects') {
      if (of !== undefined)
        throw new CommandError(`verify ${part} is of the whole archive, not of ${JSON.stringify(of)}`)
      return verifyJournal(part === 'log', options, format, io)
    }
    if (part === 'proof' || part === 'bundle') {
      if (onAws)
        throw new CommandError(`verify ${part} is of a file that was handed out, not of a stack: leave --stack out`)
      if (of === undefined) throw new CommandError(`verify ${part} wants ${part === 'proof' ? 'a FILE' : 'a FOLDER'}`)
      return (part === 'proof' ? verifyProof : verifyBag)(of, options, format, io)
    }
    const subject = subjectOf(part)
    const asked = readPeriod(options)
    return withArchive(options, io, async (workspace, uncaptured) => {
      // without a stack nobody tells the tables of a database
      const isNamed = of !== undefined && isOnAws(workspace.root)
      if (workspace.tables.length === 0 && !isNamed) throw new CommandError(whyNone(uncaptured), EXIT.unchecked)
      const exit = await verifyTables(subject, { workspace, uncaptured, period: asked, io }, of, format)
      return tellUnbelieved(workspace, exit, io)
    })
  },
}

/**
 * Opens the archive that the flags name, in a folder or on AWS, with all tables that it has; apart from them those that
 * a stack does not capture.
 */
async function withArchive(
  options: Options,
  io: Io,
  ask: (workspace: Workspace, uncaptured: readonly string[]) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (engineOf(options, DEFAULT_ARCHIVE) === 'duckdb') return withWorkspace(options, workspace => ask(workspace, []))
  return withWorkspace(
    options,
    async workspace => {
      const { archive, configuration, engine } = workspace
      const found = engine.facts === undefined ? [] : await tablesOf(engine.facts)
      const tables = [...new Set([...found, ...workspace.tables])].sort()
      const uncaptured = await uncapturedTables(archive, await stackTold(options, configuration), tables)
      return ask({ ...workspace, tables: tables.filter(table => !uncaptured.includes(table)) }, uncaptured)
    },
    io,
  )
}

function whyNone(uncaptured: readonly string[]): string {
  return uncaptured.length === 0 ? 'the archive has no table yet' : tellUncaptured(uncaptured)
}

/** Throws a `CommandError` for a flag of another part: what it asks for would not be looked at, and nobody told. */
function refuseOthers(part: string, options: Options): void {
  if (!PARTS.includes(part as 'log')) return
  for (const [flag, option, parts] of OF_PARTS)
    if (options[option] !== undefined && !parts.includes(part))
      throw new CommandError(`${flag} is of ${parts.join(' and ')}, not of verify ${part}`)
}

/** What each flag is of; `verify` alone takes all. */
const OF_PARTS: readonly (readonly [flag: string, option: string, parts: readonly string[]])[] = [
  ['--from', 'from', ['rows', 'continuity']],
  ['--to', 'to', ['rows', 'continuity']],
  ['--memory', 'memory', ['rows', 'continuity']],
  ['--since', 'since', ['log', 'objects']],
  ['--tsa-ca', 'tsaCa', ['log', 'objects']],
  ['--full', 'full', ['objects']],
  ['--policy', 'policy', ['log', 'objects', 'proof', 'bundle']],
]

/** What AWS refused of a stack. */
const UNREAD = 'the journal and its objects cannot be read'

async function verifyJournal(logAlone: boolean, options: Options, format: TextFormat, io: Io): Promise<ExitCode> {
  const check = await callAws(UNREAD, () => checkJournal(options, logAlone, io))
  if (check === undefined) throw new CommandError('archive is not sealed', EXIT.unchecked, 'itemtrail seal seals it')
  const page = () => {
    printJournal(check, io)
    printEnd(check, io)
  }
  const summary = () => printEnd(check, { ...io, out: io.err })
  const shape = { page, summary, whole: () => describeJournal(check), rows: () => check.findings }
  await format.print(shape, io)
  return check.findings.length > 0 ? EXIT.findings : EXIT.done
}

/** Log, objects, rows, continuity. What is broken weighs most: it may be why something else could not be checked. */
async function verifyAll(options: Options, format: TextFormat, io: Io): Promise<ExitCode> {
  const period = readPeriod(options)
  const check = await callAws(UNREAD, () => checkJournal(options, false, io))
  const isBroken = check !== undefined && check.findings.length > 0
  const telling = format.tell(io)
  await telling.part(out => format.print(journalSurface(check, out), out), 'journal')
  const left = new Map(Object.entries({ rows: verifyRows, continuity: verifyContinuity }))
  const outside = outsideOf(options)
  let exit: ExitCode = EXIT.done
  try {
    exit = await withArchive(options, io, async (workspace, uncaptured) => {
      let worst: ExitCode = workspace.tables.length === 0 && check === undefined ? EXIT.unchecked : EXIT.done
      if (uncaptured.length > 0) outside.push(`rows and continuity of ${tellUncaptured(uncaptured)}`)
      for (const [part, subject] of left) {
        left.delete(part)
        const asked = (out: Io) => ({ workspace, uncaptured, period, io: out })
        const verifyPart = (out: Io) => verifyTables(subject, asked(out), undefined, format)
        worst = worse(worst, await telling.part(verifyPart, part))
      }
      return tellUnbelieved(workspace, worst, io)
    })
  } catch (error) {
    if (isInterrupted(error)) throw error
    const failure = tellFailure(error, io)
    exit = failure.exit
    // a part that cannot be begun costs no other, and every format that has it says why
    for (const part of left.keys())
      await telling.part(out => format.print(notChecked([{ table: null, not_checked: failure.message }]), out), part)
  }
  telling.summary(out => endAll(check, exit, outside, out))
  telling.end()
  return isBroken ? EXIT.findings : exit
}

/** What stands in the place of what could not be looked at; people are told on standard error. */
function notChecked(whole: object): Surface {
  return { page: () => {}, whole: () => whole, rows: () => [] }
}

/** What the journal says, before all else that is verified has been. */
function journalSurface(check: JournalCheck | undefined, io: Io): Surface {
  return {
    page: () => check !== undefined && printJournal(check, io),
    whole: () => (check === undefined ? null : describeJournal(check)),
    rows: () => check?.findings ?? [],
  }
}

function endAll(check: JournalCheck | undefined, exit: ExitCode, outside: readonly string[], io: Io): void {
  if (check !== undefined) {
    printEnd(check, io, exit, outside)
    return
  }
  for (const text of outside) io.out(`not checked: ${printable(text)}\n`)
  io.out('not checked: nothing is sealed, so who can write the archive can change all of it\n')
}

/** What of rows and continuity a period leaves out. */
function outsideOf({ from, to }: Options): string[] {
  if (from === undefined && to === undefined) return []
  const period = [...(from === undefined ? [] : [`from ${from}`]), ...(to === undefined ? [] : [`to before ${to}`])]
  return [`rows and continuity outside of the period ${period.join(' ')}`]
}

/** With the tables that no question of the stack reads: they are told, and cost no other its answer. */
interface AskedOfTables extends Asked {
  readonly uncaptured: readonly string[]
}

/** One subject of the table that is named, else of every one. */
async function verifyTables(
  subject: Verification,
  asked: AskedOfTables,
  name: string | undefined,
  format: TextFormat,
): Promise<ExitCode> {
  const { workspace, uncaptured, io } = asked
  const tables = (name === undefined ? workspace.tables : [name]).map(table => findWorkspaceTable(workspace, table))
  const telling = format.tell(io)
  const print = (surface: Surface) => telling.part(out => format.print(surface, out))
  let exit: ExitCode = EXIT.done
  telling.list()
  for (const [i, table] of tables.entries())
    exit = worse(exit, await verifyTable(subject, asked, table, i === 0, print))
  for (const table of name === undefined ? uncaptured : []) {
    const message = tellUncaptured([table])
    await print(notChecked({ table, not_checked: message }))
    io.err(`not checked: ${printable(message)}\n`)
  }
  telling.end()
  return exit
}

/** What of one table cannot be read, or not to its end, costs no other its answer. */
async function verifyTable(
  subject: Verification,
  asked: Asked,
  table: TableConfiguration,
  isFirst: boolean,
  print: (surface: Surface) => Promise<void>,
): Promise<ExitCode> {
  const { workspace, io } = asked
  let failed: Failure | undefined
  try {
    await workspace.engine.run(`select 1 from ${deliveriesOf(table)} limit 0`)
    const surface = await subject(asked, table)
    const page = (out: Io) => {
      if (surface.isApart && !isFirst) out.out('\n')
      return surface.page(out)
    }
    const rows = () => untilFailure(surface.rows(), error => (failed = tellFailure(error, io)))
    const beside = () => (failed === undefined ? (surface.beside?.() ?? {}) : { not_checked: failed.message })
    await print({ ...surface, page, rows, beside, about: { table: table.table } })
    tellRemarks(workspace.engine, io)
    return failed === undefined ? surface.end() : failed.exit
  } catch (error) {
    if (isInterrupted(error)) throw error
    const { message, exit } = tellFailure(error, io)
    await print(notChecked({ table: table.table, not_checked: message }))
    return exit
  }
}

/** What can be found before something fails; a question that is given up is given up whole. */
async function* untilFailure(rows: ObjectsInTurn, onFailure: (error: unknown) => void): AsyncGenerator<object> {
  try {
    yield* rows
  } catch (error) {
    if (isInterrupted(error)) throw error
    onFailure(error)
  }
}

/** Tells what could not be checked, and why. */
function tellFailure(error: unknown, io: Io): Failure {
  if (error instanceof UnreadableTable) {
    io.err(`${printable(error.message)}\n`)
    return { message: error.message, exit: EXIT.unchecked }
  }
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
