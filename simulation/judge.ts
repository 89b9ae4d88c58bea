/** What must be true of a world when it has come to rest. Each finding is a sentence. */

import { isDoubtful } from '../queries/verdict/findings.js'
import { foldHistory, heldAgainstHashes } from '../queries/verdict/fold-history.js'
import { removeRepeats } from '../queries/verdict/reconstruct.js'
import type { AuditRow } from '../transform/audit-row.js'
import type { GapFact } from '../transform/fact.js'
import { canonicalJson } from '../transform/json.js'
import { parsePartition, type RefusedFolder, refusedPrefix } from '../transform/layout.js'
import { alarmsOf } from './alarms.js'
import { wrongLocks } from './judge-locks.js'
import { sequencesIn } from './story.js'
import type { Version } from './table.js'
import type { Remains } from './world.js'

/** What a world ended with. */
export interface Judgement {
  /** What is not as it must be; empty where all is well. */
  readonly problems: readonly string[]
  readonly versions: number
  readonly archived: number
  readonly kept: number
  /** Neither archived nor kept, and told by an alarm. */
  readonly lost: number
  readonly alarms: readonly string[]
}

/** A row as it lies in an object. */
type Row = AuditRow & { readonly item_key: string }

/** Alarms that say that something is lost, or will be if nobody comes. */
const LOSS = [
  'records-dropped',
  'give-up-failed',
  'twelve-hours-to-loss',
  'delivery-late',
  'delivery-fails',
  'stream-far-behind',
  'stream-unread',
]

/** It cannot tell writes that change nothing from changes that nobody reads. */
const MAY_BE_NEEDLESS = 'stream-unread'

/** Holds what is left of a world against what truly happened in it. */
export function judge(remains: Remains): Judgement {
  const { world, table } = remains
  const fired = alarmsOf(world.metrics)
  const rows = remains.rows.flatMap(rowsOf)
  const kept = keptSequences(remains)
  const bySequence = groupBy(rows, row => row.sequence?.replace(/^0+/, '') ?? '')
  const missing = table.versions.filter(({ sequence }) => !bySequence.has(sequence) && !kept.has(sequence))
  // an alarm of before the version was there tells nothing of it
  const toldUntil = Math.max(...LOSS.map(name => fired.get(name)?.at(-1) ?? 0))
  const untold = missing.filter(
    version =>
      Math.floor(version.timeMs / 60_000) > toldUntil &&
      !isBeyondAlarms(remains, missing) &&
      !isInGap(remains, version),
  )
  const problems = [
    ...untold.map(version => `version ${named(version)} is neither archived nor kept, and no alarm or fact tells`),
    ...wrongRows(table.versions, bySequence),
    ...wrongVerdicts(table.versions, bySequence),
    ...wrongAlarms(remains, fired),
    ...wrongRefusals(remains),
    ...stormsOf(remains),
    ...(remains.locked === undefined ? [] : wrongLocks(remains.locked, fired)),
    ...remains.findings,
  ]
  return {
    problems,
    versions: table.versions.length,
    archived: table.versions.filter(({ sequence }) => bySequence.has(sequence)).length,
    kept: kept.size,
    lost: missing.length,
    alarms: [...fired.keys()],
  }
}

/**
 * What no alarm can tell: the mapping was disabled, and in all of the day until its stream forgot, the table was
 * written to in so few hours that `stream-unread` cannot know it from writes at the end of an hour.
 */
function isBeyondAlarms({ world }: Remains, missing: readonly Version[]): boolean {
  const hours = new Set(missing.map(({ timeMs }) => Math.floor(timeMs / 3_600_000)))
  return world.faults.struck.has('mapping-pauses') && hours.size <= 2
}

/** True where a fact of the archive says that changes of this time may be missing. */
function isInGap({ facts }: Remains, { timeMs }: Version): boolean {
  return (facts as readonly GapFact[]).some(({ kind, from, to }) => {
    const since = from === null ? 0 : Date.parse(from)
    return kind === 'gap' && since <= timeMs && Math.floor(timeMs / 1000) * 1000 <= Date.parse(to)
  })
}

function named({ sequence, item }: Version): string {
  return `${sequence} of ${item}`
}

/** The rows of an object; one of another day than its rows would hide them behind its prefix. */
function rowsOf([key, bytes]: readonly [string, Uint8Array]): readonly Row[] {
  const { date } = parsePartition(key)
  const rows = linesOf(bytes).map(line => JSON.parse(line) as Row)
  const elsewhere = rows.find(row => !row.event_time.startsWith(date))
  if (elsewhere !== undefined) throw new Error(`row ${elsewhere.event_id} lies in ${key}, expected its own day`)
  return rows
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter(line => line !== '')
}

/** The sequence numbers of all records that are kept somewhere because they went no further. */
function keptSequences({ refused, givenUp }: Remains): ReadonlySet<string> {
  const texts = refused
    .flatMap(([, bytes]) => linesOf(bytes))
    .map(line => Buffer.from((JSON.parse(line) as { rawData: string }).rawData, 'base64').toString())
  const batches = givenUp.map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()).payload as string)
  return new Set(sequencesIn([...texts, ...batches]))
}

/** Each row is a version that the table had, with both images, and one version has one id. */
function wrongRows(versions: readonly Version[], bySequence: ReadonlyMap<string, readonly Row[]>): readonly string[] {
  const truth = new Map(versions.map(version => [version.sequence, version]))
  return [...bySequence].flatMap(([sequence, rows]) => {
    const version = truth.get(sequence)
    if (version === undefined) return [`row of sequence ${sequence} is of no version that the table had`]
    const ids = new Set(rows.map(({ event_id }) => event_id))
    const wrong = rows.filter(row => !isAs(row, version))
    return [
      ...(ids.size > 1 ? [`version ${named(version)} is counted ${ids.size} times`] : []),
      ...(wrong.length > 0 ? [`version ${named(version)} is archived with other images than it had`] : []),
    ]
  })
}

/** Of the numbers that are written here this one alone is not as the archive spells it. */
const EXPONENT = '"N":"1E-130"'
const PLAIN = `"N":"0.${'0'.repeat(129)}1"`

function isAs(row: Row, { before, after, item, timeMs }: Version): boolean {
  const same = (text: string | null | undefined, image: string | null) =>
    (text ?? null) === (image?.replace(EXPONENT, PLAIN) ?? null)
  return (
    same(row.old_image, before) &&
    same(row.new_image, after) &&
    row.item_key === canonicalJson({ order_id: { S: item } }) &&
    row.event_time_us === Math.floor(timeMs / 1000) * 1_000_000
  )
}

/** A history that has all versions is believed, in its order; one that lacks a version between others is doubted. */
function wrongVerdicts(versions: readonly Version[], archived: ReadonlyMap<string, readonly Row[]>): readonly string[] {
  const byItem = groupBy(versions, ({ item }) => item)
  return [...byItem].flatMap(([item, all]) => {
    const key = canonicalJson({ order_id: { S: item } })
    // of what was delivered a thousand times two deliveries say as much
    const own = all.flatMap(({ sequence }) => archived.get(sequence)?.slice(0, 2) ?? [])
    if (own.length === 0) return []
    const checked = own.map(row => heldAgainstHashes(withNulls(row)))
    const { confidence, changes } = foldHistory(key, removeRepeats(checked as never) as never)
    const there = all.filter(({ sequence }) => archived.has(sequence))
    const doubted = isDoubtful(confidence)
    if (breaks(there) !== doubted)
      return [`history of ${item} is ${confidence}, though ${there.length} of ${all.length} versions are there`]
    const order = changes.map(({ sequence }) => sequence?.replace(/^0+/, ''))
    const wanted = there.map(({ sequence }) => sequence)
    return order.join() === wanted.join() ? [] : [`history of ${item} is in another order than its versions were`]
  })
}

/** True where the versions that are there do not lead from one to the next, or do not begin with the first. */
function breaks(there: readonly Version[]): boolean {
  return there.some(({ before }, i) => before !== (i === 0 ? null : there[i - 1]?.after))
}

const NULLABLE = ['old_image', 'new_image', 'old_hash', 'new_hash', 'changed', 'actor', 'last_writer', 'user_identity']
const NULLS = Object.fromEntries([...NULLABLE, 'subjects'].map(column => [column, null]))

/** Row lines leave nulls out; a query has them. */
function withNulls(row: Row): Parameters<typeof heldAgainstHashes>[0] {
  return Object.assign({}, NULLS, row) as never
}

function groupBy<T>(list: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of list) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

/** What went another way than into the archive is told by its own alarm; a world without faults has none. */
function wrongAlarms(remains: Remains, fired: ReadonlyMap<string, unknown>): readonly string[] {
  const { world, refused, givenUp } = remains
  const { metrics, faults } = world
  const has = (folder: RefusedFolder) => refused.some(([key]) => key.startsWith(refusedPrefix(folder, 'Orders')))
  const oversize = has('oversize')
  const due: readonly (readonly [string, boolean])[] = [
    ['record-oversize', oversize],
    ['put-failures', metrics.sumOf('world failures told to the mapping') > 0],
    ['batch-given-up', givenUp.length > 0],
    ['record-refused', metrics.sumOf('world records refused by the transform') > 0],
    ['conversion-failed', has('format-conversion-failed')],
  ]
  const silent = due.filter(([name, is]) => is && !fired.has(name)).map(([name]) => `alarm ${name} should fire`)
  if (faults.struck.size > 0 || oversize) return silent
  const needless = [...fired.keys()].filter(name => name !== MAY_BE_NEEDLESS)
  return [...silent, ...needless.map(name => `alarm ${name} fires for nothing`)]
}

/** Everything that is written here can be read: nothing is refused for what it is. */
function wrongRefusals({ world }: Remains): readonly string[] {
  const refused = world.metrics.sumOf('world records refused by the transform')
  return refused > 0 ? [`transform refused ${refused} records, expected none of such as are written here`] : []
}

/**
 * What a forwarder asks of Firehose: each pack once, and ten tries in a row without success at most. What Lambda asks of
 * the forwarder is Lambda's to bound.
 */
function stormsOf({ world }: Remains): readonly string[] {
  const calls = world.metrics.sumOf('Firehose PutRecordBatch.Requests')
  const most = 10 * world.metrics.sumOf('Lambda forwarder Invocations') + world.metrics.sumOf('ours Packs')
  return calls > most ? [`Firehose was called ${calls} times, expected at most ${most}`] : []
}
