import { UnreadableTable } from '../../queries/engines/engine.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { instantOf } from '../ask/instant.js'
import { nearest } from '../ask/nearest.js'
import { tellRemarks, tellUnbelieved } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findWorkspaceTable, type Workspace, withWorkspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/formats.js'
import { TABLES_PRINTERS } from '../show/table-printers.js'
import { printable } from '../show/text.js'
import { type Verification, verifyContinuity } from './verify/continuity.js'
import { verifyRows } from './verify/rows.js'

/** What can be verified; each says how it ended for one table. */
const SUBJECTS: Readonly<Record<string, Verification>> = { continuity: verifyContinuity, rows: verifyRows }

/** Whether the archive is whole. */
export const verify: Command = {
  usage: 'verify <what> [table]',
  summary: 'is anything missing (continuity), is a row another than it was made (rows)?',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--from <instant>', 'the period that the verdict is about; without it, from the first change'],
    ['--to <instant>', 'the moment after the last of the period'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail verify continuity Orders',
  run: (args, options, io) =>
    withWorkspace(options, async workspace => {
      const format = formatOf(options)
      const subject = subjectOf(args[0] as string)
      const period = readPeriod(options)
      const names = args[1] === undefined ? workspace.tables : [args[1]]
      if (names.length === 0) throw new CommandError('the archive has no table yet', EXIT.unchecked)
      const tables = names.map(name => findWorkspaceTable(workspace, name))
      const verifyTable = async (table: TableConfiguration) => {
        const surface = await subject({ workspace, period }, table)
        await printer.table(table.table, surface)
        tellRemarks(workspace.engine, io)
        return surface.end()
      }
      const printer = TABLES_PRINTERS[format](io)
      let exit: ExitCode = EXIT.done
      printer.begin()
      for (const table of tables) {
        const problem = args[1] === undefined ? await unreadable(workspace, table) : undefined
        if (problem !== undefined) io.err(`${printable(problem)}\n`)
        exit = worse(exit, problem === undefined ? await verifyTable(table) : EXIT.unchecked)
      }
      printer.end()
      return tellUnbelieved(workspace, exit, io)
    }),
}

/** Why a table cannot be read, which costs no other its answer. */
async function unreadable({ engine }: Workspace, table: TableConfiguration): Promise<string | undefined> {
  try {
    await engine.run(`select 1 from ${deliveriesOf(table)} limit 0`)
    return undefined
  } catch (error) {
    if (error instanceof UnreadableTable) return error.message
    throw error
  }
}

function subjectOf(name: string): Verification {
  const subject = Object.hasOwn(SUBJECTS, name) ? SUBJECTS[name] : undefined
  if (subject !== undefined) return subject
  const near = nearest(name, Object.keys(SUBJECTS))
  throw new CommandError(
    `${JSON.stringify(name)} cannot be verified, expected ${Object.keys(SUBJECTS).join(' or ')}`,
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
