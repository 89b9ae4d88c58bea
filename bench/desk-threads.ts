/** What a second thread is worth: the time until `ingest` is done, with two threads on two cores and with one on one. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { runProgram } from './child.js'
import type { Places } from './desk-rows.js'
import { type Finding, showSpread, spreadOf } from './suite.js'

/** What this row is asked for by. */
export const THREADS_ROW = 'ingest, two threads'

/** Whether one thread can be kept to one core here. */
export const CAN_PIN = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** A share of the time that one thread takes on one core. */
const GOAL = 0.6

/** The time of both, in turn, as often as there are rounds. `cli` is the path of the program. */
export async function measureThreads(cli: string, places: Places, folder: string, rounds: number): Promise<Finding> {
  const pairs: Pair[] = []
  for (let round = 0; round < rounds; round++) {
    const before = round % 2 === 0 ? await timed(cli, places, folder, 1) : undefined
    const two = await timed(cli, places, folder, 2)
    pairs.push({ one: before ?? (await timed(cli, places, folder, 1)), two })
  }
  return findingOf(pairs)
}

/** Milliseconds. */
interface Pair {
  readonly one: number
  readonly two: number
}

async function timed(cli: string, { records, configuration }: Places, folder: string, threads: 1 | 2): Promise<number> {
  const parent = mkdtempSync(join(folder, 'threads-'))
  const args = ['--archive', join(parent, 'archive'), '--config', configuration, '--threads', String(threads)]
  try {
    const before = ['taskset', '-c', threads === 1 ? '0' : '0,1']
    return (await runProgram(cli, ['ingest', records, ...args], { before })).wallMs
  } finally {
    rmSync(parent, { recursive: true })
  }
}

function findingOf(pairs: readonly Pair[]): Finding {
  const seconds = (times: readonly number[]) => `${(spreadOf(times).median / 1000).toFixed(2)} s`
  const ratio = spreadOf(pairs.map(({ one, two }) => two / one))
  return {
    what: `${THREADS_ROW}: wall time`,
    against: `one thread on one core, ${seconds(pairs.map(({ one }) => one))}`,
    figure: `${seconds(pairs.map(({ two }) => two))}, ratio ${showSpread(ratio, 2)}`,
    target: `at most ${GOAL}`,
    reached: ratio.median <= GOAL,
  }
}
