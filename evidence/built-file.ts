import { existsSync, readFileSync } from 'node:fs'

/** A file that the build makes: beside the compiled `dist/evidence`, or in `dist` beside the sources. */
export function readBuilt(name: string): Uint8Array {
  const paths = ['./', '../dist/evidence/'].map(folder => new URL(`${folder}${name}`, import.meta.url))
  const found = paths.find(path => existsSync(path))
  if (found === undefined) throw new Error(`${paths[1]} is not there, npm run build makes it`)
  return readFileSync(found)
}
