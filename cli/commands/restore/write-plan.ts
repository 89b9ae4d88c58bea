import { toolVersion } from '../../../config/package.js'
import { deliveriesOf } from '../../../queries/engines/literal.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { itemsChanged } from '../../../queries/list-changes.js'
import { thenBefore } from '../../../restore/before-event.js'
import { ExportWriter } from '../../../restore/export-files.js'
import { type PlanListener, planAll, planInstant, planOne, planUndo } from '../../../restore/make-plan.js'
import { type PlanCounts, PlanWriter } from '../../../restore/plan-file.js'
import { openPlan, type Plan } from '../../../restore/plan-reader.js'
import { PLAN_VERSION, type PlanHeader } from '../../../restore/plan-schema.js'
import type { PlannedChange } from '../../../restore/restore-plan.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { checkSeen, findHistory } from '../../ask/find-item.js'
import type { Workspace } from '../../ask/workspace.js'
import { callAws } from '../../failures.js'
import type { Io } from '../../io.js'
import { grouped, Progress } from '../../show/progress.js'
import { showInstant } from '../../show/state.js'
import { printable } from '../../show/text.js'
import { plannedDifferences } from './actor-option.js'
import { NO_COUNTS } from './items.js'
import type { RestoreQuestion } from './open-past.js'
import type { Order } from './order.js'
import type { RestoreAnswer } from './report.js'
import type { UndoneWork } from './undone-work.js'

/** A plan that was made, and where it lies. */
export interface Made {
  readonly counts: PlanCounts
  /** Items of which a part stays as somebody else made it since. */
  readonly inPart: number
  /** Opened to be performed, where that was asked for. */
  readonly plan: Plan | undefined
  /** The summary of the export that was written. */
  readonly output: string | null
}

/** Makes the plan, tells it, and writes it to its file: where it is to be performed, always. */
export async function writePlan(question: RestoreQuestion, order: Order, answer: RestoreAnswer, io: Io): Promise<Made> {
  const path = order.planPath ?? (order.performs ? planName(question, order) : undefined)
  const writer = path === undefined ? undefined : PlanWriter.create(path)
  try {
    const output = await openOutput(question, order)
    const { key, counts, inPart } = await tellPlan(question, order, answer, io, async item => {
      writer?.add(item)
      if (item.action === 'put') await output?.add(await openedWanted(item, question))
    })
    await writer?.finish(headerOf(question, order, { key, counts, inPart }))
    answer.counted(counts, inPart, path ?? null)
    if (path !== undefined) io.err(`plan: ${printable(path)}\n`)
    const plan = path === undefined || !order.performs ? undefined : await openPlan(path)
    return { counts, inPart, plan, output: output === undefined ? null : await output.finish(now()) }
  } catch (error) {
    writer?.discard()
    throw error
  }
}

/** What an export has is for a table, in which nothing is sealed. */
async function openedWanted({ wanted }: PlannedChange, { options }: RestoreQuestion): Promise<string> {
  const [opened] = (await options.sealed?.open([wanted as string])) ?? []
  return opened?.kind === 'open' ? opened.image : (wanted as string)
}

/** What a plan came to: the key of its only item, and how many items of what kind. */
interface Told extends Pick<Made, 'counts' | 'inPart'> {
  readonly key: string | null
}

async function tellPlan(
  question: RestoreQuestion,
  order: Order,
  answer: RestoreAnswer,
  io: Io,
  onItem: (item: PlannedChange) => Promise<void>,
): Promise<Told> {
  const counts = { ...NO_COUNTS }
  let inPart = 0
  const progress = new Progress(io, 'item')
  const { live } = question
  let withinSecond = 0
  const listener = {
    onSame: () => counts.same++,
    onWithinSecond: () => withinSecond++,
    onRead: (items: number) => progress.update(items, items, live?.description.items || undefined),
  }
  let planned = 0
  const take = async (item: PlannedChange) => {
    counts[item.action]++
    if (item.action === 'update' && item.reason !== null) inPart++
    await onItem(item)
    progress.update(++planned, planned, undefined)
    answer.planned(item, () => {
      progress.end()
      return plannedDifferences(item, question.options.actorAttribute, order.actor)
    })
  }
  const begin = (key: string | null) =>
    answer.begin({
      ...partOf(question, order),
      key,
      target: question.target?.table ?? null,
      remarks: remarksOf(question),
    })
  try {
    const key = await callAws(`table ${JSON.stringify(live?.description.table)} cannot be read`, () =>
      planItems(question, order, listener, begin, take),
    )
    return { key, counts, inPart }
  } finally {
    progress.end()
    if (withinSecond > 0) io.err(remarkOn(withinSecond, question))
  }
}

/** Plans the item that is asked for, or every item; the key of the one. `begin` is called before the first `take`. */
async function planItems(
  question: RestoreQuestion,
  { key }: Order,
  listener: PlanListener,
  begin: (key: string | null) => void,
  take: (item: PlannedChange) => Promise<void>,
): Promise<string | null> {
  const { workspace, table, found } = question
  if (found.kind === 'undo' || (found.kind === 'moment' && key === undefined)) {
    const itemKey = found.kind === 'undo' ? (found.itemKey ?? null) : null
    begin(itemKey)
    const items =
      found.kind === 'undo' ? planUndo(question, changesOf(question, found), listener) : planAll(question, listener)
    for await (const item of items) await take(item)
    return itemKey
  }
  const all = found.kind === 'before' ? found.all : await findHistory(workspace, table, key as string)
  await checkSeen(workspace, table, all)
  const then = found.kind === 'before' ? thenBefore(all, found.change, question.lost) : undefined
  const planned = await planOne(question, all, listener, then)
  begin(all.itemKey)
  if (planned !== undefined) await take(planned)
  return all.itemKey
}

function changesOf({ engine, table }: RestoreQuestion, { actor, from, to, itemKey }: UndoneWork) {
  return itemsChanged(engine, table, { fromUs: from.us, toUs: to.us, actor, itemKey })
}

function remarksOf({ found }: RestoreQuestion): readonly string[] {
  return found.kind === 'undo' ? found.remarks : []
}

/** A restore to the second of the change that is to be undone would undo nothing. */
function remarkOn(items: number, { at }: RestoreQuestion): string {
  const [whose, last] = items === 1 ? ['1 item has its', 'change'] : [`${grouped(items)} items have their`, 'changes']
  return `${whose} last ${last} within the very second of ${showInstant(at)}, known to the second only and counted as before it: an earlier --as-of leaves them out\n`
}

function partOf(
  { table, at, found }: RestoreQuestion,
  { destination }: Order,
  inPart = 0,
): Pick<PlanHeader, 'table' | 'as_of' | 'before' | 'undo' | 'against'> {
  const against = destination.kind === 'table' ? destination.against : 'table'
  const undo = (work: UndoneWork) => ({
    actor: work.actor,
    from: planInstant(work.from),
    to: planInstant(work.to),
    in_part: inPart,
  })
  return {
    table: table.table,
    as_of: planInstant(at),
    ...(found.kind === 'before' && { before: found.change.event_id }),
    ...(found.kind === 'undo' && { undo: undo(found) }),
    against,
  }
}

function headerOf(question: RestoreQuestion, order: Order, { key, counts, inPart }: Told): PlanHeader {
  const { target, workspace, options } = question
  const { actorAttribute } = options
  return {
    plan: PLAN_VERSION,
    ...partOf(question, order, inPart),
    key,
    archive: workspace.root,
    target: target === null ? null : { table: target.table, arn: target.arn, id: target.id },
    actor_attribute: actorAttribute === null ? null : [...actorAttribute],
    counts,
    made: now(),
    tool: `itemtrail ${toolVersion()}`,
  }
}

function now(): string {
  return new Date().toISOString()
}

/** The name of a plan that is performed at once, in the working folder. */
function planName({ table, at, live, found }: RestoreQuestion, { destination }: Order): string {
  const kind = found.kind === 'moment' ? '' : `${found.kind}-`
  const instant = `${kind}${planInstant(at).replaceAll(/[-:]|\.0+(?=Z)/g, '')}`
  const to = destination.kind === 'other' ? `-to-${live?.description.table}` : ''
  return `restore-${table.table}-${instant}${to}-${now().replaceAll(/[-:.]/g, '')}.jsonl`
}

async function openOutput(
  { workspace, table, at }: RestoreQuestion,
  { destination }: Order,
): Promise<ExportWriter | undefined> {
  if (destination.kind !== 'output') return undefined
  const tableArn = await arnOf(workspace, table)
  return ExportWriter.create(destination.folder, {
    tableArn,
    tableId: 'itemtrail',
    exportTime: planInstant(at),
    startTime: now(),
  })
}

/** As its stream or an export names it; where neither did, one without an account. */
async function arnOf({ engine }: Workspace, named: TableConfiguration): Promise<string> {
  const answer = await engine.run(`select source, region from ${deliveriesOf(named)} order by source limit 1`)
  const [row] = [...rowsOf(answer)]
  const { table } = named
  const known = /^arn:[^/]*:table\/[^/]+/.exec(String(row?.source ?? ''))?.[0]
  return known ?? `arn:aws:dynamodb:${row?.region ?? 'us-east-1'}:000000000000:table/${table}`
}
