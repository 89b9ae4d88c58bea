import { applyItems } from '../../../restore/apply.js'
import type { LiveTable } from '../../../restore/live-table.js'
import { Pace } from '../../../restore/pace.js'
import { PlanError } from '../../../restore/plan-file.js'
import { type Plan, readPlan } from '../../../restore/plan-reader.js'
import type { PlanTarget } from '../../../restore/plan-schema.js'
import { ProgressFile, progressPath } from '../../../restore/progress-file.js'
import type { SealedItems } from '../../../restore/restore-plan.js'
import { openDynamoDb } from '../../ask/connection.js'
import { sealedItemsOf } from '../../ask/sealed-items.js'
import { loadConfiguration } from '../../ask/workspace.js'
import { callAws } from '../../failures.js'
import { CommandError, EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import { Progress } from '../../show/progress.js'
import { WIPE_LINE } from '../../show/terminal.js'
import { printable } from '../../show/text.js'
import { actorName, restoreActor } from './actor-option.js'
import { actionsIn, type OutcomeCounts } from './items.js'
import { keepRestoreFact } from './keep-fact.js'
import type { RestoreAnswer } from './report.js'

/** Requests to a table at a time. */
const CONCURRENCY = 40

/** Milliseconds between two lines that say what is waited for. */
const QUIET_MS = 10_000

/** A table as the flags reach it. Throws `CommandError` where it cannot be reached, or is not there. */
export async function openTable(name: string, options: Options, io: Io): Promise<LiveTable> {
  // the SDK takes longer to load than most commands to run
  const [{ LiveTable: Table }, client] = await Promise.all([
    import('../../../restore/live-table.js'),
    openDynamoDb(options),
  ])
  let saidAt = Date.now()
  const onWait = (error: Error) => {
    if (Date.now() - saidAt < QUIET_MS) return
    saidAt = Date.now()
    io.err(`${io.errIsTerminal ? WIPE_LINE : ''}waiting for table ${printable(name)}: ${printable(error.message)}\n`)
  }
  return callAws(`table ${JSON.stringify(name)} cannot be read`, () =>
    Table.open(client, name, new Pace({ concurrency: CONCURRENCY, onWait })),
  )
}

/** The table that a plan is for, found to be the very one. Throws `CommandError` or `PlanError` where it is another. */
export async function openTarget(plan: Plan, options: Options, io: Io): Promise<LiveTable> {
  const table = await openTable(targetOf(plan).table, options, io)
  checkTarget(plan, table)
  checkStatus(table)
  return table
}

/** Performs a plan, or what is left of it, says what became of each item, and keeps in the archive that it did. */
export async function applyPlan(
  plan: Plan,
  table: LiveTable,
  options: Options,
  answer: RestoreAnswer,
  io: Io,
): Promise<ExitCode> {
  const { header, path } = plan
  const actor = restoreActor(header.actor_attribute, options)
  const sealed = await sealedOf(plan, options, io)
  const progressFile = await ProgressFile.open(plan)
  if (progressFile.size > 0)
    io.err(`goes on: ${progressFile.size} were restored before, ${printable(progressPath(path))} says\n`)
  const counts: OutcomeCounts = { done: 0, already: 0, refused: 0, failed: 0, altered: 0 }
  const total = actionsIn(header.counts)
  const progress = new Progress(io, 'item')
  let ended = 0
  let isKept = true
  try {
    await resumable(path, () =>
      applyItems(readPlan(plan), {
        table,
        progress: progressFile,
        actor,
        sealed,
        onOutcome: outcome => {
          counts[outcome.outcome]++
          progress.update(++ended, ended, total)
          answer.outcome(outcome)
        },
      }),
    )
  } finally {
    progress.end()
    progressFile.close()
    isKept = await keepRestoreFact(plan, progressFile, actorName(options), options.archive as string, io)
  }
  answer.applied(counts)
  const inPart = header.undo?.in_part ?? 0
  const isWhole = counts.refused + counts.failed + counts.altered + header.counts.skip + inPart === 0
  return isWhole && isKept ? EXIT.done : EXIT.findings
}

/** How what is sealed in a plan opens: by the configuration of the table whose past it is. */
async function sealedOf({ header }: Plan, options: Options, io: Io): Promise<SealedItems | undefined> {
  const configuration = loadConfiguration(options)
  const table = configuration?.tables.get(header.table)
  const root = options.archive as string
  return table === undefined ? undefined : sealedItemsOf(table, { configuration, root }, options, io)
}

/** What ends a restore before its end is no end: it says how to go on. */
async function resumable(path: string, apply: () => Promise<void>): Promise<void> {
  try {
    await callAws('restore stopped', apply)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const hint = `what was restored is kept; it goes on with: itemtrail restore --apply --plan ${printable(path)}`
    throw new CommandError(error.message, EXIT.findings, error.hint === undefined ? hint : `${error.hint}; ${hint}`)
  }
}

/** The table that a plan writes. Throws `PlanError` for a plan that was made without one. */
export function targetOf({ header, path }: Pick<Plan, 'header' | 'path'>): PlanTarget {
  const { target } = header
  if (target !== null) return target
  throw new PlanError(
    `plan ${path} names no table to write: none was looked at when it was made`,
    'a plan that was made with --against table, or together with --apply, can be performed',
  )
}

/**
 * A plan is for one table: another of its name, elsewhere or made anew, holds other things; one of other keys, other
 * items.
 */
function checkTarget(plan: Plan, { description }: LiveTable): void {
  const { path, keys } = plan
  const target = targetOf(plan)
  if (target.arn !== description.arn || target.id !== description.id) {
    const [planned, found] = [target, description].map(({ arn, id }) => `${arn}${id === null ? '' : ` (${id})`}`)
    throw new CommandError(
      `plan ${path} is for table ${planned}, found ${found}`,
      EXIT.usage,
      'make the plan anew, with the same --region and --endpoint as to apply it',
    )
  }
  if (keys.length > 0 && keys.join('\n') !== [...description.keys].sort().join('\n'))
    throw new PlanError(
      `plan ${path} has items with the key ${JSON.stringify(keys)}, table ${JSON.stringify(target.table)} has ${JSON.stringify(description.keys)}`,
    )
}

/** A table that is being made, deleted or archived takes no writes. */
function checkStatus({ description: { table, status } }: LiveTable): void {
  if (status === 'ACTIVE' || status === 'UPDATING') return
  throw new CommandError(`table ${JSON.stringify(table)} is ${status}, expected ACTIVE`, EXIT.unchecked)
}
