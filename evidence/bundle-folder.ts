import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { BundleFiles } from './verify-bundle.js'

/** The bundle in a folder. No link is followed. Throws Node's own error for a folder that is none. */
export function bundleIn(folder: string): BundleFiles {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const pathOf = (entry: (typeof entries)[number]) =>
    join(entry.parentPath, entry.name).slice(join(folder, sep).length).split(sep).join('/')
  const others = entries.filter(entry => !entry.isDirectory())
  const files = new Set(others.filter(entry => entry.isFile()).map(pathOf))
  return {
    list: () => others.map(pathOf).sort(),
    read: path => (files.has(path) ? readFileSync(join(folder, path)) : undefined),
  }
}
