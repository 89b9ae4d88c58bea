import type { TimePrecision } from '../transform/instant.js'
import type { EventName } from '../transform/stream-record.js'

/**
 * The fold that SQL is tested against: the order of one item's changes, the state after each, and whether anything is
 * missing between them. `parts/ordered.sql` says the same in SQL.
 */

/** What the fold reads of an audit row. */
export interface ItemChange {
  readonly event_id: string
  readonly event_name: EventName
  readonly event_time_us: number
  readonly time_precision: TimePrecision
  readonly sequence: string | null
  readonly source: string
  readonly old_hash: string | null
  readonly new_hash: string | null
  readonly old_image: string | null
  readonly new_image: string | null
  /** How many further times the change was delivered. */
  readonly repeats: number
  /** True where deliveries of the change contradict one another. */
  readonly conflict: boolean
}

/** A row as it lies in the archive, where a change can be delivered more than once. */
export type ArchivedChange = Omit<ItemChange, 'repeats' | 'conflict'> & {
  readonly row_hash: string
  readonly arrived_at: string
  readonly config_id: string
  readonly source_event_id: string | null
}

/** The hash of an image; `absent`; `unknown` where the view type keeps no image; `unlinked` where a loop hangs in the air. */
type State = string

/**
 * One change, or a tie group: changes of one source and time without a sequence. `entry` and `exit` are the states
 * before and after the whole step.
 */
export interface Step<C extends ItemChange = ItemChange> {
  readonly changes: readonly C[]
  /** False where the order of `changes` is not the only one that their images allow. */
  readonly ordered: boolean
  readonly previous: State | null
  readonly entry: State
  readonly exit: State
  /** 1: one way through the step; 0: a closed loop; more: no way through. */
  readonly imbalance: number
}

export type Finding = 'CONFLICT' | 'GAP' | 'KEYS-ONLY' | 'PRE-ARCHIVE' | 'UNRESOLVED-ORDER' | 'DUPLICATE'

/** One thing that `continuity` finds about an item. */
export interface ItemFinding {
  readonly finding: Finding
  readonly eventId: string
  readonly eventTimeUs: number
  readonly changes: number
}

/** What an item was at a moment. */
export type ItemState =
  | { readonly kind: 'never seen' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'present'; readonly image: string; readonly hash: string }

/** Of rows with one `event_id` the least by time, hash and arrival; the others are counted and compared. */
export function removeRepeats<R extends ArchivedChange>(rows: readonly R[]): readonly (R & ItemChange)[] {
  const groups = groupBy(rows, row => row.event_id)
  return [...groups.values()].map(group => {
    const [least] = [...group].sort(compareRepeats) as [R]
    return { ...least, repeats: group.length - 1, conflict: contradict(group) }
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
 * A row made under another configuration may differ, so may one whose record had another eventID, which a repeat in Kinesis
 * need not keep, and so may one whose time is its arrival.
 */
function contradict(group: readonly ArchivedChange[]): boolean {
  const timed = group.filter(row => row.time_precision !== 'arrival')
  return [...groupBy(timed, row => `${row.config_id} ${row.source_event_id}`).values()].some(
    rows => new Set(rows.map(row => row.row_hash)).size > 1,
  )
}

/** Puts an item's changes, repeats removed, in order. */
export function orderSteps<C extends ItemChange>(changes: readonly C[]): readonly Step<C>[] {
  const placed = placeChanges(changes).sort(comparePlaces)
  const groups: (readonly C[])[] = []
  for (let i = 0; i < placed.length; ) {
    let end = i + 1
    while (end < placed.length && comparePlaces(placed[i] as Place<C>, placed[end] as Place<C>) === 0) end++
    groups.push(placed.slice(i, end).map(place => place.change))
    i = end
  }
  let previous: State | null = null
  return groups.map(group => {
    const step = walkStep(group, previous)
    previous = step.imbalance === 0 ? previous : step.exit
    return step
  })
}

/** Where a change stands: by time, which within a stream never runs against the sequence, then stream, then sequence. */
interface Place<C> {
  readonly change: C
  readonly orderUs: number
  readonly sourceBeganUs: number
}

function placeChanges<C extends ItemChange>(changes: readonly C[]): Place<C>[] {
  return [...groupBy(changes, change => change.source).values()].flatMap(ofSource => {
    const sourceBeganUs = Math.min(...ofSource.map(change => change.event_time_us))
    let latest = 0
    return [...ofSource]
      .sort((a, b) => compareText(a.sequence ?? '', b.sequence ?? ''))
      .map(change => {
        if (change.sequence === null) return { change, orderUs: change.event_time_us, sourceBeganUs }
        latest = Math.max(latest, change.event_time_us)
        return { change, orderUs: latest, sourceBeganUs }
      })
  })
}

function comparePlaces(a: Place<ItemChange>, b: Place<ItemChange>): number {
  return (
    a.orderUs - b.orderUs ||
    a.sourceBeganUs - b.sourceBeganUs ||
    compareText(a.change.source, b.change.source) ||
    compareText(a.change.sequence ?? '', b.change.sequence ?? '')
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function stateBefore(change: ItemChange): State {
  if (change.old_hash !== null) return change.old_hash
  if (change.event_name === 'INSERT') return 'absent'
  // a baseline only looks: the item was so before as after
  return change.event_name === 'BASELINE' ? (change.new_hash ?? 'unknown') : 'unknown'
}

function stateAfter(change: ItemChange): State {
  return change.new_hash ?? (change.event_name === 'REMOVE' ? 'absent' : 'unknown')
}

/** The view type keeps no image that would tell. */
function isBlind(change: ItemChange): boolean {
  return stateBefore(change) === 'unknown' || stateAfter(change) === 'unknown'
}

function walkStep<C extends ItemChange>(group: readonly C[], previous: State | null): Step<C> {
  const [only] = group as readonly [C]
  if (group.length === 1) {
    return { changes: group, ordered: true, previous, entry: stateBefore(only), exit: stateAfter(only), imbalance: 1 }
  }
  const balances = new Map<State, number>()
  for (const change of group) {
    balances.set(stateAfter(change), (balances.get(stateAfter(change)) ?? 0) + 1)
    balances.set(stateBefore(change), (balances.get(stateBefore(change)) ?? 0) - 1)
  }
  const imbalance = [...balances.values()].reduce((sum, balance) => sum + Math.max(0, balance), 0)
  const linked = previous !== null && balances.has(previous)
  const greatest = (sign: 1 | -1) =>
    [...balances.keys()]
      .filter(state => (balances.get(state) as number) * sign > 0)
      .sort()
      .at(-1)
  const entry = imbalance > 0 ? (greatest(-1) as State) : linked ? previous : 'unlinked'
  const exit = imbalance > 0 ? (greatest(1) as State) : linked ? previous : 'unknown'
  return { ...orderByLinks(group, entry), previous, entry, exit, imbalance }
}

/** Work that a tie group may cost; beyond it the group counts as one without an order of its own. */
const MAX_TRIALS = 10_000

/** The order in which each change leaves the state that the one before entered, where there is exactly one. */
function orderByLinks<C extends ItemChange>(group: readonly C[], entry: State): Pick<Step<C>, 'changes' | 'ordered'> {
  const byId = [...group].sort((a, b) => compareText(a.event_id, b.event_id))
  const found: C[][] = []
  let trials = 0
  const extend = (path: readonly C[], state: State): void => {
    if (path.length === byId.length) found.push([...path])
    for (const next of byId) {
      if (found.length > 1 || ++trials > MAX_TRIALS) return
      if (stateBefore(next) === state && !path.includes(next)) extend([...path, next], stateAfter(next))
    }
  }
  const starts = entry === 'unlinked' ? new Set(byId.map(stateBefore)) : [entry]
  for (const start of starts) extend([], start)
  return { changes: found[0] ?? byId, ordered: found.length === 1 && trials <= MAX_TRIALS }
}

/** The state after the last of an item's steps. */
export function lastState(steps: readonly Step[]): ItemState {
  const last = steps.at(-1)
  if (last === undefined) return { kind: 'never seen' }
  if (last.exit === 'absent') return { kind: 'deleted' }
  const image = last.changes.find(change => change.new_hash === last.exit)?.new_image ?? null
  return image === null ? { kind: 'unknown' } : { kind: 'present', image, hash: last.exit }
}

/** The state of an item at a moment, changes at that moment included. */
export function stateAsOf(changes: readonly ItemChange[], atUs: number): ItemState {
  return lastState(orderSteps(changes.filter(change => change.event_time_us <= atUs)))
}

/** Everything that does not fit together in an item's history, in the order of its steps. */
export function findProblems(steps: readonly Step[]): readonly ItemFinding[] {
  const findings = steps.flatMap((step, i) => [...stepFindings(step, i === 0), ...step.changes.flatMap(changeFindings)])
  const blind = steps.map(step => step.changes.filter(isBlind)).filter(changes => changes.length > 0)
  const [first] = blind
  return first === undefined
    ? findings
    : [...findings, { ...findingOf('KEYS-ONLY', first), changes: blind.flat().length }]
}

function stepFindings(step: Step, first: boolean): readonly ItemFinding[] {
  const { previous, entry, imbalance, changes } = step
  const findings: ItemFinding[] = []
  const broken = previous !== entry && previous !== 'unknown' && entry !== 'unknown'
  if (!first && previous !== null && broken) findings.push(findingOf('GAP', changes))
  if (first && entry !== 'absent' && entry !== 'unknown' && firstById(changes).event_name !== 'BASELINE') {
    findings.push(findingOf('PRE-ARCHIVE', changes))
  }
  if (imbalance > 1 || (first && imbalance === 0)) {
    findings.push({ ...findingOf('UNRESOLVED-ORDER', changes), changes: changes.length })
  }
  return findings
}

function changeFindings(change: ItemChange): readonly ItemFinding[] {
  if (change.conflict) return [{ ...findingOf('CONFLICT', [change]), changes: change.repeats + 1 }]
  return change.repeats === 0 ? [] : [{ ...findingOf('DUPLICATE', [change]), changes: change.repeats }]
}

function findingOf(finding: Finding, changes: readonly ItemChange[]): ItemFinding {
  const change = firstById(changes)
  return { finding, eventId: change.event_id, eventTimeUs: change.event_time_us, changes: 1 }
}

function firstById(changes: readonly ItemChange[]): ItemChange {
  return [...changes].sort((a, b) => compareText(a.event_id, b.event_id))[0] as ItemChange
}

/** How far an answer about one item can be believed, worst first. */
export type Confidence = 'CONFLICT' | 'GAP' | 'KEYS-ONLY' | 'PRE-ARCHIVE' | 'UNBROKEN'

/** The worst finding decides; an item without any is `UNBROKEN`: from its first change on, every link is there. */
export function confidenceOf(findings: readonly ItemFinding[]): Confidence {
  const order: readonly Confidence[] = ['CONFLICT', 'GAP', 'KEYS-ONLY', 'PRE-ARCHIVE']
  return order.find(confidence => findings.some(({ finding }) => finding === confidence)) ?? 'UNBROKEN'
}
