import { endsOf } from '../../transform/ends.js'
import { contradictOneAnother, type StatedRow } from './contradiction.js'
import type { ItemChange } from './item-change.js'
import { type Absence, compareText, type Group, type State, type Step, stateAfter, walkGroup } from './step.js'

/**
 * The fold that SQL is tested against: the order of one item's changes, the state after each, and whether anything is
 * missing between them. `parts/ordered.sql` says the same in SQL.
 */

/** A row as it lies in the archive, where a change can be delivered more than once. */
export type ArchivedChange = Omit<ItemChange, 'repeats' | 'renamed' | 'conflict'> &
  StatedRow & { readonly arrived_at: string }

/** What an item was at a moment. */
export type ItemState =
  | { readonly kind: 'never seen' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'present'; readonly image: string; readonly hash: string }

/** Keeps one row of each `event_id`, the least by time, hash and arrival, and says how many repeats it had. */
export function removeRepeats<R extends ArchivedChange>(rows: readonly R[]): readonly (R & ItemChange)[] {
  const groups = groupBy(rows, row => row.event_id)
  return [...groups.values()].map(group => {
    const [least] = [...group].sort(compareRepeats) as [R]
    const renamed = new Set(group.flatMap(row => row.source_event_id ?? [])).size > 1
    return { ...least, repeats: group.length - 1, renamed, conflict: contradict(group) }
  })
}

/** `Map.groupBy` of Node 21. */
function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

function compareRepeats(a: ArchivedChange, b: ArchivedChange): number {
  return (
    a.event_time_us - b.event_time_us || compareText(a.row_hash, b.row_hash) || compareText(a.arrived_at, b.arrived_at)
  )
}

/**
 * A row made under another configuration may differ, so may one whose record had another eventID, which a repeat in
 * Kinesis need not keep, one whose time is its arrival, and in what is sealed one that came again after an erasure.
 */
function contradict(group: readonly ArchivedChange[]): boolean {
  const timed = group.filter(row => row.time_precision !== 'arrival')
  return [...groupBy(timed, row => `${row.config_id} ${row.source_event_id}`).values()].some(contradictOneAnother)
}

/** Puts an item's changes, repeats removed, in order; among them what complete baselines saw of its absence. */
export function orderSteps<C extends ItemChange>(
  changes: readonly C[],
  absences: readonly Absence[] = [],
): readonly Step<C>[] {
  const placed = [...placeChanges(changes), ...absences.map(placeAbsence)].sort(comparePlaces)
  const groups: Group<C>[] = []
  for (let i = 0; i < placed.length; ) {
    let end = i + 1
    while (end < placed.length && comparePlaces(placed[i] as Place<C>, placed[end] as Place<C>) === 0) end++
    groups.push(toGroup(placed.slice(i, end)))
    i = end
  }
  const ahead = findAhead(groups)
  let previous: State | null = null
  return groups.map((group, i) => {
    const next = ahead.get(i)
    const step = next === undefined ? walkGroup(group, previous) : passOver(group, previous, next)
    previous = step.imbalance === 0 || step.ahead ? previous : step.exit
    return step
  })
}

/**
 * Where a change stands: by time, which within a stream never runs against the sequence, then stream, then sequence.
 */
interface Place<C> {
  /** Null for an absence. */
  readonly change: C | null
  readonly absence: Absence | null
  readonly source: string
  readonly sequence: string
  /** A baseline's row has its own id here, so that it is in no tie group with others; elsewhere empty. */
  readonly witness: string
  readonly timeUs: number
  readonly orderUs: number
  readonly sourceBeganUs: number
}

function placeChanges<C extends ItemChange>(changes: readonly C[]): Place<C>[] {
  return [...groupBy(changes, change => change.source).values()].flatMap(ofSource => {
    const [sourceBeganUs] = endsOf(ofSource.map(change => change.event_time_us))
    let latest = 0
    return [...ofSource]
      .sort((a, b) => compareText(a.sequence ?? '', b.sequence ?? ''))
      .map(change => {
        const { source, event_time_us: timeUs } = change
        const witness = change.event_name === 'BASELINE' ? change.event_id : ''
        const place = { change, absence: null, witness, source, sequence: change.sequence ?? '', timeUs, sourceBeganUs }
        if (change.sequence === null) return { ...place, orderUs: timeUs }
        latest = Math.max(latest, timeUs)
        return { ...place, orderUs: latest }
      })
  })
}

function toGroup<C extends ItemChange>(places: readonly Place<C>[]): Group<C> {
  const [{ absence, timeUs, orderUs }] = places as readonly [Place<C>]
  const changes = places.flatMap(place => (place.change === null ? [] : [place.change]))
  return { changes, absence, timeUs, orderUs }
}

function placeAbsence(absence: Absence): Place<never> {
  const { source, rowTimeUs } = absence
  return {
    change: null,
    witness: '',
    absence,
    source,
    sequence: '',
    timeUs: rowTimeUs,
    orderUs: rowTimeUs,
    sourceBeganUs: rowTimeUs,
  }
}

function comparePlaces(a: Place<unknown>, b: Place<unknown>): number {
  return (
    a.orderUs - b.orderUs ||
    a.sourceBeganUs - b.sourceBeganUs ||
    compareText(a.source, b.source) ||
    compareText(a.sequence, b.sequence) ||
    compareText(a.witness, b.witness)
  )
}

/**
 * A baseline's rows have the time at which its scan began, but the scan lasts, and may see the effect of later changes.
 * It may see those of the next 24 hours: a stream keeps its records no longer.
 */
export const AHEAD_US = 24 * 60 * 60 * 1_000_000

/** True where a group only observed the item: rows of a baseline, or its absence from one. */
function isWitness({ changes }: Group<ItemChange>): boolean {
  return changes.every(change => change.event_name === 'BASELINE')
}

/**
 * Finds baselines that saw a later change, by their place, each with the state before the next write. A baseline was
 * ahead where a write of the next 24 hours makes the state that it saw, and the next write does not start from it.
 * Where the image before the next write is missing, it counts as ahead only if there are writes before the baseline.
 */
function findAhead(groups: readonly Group<ItemChange>[]): ReadonlyMap<number, State> {
  const found = new Map<number, State>()
  if (!groups.some(isWitness)) return found
  const enteredUs = new Map<State, number>()
  const firstWrite = groups.findIndex(group => !isWitness(group))
  let next: State = 'unknown'
  for (const [back, group] of [...groups].reverse().entries()) {
    const i = groups.length - 1 - back
    if (isWitness(group)) {
      const untilUs = group.absence?.untilUs ?? group.orderUs + AHEAD_US
      const soon = (state: State) => (enteredUs.get(state) ?? Number.POSITIVE_INFINITY) <= untilUs
      const states = group.absence === null ? group.changes.map(stateAfter) : ['absent']
      const told = next !== 'unknown' || (firstWrite >= 0 && firstWrite < i)
      if (told && states.every(state => soon(state) && state !== next)) found.set(i, next)
      continue
    }
    const { imbalance, entry } = walkGroup(group, null)
    if (imbalance > 0) next = entry
    for (const state of group.changes.map(stateAfter))
      enteredUs.set(state, Math.min(group.orderUs, enteredUs.get(state) ?? group.orderUs))
  }
  return found
}

/**
 * A step that is ahead does not move the item's state: that stays what it was, or at the beginning, what it is before
 * the next write.
 */
function passOver<C extends ItemChange>(group: Group<C>, previous: State | null, next: State): Step<C> {
  const state = previous ?? next
  return { ...walkGroup(group, previous), ahead: true, entry: state, exit: state }
}

/** The state after the last of an item's steps. */
export function lastState(steps: readonly Step[]): ItemState {
  const last = steps.findLast(step => !step.ahead) ?? steps.at(-1)
  if (last === undefined || (last.ahead && last.exit === 'absent')) return { kind: 'never seen' }
  if (last.exit === 'absent') return { kind: steps.every(step => step.absence !== null) ? 'never seen' : 'deleted' }
  const image = last.changes.find(change => change.new_hash === last.exit)?.new_image ?? null
  return image === null ? { kind: 'unknown' } : { kind: 'present', image, hash: last.exit }
}

/** The state of an item at a moment, changes at that moment included. */
export function stateAsOf(changes: readonly ItemChange[], atUs: number): ItemState {
  const near = changes.filter(change => change.event_time_us <= atUs + AHEAD_US)
  return lastState(stepsUntil(orderSteps(near), atUs))
}

/** The steps up to a moment, those at it included. */
export function stepsUntil<C extends ItemChange>(steps: readonly Step<C>[], atUs: number): readonly Step<C>[] {
  return steps.filter(step => step.timeUs <= atUs)
}
