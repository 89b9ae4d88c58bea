import { rmSync } from 'node:fs'
import { OutputError } from '../../restore/export-files.js'
import { PlanError } from '../../restore/plan-file.js'
import { closePlan, openPlan, type Plan } from '../../restore/plan-reader.js'
import { RESTORE_DOUBTS } from '../../restore/restore-plan.js'
import type { AttributePath } from '../../transform/table-configuration.js'
import { LIVE_OPTIONS } from '../ask/connection.js'
import { KEYS_OF_OPTION } from '../ask/key-store.js'
import { tellSealed, tellUnread } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, type Workspace, withWorkspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { archiveFlag } from '../show/archive-name.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { refuseInArchive } from '../show/output-file.js'
import { printable } from '../show/text.js'
import { ACTOR_OPTION, restoreActor } from './restore/actor-option.js'
import { actionsIn } from './restore/items.js'
import { openQuestion } from './restore/open-past.js'
import { asksForPast, type Order, readOrder } from './restore/order.js'
import { applyPlan, openTarget, targetOf } from './restore/perform-plan.js'
import { RestoreAnswer } from './restore/report.js'
import { type Made, writePlan } from './restore/write-plan.js'

/** Puts an item or a table back to what it was. */
export const restore: Command = {
  usage: 'restore [table] [key]',
  shownArguments: '<table> [key]',
  summary: 'puts an item or a table back to what it was; without --apply, says what that would change',
  options: [
    ['--as-of <instant>', 'the moment whose state is wanted'],
    ['--before <event>', 'takes an item back to what it was just before that change'],
    ['--undo <name>', 'takes back what one writer changed since --from, and keeps what others changed after it'],
    ['--from <instant>', 'since when changes of --undo are taken back'],
    ['--plan <file>', 'writes the plan there; with --apply and no past, the plan to perform'],
    ['--apply', 'performs the plan: nothing that changed since it was made is overwritten'],
    ACTOR_OPTION,
    ['--delete', 'deletes items that were not there then; without, they are listed and left'],
    ['--accept <doubt>', `acts in spite of it, may be repeated: ${RESTORE_DOUBTS.join(', ')}`, []],
    ['--against <what>', 'what "now" is: the table, or the newest states in the archive', 'table'],
    [
      '--to <table>',
      'fills another table, which is there and empty, and changes no other; with --undo a moment: until when',
    ],
    ['--output <dir>', 'writes a DynamoDB export there, ready for ImportTable, and changes no table'],
    ...LIVE_OPTIONS,
    KEYS_OF_OPTION,
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    FORMAT_OPTION,
  ],
  example: 'itemtrail restore Orders ORD12345 --as-of 2026-11-19T02:59:00Z',
  run: async ([table, key], options, io) => {
    const empty = ['plan', 'to', 'output', 'before', 'undo'].find(flag => options[flag] === '')
    if (empty !== undefined) throw new CommandError(`--${empty} is empty`)
    try {
      if (!asksForPast(options)) return await performPlan(table, options, io)
      if (table === undefined && options.before === undefined)
        throw new CommandError('table is missing', EXIT.usage, `type for example: ${restore.example}`)
      for (const flag of ['output', 'plan'] as const)
        if (typeof options[flag] === 'string') refuseInArchive(flag, options[flag], options)
      const order = readOrder(table, key, options)
      return await withWorkspace(options, workspace => carryOut(workspace, order, options, io))
    } catch (error) {
      if (error instanceof PlanError) throw new CommandError(error.message, EXIT.usage, error.hint)
      if (error instanceof OutputError) throw new CommandError(error.message)
      throw error
    }
  },
}

/** `--apply --plan FILE`: a plan that was made before, from its beginning or from where it was left. */
async function performPlan(table: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const { apply, plan: path } = options
  if (apply !== true || typeof path !== 'string')
    throw new CommandError(
      '--as-of is missing, or --before an event, or --undo a writer',
      EXIT.usage,
      `type for example: ${restore.example}`,
    )
  const format = formatOf(options)
  const plan = await openPlan(path)
  try {
    const target = targetOf(plan)
    if (table !== undefined && table !== target.table)
      throw new CommandError(
        `plan ${path} writes table ${JSON.stringify(target.table)}, not ${JSON.stringify(table)}`,
        EXIT.usage,
        `it holds what ${plan.header.table} was`,
      )
    restoreActor(plan.header.actor_attribute, options)
    const live = await openTarget(plan, options, io)
    const answer = new RestoreAnswer(format, io, true)
    answer.begin({ ...plan.header, target: target.table, remarks: [] })
    answer.counted(plan.header.counts, plan.header.undo?.in_part ?? 0, path)
    const exit = await applyPlan(plan, live, options, answer, io)
    answer.end(null)
    return exit
  } finally {
    closePlan(plan)
  }
}

async function carryOut(workspace: Workspace, order: Order, options: Options, io: Io): Promise<ExitCode> {
  const { destination, performs } = order
  const isBrief = destination.kind !== 'table' && order.key === undefined && order.past.kind === 'moment'
  const answer = new RestoreAnswer(formatOf(options), io, isBrief)
  const question = await openQuestion(workspace, order, options, io)
  const { found } = question
  // an item that it concerns is skipped, which says GAP or ALTERED and not why
  const untilUs = found.kind === 'undo' ? Number.POSITIVE_INFINITY : question.at.us
  await tellSealed(workspace.engine, question.table, untilUs, io)
  if (performs) restoreActor(question.options.actorAttribute, options)
  if (performs) await refuseUnread(workspace, io)
  const made = await writePlan(question, order, answer, io)
  const { counts, plan } = made
  const isLossy = found.kind === 'undo' && found.isLossy
  const exit = isLossy || counts.skip + made.inPart > 0 ? EXIT.findings : EXIT.done
  if (!performs) {
    answer.end(made.output)
    adviseOn(workspace, order, made, question.options.actorAttribute, options, io)
    return tellUnread(workspace, exit, io)
  }
  try {
    const performed = await performMade(plan as Plan, order, options, answer, io)
    answer.end(null)
    return isLossy && performed === EXIT.done ? EXIT.findings : performed
  } finally {
    closePlan(plan as Plan)
  }
}

/** What lies in the archive and is not read may say that the items were others, or are. */
async function refuseUnread(workspace: Workspace, io: Io): Promise<void> {
  if ((await tellUnread(workspace, EXIT.done, io)) === EXIT.done) return
  const hint = 'put aside what is named above; without --apply, what would be changed is shown all the same'
  throw new CommandError('nothing was written: not all of the archive was read', EXIT.unchecked, hint)
}

async function performMade(
  plan: Plan,
  { planPath }: Order,
  options: Options,
  answer: RestoreAnswer,
  io: Io,
): Promise<ExitCode> {
  const { counts } = plan.header
  if (actionsIn(counts) > 0) return applyPlan(plan, await openTarget(plan, options, io), options, answer, io)
  // nobody asked for the file
  if (planPath === undefined) rmSync(plan.path)
  answer.applied({ done: 0, already: 0, refused: 0, failed: 0, altered: 0 })
  return counts.skip > 0 ? EXIT.findings : EXIT.done
}

/** What to do next. */
function adviseOn(
  { root }: Workspace,
  { planPath, destination, actor }: Order,
  { counts, output }: Made,
  actorAttribute: AttributePath | null,
  options: Options,
  io: Io,
): void {
  if (output !== null) io.err(`written: ${printable(output)}\n`)
  if (output !== null || actionsIn(counts) === 0) return
  if (actorAttribute !== null)
    io.err(
      `${printable(actorAttribute.join('.'))} of what is written gets the name of --actor${actor === null ? ' NAME' : ''}\n`,
    )
  if (planPath === undefined) io.err('nothing was changed: --plan FILE keeps this plan, --apply performs it\n')
  else if (destination.kind === 'table' && destination.against === 'archive')
    io.err(
      'nothing was changed; the plan names no table, so it is to be read: one to perform is made beside the table\n',
    )
  else {
    const who = actorAttribute === null ? actor : (actor ?? 'NAME')
    const flags = { endpoint: options.endpoint, region: options.region, actor: who }
    const typed = Object.entries(flags).flatMap(([name, value]) =>
      typeof value === 'string' ? [` --${name} ${/^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`] : [],
    )
    const command = `itemtrail restore --apply --plan ${planPath}${typed.join('')}${archiveFlag(root)}`
    io.err(`nothing was changed; to perform it: ${printable(command)}\n`)
  }
}
