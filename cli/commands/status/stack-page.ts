/** What a stack was asked, as whoever was woken reads it, and how it ends. */

import type { RefusedGroup } from '../../../delivery/refused-survey.js'
import type { DeployedFact } from '../../../doctor/deployed-facts.js'
import type { StackAlarm } from '../../../doctor/stack-alarms.js'
import type { Hop, TableLag } from '../../../doctor/stack-lag.js'
import { ageOf } from '../../../queries/moment.js'
import { parseInstant } from '../../../transform/instant.js'
import { tellUncaptured } from '../../ask/uncaptured.js'
import { EXIT, type ExitCode, type Io } from '../../io.js'
import { tellUncertified, tellUnsearched } from '../../show/erasures.js'
import { grouped } from '../../show/progress.js'
import { shorterTime } from '../../show/table.js'
import { paint } from '../../show/terminal.js'
import { printable, wrap } from '../../show/text.js'
import { describeComparison } from './feed.js'
import type { StackStatus, TableOnCall } from './stack.js'

/** One line about a table: what it is called, what it says, and whether that is as it should be. */
interface Line {
  readonly name: string
  readonly text: string
  readonly is: 'well' | 'wrong' | 'unknown'
}

/** How a command ends that found this: what is wrong cannot get better by what could not be asked. */
export function exitOfStack(status: StackStatus): ExitCode {
  const lines = [...linesOfStack(status), ...status.tables.flatMap(table => linesOf(table, status))]
  if (lines.some(({ is }) => is === 'wrong')) return EXIT.findings
  return lines.some(({ is }) => is === 'unknown') ? EXIT.unchecked : EXIT.done
}

/** What could not be asked, by table and line; null of what is of no one table. */
export function notKnown(status: StackStatus): readonly object[] {
  const of = (table: string | null) => (line: Line) => ({ table, line: line.name, why: line.text })
  const isOpen = ({ is }: Line) => is === 'unknown'
  return [
    ...linesOfStack(status).filter(isOpen).map(of(null)),
    ...status.tables.flatMap(table => linesOf(table, status).filter(isOpen).map(of(table.table))),
  ]
}

/** Prints it: a few lines of the stack, and of each table nine. */
export function printStack(status: StackStatus, io: Io): void {
  printLines(`${status.stack} at ${timeOf(status.asked, io)}`, linesOfStack(status, io.zone), io)
  for (const table of status.tables) {
    io.out('\n')
    printLines(table.table, linesOf(table, status, io.zone), io)
  }
}

const COLOURS = { wrong: 'red', unknown: 'yellow' } as const
const NAME_WIDTH = 13

function printLines(title: string, lines: readonly Line[], io: Io): void {
  io.out(`${paint(io, 'bold', printable(title))}\n`)
  const width = io.columns === undefined ? undefined : Math.max(30, io.columns - NAME_WIDTH)
  for (const { name, text, is } of lines) {
    const [first = '', ...more] = wrap(printable(text), width).split('\n')
    const shown = [first, ...more.map(line => `${' '.repeat(NAME_WIDTH)}${line}`)].join('\n')
    io.out(`${name.padEnd(NAME_WIDTH)}${is === 'well' ? shown : paint(io, COLOURS[is], shown)}\n`)
  }
}

/** What is of no one table. */
function linesOfStack(
  { alarms, canary, refused, asked, tables, uncaptured }: StackStatus,
  zone?: string,
): readonly Line[] {
  const known = new Set(tables.map(({ table }) => table))
  const lines: Line[] = [...alarmLines(alarms, asked)]
  if (canary.kind === 'unknown' && alarms.kind === 'found') lines.push(notAsked('canary', canary.why))
  if (canary.kind === 'found' && canary.value !== undefined) lines.push(describeCanary(canary.value, asked))
  if (refused.kind === 'unknown') lines.push(notAsked('refused', refused.why))
  else {
    const { groups, damaged, left, done, unsearched } = refused.value
    const others = groups.filter(({ table }) => !known.has(table))
    if (others.length > 0) lines.push({ name: 'refused', text: describeRefused(others, zone), is: 'wrong' })
    for (const key of damaged) lines.push({ name: 'refused', text: `cannot be read: ${key}`, is: 'wrong' })
    if (left > 0)
      lines.push({
        name: 'refused',
        text: `${objects(left)} older than these not looked into: redrive does`,
        is: 'unknown',
      })
    for (const text of tellUnsearched(unsearched)) lines.push({ name: 'erased', text, is: 'wrong' })
    if (done > 0) lines.push({ name: 'refused', text: `${grouped(done)} sent again before, not counted`, is: 'well' })
  }
  if (uncaptured.length > 0) lines.push({ name: 'not asked', text: tellUncaptured(uncaptured), is: 'well' })
  if (tables.length === 0)
    lines.push({ name: 'tables', text: 'none, neither with rows nor with an alarm', is: 'unknown' })
  return lines
}

function alarmLines(alarms: StackStatus['alarms'], asked: number): readonly Line[] {
  if (alarms.kind === 'unknown') return [notAsked('alarms', alarms.why)]
  const { alarms: all, gone, unlisted } = alarms.value
  const up = all.filter(({ state }) => state === 'ALARM')
  const waiting = all.filter(({ state }) => state === 'INSUFFICIENT_DATA').length
  const without = waiting === 0 ? '' : `, ${grouped(waiting)} without data`
  const counted = `${up.length === 0 ? 'none' : grouped(up.length)} up of ${grouped(all.length)}${without}`
  const line = (text: string, is: Line['is']): Line => ({ name: 'alarms', text, is })
  return [
    line(counted, up.length > 0 ? 'wrong' : all.length === 0 ? 'unknown' : 'well'),
    ...up
      .filter(({ rule }) => rule === undefined || rule.subject === 'archive')
      .map(one => line(describeAlarm(one, asked), 'wrong')),
    ...all.filter(isSilenced).map(({ name }) => line(`${name} tells nobody: its actions are off`, 'wrong')),
    ...gone.map(name => line(`${name} was deleted: it tells nobody`, 'wrong')),
    ...unlisted.map(({ stack, why }) => notAsked('alarms', `of ${stack}: ${why}`)),
  ]
}

/** Of a canary of which nothing is measured nobody knows whether changes arrive. */
function describeCanary(hop: Hop, asked: number): Line {
  if (hop.lagMs === null) return { name: 'canary', text: 'not measured for 3 hours', is: 'unknown' }
  const text = `from its table into the archive: ${describeHop(hop, asked)}`
  return { name: 'canary', text, is: hop.isBehind ? 'wrong' : 'well' }
}

/** True of an alarm of ours that goes up and tells nobody. */
export function isSilenced({ rule, tells }: StackAlarm): boolean {
  return rule !== undefined && !tells
}

function describeAlarm({ rule, name, meaning, since, reason }: StackAlarm, asked: number): string {
  const long = since === undefined ? '' : `, for ${ageOf(since * 1000, asked * 1000)}`
  const which = rule === undefined ? name : `${rule.heading} (${rule.severity})`
  return `${which} is up${long}: ${rule === undefined ? `${meaning} ${reason}`.trim() : meaning}`
}

/** What stands of a table, line by line. */
function linesOf(of: TableOnCall, { asked, refused, alarms }: StackStatus, zone?: string): readonly Line[] {
  const { last, lag, facts, compacted } = of
  return [
    ofFact('last change', last, ({ change, delivered }) => ({
      text: change === null ? 'none in the archive' : describeLast(change, delivered, asked, zone),
      is: 'well',
    })),
    ofFact('lag', lag, found => describeLag(found, asked, zone)),
    ofFact('until loss', lag, found => describeLoss(found)),
    refused.kind === 'unknown'
      ? notAsked('refused', refused.why)
      : { name: 'refused', text: describeRefused(of.refused, zone), is: of.refused.length > 0 ? 'wrong' : 'well' },
    ofFact('gaps', facts, ({ open }) => ({ text: describeGaps(open, zone), is: open.length > 0 ? 'wrong' : 'well' })),
    ...(facts.kind === 'found' ? facts.value.unread.map(why => notAsked('facts', why)) : []),
    ...(facts.kind === 'found' ? facts.value.uncertified : []).map(
      one => ({ name: 'erased', text: tellUncertified(one), is: 'wrong' }) as const,
    ),
    ofFact('compared', facts, ({ compared }) => ({
      text: compared === null ? 'never with the table' : describeComparison(compared, zone),
      is: (compared?.differing ?? 0) + (compared?.earlier ?? 0) > 0 ? 'wrong' : 'well',
    })),
    compacted === undefined
      ? { name: 'compacted', text: 'never: this stack keeps no copy by item', is: 'well' }
      : ofFact('compacted', compacted, built => ({
          text: built === null ? 'not yet' : describeSince(built, asked, zone),
          is: 'well',
        })),
    alarms.kind === 'unknown' ? notAsked('alarms', alarms.why) : alarmsOf(of, asked),
  ]
}

function ofFact<T>(name: string, fact: DeployedFact<T>, tell: (found: T) => Omit<Line, 'name'>): Line {
  return fact.kind === 'unknown' ? notAsked(name, fact.why) : { name, ...tell(fact.value) }
}

function notAsked(name: string, why: string): Line {
  return { name, text: `not known: ${why}`, is: 'unknown' }
}

function alarmsOf({ alarms }: TableOnCall, asked: number): Line {
  const up = alarms.filter(({ state }) => state === 'ALARM')
  const text = up.length === 0 ? `none up of ${alarms.length}` : up.map(one => describeAlarm(one, asked)).join('; ')
  return { name: 'alarms', text, is: up.length > 0 ? 'wrong' : 'well' }
}

function describeLast(change: string, delivered: string | null, asked: number, zone?: string): string {
  const arrived = delivered === null ? '' : `; the last row arrived ${shorterTime(delivered, zone)}`
  return `${describeSince(change, asked, zone)}${arrived}`
}

function describeSince(instant: string, asked: number, zone?: string): string {
  const us = parseInstant(instant)?.us as number
  return `${shorterTime(instant, zone)}, ${ageOf(us, asked * 1000)} ago`
}

function describeLag({ hops, unreadSince }: TableLag, asked: number, zone?: string): Omit<Line, 'name'> {
  if (hops.length === 0)
    return { text: 'no alarm of this stack measures it: it does not capture the table', is: 'well' }
  const unread =
    unreadSince === null
      ? []
      : [
          `NOT READ: the table was written to since ${timeOf(unreadSince, { zone })}, and nothing of its stream was read`,
        ]
  const isBehind = unreadSince !== null || hops.some(hop => hop.isBehind)
  return { text: [...unread, ...hops.map(hop => describeHop(hop, asked))].join(', '), is: isBehind ? 'wrong' : 'well' }
}

function describeHop({ hop, lagMs, measured, isBehind }: Hop, asked: number): string {
  if (lagMs === null || measured === null) return `${hop} idle for 3 hours`
  const old = asked - measured > OLD_MS ? `, measured ${ageOf(measured * 1000, asked * 1000)} ago` : ''
  return `${hop} ${isBehind ? 'BEHIND ' : ''}${ageOf(0, lagMs * 1000)}${old}`
}

/** Metrics are of whole minutes, and some come late. */
const OLD_MS = 10 * 60_000

function describeLoss({ untilLossMs }: TableLag): Omit<Line, 'name'> {
  if (untilLossMs === null) return { text: 'nothing is known to wait', is: 'well' }
  const hours = (untilLossMs / 3_600_000).toFixed(1)
  return { text: `${hours} hours, if nothing came through from now on`, is: untilLossMs === 0 ? 'wrong' : 'well' }
}

const SHOWN_REASONS = 3

function describeRefused(groups: readonly RefusedGroup[], zone?: string): string {
  if (groups.length === 0) return 'nothing'
  const told = groups.slice(0, SHOWN_REASONS).map(group => describeGroup(group, zone))
  const more = groups.length - told.length
  return [...told, ...(more > 0 ? [`and ${grouped(more)} further reasons: redrive lists them`] : [])].join('; ')
}

function describeGroup({ records, reason, table, last }: RefusedGroup, zone?: string): string {
  return `${grouped(records)} × ${table}: ${reason}, the last ${timeOf(last, { zone })}`
}

function describeGaps(open: FactsOpen, zone?: string): string {
  if (open.length === 0) return 'none open'
  const told = open.slice(0, SHOWN_REASONS).map(gap => {
    const [from, to] = gap.kind === 'gap' ? [gap.from, gap.to] : [null, gap.recorded]
    return `${gap.kind} ${from === null ? 'until' : `${shorterTime(from, zone)} to`} ${shorterTime(to, zone)}`
  })
  return `${grouped(open.length)} open: ${told.join(', ')}${open.length > told.length ? ', ...' : ''}`
}

/** Stretches that were lost and that nothing came after. */
export type FactsOpen = Extract<TableOnCall['facts'], { kind: 'found' }>['value']['open']

function timeOf(ms: number, { zone }: { readonly zone?: string | undefined }): string {
  return shorterTime(`${new Date(ms).toISOString().slice(0, 19)}Z`, zone)
}

function objects(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'object' : 'objects'}`
}
