import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { FaultKind } from '../../simulation/faults.js'
import { type Kept, readKept, writeKept } from '../../simulation/kept.js'
import type { Scenario } from '../../simulation/scenario.js'
import { shrink } from '../../simulation/shrink.js'

const ROOT = join(import.meta.dirname, '../..')

/** One bug: a text of one of our files, what stands there instead, and what the story must say of the cause. */
export interface Planted {
  /** Also the name of the file in `kept/` that has a scenario which finds it. */
  readonly name: string
  readonly file: string
  /** Stands in the file once. */
  readonly right: string
  readonly wrong: string
  /** In the first problem, or in the story of the version that it names. */
  readonly cause: RegExp
  /** The commit that mended it, of a bug that was there and was found so. @default - it never was */
  readonly mended?: string
  /** Of which worlds the file is a part. @default - all */
  readonly worlds?: (scenario: Scenario) => boolean
}

/** Worlds that are not read at last, which takes long. */
export function isQuick({ isReadAtLast }: Scenario): boolean {
  return !isReadAtLast
}

/** Worlds with a fault of a kind. */
export function strikes(worlds: (scenario: Scenario) => boolean, kind: FaultKind): (scenario: Scenario) => boolean {
  return scenario => worlds(scenario) && scenario.faults.some(fault => fault.kind === kind)
}

/** Where scenarios are kept that found a bug, true or planted, each as small as it gets. */
export const KEPT = join(import.meta.dirname, 'kept')

/** The simulator, built of a changed source. */
export type Simulator = typeof import('../../simulation/run.js') & typeof import('../../simulation/scenario.js')

/** What a run said: its first problem, and the story of the version that it names. */
export interface Told {
  readonly problem: string
  readonly text: string
  readonly versions: number
}

/** What a scenario finds and tells; undefined where it finds nothing. */
export async function tellOf({ runScenario, storyOf }: Simulator, scenario: Scenario): Promise<Told | undefined> {
  const outcome = await runScenario(scenario, true)
  const { problems, versions } = outcome
  const [problem] = problems
  return problem === undefined ? undefined : { problem, text: [problem, ...storyOf(outcome)].join('\n'), versions }
}

/** The simulator with one text of the source changed; beside our packages, which it needs. */
export async function withBug<T>(planted: Planted, use: (simulator: Simulator) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(ROOT, 'node_modules/.planted-'))
  try {
    // the questions, which the catalog reads from beside itself
    for (const sql of ['sql', 'internal', 'parts'])
      cpSync(join(ROOT, 'queries', sql), join(folder, sql), { recursive: true })
    const outfile = join(folder, 'simulator.mjs')
    const contents = "export * from './run.js'\nexport * from './scenario.js'"
    await build({
      stdin: { contents, resolveDir: join(ROOT, 'simulation') },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      plugins: [plant(planted)],
    })
    return await use((await import(pathToFileURL(outfile).href)) as Simulator)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function plant({ file, right, wrong }: Planted): Plugin {
  return {
    name: 'plant',
    setup: ({ onLoad, onEnd }) => {
      let isPlanted = false
      onLoad({ filter: new RegExp(`/${file.replaceAll('.', '\\.')}$`) }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        if (text.split(right).length !== 2) throw new Error(`${file} has not once: ${right}`)
        isPlanted = true
        return { contents: text.replace(right, () => wrong), loader: 'ts' }
      })
      onEnd(() => {
        if (!isPlanted) throw new Error(`${file} is no part of the simulator`)
      })
    },
  }
}

/** The file that keeps what finds a planted bug. */
function pathOf({ name }: Planted): string {
  return join(KEPT, `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`)
}

/** What is kept of a planted bug; undefined where nothing is yet. */
export function keptOf(planted: Planted): Kept | undefined {
  const path = pathOf(planted)
  return existsSync(path) ? readKept(path) : undefined
}

/** Makes the scenario that found a planted bug as small as it gets and still tells of the cause, and keeps it. */
export async function keep(
  simulator: Simulator,
  planted: Planted,
  found: Scenario,
  { problem }: Told,
  mostRuns?: number,
): Promise<Kept> {
  const kind = simulator.kindOf(problem)
  const versionsOf = async (smaller: Scenario) => {
    // a story takes longer than the run that it is of
    const { problems } = await simulator.runScenario(smaller)
    if (simulator.kindOf(problems[0] ?? '') !== kind) return undefined
    const told = await tellOf(simulator, smaller)
    return told && planted.cause.test(told.text) ? told.versions : undefined
  }
  const scenario = await shrink(found, versionsOf, mostRuns)
  const least = (await tellOf(simulator, scenario)) as Told
  const { name: bug, mended } = planted
  const kept: Kept = { bug, found: least.problem, ...(mended !== undefined && { mended }), scenario }
  writeKept(pathOf(planted), kept)
  return kept
}
