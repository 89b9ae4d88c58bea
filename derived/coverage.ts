import { hash } from 'node:crypto'
import type { ObjectEntry, Objects, ReplaceableObjects } from '../store/objects.js'
import { coveredKey, parseDerivedKey } from '../transform/derived.js'
import { DATA_PREFIX, dateOfKey, PARTITION_COLUMN, parsePartition, tablePrefix } from '../transform/layout.js'
import { type Manifest, type Run, type StateCheckpoint, sizeOf } from './manifest.js'

/** An object as a list shows it. On a desk its ETag is empty: there only the size tells whether it was replaced. */
export type ListedObject = Pick<ObjectEntry, 'key' | 'bytes' | 'etag'>

/** The part of an archive's interface that listing needs. */
export type ListedArchive = Pick<Objects, 'entries' | 'folders'>

/** The objects of a day. */
export interface ListedDay {
  readonly objects: readonly ObjectEntry[]
  readonly bytes: number
  /** As `listDigest` tells them. */
  readonly files: string
}

/** What an archive has of a table, day by day, in order. */
export type Days = ReadonlyMap<string, ListedDay>

/** How many lists are requested at the same time. */
const LISTS_AT_ONCE = 8

/** Lists the objects of a table, day by day. */
export type Listing = (table: string) => Promise<Days>

/** Lists a bucket. Months are listed side by side: a list is asked for page by page. */
export function listingOf(archive: ListedArchive): Listing {
  return async table => {
    const folders = await archive.folders(tablePrefix(table))
    const days = folders.map(dayOf).filter(isDay)
    const months = [...new Set(days.map(day => day.slice(0, 'YYYY-MM'.length)))].sort()
    const objects: ObjectEntry[] = []
    for (let i = 0; i < months.length; i += LISTS_AT_ONCE) {
      const some = months.slice(i, i + LISTS_AT_ONCE)
      const prefixes = some.map(month => `${tablePrefix(table)}${PARTITION_COLUMN}=${month}`)
      const listed = await Promise.all(prefixes.map(prefix => archive.entries(prefix)))
      for (const object of listed.flat()) objects.push(object)
    }
    return groupByDay(objects)
  }
}

/** Objects of a table by day, in order. */
export function groupByDay(objects: readonly ObjectEntry[]): Days {
  const days = new Map<string, ObjectEntry[]>()
  for (const object of objects) push(days, dayOf(object.key), object)
  const listed = [...days].map(
    ([day, its]) => [day, { objects: its, bytes: sumOf(its), files: listDigest(its) }] as const,
  )
  return new Map(listed.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The day whose folder a key lies in, as SQL has it: what is in the folder of no day is never copied. */
function dayOf(key: string): string {
  try {
    return parsePartition(key).date
  } catch {
    return dateOfKey(key)
  }
}

/** True of a day that changes can be of. */
export function isDay(day: string): boolean {
  const key = `${DATA_PREFIX}-/${PARTITION_COLUMN}=${day}/`
  try {
    return parsePartition(key).date === day
  } catch {
    return false
  }
}

function push<Key, Value>(groups: Map<Key, Value[]>, key: Key, value: Value): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [value])
  else group.push(value)
}

function sumOf(objects: readonly ListedObject[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Objects as a short text: how many, their bytes together, and a digest of their keys, sizes and ETags. */
export function listDigest(objects: readonly ListedObject[]): string {
  return `${objects.length} ${sumOf(objects)} ${hash('sha256', listText(objects)).slice(0, 32)}`
}

/** The objects that a run was made from, as the text that is kept of them. */
export function listText(objects: readonly ListedObject[]): string {
  return objects
    .map(({ key, bytes, etag }) => `${key}\t${bytes}\t${etag}\n`)
    .sort()
    .join('')
}

/** Why what is listed under a prefix is not what was written there; undefined where it is. */
export function whyOther(prefix: string, files: string, found: readonly ListedObject[]): string | undefined {
  if (listDigest(found) === files) return undefined
  const [expected, there] = [sizeOf(files), sizeOf(listDigest(found))]
  if (there.objects < expected.objects) return `a file of ${prefix} is gone`
  if (there.bytes !== expected.bytes) return `${prefix} has ${there.bytes} bytes instead of ${expected.bytes}`
  return `${prefix} has other files than its manifest names: the digest of their bytes is another`
}

/** Which of the days that a manifest covers still hold the objects that they were copied from. */
export interface Coverage {
  /** Unchanged days, each with the run that has its rows. */
  readonly days: ReadonlyMap<string, Run>
  /** Days that got, lost or replaced an object since they were copied. */
  readonly changed: ReadonlyMap<string, ChangedDay>
  /** Every day up to this one is unchanged; undefined where already the first day is not. */
  readonly until: string | undefined
}

/** A day whose objects changed since it was copied. */
export interface ChangedDay {
  /** How many objects it had. */
  readonly objects: number
  /**
   * The first object that was removed or replaced, which should never happen in an archive. Undefined where objects
   * were only added: then the copied rows are still right, and some are missing.
   */
  readonly lost: string | undefined
}

/**
 * Compares a manifest with what the archive has now. One digest tells whether all days of a run are unchanged; only
 * where it differs is the run's list of objects read, to find out which day it was.
 */
export async function readCoverage(
  derived: Pick<ReplaceableObjects, 'openTagged'>,
  table: string,
  manifest: Manifest | undefined,
  listed: Days,
): Promise<Coverage> {
  const days = new Map<string, Run>()
  const changed = new Map<string, ChangedDay>()
  for (const run of manifest?.runs ?? []) {
    const its = [...listed.keys()].filter(day => isIn(run.days, day))
    if (listDigest(objectsOf(its, listed)) === run.covered) for (const day of its) days.set(day, run)
    else
      for (const [day, found] of await compareDays(derived, table, run, its, listed))
        if (found === undefined) days.set(day, run)
        else changed.set(day, found)
  }
  let until: string | undefined
  for (const day of [...new Set([...listed.keys(), ...changed.keys()])].sort()) {
    if (!days.has(day)) break
    until = day
  }
  return { days, changed, until }
}

/**
 * Finds out which days of a run changed, by the list of objects that was kept when the run was made. A day without a
 * change has undefined.
 */
async function compareDays(
  derived: Pick<ReplaceableObjects, 'openTagged'>,
  table: string,
  run: Run,
  its: readonly string[],
  listed: Days,
): Promise<ReadonlyMap<string, ChangedDay | undefined>> {
  const key = coveredKey(table, run.name)
  const kept = parseList((await derived.openTagged(key))?.text ?? '')
  const objects = kept.filter(object => isIn(run.days, dayOf(object.key)))
  // without the list nobody can tell which days changed, so all of them count as changed
  if (listDigest(objects) !== run.covered)
    return new Map(its.map(day => [day, { objects: 0, lost: `the list ${key} is gone or another` }]))
  const before = new Map<string, ListedObject[]>()
  for (const object of objects) push(before, dayOf(object.key), object)
  return new Map(
    [...before].map(([day, old]) => {
      const now = listed.get(day)
      if (now !== undefined && listDigest(old) === now.files) return [day, undefined]
      return [day, { objects: old.length, lost: firstLost(old, now) }]
    }),
  )
}

function isIn(ranges: Run['days'], day: string): boolean {
  return ranges.some(([first, last]) => day >= first && day <= last)
}

/** The archive's objects of some days. */
export function objectsOf(days: readonly string[], listed: Days): readonly ObjectEntry[] {
  return days.flatMap(day => listed.get(day)?.objects ?? [])
}

/**
 * The days of a run as its manifest entry has them: ranges of first and last day. A range may skip days of the
 * calendar, but no day that the archive has.
 */
export function coverOf(days: readonly string[], listed: Days): Pick<Run, 'days' | 'covered'> {
  const wanted = new Set(days)
  const ranges: [first: string, last: string][] = []
  let isOpen = false
  for (const day of listed.keys()) {
    const range = ranges.at(-1)
    if (wanted.has(day) && isOpen && range !== undefined) range[1] = day
    else if (wanted.has(day)) ranges.push([day, day])
    isOpen = wanted.has(day)
  }
  return { days: ranges, covered: listDigest(objectsOf(days, listed)) }
}

/** Objects that were removed or replaced since they were copied, each with its day. */
export function lostOf({ changed }: Coverage): readonly { readonly day: string; readonly what: string }[] {
  return [...changed]
    .flatMap(([day, { lost }]) => (lost === undefined ? [] : [{ day, what: lost }]))
    .sort((a, b) => (a.day < b.day ? -1 : 1))
}

/** A run, and the days for which it is the one to read, in order. */
export interface RunInUse {
  readonly run: Run
  readonly days: readonly string[]
  /** True where these are all the days that the run has rows of. */
  readonly isWhole: boolean
}

/** The runs to read for at least one day. A run may have rows of days that were copied again: nobody reads those. */
export function runsInUse({ days }: Coverage): readonly RunInUse[] {
  const used = new Map<Run, string[]>()
  for (const [day, run] of days) push(used, run, day)
  return [...used].map(([run, its]) => ({ run, days: its.sort(), isWhole: its.length === run.daysCopied }))
}

/** The checkpoints that are still right: no day up to theirs has changed since. */
export function usableCheckpoints(manifest: Manifest | undefined, { until }: Coverage): readonly StateCheckpoint[] {
  return (manifest?.checkpoints ?? []).filter(({ day }) => until !== undefined && day <= until)
}

function firstLost(before: readonly ListedObject[], now: ListedDay | undefined): string | undefined {
  const there = new Map((now?.objects ?? []).map(object => [object.key, object]))
  for (const { key, bytes, etag } of before) {
    const found = there.get(key)
    if (found === undefined) return `object ${key} is gone`
    if (found.bytes !== bytes) return `object ${key} has ${found.bytes} bytes instead of ${bytes}`
    if (found.etag !== etag) return `object ${key} is another than it was`
  }
  return undefined
}

function parseList(text: string): readonly ListedObject[] {
  const lines = text.split('\n').filter(line => line.startsWith(DATA_PREFIX))
  return lines.map(line => {
    const [key = '', bytes, etag = ''] = line.split('\t')
    return { key, bytes: Number(bytes), etag }
  })
}

/** Derived objects, grouped by the run, checkpoint or answer that they belong to. */
export function groupFiles(listed: readonly ObjectEntry[]): ReadonlyMap<string, readonly ObjectEntry[]> {
  const groups = new Map<string, ObjectEntry[]>()
  for (const object of listed) {
    const name = parseDerivedKey(object.key)?.name
    if (name !== undefined) push(groups, name, object)
  }
  return groups
}

/** The files of a run, by bucket, among those that are listed below the prefix of the copy. */
export function filesOfRun(name: string, listed: readonly ObjectEntry[]): Readonly<Record<string, string>> {
  const buckets = new Map<string, ListedObject[]>()
  for (const object of groupFiles(listed).get(name) ?? []) {
    const bucket = parseDerivedKey(object.key)?.bucket
    if (bucket) push(buckets, bucket, object)
  }
  return Object.fromEntries([...buckets].map(([bucket, of]) => [bucket, listDigest(of)] as const).sort())
}
