/**
 * What must hold of every command, whatever is in the files that it reads: it ends, with a sentence and an exit code,
 * writes nothing outside the folders that are its own, and says nothing that steers a terminal. One command line after
 * the other, in this process, as the tests of the commands run it.
 */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Ending, run } from '../cli/command-line.js'

/**
 * `FUZZ_SECONDS` is how long each fuzz goes on, `FUZZ_SEED` where it begins, the same each time unless another is
 * given: a failure prints its own.
 */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 3)
const SEED = Number(process.env.FUZZ_SEED ?? 20261129)

if (process.env.FUZZ_SECONDS !== undefined) console.log(`fuzz from seed ${SEED}, ${SECONDS} s each`)

/** Milliseconds after which a command counts as one that never ends. */
const HANGS = 180_000

/**
 * Runs a property again and again for `FUZZ_SECONDS`, at least a few times, and shows the seed and the smallest
 * failure.
 */
export async function fuzz<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => Promise<void>): Promise<void> {
  const end = Date.now() + SECONDS * 1000
  for (let seed = SEED; seed === SEED || Date.now() < end; seed++)
    await fc.assert(fc.asyncProperty(arbitrary, holds), { seed, numRuns: 4, verbose: 1 })
}

/** How long a fuzz may take: its time, and what is left to be shrunk. */
export const FUZZ_TIMEOUT = SECONDS * 1000 + 300_000

/** Two folders: one in which a command may write, and one beside it that it may not touch, which `guard` compares. */
export class Place {
  private readonly root = mkdtempSync(join(tmpdir(), 'itemtrail-fuzz-'))
  readonly inside = mkdtempSync(join(this.root, 'inside-'))
  readonly outside = mkdtempSync(join(this.root, 'outside-'))

  /** Runs a command. Nothing outside may have changed, and `others` beside it: what it reads, for most. */
  async guard(argv: readonly string[], ...others: readonly string[]): Promise<Ending> {
    const look = () => [this.outside, ...others].map(listing).join('\n')
    const before = look()
    const ending = await endOf(argv)
    expect(look()).toBe(before)
    return ending
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** How a command ended. Fails for a trace, for one that does not end, and for what steers a terminal. */
async function endOf(argv: readonly string[]): Promise<Ending> {
  let timer: NodeJS.Timeout | undefined
  const never = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${argv.join(' ')} did not end in ${HANGS} ms`)), HANGS)
  })
  try {
    const ending = await Promise.race([run(argv), never])
    expect([0, 1, 2, 3]).toContain(ending.exit)
    const said = `${ending.out}${ending.err}`
    expect(said).not.toMatch(/(?!\n|\t|\r\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u)
    expect(said).not.toMatch(/^\s+at .*:\d+:\d+\)?$|\bTypeError\b|\bRangeError\b/m)
    // who is told that something is wrong is told what
    if (ending.exit !== 0) expect(said).not.toBe('')
    return ending
  } finally {
    clearTimeout(timer)
  }
}

/** Everything in a folder: names, kinds, contents. */
function listing(folder: string): string {
  if (!lstatSync(folder).isDirectory()) return readFileSync(folder).toString('base64')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return names
    .map(name => {
      const path = join(folder, name)
      const stats = lstatSync(path)
      if (stats.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`
      return stats.isFile() ? `${name} ${readFileSync(path).toString('base64')}` : name
    })
    .join('\n')
}

/** Values that no field expects, and some that it nearly does. */
const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    -1,
    0.5,
    2 ** 53,
    '',
    '\u001b[2K\u001b[1G',
    '\0',
    '../../x',
    '/etc/passwd',
    'x'.repeat(70_000),
  ),
  fc.constantFrom(
    [],
    {},
    [null],
    [[]],
    { __proto__: null },
    { S: 1 },
    { S: '\u202e' },
    { N: 'x' },
    '2026-02-30T00:00:00Z',
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
)

/** A place in a JSON value, and what happens to it. */
export interface Edit {
  readonly place: number
  readonly how: 'replace' | 'remove' | 'repeat' | 'deepen'
  readonly value: unknown
}

export const edit: fc.Arbitrary<Edit> = fc.record({
  place: fc.nat(10_000),
  how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'repeat', 'deepen'),
  value: strange,
})

/** A JSON value with some of its fields edited: what is left of it has its structure. */
export function edited(value: unknown, edits: readonly Edit[]): unknown {
  const copy: unknown = structuredClone(value)
  for (const { place, how, value: by } of edits) {
    const places = [...placesIn(copy)]
    const [holder, name] = places[place % Math.max(1, places.length)] ?? []
    if (holder === undefined || name === undefined) continue
    const found = (holder as Record<string, unknown>)[name]
    if (how === 'replace') Object.assign(holder, { [name]: structuredClone(by) })
    else if (how === 'deepen') Object.assign(holder, { [name]: deepened(found) })
    else if (Array.isArray(holder))
      holder.splice(Number(name), how === 'remove' ? 1 : 0, ...(how === 'remove' ? [] : [structuredClone(found)]))
    else if (how === 'remove') delete (holder as Record<string, unknown>)[name]
  }
  return copy
}

function deepened(value: unknown): unknown {
  let deep = value
  for (let level = 0; level < 800; level++) deep = level % 2 === 0 ? [deep] : { L: deep }
  return deep
}

function* placesIn(value: unknown): Generator<readonly [holder: object, name: string]> {
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    yield [value, name]
    yield* placesIn((value as Record<string, unknown>)[name])
  }
}

/** Bytes cut, doubled, or with one byte another. */
export interface Damage {
  readonly at: number
  readonly how: 'none' | 'cut' | 'flip' | 'double'
}

export const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(100_000),
  how: fc.constantFrom('none', 'none', 'none', 'cut', 'flip', 'double'),
})

/** Damaged bytes. */
export function damaged(bytes: Uint8Array, { at, how }: Damage): Buffer {
  const place = at % Math.max(1, bytes.length)
  const copy = Buffer.from(bytes)
  if (how === 'cut') return copy.subarray(0, place)
  if (how === 'double') return Buffer.concat([copy, copy.subarray(place)])
  if (how === 'flip' && copy.length > 0) copy[place] = (copy[place] as number) ^ (1 << (at % 8))
  return copy
}
