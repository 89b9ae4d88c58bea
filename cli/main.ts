import { CommanderError, Command as Program } from 'commander'
import { toolVersion } from '../config/package.js'
import { withoutSecrets } from '../proof/proof-error.js'
import { type Command, EXIT, type ExitCode, type Io, type Options } from './io.js'
import { colourAsTyped } from './show/colour.js'
import { COMMON_OPTIONS } from './show/common-options.js'
import { escaping } from './show/terminal.js'
import { zoneOf } from './show/zone.js'

const ABOUT = 'An audit archive for DynamoDB: what was this item, what changed, who did it, and is anything missing?'

/** How each command is loaded, by its name, in the order of the help: all of them take longer to load than most run. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map(
  Object.entries({
    init: async () => (await import('./commands/init.js')).init,
    ingest: async () => (await import('./commands/ingest.js')).ingest,
    tail: async () => (await import('./commands/tail.js')).tail,
    baseline: async () => (await import('./commands/baseline.js')).baseline,
    view: async () => (await import('./commands/view.js')).view,
    history: async () => (await import('./commands/history.js')).history,
    show: async () => (await import('./commands/show.js')).show,
    who: async () => (await import('./commands/who.js')).who,
    items: async () => (await import('./commands/items.js')).items,
    find: async () => (await import('./commands/find.js')).find,
    'as-of': async () => (await import('./commands/as-of.js')).asOf,
    diff: async () => (await import('./commands/diff.js')).diff,
    queries: async () => (await import('./commands/queries.js')).queries,
    query: async () => (await import('./commands/query.js')).query,
    sql: async () => (await import('./commands/sql.js')).sql,
    verify: async () => (await import('./commands/verify.js')).verify,
    seal: async () => (await import('./commands/seal.js')).seal,
    checkpoint: async () => (await import('./commands/checkpoint.js')).checkpoint,
    prove: async () => (await import('./commands/prove.js')).prove,
    sample: async () => (await import('./commands/sample.js')).sample,
    evidence: async () => (await import('./commands/evidence.js')).evidence,
    subject: async () => (await import('./commands/subject.js')).subject,
    reconcile: async () => (await import('./commands/reconcile.js')).reconcile,
    restore: async () => (await import('./commands/restore.js')).restore,
    rerun: async () => (await import('./commands/rerun.js')).rerun,
    status: async () => (await import('./commands/status.js')).status,
    redrive: async () => (await import('./commands/redrive.js')).redrive,
    compact: async () => (await import('./commands/compact.js')).compact,
    plan: async () => (await import('./commands/plan.js')).plan,
    doctor: async () => (await import('./commands/doctor.js')).doctor,
    completion: async () => (await import('./commands/completion.js')).completionOf(loadCommands),
    manual: async () => (await import('./commands/completion.js')).manualOf(loadCommands, ABOUT),
    demo: async () => (await import('./commands/demo.js')).demo,
  }),
)

/** Everything that can be asked of the command line, in the order of its help. */
export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all([...COMMANDS.values()].map(load => load()))
}

/** The commands that a line needs to be understood: the one that it names, or all where somebody looks for one. */
async function commandsFor([first = '']: readonly string[]): Promise<readonly Command[]> {
  if (VERSION_FLAGS.includes(first)) return []
  const load = COMMANDS.get(first)
  return load === undefined ? loadCommands() : [await load()]
}

const VERSION_FLAGS: readonly string[] = ['-V', '--version']

/**
 * Runs the command line and says how it ended. Nothing but this file ends the process, and nothing leaves it that was
 * not escaped.
 */
export async function main(argv: readonly string[], world: Io): Promise<ExitCode> {
  const io = escaping(world)
  let exit: ExitCode = EXIT.done
  // what measures words is loaded where there is little room
  const narrow = (io.columns ?? HELP_WIDTH) < HELP_WIDTH ? await import('./show/narrow-help.js') : undefined
  const wrapped = (text: string) => narrow?.narrowText(text, io.columns as number) ?? text
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
      ...(narrow !== undefined && { formatItem: narrow.narrowItem }),
    })
    .addHelpText('after', () => wrapped(`${HELP_END}\n\n${EXIT_CODES}`))
  for (const command of await commandsFor(argv))
    addCommand(program, command, wrapped, async (args, options) => {
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

function addCommand(
  program: Program,
  command: Command,
  wrapped: (text: string) => string,
  action: (args: readonly string[], options: Options) => Promise<void>,
): void {
  const sub = program.command(command.usage).summary(command.summary).description(command.summary)
  sub.exitOverride().addHelpText('after', `\nExample:\n  ${command.example}`)
  sub.addHelpText('after', () =>
    wrapped(`${command.moreHelp?.(sub.args) ?? ''}\n\n${EXIT_CODES}`.replace(/^\n\n/, '\n')),
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
async function report(error: unknown, argv: readonly string[], io: Io): Promise<ExitCode> {
  if (error instanceof CommanderError) return reportUse(error, argv, io)
  // knows the errors of every room, which it would load with them
  const { failureOf } = await import('./failure-of.js')
  const { message, hint, exit } = failureOf(error)
  say(io, message, hint)
  return exit
}

/** What commander found wrong with the arguments, or that it printed help. */
async function reportUse(error: CommanderError, argv: readonly string[], io: Io): Promise<ExitCode> {
  if (error.exitCode === 0) return EXIT.done
  if (error.code === 'commander.help') return EXIT.usage
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const near = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, 'did you mean $1?')
  say(io, message, (await meantBy(error, argv)) ?? near ?? (await helpOn(error, argv)))
  return EXIT.usage
}

/** What somebody meant by what there is not, where that is known. */
async function meantBy({ code, message }: CommanderError, argv: readonly string[]): Promise<string | undefined> {
  const { argumentsMeant, commandMeant, optionMeant } = await import('./hints.js')
  const [, quoted = ''] = /'([^']*)'/.exec(message) ?? []
  if (code === 'commander.unknownCommand') return commandMeant(quoted)
  if (code === 'commander.unknownOption') return optionMeant(argv, quoted)
  return code === 'commander.excessArguments' ? argumentsMeant(argv) : undefined
}

async function helpOn({ code }: CommanderError, [name = '']: readonly string[]): Promise<string> {
  const known = await COMMANDS.get(name)?.()
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
