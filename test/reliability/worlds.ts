/** The figures of simulated worlds: from tallies, and from the scenarios that are kept. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FAULTS } from '../../simulation/faults.js'
import { type Kept, readKept } from '../../simulation/kept.js'
import type { Tally } from '../../simulation/tally.js'
import type { Figures } from './figures.js'

const KEPT = join(import.meta.dirname, '../simulation/kept')

/** Every scenario that is kept. */
export function keptScenarios(): readonly Kept[] {
  return readdirSync(KEPT)
    .sort()
    .map(name => readKept(join(KEPT, name)))
}

/** By the section: what happened in all worlds, which faults struck, and what was found and mended. */
export function worldFigures(
  tallies: readonly Tally[],
  kept: readonly Kept[],
): ReadonlyMap<'worlds' | 'world-faults' | 'world-found', Figures> {
  return new Map([
    ['worlds', countsOf(tallies)],
    ['world-faults', faultsOf(tallies)],
    ['world-found', foundIn(kept)],
  ])
}

function countsOf(tallies: readonly Tally[]): Figures {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
  const seeds = tallies.map(({ first, next }) => `${first} to ${next - 1}`).join(', ')
  const rows: readonly (readonly [string, string])[] = [
    ['seeds', `${sum(({ first, next }) => next - first)}: ${seeds}`],
    ['simulated hours', grouped(sum(({ hours }) => hours))],
    ['the same for each second of CPU', (sum(({ hours }) => hours) / sum(({ cpuSeconds }) => cpuSeconds)).toFixed(0)],
    ['what a service or a process did, or waited for', grouped(sum(({ events }) => events))],
    ['versions that the tables had', grouped(sum(({ versions }) => versions))],
    ['of these archived', grouped(sum(({ archived }) => archived))],
    ['refused and kept, of which most were sent again', grouped(sum(({ kept }) => kept))],
    ['lost, and told by an alarm or a fact', grouped(sum(({ lost }) => lost))],
    ['faults that struck', grouped(sum(({ struck }) => Object.values(struck).reduce((all, times) => all + times, 0)))],
    ['worlds in which something was wrong', grouped(sum(({ failed }) => failed))],
  ]
  return { columns: ['what', 'how much'], rows }
}

function faultsOf(tallies: readonly Tally[]): Figures {
  const sum = (of: (tally: Tally) => { readonly [kind: string]: number }, kind: string) =>
    tallies.reduce((total, tally) => total + (of(tally)[kind] ?? 0), 0)
  const rows = Object.entries(FAULTS).map(([kind, what]) => [
    `\`${kind}\``,
    what,
    grouped(sum(({ struck }) => struck, kind)),
    grouped(sum(({ worlds }) => worlds, kind)),
  ])
  return { columns: ['fault', 'what it does', 'struck', 'in worlds'], rows }
}

function foundIn(kept: readonly Kept[]): Figures {
  const rows = kept.flatMap(({ bug, scenario, mended }) =>
    mended == null ? [] : [[bug, `${scenario.seed}, of ${scenario.hours} hours`, mended]],
  )
  return { columns: ['what was wrong', 'seed that is kept', 'mended by'], rows }
}

function grouped(count: number): string {
  return String(count).replaceAll(/(?<=\d)(?=(\d{3})+$)/g, ',')
}
