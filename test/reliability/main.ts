/**
 * `npm run reliability [section...]`: runs the tests behind docs/reliability.md at full count and writes their figures
 * into it. A section is a pair of marks in the document, `<!-- figures: NAME -->` and `<!-- end -->`, and a line here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Figures } from './figures.js'

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
    environment: { SEEDS: '1,2,3,4,5,6,7,8,9,10' },
  },
  kills: { file: 'test/live/tail.test.ts', config: 'vitest.live.config.ts', environment: { KILLS: '50' } },
  'seal-kills': { file: 'test/live/seal.test.ts', config: 'vitest.live.config.ts', environment: { KILLS: '50' } },
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENT = join(ROOT, 'docs', 'reliability.md')

function main(names: readonly string[]): number {
  const unknown = names.filter(name => !Object.hasOwn(SECTIONS, name))
  if (unknown.length > 0) {
    console.error(`section ${unknown.join(', ')} is unknown, expected ${Object.keys(SECTIONS).join(', ')}`)
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
    const text = readFileSync(DOCUMENT, 'utf8')
    writeFileSync(DOCUMENT, withFigures(text, name, JSON.parse(readFileSync(figures, 'utf8')) as Figures))
    return true
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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
