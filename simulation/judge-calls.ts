/** What must be true of how often services were asked: nothing is asked for in vain, again and again, or without a pause. */
import { BOUNDS, type Bound, Reckoning, whoOf } from './call-bounds.js'
import type { Asked, Row, Run } from './calls.js'
import type { Remains } from './world.js'

/** Each a sentence. */
export function wrongCalls(remains: Remains): readonly string[] {
  const world = new Reckoning(remains)
  const { runs } = remains.world.calls
  return [...runs.flatMap(run => [...wrongCounts(world, run), ...wrongRows(run)]), ...describedAgain(runs)]
}

function wrongCounts(world: Reckoning, run: Run): readonly string[] {
  return [...run.asked].flatMap(([operation, things]) => {
    const bound = boundOf(run, operation)
    if (bound === undefined) return [`${run.name} asks for ${operation}, which nothing bounds`]
    const all = [...things.values()].reduce((sum, { times }) => sum + times, 0)
    const most = atMost(bound.most(world, run)) + run.struck
    const again = [...things].flatMap(([about, asked]) => {
      const mostSame = atMost(mostOf(bound, world, run, about, asked)) + run.struck
      return asked.times > mostSame
        ? [`${run.name} asks ${asked.times} times for ${operation} ${about}, expected at most ${mostSame}`]
        : []
    })
    if (all > most) return [`${run.name} asks ${all} times for ${operation}, expected at most ${most}`, ...again]
    return again
  })
}

/** What is reckoned of much is an estimate, and a quarter more is no storm; what is to be done a few times is known. */
function atMost(reckoned: number): number {
  return reckoned < FEW ? reckoned : Math.floor(reckoned * 1.25)
}

const FEW = 16

function boundOf({ name }: Run, operation: string): Bound | undefined {
  const bounds = BOUNDS[whoOf(name)]
  return bounds?.[operation] ?? bounds?.[operation.replace(/ \S*$/, '')]
}

function mostOf({ same, everyMs }: Bound, world: Reckoning, run: Run, about: string, asked: Asked): number {
  if (same === undefined) return Number.POSITIVE_INFINITY
  const spanMs = asked.untilMs - asked.fromMs
  return same(world, run, about) + (everyMs === undefined ? 0 : Math.floor(spanMs / everyMs))
}

/**
 * How often one call is made in a row that faults strike, by the patience of whoever makes it (`aws/patience.ts`). A
 * client of S3, of KMS or of a table that is opened is here not the SDK's own, which tries again by itself.
 */
const MOST_TRIES: readonly (readonly [RegExp, number])[] = [
  // as long as its time lasts it is tried again like a call of Firehose
  [/^forwarder \d+ s3 PutObject/, 10],
  [/ s3 /, 1],
  [/ kms /, 1],
  [/^(plan|restore|last restore).* table DescribeTable/, 1],
  // a pace goes on until nothing has passed for ten minutes, a tail without end
  [/^(plan|restore|last restore).* table /, Number.POSITIVE_INFINITY],
  [/ streams /, Number.POSITIVE_INFINITY],
  [/ table /, 68],
  [/^transform.* keys /, 8],
  [/ athena rows /, 1],
  [/ athena /, 13],
  [/ /, 10],
]

/** Tries without a pause are a storm, so the pauses are looked at once that cannot be chance. */
function wrongRows(run: Run): readonly string[] {
  const wrong = run.rows.find(row => row.tries > mostTries(run, row) || row.pausesMs < leastPausesMs(row))
  if (wrong === undefined) return []
  const { operation, about, tries, pausesMs } = wrong
  const told = `${run.name} tries ${[operation, about].join(' ').trimEnd()} ${tries} times in a row with pauses of ${Math.round(pausesMs)} ms`
  const most = mostTries(run, wrong)
  return [tries > most ? `${told}, expected at most ${most} times` : `${told}, expected ${leastPausesMs(wrong)} ms`]
}

function mostTries({ name }: Run, { operation }: Row): number {
  return MOST_TRIES.find(([pattern]) => pattern.test(`${name} ${operation}`))?.[1] as number
}

/**
 * What the shortest of all back-offs has let pass but in one of a thousand million rows: its pauses are from nothing to
 * 50 ms, to 100 ms and so on, five seconds at last.
 */
function leastPausesMs({ tries }: Row): number {
  if (tries < 5) return 0
  return tries < 10 ? 2 : 250 + 500 * (tries - 10)
}

/** What a sealing has sealed no later one reads: only those at work together may describe one object. */
function describedAgain(runs: readonly Run[]): readonly string[] {
  const sealings = runs.filter(({ name, isDone }) => whoOf(name) === 'sealer' && isDone)
  const before = new Map<string, Run>()
  return sealings.flatMap(run => {
    const keys = [...run.asked].flatMap(([operation, things]) => (isOfObject(operation) ? [...things.keys()] : []))
    const again = keys.find(key => (before.get(key)?.untilMs ?? Number.POSITIVE_INFINITY) < run.fromMs)
    const other = again === undefined ? undefined : before.get(again)
    for (const key of keys) before.set(key, run)
    return other === undefined ? [] : [`${run.name} reads ${again}, which ${other.name} has sealed`]
  })
}

function isOfObject(operation: string): boolean {
  return operation.startsWith('s3 GetObject ') && operation !== 's3 GetObject log'
}
