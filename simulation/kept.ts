/** Scenarios that found something, each as small as it gets, as the files of test/simulation/kept/ have them. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Scenario } from './scenario.js'

/** A scenario, and what it found. */
export interface Kept {
  /** What was wrong: of a planted bug its name. */
  readonly bug: string
  /** The first problem that was told. */
  readonly found: string
  /** The commit that mended a bug that nobody planted; null as long as none has. */
  readonly mended?: string | null
  readonly scenario: Scenario
}

/** What a file keeps. */
export function readKept(path: string): Kept {
  return JSON.parse(readFileSync(path, 'utf8')) as Kept
}

/** Writes one in the place of whatever is there. */
export function writeKept(path: string, kept: Kept): void {
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`)
}
