import { CommanderError, type Help, Command as Program } from 'commander'
import { toolVersion } from '../config/package.js'
import { withoutSecrets } from '../proof/proof-error.js'
import { asOf } from './commands/as-of.js'
import { baseline } from './commands/baseline.js'
import { checkpoint } from './commands/checkpoint.js'
import { compact } from './commands/compact.js'
import { COMMON_OPTIONS } from './commands/completion/command-list.js'
import { completionOf, manualOf } from './commands/completion.js'
import { demo } from './commands/demo.js'
import { diff } from './commands/diff.js'
import { doctor } from './commands/doctor.js'
import { evidence } from './commands/evidence.js'
import { find } from './commands/find.js'
import { history } from './commands/history.js'
import { ingest } from './commands/ingest.js'
import { init } from './commands/init.js'
import { items } from './commands/items.js'
import { plan } from './commands/plan.js'
import { prove } from './commands/prove.js'
import { queries } from './commands/queries.js'
import { query } from './commands/query.js'
import { reconcile } from './commands/reconcile.js'
import { redrive } from './commands/redrive.js'
import { rerun } from './commands/rerun.js'
import { restore } from './commands/restore.js'
import { sample } from './commands/sample.js'
import { seal } from './commands/seal.js'
import { show } from './commands/show.js'
import { sql } from './commands/sql.js'
import { status } from './commands/status.js'
import { subject } from './commands/subject.js'
import { tail } from './commands/tail.js'
import { verify } from './commands/verify.js'
import { view } from './commands/view.js'
import { who } from './commands/who.js'
import { failureOf } from './failure-of.js'
import { argumentsMeant, commandMeant, optionMeant } from './hints.js'
import { type Command, EXIT, type ExitCode, type Io, type Options } from './io.js'
import { colourAsTyped } from './show/colour.js'
import { escaping } from './show/terminal.js'
import { wrap } from './show/text.js'
import { zoneOf } from './show/zone.js'

const ABOUT = 'An audit archive for DynamoDB: what was this item, what changed, who did it, and is anything missing?'

/** Everything that can be asked of the command line, in the order of its help. */
export const COMMANDS: readonly Command[] = [
  init,
  ingest,
  tail,
  baseline,
  view,
  history,
  show,
  who,
  items,
  find,
  asOf,
  diff,
  queries,
  query,
  sql,
  verify,
  seal,
  checkpoint,
  prove,
  sample,
  evidence,
  subject,
  reconcile,
  restore,
  rerun,
  status,
  redrive,
  compact,
  plan,
  doctor,
  completionOf(() => COMMANDS),
  manualOf(() => COMMANDS, ABOUT),
  demo,
]

/**
 * Runs the command line and says how it ended. Nothing but this file ends the process, and nothing leaves it that was
 * not escaped.
 */
export async function main(argv: readonly string[], world: Io): Promise<ExitCode> {
  const io = escaping(world)
  let exit: ExitCode = EXIT.done
  const program = new Program('itemtrail')
    .description(ABOUT)
    .version(toolVersion())
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      // `report` tells errors, all in one form
      outputError: () => {},
      getOutHelpWidth: () => io.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => io.columns ?? HELP_WIDTH,
    })
    .configureHelp({
      subcommandTerm: sub => `${sub.name()} ${sub.usage().replace('[options]', '').trim()}`,
      ...((io.columns ?? HELP_WIDTH) < HELP_WIDTH && { formatItem: narrowItem }),
    })
    .addHelpText('after', () => wrapped(`${HELP_END}\n\n${EXIT_CODES}`, io))
  for (const command of COMMANDS)
    addCommand(program, command, io, async (args, options) => {
      const zone = zoneOf(options.tz, io.zone)
      const colour = colourAsTyped(options.color, io.colour)
      exit = await command.run(args, options, { ...io, argv, zone, colour })
    })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    return report(error, argv, io)
  }
}

const HELP_WIDTH = 80

const HELP_END = `
"itemtrail COMMAND --help" has an example of each.
A key is typed as it is (ORD12345), a composite one as pk=...,sk=... or as JSON;
an instant as 2026-11-19T12:00:00Z, a day as 2026-11-19 (its beginning in UTC),
or now, today, yesterday, 10m, 2h, 7d (so long ago).`

const EXIT_CODES = `Exit codes: 0 done, 1 findings or failure, 2 used wrongly, 3 could not check.
Answers go to standard output, everything else to standard error.`

/** On a narrow terminal there is no room for two columns: what a word means stands below it. */
function narrowItem(term: string, _width: number, description: string, { helpWidth = HELP_WIDTH }: Help): string {
  const lines = description === '' ? [] : wrap(description, helpWidth - 6).split('\n')
  return [`  ${term}`, ...lines.map(line => `      ${line}`)].join('\n')
}

/** Lines that keep within the terminal's width. */
function wrapped(text: string, { columns }: Io): string {
  if (columns === undefined || columns >= HELP_WIDTH) return text
  return text
    .split('\n')
    .map(line => {
      const [indent = ''] = /^ */.exec(line) ?? []
      const lines = wrap(line.slice(indent.length), columns - indent.length - 2).split('\n')
      return lines.map((part, i) => `${indent}${i > 0 && indent !== '' ? '  ' : ''}${part}`).join('\n')
    })
    .join('\n')
}

function addCommand(
  program: Program,
  command: Command,
  io: Io,
  action: (args: readonly string[], options: Options) => Promise<void>,
): void {
  const sub = program.command(command.usage).summary(command.summary).description(command.summary)
  sub.exitOverride().addHelpText('after', `\nExample:\n  ${command.example}`)
  sub.addHelpText('after', () =>
    wrapped(`${command.moreHelp?.(sub.args) ?? ''}\n\n${EXIT_CODES}`.replace(/^\n\n/, '\n'), io),
  )
  if (command.shownArguments !== undefined) sub.usage(`[options] ${command.shownArguments}`)
  for (const [flags, description, preset] of [...command.options, ...COMMON_OPTIONS]) {
    // a variadic option would take the arguments after it, too
    if (Array.isArray(preset)) sub.option(flags, description, (value, all: readonly string[] = []) => [...all, value])
    else sub.option(flags, description, preset as string | undefined)
  }
  sub.action(async () => action(sub.args, sub.opts<Options>()))
}

/** One clear line for what went wrong, and the exit code that goes with it. */
function report(error: unknown, argv: readonly string[], io: Io): ExitCode {
  if (error instanceof CommanderError) return reportUse(error, argv, io)
  const { message, hint, exit } = failureOf(error)
  say(io, message, hint)
  return exit
}

/** What commander found wrong with the arguments, or that it printed help. */
function reportUse(error: CommanderError, argv: readonly string[], io: Io): ExitCode {
  if (error.exitCode === 0) return EXIT.done
  if (error.code === 'commander.help') return EXIT.usage
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const near = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, 'did you mean $1?')
  say(io, message, meantBy(error, argv) ?? near ?? helpOn(error, argv))
  return EXIT.usage
}

/** What somebody meant by what there is not, where that is known. */
function meantBy({ code, message }: CommanderError, argv: readonly string[]): string | undefined {
  const [, quoted = ''] = /'([^']*)'/.exec(message) ?? []
  if (code === 'commander.unknownCommand') return commandMeant(quoted)
  if (code === 'commander.unknownOption') return optionMeant(argv, quoted)
  return code === 'commander.excessArguments' ? argumentsMeant(argv) : undefined
}

function helpOn({ code }: CommanderError, [name]: readonly string[]): string {
  const known = COMMANDS.find(({ usage }) => usage.split(' ')[0] === name)
  if (known === undefined) return 'itemtrail --help lists the commands'
  const help = `itemtrail ${name} --help tells how it is used`
  if (code === 'commander.missingArgument')
    return `it is used as: itemtrail ${known.shownArguments === undefined ? known.usage : `${name} ${known.shownArguments}`}; ${help}`
  const negative = 'a key that begins with "-" is typed NAME=-..., NAME being the key attribute'
  return code === 'commander.unknownOption' ? `${help}; ${negative}` : help
}

function say(io: Io, message: string, hint?: string): void {
  io.err(withoutSecrets(`itemtrail: ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`))
}
