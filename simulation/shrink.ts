/** Makes a failing scenario smaller as long as it fails: what is left is what the failure takes. */
import type { Scenario } from './scenario.js'

/** Fewer runs than these leave a scenario that is small enough to be read. */
const MOST_RUNS = 150

/**
 * The smallest scenario that is found to fail, by trying ever smaller changes of it: half of a list before one of its
 * entries, the least number before the next one. `versionsOf` runs a scenario: how many versions it had where it fails
 * as the first one did, undefined where it does not. The same scenario always ends as the same one.
 */
export async function shrink(
  scenario: Scenario,
  versionsOf: (scenario: Scenario) => Promise<number | undefined>,
  mostRuns = MOST_RUNS,
): Promise<Scenario> {
  const tried = new Set<string>()
  let [least, versions] = [scenario, 0]
  const isSmaller = async (candidate: Scenario) => {
    const text = JSON.stringify(candidate)
    if (tried.has(text) || tried.size >= mostRuns) return false
    tried.add(text)
    const had = await versionsOf(candidate)
    if (had === undefined) return false
    ;[least, versions] = [candidate, had]
    return true
  }
  let place = 0
  for (let goesOn = await isSmaller(scenario); goesOn; place = 0) {
    goesOn = false
    // what did not help before is not tried again until nothing else does
    for (let next = candidateAt(least, versions, place); next !== undefined; ) {
      if (await isSmaller(next)) goesOn = true
      else place++
      next = candidateAt(least, versions, place)
    }
  }
  return least
}

function candidateAt(scenario: Scenario, versions: number, place: number): Scenario | undefined {
  let i = 0
  for (const candidate of smallerScenarios(scenario, versions)) if (i++ === place) return candidate
  return undefined
}

/** Fewer faults first, then fewer writes, which have to be named for that, then less of anything. */
function* smallerScenarios(scenario: Scenario, versions: number): Generator<Scenario> {
  const { faults, load } = scenario
  for (const less of smallerLists(faults)) yield { ...scenario, faults: less }
  // some writes change nothing
  const only = load.only ?? Array.from({ length: 2 * versions }, (_, place) => place)
  if (load.only === undefined) yield { ...scenario, load: { ...load, only } }
  else for (const less of smallerLists(only)) yield { ...scenario, load: { ...load, only: less } }
  for (const less of smallerRecords(scenario)) yield less
}

/** What says which world it is, and no more or less of it. */
const FIXED: ReadonlySet<string> = new Set(['seed', 'kind', 'rate', 'only', 'faults'])

/** Every smaller value of some plain data, the boldest first. */
function* smaller<T>(value: T): Generator<T> {
  if (value === true) yield false as T
  else if (typeof value === 'number') yield* smallerNumbers(value) as Generator<T>
  else if (Array.isArray(value)) yield* smallerLists(value) as Generator<T>
  else if (typeof value === 'object' && value !== null) yield* smallerRecords(value as object) as Generator<T>
}

/** A share becomes none, a number no less than 1: nothing of a world may be 0. */
function* smallerNumbers(value: number): Generator<number> {
  if (value > 0 && value < 1) yield 0
  for (const less of [1, Math.floor(value / 2)]) if (less >= 1 && less < value) yield less
}

/** Without its halves, its quarters and so on to its entries; and then with one entry made smaller. */
function* smallerLists<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let size = list.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < list.length; from += size) yield [...list.slice(0, from), ...list.slice(from + size)]
  }
  // numbers in a list, the places of writes, are names and no amounts
  if (typeof list[0] !== 'object') return
  for (const [i, entry] of list.entries()) for (const less of smaller(entry)) yield list.with(i, less)
}

function* smallerRecords<T extends object>(value: T): Generator<T> {
  if (isStretch(value)) return yield* shorter(value)
  for (const [name, part] of Object.entries(value)) {
    // what a world may be without: a rule, a part
    if (name === 'lock' && part !== undefined) yield { ...value, [name]: undefined }
    if (!FIXED.has(name)) for (const less of smaller(part)) yield { ...value, [name]: less }
  }
}

interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

function isStretch(value: object): value is Stretch {
  return 'fromMs' in value && 'toMs' in value
}

const SHORTEST_MS = 60_000

/** One half of a stretch of time. */
function* shorter<T extends Stretch>(stretch: T): Generator<T> {
  const { fromMs, toMs } = stretch
  const middle = Math.floor((fromMs + toMs) / 2)
  if (toMs - fromMs > SHORTEST_MS)
    yield* [
      { ...stretch, toMs: middle },
      { ...stretch, fromMs: middle },
    ]
}
