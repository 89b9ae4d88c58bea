import type { ItemChange } from './item-change.js'

/**
 * The state of an item as text: the hash of its image; `absent`; `unknown` where the view type keeps no image;
 * `unlinked` for a closed loop of changes that neither starts nor ends in a known state.
 */
export type State = string

/** A complete baseline that lacks the item: it saw that there was none. */
export interface Absence {
  /** The baseline's, as in the rows of the items that it saw. */
  readonly source: string
  /** Where it stands among changes, in microseconds since 1970: the time of that baseline's rows. */
  readonly rowTimeUs: number
  /** Until when it may have seen changes. */
  readonly untilUs: number
}

/**
 * One change, or a tie group: changes of one source and time without a sequence; or an absence, which has no changes.
 * `entry` and `exit` are the states before and after the whole step.
 */
export interface Step<C extends ItemChange = ItemChange> {
  readonly changes: readonly C[]
  readonly absence: Absence | null
  /** When it was made, in microseconds since 1970. */
  readonly timeUs: number
  /** False where the order of `changes` is not the only one that their images allow. */
  readonly ordered: boolean
  /** True where a baseline saw what a later change wrote: then it is not part of the chain of changes. */
  readonly ahead: boolean
  readonly previous: State | null
  readonly entry: State
  readonly exit: State
  /** 1: one way through the step; 0: a closed loop; more: no way through. */
  readonly imbalance: number
  /** True where the state after it is one of several. */
  readonly unresolved: boolean
}

/** What becomes one step. */
export interface Group<C> {
  /** Empty for an absence. */
  readonly changes: readonly C[]
  readonly absence: Absence | null
  readonly timeUs: number
  readonly orderUs: number
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The state that a change leaves. */
export function stateBefore(change: ItemChange): State {
  if (change.old_hash !== null) return change.old_hash
  if (change.event_name === 'INSERT') return 'absent'
  // a baseline only looks: the item was so before as after
  return change.event_name === 'BASELINE' ? (change.new_hash ?? 'unknown') : 'unknown'
}

/** The state that a change enters. */
export function stateAfter(change: ItemChange): State {
  return change.new_hash ?? (change.event_name === 'REMOVE' ? 'absent' : 'unknown')
}

/** True where the state before or after is not known, because the view type keeps no such image. */
export function isBlind(change: ItemChange): boolean {
  return stateBefore(change) === 'unknown' || stateAfter(change) === 'unknown'
}

/** Makes a group a step: which state it begins and ends with when the item was in `previous` before. */
export function walkGroup<C extends ItemChange>(
  { changes, absence, timeUs }: Group<C>,
  previous: State | null,
): Step<C> {
  const [only] = changes
  const step = { absence, timeUs, ahead: false, previous }
  if (only === undefined || changes.length === 1) {
    const [entry, exit] = only === undefined ? ['absent', 'absent'] : [stateBefore(only), stateAfter(only)]
    return { ...step, changes, ordered: true, entry, exit, imbalance: 1, unresolved: false }
  }
  const balances = balanceOf(changes)
  const imbalance = [...balances.values()].reduce((sum, balance) => sum + Math.max(0, balance), 0)
  const linked = previous !== null && balances.has(previous)
  const entry = imbalance > 0 ? greatest(balances, -1) : linked ? previous : 'unlinked'
  const exit = imbalance > 0 ? greatest(balances, 1) : linked ? previous : 'unknown'
  // a way without a loop passes through more states than it has changes
  const hasLoop = balances.size <= changes.length
  // in a loop a change that came under several eventIDs may have been made several times: Kinesis may give a mere
  // repeat another eventID, too
  const unresolved = imbalance > 1 || (hasLoop && changes.some(change => change.renamed))
  const ordered = orderByLinks(changes, entry)
  return { ...step, ...ordered, ordered: ordered.ordered && !unresolved, entry, exit, imbalance, unresolved }
}

/** For each state, how often it was entered minus how often it was left. */
function balanceOf(changes: readonly ItemChange[]): ReadonlyMap<State, number> {
  const balances = new Map<State, number>()
  for (const change of changes) {
    balances.set(stateAfter(change), (balances.get(stateAfter(change)) ?? 0) + 1)
    balances.set(stateBefore(change), (balances.get(stateBefore(change)) ?? 0) - 1)
  }
  return balances
}

function greatest(balances: ReadonlyMap<State, number>, sign: 1 | -1): State {
  const states = [...balances].flatMap(([state, balance]) => (balance * sign > 0 ? [state] : []))
  return states.sort(compareText).at(-1) as State
}

/** Most trials to order a tie group; one that takes more counts as having no certain order. */
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
