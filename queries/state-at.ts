import type { Instant } from '../transform/instant.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import { foldHistory, type HistoryChange, type ItemHistory } from './ask.js'
import type { QueryEngine } from './engine.js'
import { type ItemState, lastState } from './reconstruct.js'
import { rowsOf } from './rows.js'

/** What an item was at a moment, and how far that can be believed. */
export interface StateAt {
  readonly state: ItemState
  /** The changes up to the moment; its findings and confidence also count what the next change tells about the time between. */
  readonly until: ItemHistory
  /** The change that led here; undefined before the first. */
  readonly last: HistoryChange | undefined
  /** The change that ended it. */
  readonly next: HistoryChange | undefined
  /** True where changes between `last` and `next` are missing, which may have been made before the moment. */
  readonly gapAhead: boolean
  /** True where the moment is before the first change of the whole table. */
  readonly beforeArchive: boolean
}

/** An item's state at a moment, changes at that moment included, from its whole history. */
export function stateAt(all: ItemHistory, at: Pick<Instant, 'us'>, beganUs: number): StateAt {
  const until = foldHistory(
    all.itemKey,
    all.changes.filter(change => change.event_time_us <= at.us),
  )
  const last = until.changes.at(-1)
  const next = all.changes.find(change => !until.changes.includes(change))
  const found = { last, next, beforeArchive: at.us < beganUs, gapAhead: false }
  if (last === undefined) return { ...found, ...stateBefore(next, found.beforeArchive, until) }
  const gap = gapBefore(next, all)
  const state = lastState(until.steps)
  if (gap === undefined) return { ...found, state, until }
  const confidence = until.confidence === 'CONFLICT' ? 'CONFLICT' : 'GAP'
  return { ...found, state, until: { ...until, findings: [...until.findings, gap], confidence }, gapAhead: true }
}

/**
 * Before an INSERT there was no item, as far back as the archive goes; before anything else there was one. An item
 * without any change may be older than the archive, too.
 */
function stateBefore(first: HistoryChange | undefined, beforeArchive: boolean, until: ItemHistory) {
  const older = { ...until, confidence: 'PRE-ARCHIVE' as const }
  if (first === undefined) return { state: { kind: 'never seen' as const }, until: older }
  if (first.event_name !== 'INSERT') return { state: { kind: 'unknown' as const }, until: older }
  return { state: { kind: 'never seen' as const }, until: beforeArchive ? older : until }
}

function gapBefore(next: HistoryChange | undefined, all: ItemHistory) {
  const step = all.steps.find(({ changes }) => next !== undefined && changes.includes(next))
  return all.findings.find(
    ({ finding, eventId }) => finding === 'GAP' && step?.changes.some(change => change.event_id === eventId),
  )
}

/** When the archive's first change of a table was made, in microseconds since 1970; 0 where it has none. */
export async function archiveBegan(engine: QueryEngine, { table }: TableConfiguration): Promise<number> {
  const known = await engine.outline?.(table)
  if (known !== undefined) return known.beganUs
  const answer = await engine.run(`select min(event_time_us) as began from ${tableIdentifier(table)}`)
  const [row] = [...rowsOf(answer)]
  return Number(row?.began ?? 0)
}
