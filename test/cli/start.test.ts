import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const SOURCES = join(import.meta.dirname, '../..')

/**
 * The packages that are loaded with a module, by the modules that import them; a type costs nothing, nor does
 * `import()`.
 */
function packagesOf(file: string, seen = new Map<string, Set<string>>(), visited = new Set<string>()) {
  if (visited.has(file)) return seen
  visited.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, names = '', from = ''] of text.matchAll(
    /^(?:import|export) (?!type )(?:([\w\s{},*]+?) from )?'([^']+)'$/gm,
  )) {
    const isTypesOnly = /^\{(\s*type [\w ]+,?)+\s*\}\s*$/.test(names)
    if (isTypesOnly || from.startsWith('node:')) continue
    if (from.startsWith('.')) packagesOf(join(dirname(file), from.replace(/\.js$/, '.ts')), seen, visited)
    else seen.set(from, (seen.get(from) ?? new Set()).add(file.slice(SOURCES.length + 1)))
  }
  return seen
}

it('starts with neither DuckDB, Arrow nor the AWS SDK loaded: they take longer than most commands', () => {
  const packages = packagesOf(join(SOURCES, 'cli/itemtrail.ts'))
  expect([...packages.keys()]).toContain('commander')
  const heavy = [...packages].filter(([name]) => /^(@duckdb\/|@aws-sdk\/|apache-arrow$)/.test(name))
  expect(heavy.map(([name, by]) => `${name}, imported by ${[...by].join(' and ')}`)).toEqual([])
})
