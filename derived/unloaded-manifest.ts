import { hash } from 'node:crypto'
import { BUCKET_COLUMN, FOLDER_COLUMN, folderPrefix } from '../transform/derived.js'
import { isObject, tryParseObject } from '../transform/json.js'
import { PARTITION_COLUMN, parsePartition, tablePrefix } from '../transform/layout.js'
import { folderOf, type RunOfDays } from './unload-statements.js'

export const UNLOADED_VERSION = 'unloaded/v1'

/** What is derived from a table on AWS and in use, and what of the archive it covers. docs/compaction.md documents it. */
export interface UnloadedManifest {
  readonly version: typeof UNLOADED_VERSION
  readonly table: string
  /** Counts up with each manifest. */
  readonly generation: number
  readonly built: string
  readonly runs: readonly UnloadedRun[]
  /** The days that are covered, `YYYY-MM-DD`. */
  readonly days: Readonly<Record<string, CoveredDay>>
  /** Days of which Athena showed no row, with what is to change before they are tried again. */
  readonly unseen: Readonly<Record<string, string>>
  /** By day; each is of all that was covered up to its own. */
  readonly checkpoints: readonly UnloadedCheckpoint[]
  /** Each is of all days that are covered. */
  readonly answers: readonly UnloadedAnswer[]
  /** Runs, checkpoints and answers that are in use no more, and since when: whoever read an older manifest may still ask them. */
  readonly replaced: readonly { readonly name: string; readonly at: string }[]
}

export interface UnloadedRun {
  readonly name: string
  /** How many hex digits name its buckets. */
  readonly digits: number
  readonly rows: number
  /** Rows of the archive that they stand for, repeats among them. */
  readonly deliveries: number
  readonly digest: string
  /** Of the archive's objects that it was made from. */
  readonly bytes: number
  /** The first day that it was made from, and when the first change of that day was made. */
  readonly firstDay: string
  readonly beganUs: number
  /** Any key in it. */
  readonly sampleKey: string
  /** Of each bucket that has rows its objects, as `listDigest` tells them. */
  readonly files: Readonly<Record<string, string>>
}

export interface UnloadedCheckpoint {
  /** `YYYY-MM-DD`. */
  readonly day: string
  readonly name: string
  readonly items: number
  readonly bytes: number
  /** Its objects, as `listDigest` tells them. */
  readonly files: string
}

/** What a statement whose every row tells of one item answers of the days that are covered. */
export interface UnloadedAnswer {
  /** As `answerHash` tells it. */
  readonly statement: string
  readonly name: string
  readonly rows: number
  readonly bytes: number
  /** Its objects, as `listDigest` tells them. */
  readonly files: string
}

/** A day of the archive as it was when its run was made. */
export interface CoveredDay {
  readonly run: string
  readonly bytes: number
  /** Its objects, as `listDigest` tells them. */
  readonly files: string
}

/** An object as S3 lists it. */
export interface ListedObject {
  readonly key: string
  readonly bytes: number
  readonly etag: string
}

/** A bucket as far as it is listed here. */
export interface ListedBucket<Entry extends ListedObject = ListedObject> {
  /** Objects whose keys begin with a prefix. */
  entries(prefix: string): Promise<readonly Entry[]>
  /** Prefixes one "/" further than the one given. */
  folders(prefix: string): Promise<readonly string[]>
}

/** The objects of a day. */
export interface ListedDay<Entry extends ListedObject = ListedObject> {
  readonly objects: readonly Entry[]
  readonly bytes: number
  /** As `listDigest` tells them. */
  readonly files: string
}

export type Days<Entry extends ListedObject = ListedObject> = ReadonlyMap<string, ListedDay<Entry>>

/** How many lists are asked for at once. */
const LISTS_AT_ONCE = 8

/** The objects of a table by day, in order. Months are listed side by side: a list is asked for page by page. */
export async function listDays<Entry extends ListedObject>(
  archive: ListedBucket<Entry>,
  table: string,
): Promise<Days<Entry>> {
  const folders = await archive.folders(tablePrefix(table))
  const months = [...new Set(folders.map(folder => parsePartition(folder).date.slice(0, 'YYYY-MM'.length)))].sort()
  const days = new Map<string, Entry[]>()
  for (let i = 0; i < months.length; i += LISTS_AT_ONCE) {
    const prefixes = months
      .slice(i, i + LISTS_AT_ONCE)
      .map(month => `${tablePrefix(table)}${PARTITION_COLUMN}=${month}`)
    for (const object of (await Promise.all(prefixes.map(prefix => archive.entries(prefix)))).flat()) {
      const { date } = parsePartition(object.key)
      push(days, date, object)
    }
  }
  const listed = [...days].map(
    ([day, objects]) => [day, { objects, bytes: sumOf(objects), files: listDigest(objects) }] as const,
  )
  return new Map(listed)
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
  const lines = objects.map(({ key, bytes, etag }) => `${key}\t${bytes}\t${etag}\n`).sort()
  return `${objects.length} ${sumOf(objects)} ${hash('sha256', lines.join('')).slice(0, 32)}`
}

/** True where a day's objects are those that its run was made from. */
export function isCovered(manifest: UnloadedManifest | undefined, day: string, listed: Days): boolean {
  const known = manifest?.days[day]
  return known !== undefined && known.files === listed.get(day)?.files
}

/** The runs of a manifest with the days that they can stand for. */
export function usableRuns(manifest: UnloadedManifest, listed: Days): readonly RunOfDays[] {
  const days = [...listed.keys()].filter(day => isCovered(manifest, day, listed)).sort()
  return manifest.runs
    .map(({ name, digits }) => ({ name, digits, days: days.filter(day => manifest.days[day]?.run === name) }))
    .filter(run => run.days.length > 0)
}

/** The last day up to which the archive is what was copied, every day of it; undefined where its first is not. */
export function coveredUntil(manifest: UnloadedManifest | undefined, listed: Days): string | undefined {
  let until: string | undefined
  for (const day of [...new Set([...listed.keys(), ...Object.keys(manifest?.days ?? {})])].sort()) {
    if (!isCovered(manifest, day, listed)) break
    until = day
  }
  return until
}

/** The checkpoints of a manifest that a change since may not have made wrong. */
export function usableCheckpoints(manifest: UnloadedManifest, listed: Days): readonly UnloadedCheckpoint[] {
  const until = coveredUntil(manifest, listed)
  return manifest.checkpoints.filter(({ day }) => until !== undefined && day <= until)
}

/**
 * The days that the kept answers of a manifest are of, in order; none where one of them is another since, or gone: nobody can
 * tell of which items the rows are that it had.
 */
export function daysOfAnswers(manifest: UnloadedManifest, listed: Days): readonly string[] {
  const days = Object.keys(manifest.days).sort()
  return days.every(day => isCovered(manifest, day, listed)) ? days : []
}

/** Where an item's rows are in a run. */
export function bucketPrefix(table: string, run: Pick<UnloadedRun, 'name' | 'digits'>, bucket: string): string {
  return `${folderPrefix(table, folderOf(run, bucket))}${BUCKET_COLUMN}=${bucket}/`
}

/** The objects of a run, by bucket, among those that are listed. */
export function filesOfRun(name: string, listed: readonly ListedObject[]): Readonly<Record<string, string>> {
  return filesByBucket(groupFiles(listed).get(name) ?? [])
}

/** A manifest without what lacks an object: its days are then due again. */
export function intact(manifest: UnloadedManifest, listed: readonly ListedObject[]): UnloadedManifest {
  const files = groupFiles(listed)
  const runs = manifest.runs.filter(
    run => JSON.stringify(filesByBucket(files.get(run.name) ?? [])) === JSON.stringify(run.files),
  )
  const names = new Set(runs.map(({ name }) => name))
  return {
    ...manifest,
    runs,
    days: Object.fromEntries(Object.entries(manifest.days).filter(([, { run }]) => names.has(run))),
    checkpoints: manifest.checkpoints.filter(one => listDigest(files.get(one.name) ?? []) === one.files),
    // they are of all days that were covered
    answers:
      runs.length < manifest.runs.length
        ? []
        : manifest.answers.filter(one => listDigest(files.get(one.name) ?? []) === one.files),
  }
}

/** A run has several folders, numbered. */
const FILE = new RegExp(`/${FOLDER_COLUMN}=([0-9a-f-]{36})(?:-\\d+)?/(?:${BUCKET_COLUMN}=([0-9a-f]+)/)?`)

/** Derived objects by the run, checkpoint or answer that they are of. */
export function groupFiles<Entry extends ListedObject>(
  listed: readonly Entry[],
): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>()
  for (const object of listed) {
    const name = FILE.exec(object.key)?.[1]
    if (name !== undefined) push(groups, name, object)
  }
  return groups
}

function filesByBucket(objects: readonly ListedObject[]): Readonly<Record<string, string>> {
  const buckets = new Map<string, ListedObject[]>()
  for (const object of objects) push(buckets, FILE.exec(object.key)?.[2] ?? '', object)
  return Object.fromEntries([...buckets].map(([bucket, of]) => [bucket, listDigest(of)] as const).sort())
}

/** Reads a manifest. Throws for one that is not as it should be: whatever it names becomes part of statements. */
export function parseManifest(text: string, table: string): UnloadedManifest {
  const value = tryParseObject(text)
  if (value === undefined) throw new Error('its manifest is no JSON object')
  const { version, runs, days, unseen, checkpoints, answers, replaced } = value
  if (version !== UNLOADED_VERSION)
    throw new Error(`its manifest has version ${JSON.stringify(version)}, expected "${UNLOADED_VERSION}"`)
  if (value.table !== table) throw new Error(`its manifest is of table ${JSON.stringify(value.table)}`)
  const whole =
    [runs, checkpoints, answers, replaced].every(Array.isArray) &&
    isObject(days) &&
    isObject(unseen) &&
    (runs as unknown[]).every(isRun) &&
    (checkpoints as unknown[]).every(isCheckpoint) &&
    (answers as unknown[]).every(isAnswer) &&
    (replaced as unknown[]).every(one => isNamed(one) && typeof one.at === 'string') &&
    Object.entries(days).every(([day, covered]) => DAY.test(day) && isCoveredDay(covered))
  const names = whole ? namesIn(value as unknown as UnloadedManifest) : []
  if (!whole || new Set(names).size < names.length)
    throw new Error('its manifest lacks something, or names what no compaction does')
  return value as unknown as UnloadedManifest
}

/** What a manifest names of what is in use. */
export function namesIn({
  runs,
  checkpoints,
  answers,
}: Pick<UnloadedManifest, 'runs' | 'checkpoints' | 'answers'>): readonly string[] {
  return [...runs, ...checkpoints, ...answers].map(({ name }) => name)
}

const NAME = /^[0-9a-f-]{36}$/
const DAY = /^\d{4}-\d{2}-\d{2}$/

function isNamed(value: unknown): value is { readonly [field: string]: unknown } {
  return isObject(value) && typeof value.name === 'string' && NAME.test(value.name)
}

function isRun(value: unknown): boolean {
  if (!isNamed(value)) return false
  const { digits, files, beganUs, sampleKey, firstDay } = value
  return (
    (digits === 1 || digits === 2) &&
    isObject(files) &&
    Number.isSafeInteger(beganUs) &&
    Object.values(files).every(digest => typeof digest === 'string') &&
    typeof sampleKey === 'string' &&
    tryParseObject(sampleKey) !== undefined &&
    DAY.test(String(firstDay))
  )
}

function isCoveredDay(value: unknown): boolean {
  return isObject(value) && typeof value.run === 'string' && NAME.test(value.run) && typeof value.files === 'string'
}

function isCheckpoint(value: unknown): boolean {
  return isNamed(value) && DAY.test(String(value.day)) && typeof value.files === 'string'
}

function isAnswer(value: unknown): boolean {
  return isNamed(value) && typeof value.statement === 'string' && typeof value.files === 'string'
}
