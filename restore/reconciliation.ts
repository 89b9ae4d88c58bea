import { type Difference, differencesOf } from '../queries/difference.js'
import { boundaryBetween } from '../queries/verdict/boundary.js'
import type { Boundaries, KnownErasure } from '../queries/verdict/erasures.js'
import { parseItem } from '../transform/attribute-value.js'
import type { Disagreement } from './reconcile.js'

/**
 * What is wrong with an item, or why that cannot be said: `changed-meanwhile` where it moved while the table was read,
 * `unknown` where the archive cannot tell its state. `erased` and `config-boundary`: all that can be compared is equal,
 * and the archive knows why the rest cannot be.
 */
export type FindingKind =
  | 'missing-in-archive'
  | 'missing-in-table'
  | 'different'
  | 'changed-meanwhile'
  | 'unknown'
  | 'erased'
  | 'config-boundary'

/** An item that is not shown to be equal on both sides. */
export interface ReconcileFinding extends Disagreement {
  readonly kind: FindingKind
  /** From what the archive says to what was told. */
  readonly differences: readonly Difference[]
  /** The erasures that keep values from being compared. */
  readonly erasures: readonly KnownErasure[]
}

/** A second look at an item of a live table: its hash and image, or null where it is not there. */
export type SecondLook = Disagreement['told']

/** What is known of why values cannot be compared. */
export interface Comparability {
  readonly boundaries: Boundaries
  /** The configuration under which what was told was sealed. */
  readonly toldConfigId: string
}

/** What a disagreement with something at rest means. */
export function judgeItem(disagreement: Disagreement, known?: Comparability): ReconcileFinding {
  const { archived, told, isUnknown } = disagreement
  if (isUnknown) return { ...disagreement, kind: 'unknown', differences: [], erasures: [] }
  const differences = differencesOf(itemOf(archived), itemOf(told))
  const finding = { ...disagreement, differences, erasures: [] }
  if (archived === null) return { ...finding, kind: 'missing-in-archive' }
  if (told === null) return { ...finding, kind: 'missing-in-table' }
  const boundary = known && boundaryBetween(archived, { ...told, configId: known.toldConfigId }, known.boundaries)
  if (boundary === undefined) return { ...finding, kind: 'different' }
  return { ...finding, kind: boundary.finding === 'ERASED' ? 'erased' : 'config-boundary', erasures: boundary.erasures }
}

/**
 * What a disagreement with a live table means, which moves while it is read. Undefined where a second look agrees
 * with the archive. Nothing is called wrong that a change after `fromUs`, when the scan began, can explain: one that
 * the archive has, or one that shows because the two looks differ.
 */
export function judgeLive(
  disagreement: Disagreement,
  again: SecondLook,
  fromUs: number,
  known?: Comparability,
): ReconcileFinding | undefined {
  const { archived, told, isUnknown, lastChangeUs } = disagreement
  if (!isUnknown && archived?.hash === again?.hash) return undefined
  const finding = judgeItem({ ...disagreement, told: again }, known)
  // times in a stream are cut to the second
  const since = Math.floor(fromUs / 1_000_000) * 1_000_000
  const moved = again?.hash !== told?.hash || (lastChangeUs !== null && lastChangeUs >= since)
  return moved && !isUnknown ? { ...finding, kind: 'changed-meanwhile' } : finding
}

/** True of a finding that says nothing against the archive: what can be compared is equal. */
export function isExplained({ kind }: Pick<ReconcileFinding, 'kind'>): boolean {
  return kind === 'erased' || kind === 'config-boundary'
}

function itemOf(state: Disagreement['told']) {
  return state === null ? null : parseItem(state.image)
}
