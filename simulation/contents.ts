/** What objects of a bucket hold, as lines, rows and facts. */
import type { Fact } from '../transform/fact.js'
import type { Row } from './judge-versions.js'

/** The objects of a bucket below a folder, each by its key. */
export type Contents = readonly (readonly [key: string, bytes: Uint8Array])[]

/** The lines of a text that have anything. */
export function linesOf(text: Uint8Array | string): readonly string[] {
  const whole = typeof text === 'string' ? text : Buffer.from(text).toString()
  return whole.split('\n').filter(line => line !== '')
}

/** The rows of an object. */
export function rowsOf(bytes: Uint8Array): readonly Row[] {
  return linesOf(bytes).map(line => JSON.parse(line) as Row)
}

/** The rows of all objects. */
export function rowsIn(contents: Contents): readonly Row[] {
  return contents.flatMap(([, bytes]) => rowsOf(bytes))
}

/** The facts of all objects. */
export function factsIn(contents: Contents): readonly Fact[] {
  return contents.map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as Fact)
}
