import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A file of this repository, from its root. */
export const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** The folders of the source at the top, which are what is built. */
export const FOLDERS = (JSON.parse(read('tsconfig.build.json')) as { include: readonly string[] }).include.filter(
  path => !path.endsWith('.ts'),
)

/** The source files that end so: `index.ts` and all of the folders, not tests, examples and measurements. */
export function filesOf(folders: readonly string[], end = /\.tsx?$/): readonly string[] {
  return folders
    .flatMap(folder => readdirSync(join(ROOT, folder), { recursive: true }).map(name => `${folder}/${name}`))
    .filter(path => end.test(path))
    .sort()
}

/** One import of one of our own files. */
export interface Import {
  readonly from: string
  readonly to: string
  /** What is taken; all of it where a file is imported as a whole or when it is needed. */
  readonly names: readonly string[] | 'all'
}

const STATIC = /^(?:import|export)\s+(?:type\s+)?([^'"`;]*?)\s*from\s+'(\.[^']+)'/gm
const DYNAMIC = /import\('(\.[^']+)'\)/g

/** What a file imports of our own, types too. */
export function importsOf(file: string): readonly Import[] {
  const text = read(file)
  const target = (specifier: string) => {
    const path = normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts')
    return existsSync(join(ROOT, `${path}x`)) ? `${path}x` : path
  }
  const imported = [...text.matchAll(STATIC)].map(([, what = '', specifier = '']) => ({
    from: file,
    to: target(specifier),
    names: what.includes('*') ? ('all' as const) : namesIn(what),
  }))
  const asked = [...text.matchAll(DYNAMIC)].map(([, specifier = '']) => ({
    from: file,
    to: target(specifier),
    names: 'all' as const,
  }))
  return [...imported, ...asked]
}

function namesIn(clause: string): readonly string[] {
  const inner = /\{([^}]*)\}/.exec(clause)?.[1] ?? ''
  return inner.split(',').map(
    name =>
      name
        .trim()
        .replace(/^type /, '')
        .split(' as ')[0] as string,
  )
}

const EXPORT = /^export (?:declare )?(?:abstract )?(?:async )?(function\*?|const|let|class|interface|type|enum) (\w+)/gm

/** What a file exports itself, by name: a value, or a type alone. Scripts that write files export for tests alone. */
export function exportsOf(file: string): ReadonlyMap<string, 'value' | 'type'> {
  if (/\/write-\w+\.ts$/.test(file)) return new Map()
  return new Map(
    [...read(file).matchAll(EXPORT)].map(([, kind, name = '']) => [
      name,
      kind === 'interface' || kind === 'type' ? 'type' : 'value',
    ]),
  )
}
