/**
 * `npm run reliability [section...]`: runs the tests behind docs/reliability.md at full count and writes their figures
 * into it. A section is a pair of marks in the document, `<!-- figures: NAME -->` and `<!-- end -->`, and a line here.
 * `npm run reliability world TALLY...` writes what `npm run simulate -- --tally TALLY` added up, which takes days.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Tally } from '../../simulation/tally.js'
import type { Figures } from './figures.js'
import { keptScenarios, worldFigures } from './worlds.js'

/** What gives a section its figures: a test file that calls `reportFigures(name, ...)`. */
interface Section {
  readonly file: string
  /** @default - vitest.config.ts */
  readonly config?: string
  /** What makes the tests try at full count. */
  readonly environment: Readonly<Record<string, string>>
}

const SECTIONS: Readonly<Record<string, Section>> = {
  faults: {
    file: 'test/queries/verdict/continuity-faults.test.ts',
    config: 'vitest.long.config.ts',
    environment: { ITEMTRAIL_SEEDS: '30' },
  },
  lists: {
    file: 'test/queries/verdict/list-faults.test.ts',
    config: 'vitest.long.config.ts',
    environment: { ITEMTRAIL_SEEDS: '30' },
  },
  oracle: {
    file: 'test/live/oracle.test.ts',
    config: 'vitest.live.config.ts',
    environment: { SEEDS: '1,2,3,4,5,6,7,8,9,10', OPERATIONS: '250' },
  },
  kills: { file: 'test/live/tail.test.ts', config: 'vitest.live.config.ts', environment: { KILLS: '50' } },
  'seal-kills': { file: 'test/live/seal.test.ts', config: 'vitest.live.config.ts', environment: { KILLS: '50' } },
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENT = join(ROOT, 'docs', 'reliability.md')

function main(names: readonly string[]): number {
  if (names[0] === WORLD) return writeWorlds(names.slice(1))
  const unknown = names.filter(name => !Object.hasOwn(SECTIONS, name))
  if (unknown.length > 0) {
    console.error(`section ${unknown.join(', ')} is unknown, expected ${[...Object.keys(SECTIONS), WORLD].join(', ')}`)
    return 2
  }
  const failed = (names.length > 0 ? names : Object.keys(SECTIONS)).filter(
    name => !renew(name, SECTIONS[name] as Section),
  )
  if (failed.length > 0) console.error(`the figures of ${failed.join(', ')} were left as they are`)
  return failed.length > 0 ? 1 : 0
}

/** Writes a section's figures anew; false where its tests fail or count nothing. */
function renew(name: string, { file, config, environment }: Section): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-figures-'))
  try {
    const { status } = spawnSync(
      'npx',
      ['vitest', 'run', ...(config === undefined ? [] : ['--config', config]), file],
      {
        cwd: ROOT,
        stdio: 'inherit',
        // what is set already goes before: fewer seeds are sooner tried
        env: { ...environment, ...process.env, ITEMTRAIL_FIGURES: folder },
      },
    )
    const figures = join(folder, `${name}.json`)
    if (status !== 0 || !existsSync(figures)) return false
    write(name, JSON.parse(readFileSync(figures, 'utf8')) as Figures)
    return true
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const WORLD = 'world'

/** Writes the figures of worlds that were run before. */
function writeWorlds(paths: readonly string[]): number {
  if (paths.length === 0) {
    console.error(`section ${WORLD} wants tallies, expected npm run reliability ${WORLD} TALLY...`)
    return 2
  }
  const tallies = paths.map(path => JSON.parse(readFileSync(path, 'utf8')) as Tally)
  for (const [name, figures] of worldFigures(tallies, keptScenarios())) write(name, figures)
  return 0
}

function write(name: string, figures: Figures): void {
  writeFileSync(DOCUMENT, withFigures(readFileSync(DOCUMENT, 'utf8'), name, figures))
}

function withFigures(text: string, name: string, { columns, rows }: Figures): string {
  const begin = `<!-- figures: ${name} -->\n`
  const from = text.indexOf(begin)
  const to = text.indexOf('<!-- end -->', from)
  if (from < 0 || to < 0) throw new Error(`docs/reliability.md has no marks for the figures of ${name}`)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const table = line(columns) + line(columns.map(() => '---')) + rows.map(line).join('')
  return text.slice(0, from + begin.length) + table + text.slice(to)
}

process.exitCode = main(process.argv.slice(2))
