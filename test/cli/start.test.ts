import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { importsOf, read } from '../source.js'

const PROGRAM = join(import.meta.dirname, '../../dist/cli')

/** The modules that are loaded with one; a type costs nothing, nor does `import()`. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  const isLoaded = new Set(
    [...read(file).matchAll(/^(?:import|export) (?!type )(?:([\w\s{},*]+?) from )?'(\.[^']+)'$/gm)]
      .filter(([, names = '']) => !/^\{(\s*type [\w ]+,?)+\s*\}\s*$/.test(names))
      .map(([, , from = '']) => join(dirname(file), from.replace(/\.js$/, ''))),
  )
  for (const { to } of importsOf(file)) if (isLoaded.has(to.replace(/\.tsx?$/, ''))) loadedWith(to, loaded)
  return loaded
}

/** The packages that modules import, by the modules. */
function packagesOf(files: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const packages = new Map<string, string[]>()
  for (const file of files)
    for (const [, names = '', from = ''] of read(file).matchAll(
      /^(?:import|export) (?!type )(?:([\w\s{},*]+?) from )?'([^'.][^']*)'$/gm,
    )) {
      const isTypesOnly = /^\{(\s*type [\w ]+,?)+\s*\}\s*$/.test(names)
      if (!isTypesOnly && !from.startsWith('node:')) packages.set(from, [...(packages.get(from) ?? []), file])
    }
  return packages
}

/** What is opened of the program that was built before a line of it runs, from one of its files on. */
function openedWith(file: string, opened = new Set<string>()): ReadonlySet<string> {
  if (opened.has(file)) return opened
  opened.add(file)
  const text = readFileSync(join(PROGRAM, file), 'utf8')
  for (const [, name = ''] of text.matchAll(/^(?:import|\} from|import .* from) ?"\.\/([^"]+)";$/gm))
    openedWith(name, opened)
  return opened
}

it('starts with commander alone, and with no command: each takes longer to load than most need to run', () => {
  const files = loadedWith('cli/itemtrail.ts')
  expect([...packagesOf(files).keys()]).toEqual(['commander'])
  expect([...files].filter(file => file.startsWith('cli/commands/'))).toEqual([])
  expect(files.size).toBeGreaterThan(10)
  expect(files.size).toBeLessThan(25)
})

it('loads neither DuckDB, Arrow nor the AWS SDK before a command asks for them', () => {
  const heavy = /^(@duckdb\/|@aws-sdk\/|apache-arrow$)/
  const commands = importsOf('cli/main.ts').filter(({ to }) => to.startsWith('cli/commands/'))
  expect(commands.length).toBeGreaterThan(30)
  const files = new Set<string>()
  for (const { to } of commands) loadedWith(to, files)
  const found = [...packagesOf(files)].filter(([name]) => heavy.test(name))
  expect(found.map(([name, by]) => `${name}, imported by ${by.join(' and ')}`)).toEqual([])
})

it('opens a package of many modules as one file, whoever imports it', () => {
  const files = readdirSync(PROGRAM).filter(name => name.endsWith('.js'))
  const packages = files.flatMap(name =>
    [
      ...readFileSync(join(PROGRAM, name), 'utf8').matchAll(/^(?:import|\} from|import .* from) ?"([^".][^"]*)";$/gm),
    ].map(([, from = '']) => from.split('/')[0]),
  )
  const found = new Set(packages.filter(name => !name?.startsWith('node:')))
  // CommonJS, what is one module, and what the page alone and AWS need
  expect([...found].sort()).toEqual(['@aws-sdk', '@hono', 'commander', 'fflate', 'hono'])
})

it('is built as few files, of which the first are small', () => {
  const files = openedWith('itemtrail.js')
  expect(files.size, 'npm run build comes first').toBeLessThan(20)
  expect([...files].reduce((sum, file) => sum + statSync(join(PROGRAM, file)).size, 0)).toBeLessThan(80_000)
})
