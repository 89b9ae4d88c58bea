import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkJson, instant, readBounded, record, text } from '../config/gate.js'
import { makeFolder, writeDurably } from '../store/durable.js'

const holdFile = record({
  token: text,
  case: text,
  reason: text,
  by: text,
  since: instant,
})

/** A case for which what is kept of a person must stay readable. */
export type Hold = Readonly<{ token: string; case: string; reason: string; by: string; since: string }>

/** A name that a case can have. */
export const CASE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** The cases that hold a person's erasure back, by their names. Throws the `FileError` of one that cannot be read. */
export function holdsOf(keyStore: string, token: string): readonly Hold[] {
  const names = namesIn(join(keyStore, HOLDS))
  return names
    .filter(name => name.startsWith(`${token}.`) && name.endsWith('.hold.json') && !names.includes(releaseOf(name)))
    .sort()
    .flatMap(name => {
      const path = join(keyStore, HOLDS, name)
      const bytes = readBounded(path, path)
      return bytes === undefined ? [] : checkJson(bytes, holdFile, path)
    })
}

/** Holds a person's erasure back. False where this case holds it already, or did and was released. */
export function placeHold(keyStore: string, hold: Hold): boolean {
  return write(join(keyStore, HOLDS), `${hold.token}.${hold.case}.hold.json`, hold)
}

/** Ends a case. False where it does not hold this person's erasure back. */
export function releaseHold(keyStore: string, token: string, name: string, by: string, at: string): boolean {
  if (!holdsOf(keyStore, token).some(hold => hold.case === name)) return false
  return write(join(keyStore, HOLDS), releaseOf(`${token}.${name}.hold.json`), { token, case: name, by, at })
}

const HOLDS = 'holds'

function releaseOf(hold: string): string {
  return hold.replace(/\.hold\.json$/, '.released.json')
}

/** Both stay: who held what, and until when, is asked years later. */
function write(folder: string, name: string, content: object): boolean {
  makeFolder(folder)
  try {
    writeDurably(join(folder, name), `${JSON.stringify(content)}\n`, 'wx')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
