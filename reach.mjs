// What a file that was built needs beside itself: for the package, which leaves out what nobody can import, and for
// the package of the constructs alone.
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/**
 * The files of `folder` that some of its files reach by imports, themselves among them, and the names of the packages
 * that these import. Of types (`.d.ts`) types alone.
 */
export function reach(folder, entries) {
  const files = new Set()
  const packages = new Set()
  const follow = file => {
    if (files.has(file)) return
    files.add(file)
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, name] of text.matchAll(/(?:from|import) ?\(?'([^']+)'/g)) {
      if (name.startsWith('node:')) continue
      const target = normalize(join(dirname(file), name))
      if (name.startsWith('.')) follow(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target)
      else packages.add(/^(@[^/]+\/)?[^/]+/.exec(name)[0])
    }
  }
  for (const entry of entries) follow(entry)
  return { files, packages }
}
