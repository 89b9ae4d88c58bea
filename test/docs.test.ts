import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadCommands } from '../cli/main.js'
import { SAVED_QUERIES } from '../queries/catalog.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'

const COMMANDS = await loadCommands()

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const packageJson = JSON.parse(read('package.json')) as Record<string, Record<string, string>>

describe('documents', () => {
  it('list the columns of the archive as the code has them, in order', () => {
    const rows = AUDIT_COLUMNS.map(
      ({ name, type, required, meaning }) =>
        `| \`${name}\` | ${type} | ${required ? 'yes' : ''} | ${meaning.replaceAll('|', '\\|')} |`,
    )
    expect(read('docs/archive-format.md')).toContain(`${rows.join('\n')}\n`)
  })

  it('give each dependency its line, and no other', () => {
    const named = [...read('CONTRIBUTING.md').matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
      [...(cell as string).matchAll(/`([^`]+)`/g)].map(match => match[1]),
    )
    const used = Object.keys({ ...packageJson.dependencies, ...packageJson.devDependencies })
    expect(named.sort()).toEqual(used.sort())
  })

  it('pin every dependency', () => {
    const versions = Object.values({ ...packageJson.dependencies, ...packageJson.devDependencies })
    expect(versions.filter(version => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  it('name every command in the changelog and the commands that answer in README', () => {
    const names = COMMANDS.map(command => command.usage.split(' ')[0] as string)
    for (const name of names) expect(read('CHANGELOG.md')).toContain(`\`${name}\``)
    for (const name of names.filter(name => name !== 'demo'))
      expect(read('README.md')).toMatch(new RegExp(`\\b${name}\\b`))
  })

  it('count the saved questions', () => {
    expect(read('README.md')).toContain(`| [${SAVED_QUERIES.size} saved questions](docs/queries.md)`)
    // a workgroup of Athena takes 1,000 prepared statements
    const prepared = [...SAVED_QUERIES.values()].filter(({ readsCalls }) => !readsCalls)
    const tables = Math.floor(1000 / prepared.length)
    expect(read('docs/limits.md')).toContain(`those of the first ${tables} tables`)
  })

  it('name only queries that exist', () => {
    const asked = [...read('README.md').matchAll(/itemtrail query ([a-z-]+)/g)].map(match => match[1] as string)
    expect(asked.filter(name => !SAVED_QUERIES.has(name))).toEqual([])
  })

  it('link only to documents, which are all that the site has', () => {
    const documents = [
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      ...readdirSync(new URL('../docs', import.meta.url))
        .filter(name => name.endsWith('.md'))
        .map(name => `docs/${name}`),
      ...readdirSync(new URL('../docs/guides', import.meta.url)).map(name => `docs/guides/${name}`),
    ]
    const broken = documents
      .flatMap(document =>
        [...read(document).matchAll(/\]\(([^)#:]+)\)/g)].map(
          match => new URL(match[1] as string, new URL(`../${document}`, import.meta.url)),
        ),
      )
      .filter(target => !existsSync(target) || !/\/docs\/|\.md$|\/LICENSE$/.test(target.pathname))
    expect(broken.map(String)).toEqual([])
  })

  it('name a test that exists for each row of who is trusted with what', () => {
    const rows =
      read('SECURITY.md')
        .match(/^\| .*\|$/gm)
        ?.slice(2) ?? []
    expect(rows.length).toBeGreaterThan(10)
    for (const row of rows) {
      const tests = row.match(/`test\/[^`]+\.test\.ts`/g) ?? []
      expect({ row, tests: tests.length }).toEqual({ row, tests: expect.toSatisfy((count: number) => count > 0) })
      for (const name of tests) expect(existsSync(new URL(`../${name.slice(1, -1)}`, import.meta.url)), name).toBe(true)
    }
  })
})
