/** What many worlds came to, added up; kept in a file where it takes several runs. */
import type { Outcome } from './run.js'

/** Worlds that were run one after the other, by their seeds. */
export interface Tally {
  readonly first: number
  /** The seed to go on with. */
  readonly next: number
  readonly hours: number
  readonly cpuSeconds: number
  readonly failed: number
  readonly events: number
  readonly versions: number
  readonly archived: number
  readonly kept: number
  readonly lost: number
  /** How often each kind of fault struck. */
  readonly struck: { readonly [kind: string]: number }
  /** How many worlds struck each kind. */
  readonly worlds: { readonly [kind: string]: number }
}

/** No worlds yet, from a seed on. */
export function emptyTally(first: number): Tally {
  const counts = { events: 0, versions: 0, archived: 0, kept: 0, lost: 0 }
  return { first, next: first, hours: 0, cpuSeconds: 0, failed: 0, ...counts, struck: {}, worlds: {} }
}

/** With one world more, which took so many seconds of CPU. */
export function added(tally: Tally, outcome: Outcome, cpuSeconds: number): Tally {
  return {
    first: tally.first,
    next: outcome.scenario.seed + 1,
    hours: tally.hours + outcome.scenario.hours,
    cpuSeconds: tally.cpuSeconds + cpuSeconds,
    failed: tally.failed + (outcome.problems.length > 0 ? 1 : 0),
    events: tally.events + outcome.events,
    versions: tally.versions + outcome.versions,
    archived: tally.archived + outcome.archived,
    kept: tally.kept + outcome.kept,
    lost: tally.lost + outcome.lost,
    struck: summed(tally.struck, outcome.struck),
    worlds: summed(tally.worlds, new Map([...outcome.struck.keys()].map(kind => [kind, 1]))),
  }
}

function summed(known: { readonly [kind: string]: number }, more: ReadonlyMap<string, number>) {
  return { ...known, ...Object.fromEntries([...more].map(([kind, times]) => [kind, (known[kind] ?? 0) + times])) }
}

/** The lines for people. */
export function linesOf(tally: Tally): readonly string[] {
  const { first, next, hours, cpuSeconds, struck, worlds, ...counts } = tally
  return [
    next === first ? 'no seeds' : `seeds ${first} to ${next - 1}: ${JSON.stringify(counts)}`,
    Object.entries(struck)
      .map(([kind, times]) => `${kind} ${times} in ${worlds[kind]}`)
      .join(', '),
    `${hours} simulated hours, ${(hours / cpuSeconds).toFixed(0)} a second of CPU`,
  ]
}
