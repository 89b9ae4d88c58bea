/** What a stack was asked, as programs get it. */
import type { RefusedGroup } from '../../../delivery/refused-survey.js'
import type { DeployedFact } from '../../../doctor/deployed-facts.js'
import type { StackAlarm } from '../../../doctor/stack-alarms.js'
import type { Hop } from '../../../doctor/stack-lag.js'
import type { StackAlarms, StackStatus, TableOnCall } from './stack.js'
import { type FactsOpen, isSilenced, notKnown } from './stack-page.js'
import type { StackRefused } from './stack-refused.js'

/** All of it as one JSON object. */
export function describeStackStatus(status: StackStatus): object {
  const { stack, asked, alarms, canary, tables, uncaptured, refused } = status
  return {
    stack,
    asked: instantOf(asked),
    alarms: alarms.kind === 'unknown' ? null : describeAlarms(alarms.value),
    canary: canary.kind === 'unknown' || canary.value === undefined ? null : describeCanaryFor(canary.value),
    tables: tables.map(describeTable),
    uncaptured,
    refused: refused.kind === 'unknown' ? null : describeRefusedFor(refused.value),
    not_known: notKnown(status),
  }
}

function describeAlarms({ alarms, gone }: StackAlarms): object {
  return {
    watched: alarms.length,
    up: alarms.filter(({ state }) => state === 'ALARM').map(describeAlarmUp),
    without_data: alarms.filter(({ state }) => state === 'INSUFFICIENT_DATA').map(({ name }) => name),
    silenced: alarms.filter(isSilenced).map(({ name }) => name),
    deleted: gone,
  }
}

function describeRefusedFor({ groups, done, damaged, left, unsearched }: StackRefused): object {
  return { groups: groups.map(describeGroupFor), sent_again: done, damaged, objects_left: left, unsearched }
}

function describeTable({ table, last, lag, facts, compacted, alarms }: TableOnCall): object {
  const [change, measured, known] = [valueIn(last), valueIn(lag), valueIn(facts)]
  return {
    table,
    last_change: change?.change ?? null,
    delivered: change?.delivered ?? null,
    hops: measured?.hops.map(describeHopFor) ?? null,
    unread_since: measured?.unreadSince == null ? null : instantOf(measured.unreadSince),
    until_loss: measured?.untilLossMs == null ? null : Math.floor(measured.untilLossMs / 1000),
    open_gaps: known?.open.map(describeGapFor) ?? null,
    compared: known?.compared ?? null,
    uncertified: known?.uncertified ?? null,
    compacted: compacted === undefined ? null : (valueIn(compacted) ?? null),
    alarms_up: alarms.filter(({ state }) => state === 'ALARM').map(({ rule, name }) => rule?.heading ?? name),
  }
}

function valueIn<T>(fact: DeployedFact<T>): T | undefined {
  return fact.kind === 'found' ? fact.value : undefined
}

function describeHopFor({ hop, lagMs, measured, limitMs, isBehind }: Hop) {
  return {
    hop: hop.toLowerCase(),
    lag: lagMs === null ? null : lagMs / 1000,
    measured: measured === null ? null : instantOf(measured),
    limit: limitMs / 1000,
    behind: isBehind,
  }
}

function describeCanaryFor(hop: Hop): object {
  const { hop: _, ...told } = describeHopFor(hop)
  return told
}

function describeAlarmUp({ name, rule, meaning, since, reason }: StackAlarm): object {
  return {
    name,
    heading: rule?.heading ?? null,
    severity: rule?.severity ?? null,
    subject: rule?.subject ?? null,
    since: since === undefined ? null : instantOf(since),
    meaning,
    reason,
  }
}

function describeGroupFor({ table, type, reason, records, changes, ready, first, last }: RefusedGroup): object {
  return { table, type, reason, records, changes, ready, first: instantOf(first), last: instantOf(last) }
}

function describeGapFor(gap: FactsOpen[number]): object {
  return gap.kind === 'gap'
    ? { kind: gap.kind, from: gap.from, to: gap.to, source: gap.source, reason: gap.reason }
    : { kind: gap.kind, from: null, to: gap.recorded, source: gap.source, reason: null }
}

function instantOf(ms: number): string {
  return new Date(ms).toISOString()
}
