import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../simulation/run.js'
import { PLANTED, type Planted } from './planted.js'

const ROOT = join(import.meta.dirname, '../..')

/** A bug that takes more seeds than these is as good as not found. */
const MOST_SEEDS = 2000
const HOURS = 24

describe('the simulator', () => {
  const looked = PLANTED.filter(({ isSlow }) => isSlow !== true || process.env.ITEMTRAIL_PLANTED !== undefined)
  it.each(looked)('finds that $name, and tells why', async planted => {
    const { seed, told } = await withBug(planted, simulator => find(simulator, planted.seed ?? 1))
    if (planted.seed !== seed) console.log(`seed ${seed} finds that ${planted.name}`)
    expect(seed, 'no seed finds it').toBeDefined()
    expect(told).toMatch(planted.cause)
  })
})

type Simulator = typeof import('../../simulation/run.js') & typeof import('../../simulation/scenario.js')

/** The first seed that has a problem, with its first problem and the story of that. */
async function find({ runScenario, scenarioOf, storyOf }: Simulator, first: number) {
  for (const seed of [first, ...Array(MOST_SEEDS).keys()]) {
    const scenario = scenarioOf(seed, HOURS)
    const { problems } = await runScenario(scenario)
    if (problems.length === 0) continue
    const outcome: Outcome = await runScenario(scenario, true)
    return { seed, told: [problems[0], ...storyOf(outcome)].join('\n') }
  }
  return { seed: undefined, told: '' }
}

/** The simulator, built of the source with one text of it changed; beside our packages, which it needs. */
async function withBug<T>({ file, right, wrong }: Planted, use: (simulator: Simulator) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(ROOT, 'node_modules/.planted-'))
  try {
    // the questions, which the catalog reads from beside itself
    for (const sql of ['sql', 'internal', 'parts'])
      cpSync(join(ROOT, 'queries', sql), join(folder, sql), { recursive: true })
    const outfile = join(folder, 'simulator.mjs')
    await build({
      stdin: {
        contents: "export * from './run.js'\nexport * from './scenario.js'",
        resolveDir: join(ROOT, 'simulation'),
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      plugins: [
        {
          name: 'plant',
          setup: ({ onLoad }) =>
            onLoad({ filter: new RegExp(`${file.replaceAll('.', '\\.')}$`) }, ({ path }) => {
              const text = readFileSync(path, 'utf8')
              if (text.split(right).length !== 2) throw new Error(`${file} has not once: ${right}`)
              return { contents: text.replace(right, () => wrong), loader: 'ts' }
            }),
        },
      ],
    })
    return await use((await import(pathToFileURL(outfile).href)) as Simulator)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
