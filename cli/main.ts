import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommanderError, Command as Program } from 'commander'
import { ConfigurationError } from '../config/problems.js'
import { QueryError } from '../queries/engine.js'
import { ParameterError } from '../queries/parameters.js'
import { asOf } from './commands/as-of.js'
import { demo, packageRoot } from './commands/demo.js'
import { diff } from './commands/diff.js'
import { history } from './commands/history.js'
import { ingest } from './commands/ingest.js'
import { init } from './commands/init.js'
import { queries } from './commands/queries.js'
import { query } from './commands/query.js'
import { sql } from './commands/sql.js'
import { status } from './commands/status.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from './io.js'

/** Everything that can be asked of the command line, in the order of its help. */
export const COMMANDS = [init, ingest, history, asOf, diff, queries, query, sql, status, demo]

/** Runs the command line and says how it ended. Nothing but this file ends the process. */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done
  const program = new Program('itemtrail')
    .description(
      'An audit archive for DynamoDB: what was this item, what changed, who did it, and is anything missing?',
    )
    .version((JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_HELP)
  for (const command of COMMANDS)
    addCommand(program, command, async (args, options) => {
      exit = await command.run(args, options, io)
    })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    return report(error, io)
  }
}

const EXIT_HELP = `
Exit codes: 0 done, 1 findings or failure, 2 used wrongly, 3 could not check.`

function addCommand(
  program: Program,
  command: Command,
  action: (args: readonly string[], options: Options) => Promise<void>,
): void {
  const sub = program.command(command.usage).summary(command.summary).description(command.summary)
  sub.exitOverride().addHelpText('after', `\nExample:\n  ${command.example}`)
  for (const [flags, description, preset] of command.options) sub.option(flags, description, preset)
  sub.action(async () => action(sub.args, sub.opts<Options>()))
}

/** One clear line for what went wrong, and the exit code that goes with it. */
function report(error: unknown, io: Io): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (error instanceof CommandError) {
    say(io, error.message, error.hint)
    return error.exit
  }
  if (error instanceof ConfigurationError) {
    say(io, error.message, error.hint)
    return EXIT.usage
  }
  if (error instanceof ParameterError) {
    say(io, error.message)
    return EXIT.usage
  }
  if (error instanceof QueryError) {
    say(io, error.message)
    return EXIT.usage
  }
  const system = describeSystemError(error as NodeJS.ErrnoException)
  if (system === undefined) throw error
  say(io, system)
  return EXIT.findings
}

function say(io: Io, message: string, hint?: string): void {
  io.err(`itemtrail: ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`)
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EISDIR: 'is a directory, expected a file',
  ENOTDIR: 'is not a directory',
  EACCES: 'may not be read or written: no permission',
  EPERM: 'may not be read or written: no permission',
  EROFS: 'is on a file system that cannot be written',
  ENOSPC: 'could not be written: the disk is full; what was archived before is whole',
  EDQUOT: 'could not be written: the disk quota is used up; what was archived before is whole',
  EMFILE: 'could not be opened: too many files are open',
}

function describeSystemError(error: NodeJS.ErrnoException): string | undefined {
  const text = SYSTEM_ERRORS[error.code ?? '']
  if (text !== undefined) return `${error.path ?? error.syscall ?? 'file'} ${text}`
  return error.code?.startsWith('Z_')
    ? `input is not whole gzip: ${error.message}; what came before is archived`
    : undefined
}
