import type { Table } from 'apache-arrow'
import {
  type CallersOfChange,
  type FoundCallers,
  findCallers,
  type NearCall,
} from '../../queries/answers/find-callers.js'
import { readEventId } from '../../queries/find-event.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { askingCalls, CLOUDTRAIL_OPTION } from '../ask/calls.js'
import { checkSeen, findHistory } from '../ask/find-item.js'
import { namedChange, tableAndEvent } from '../ask/named-event.js'
import { ANSWER_OPTIONS, type Asking, askArchive, judgementOf, PLACE_OPTIONS } from '../ask/question.js'
import { findWorkspaceTable, type Workspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io } from '../io.js'
import { showActor } from '../show/actor.js'
import { isOnAws } from '../show/archive-name.js'
import { exitOf, itemEnding, pageConfidence, shortId, showConfidence, showTime } from '../show/confidence.js'
import { showItemKey } from '../show/item-key.js'
import { grouped } from '../show/progress.js'
import type { AnswerSurface } from '../show/surface.js'
import { shorterTime } from '../show/table.js'
import { paint } from '../show/terminal.js'
import { printable, wrap } from '../show/text.js'
import { NARROWING_OPTIONS, readNarrowing } from './history/narrowing.js'

/** Who called for the changes of an item, or for one of them. */
export const who: Command = {
  usage: 'who <event> [more]',
  shownArguments: '[table] <key or event id>',
  summary: 'who called for a change, by the calls that CloudTrail keeps, and how sure that is',
  options: [...PLACE_OPTIONS, CLOUDTRAIL_OPTION, ...NARROWING_OPTIONS, ...ANSWER_OPTIONS],
  example: 'itemtrail who ed5f5aa2 --cloudtrail AWSLogs',
  run: (args, options, io) => {
    const narrowing = readNarrowing(options)
    if (args.length === 1 && readEventId(args[0] as string) === undefined)
      throw new CommandError(
        `${JSON.stringify(args[0])} is no id of a change, and no key of an item is given with it`,
        EXIT.usage,
        'all calls of a period, with a change and without: itemtrail query write-calls TABLE --from --to',
      )
    return askArchive(options, io, async asking => {
      const { workspace } = asking
      const { table, history, changes } = await changesAsked(args, asking, narrowing.of)
      if (changes.length === 0)
        throw new CommandError(`none of the changes of ${showItemKey(history.itemKey)} is asked about`, EXIT.findings)
      const found = await askingCalls(workspace.root, options, () =>
        findCallers(workspace.engine, table, history.itemKey, changes),
      )
      if (table.keyIsPersonal !== undefined) asking.io.err(`${printable(keysNotCompared(table))}\n`)
      const overdue = changes.filter(change => isOverdue(change, callersOf(found, change))).length
      if (overdue > 0) asking.io.err(`${tellOverdue(overdue, workspace.root)}\n`)
      return surfaceOf({ table: table.table, history, changes: [...changes].reverse(), found }, asking)
    })
  },
}

/** The item that was meant, and those of its changes that are asked about, oldest first. */
async function changesAsked(
  args: readonly string[],
  { workspace }: Asking,
  narrow: (changes: readonly HistoryChange[]) => ReadonlySet<HistoryChange>,
) {
  const [name, typed] = tableAndEvent(args)
  if (name !== undefined) {
    const table = findWorkspaceTable(workspace, name, typed)
    const history = await itemMeant(workspace, table, typed)
    if (history !== undefined)
      return {
        table,
        history,
        changes: [...narrow(history.changes)].filter(change => change.event_name !== 'BASELINE'),
      }
  }
  const { history, change, of } = await namedChange(workspace, name, typed)
  if (change.event_name === 'BASELINE')
    throw new CommandError(
      `event ${shortId(change.event_id)} is what a baseline saw, and nobody's change`,
      EXIT.findings,
    )
  return { table: of.table, history, changes: [change] }
}

/** The item of a key that was typed; undefined for what is no key of a known item, and may be the id of a change. */
async function itemMeant(workspace: Workspace, table: TableConfiguration, typed: string) {
  const mayBeEvent = readEventId(typed) !== undefined
  try {
    const history = await findHistory(workspace, table, typed)
    if (history.changes.length === 0 && mayBeEvent) return undefined
    await checkSeen(workspace, table, history)
    return history
  } catch (error) {
    if (error instanceof CommandError && mayBeEvent) return undefined
    throw error
  }
}

function keysNotCompared({ table, keyIsPersonal = [] }: TableConfiguration): string {
  return `keys of ${table} have tokens in the place of ${keyIsPersonal.join(' and ')}, and CloudTrail has them in clear: no call is told by its key, so none is certain`
}

const DAY_US = 86_400_000_000

/** True of a change that waits for calls although CloudTrail has had a day to deliver them. */
function isOverdue({ event_time_us: us }: HistoryChange, { verdict }: CallersOfChange): boolean {
  return verdict === 'pending' && us < Date.now() * 1000 - DAY_US
}

function tellOverdue(count: number, root: string): string {
  const pending = count === 1 ? '1 change is' : `${grouped(count)} changes are`
  const where = isOnAws(root)
    ? 'itemtrail doctor --stack NAME looks at the trail'
    : 'the newest files may not be copied'
  return `${pending} pending and older than a day: CloudTrail delivers within minutes, so its trail did not record then, or its files are not here; ${where}`
}

/** What is asked about, the newest first. */
interface Found {
  readonly table: string
  readonly history: ItemHistory
  readonly changes: readonly HistoryChange[]
  readonly found: FoundCallers
}

function surfaceOf(of: Found, asking: Asking): AnswerSurface {
  const { table, history, found } = of
  const { root } = asking.workspace
  const { answer } = found
  const { receipt } = judgementOf(answer.asked, asking, async () => answer)
  return {
    page: io => printPage(of, io),
    whole: () => ({
      table,
      item_key: JSON.parse(history.itemKey) as object,
      confidence: history.confidence,
      remarks: history.remarks,
      changes: describeChanges(of),
    }),
    rows: () => describeChanges(of),
    table: async () => answer.table,
    web: async () => ({
      question: `Who called for the changes of ${table} ${showItemKey(history.itemKey)}?`,
      sql: answer.asked.sql,
      confidence: pageConfidence(history),
      table: () => readableTable(of),
    }),
    receipt,
    ...itemEnding(history, () => [], table, root),
    end: () => exitOfCallers(of),
  }
}

/** Done is what is certain of each change; what nothing shows yet could not be checked. */
function exitOfCallers({ history, changes, found }: Found): ExitCode {
  const verdicts = changes.map(change => callersOf(found, change).verdict)
  const exit = exitOf(history.confidence)
  if (exit !== EXIT.done || verdicts.every(verdict => verdict === 'certain')) return exit
  return verdicts.every(verdict => ['certain', 'pending', 'not covered'].includes(verdict))
    ? EXIT.unchecked
    : EXIT.findings
}

/** A change that came while two questions were asked has no answer yet. */
function callersOf({ of }: FoundCallers, { event_id: id }: HistoryChange): CallersOfChange {
  return of.get(id) ?? { verdict: 'pending', callers: 0, calls: 0, near: [] }
}

function describeChanges({ changes, found }: Found): readonly object[] {
  return changes.map(change => ({
    event_id: change.event_id,
    event_name: change.event_name,
    event_time: showTime(change).replace(' ', 'T'),
    actor: change.actor,
    actor_source: change.actor_source,
    ...callersOf(found, change),
  }))
}

function printPage({ table, history, changes, found }: Found, io: Io): void {
  io.out(`${paint(io, 'bold', `${table} ${showItemKey(history.itemKey)}`)}\n${showConfidence(history, io)}\n`)
  for (const change of changes) {
    const head = `${showTime(change, io.zone)}  ${change.event_name}  ${showActor(change)}`
    io.out(`\n${head}  ${paint(io, 'dim', printable(shortId(change.event_id)))}\n`)
    const callers = callersOf(found, change)
    const colour = callers.verdict === 'certain' ? 'green' : 'yellow'
    io.out(`${INDENT}${paint(io, colour, wrap(printable(tellVerdict(callers)), io.columns))}\n`)
    for (const call of callers.near) io.out(`${INDENT}${INDENT}${printable(tellCall(call, io.zone))}\n`)
  }
}

const INDENT = '  '

/** The verdict in a sentence. */
function tellVerdict({ verdict, calls, near }: CallersOfChange): string {
  const callers = [...new Set(near.filter(isCandidate).map(({ caller }) => caller))]
  switch (verdict) {
    case 'certain':
      return `certain: ${callers[0] ?? near[0]?.caller}`
    case 'possible':
      return `possible: ${callers.join(', ')}; ${near.some(({ fit }) => fit === 'key') ? 'fewer calls than changes that they can have made' : 'nothing tells that the call wrote this item'}`
    case 'pending':
      return `pending: the trail shows nothing of the quarter of an hour after it yet${calls === 0 ? '' : `; until now ${callers.join(', ')}`}`
    case 'not covered':
      return 'not covered: nothing shows that calls of the table were recorded then, or that the files of then are here'
    case 'declared':
      return 'declared: no call in the trail can have made it, and the item names the actor'
    case 'none':
      return 'none: no call in the trail can have made it'
    default:
      return `${verdict}: ${callers.join(', or ')}`
  }
}

function isCandidate({ fit }: NearCall): boolean {
  return fit === 'key' || fit === 'unknown key' || fit === 'stream'
}

const FITS: Readonly<Record<string, string>> = {
  key: 'of this item',
  'unknown key': 'not told whether it wrote this item',
  'other attributes': 'not counted, it wrote other attributes',
  failed: 'an attempt that failed',
  stream: 'as the record itself says',
}

function tellCall(call: NearCall, zone?: string): string {
  const { caller, operation, call_time: time, fit, error, role, source_identity: source, source_ip: ip } = call
  return [
    [operation, time && shorterTime(time, zone)].filter(part => part !== null).join(' ') || 'by DynamoDB',
    `${FITS[fit] ?? fit}${error === null ? '' : ` (${error})`}`,
    `by ${caller}`,
    ...(role === null ? [] : [`role ${role}`]),
    ...(source === null ? [] : [`as ${source}`]),
    ...(ip === null ? [] : [`from ${ip}`]),
  ].join(', ')
}

async function readableTable({ changes, found }: Found): Promise<Table> {
  const { textTable } = await import('../../queries/engines/text-table.js')
  const rows = changes.map(change => {
    const callers = callersOf(found, change)
    return [
      showTime(change),
      change.event_name,
      showActor(change),
      tellVerdict(callers),
      callers.near.map(call => tellCall(call)).join('\n'),
      change.event_id,
    ]
  })
  return textTable(['time', 'change', 'actor', 'who called', 'calls near it', 'event_id'], rows)
}
