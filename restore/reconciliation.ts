import { type Difference, differencesOf } from '../queries/difference.js'
import { parseItem } from '../transform/attribute-value.js'
import type { Disagreement } from './reconcile.js'

/**
 * What is wrong with an item, or why that cannot be said: `changed-meanwhile` where it moved while the table was read,
 * `unknown` where the archive cannot tell its state.
 */
export type FindingKind = 'missing-in-archive' | 'missing-in-table' | 'different' | 'changed-meanwhile' | 'unknown'

/** An item that is not shown to be equal on both sides. */
export interface ReconcileFinding extends Disagreement {
  readonly kind: FindingKind
  /** From what the archive says to what was told. */
  readonly differences: readonly Difference[]
}

/** A second look at an item of a live table: its hash and image, or null where it is not there. */
export type SecondLook = Disagreement['told']

/** What a disagreement with something at rest means. */
export function judgeItem(disagreement: Disagreement): ReconcileFinding {
  const { archived, told, isUnknown } = disagreement
  const kind = isUnknown
    ? 'unknown'
    : archived === null
      ? 'missing-in-archive'
      : told === null
        ? 'missing-in-table'
        : 'different'
  return { ...disagreement, kind, differences: isUnknown ? [] : differencesOf(itemOf(archived), itemOf(told)) }
}

/**
 * What a disagreement with a live table means, which moves while it is read. Undefined where a second look agrees
 * with the archive. Nothing is called wrong that a change after `fromUs`, when the scan began, can explain: one that
 * the archive has, or one that shows because the two looks differ.
 */
export function judgeLive(disagreement: Disagreement, again: SecondLook, fromUs: number): ReconcileFinding | undefined {
  const { archived, told, isUnknown, lastChangeUs } = disagreement
  if (!isUnknown && archived?.hash === again?.hash) return undefined
  const finding = judgeItem({ ...disagreement, told: again })
  // times in a stream are cut to the second
  const since = Math.floor(fromUs / 1_000_000) * 1_000_000
  const moved = again?.hash !== told?.hash || (lastChangeUs !== null && lastChangeUs >= since)
  return moved && !isUnknown ? { ...finding, kind: 'changed-meanwhile' } : finding
}

function itemOf(state: Disagreement['told']) {
  return state === null ? null : parseItem(state.image)
}
