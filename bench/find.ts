/** Which suites there are: each file here that exports one is the suite of its name. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Suite } from './suite.js'

/**
 * Names of the suites in a folder, sorted. By their text: to import a file that is no suite, such as a child's, would
 * run it.
 */
export function findSuites(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.ts') && /^export const suite\b/m.test(readFileSync(join(folder, file), 'utf8')))
    .map(file => file.slice(0, -'.ts'.length))
    .sort()
}

/** The suite in a file. Throws where the file cannot be loaded, or its suite goes by another name. */
export async function loadSuite(folder: string, name: string): Promise<Suite> {
  const path = join(folder, `${name}.ts`)
  const { suite } = (await import(pathToFileURL(path).href)) as { readonly suite: Suite }
  if (suite.name !== name) throw new Error(`suite in ${name}.ts is named "${suite.name}", expected "${name}"`)
  return suite
}
