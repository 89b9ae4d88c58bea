import { hash } from 'node:crypto'
import { bucketOf, checkpointsIdentifier, copyIdentifier, manifestKey } from '../transform/derived.js'
import { isObject, tryParseObject } from '../transform/json.js'
import { dateOf, parsePartition, tablePrefix } from '../transform/partition.js'
import { tableIdentifier } from '../transform/table-configuration.js'
import { coveredText, type ListedObject } from './derived-copy.js'
import type { Scope, TableOutline } from './engine.js'
import { type CopyTables, itemRelation, statesRelation, type UsableRun } from './unload-statements.js'

export const UNLOADED_VERSION = 'unloaded/v1'

/** What of a table's clustered copy on AWS is in use, and what of the archive it covers. docs/compaction.md documents it. */
export interface UnloadedManifest {
  readonly version: typeof UNLOADED_VERSION
  readonly table: string
  /** Counts up with each manifest. */
  readonly generation: number
  readonly built: string
  /** The archive's columns that were copied. */
  readonly columns: readonly string[]
  readonly runs: readonly UnloadedRun[]
  /** The days that are covered, `YYYY-MM-DD`. */
  readonly days: Readonly<Record<string, CoveredDay>>
  /** By day; each is of all that was covered up to its own. */
  readonly checkpoints: readonly UnloadedCheckpoint[]
  /** Runs and checkpoints that the manifest before this one named: whoever read it may still ask them. */
  readonly replaced: readonly string[]
}

export interface UnloadedCheckpoint {
  /** `YYYY-MM-DD`. */
  readonly day: string
  readonly name: string
  readonly items: number
  /** Of its objects. */
  readonly bytes: number
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
}

/** A day of the archive as it was when its run was made. */
export interface CoveredDay extends DayOfObjects {
  readonly run: string
}

/** The objects of one day as they are listed. */
export interface DayOfObjects {
  readonly objects: number
  readonly bytes: number
  /** Of the list, in the order in which S3 lists: one line `key<TAB>bytes` an object. */
  readonly sha256: string
}

/** A bucket as far as it is read here. */
export interface ListedBucket {
  entries(prefix: string): Promise<readonly ListedObject[]>
  open(key: string): Promise<Uint8Array>
}

/** The objects of a table, by day. */
export async function listDays<Entry extends ListedObject>(
  archive: { entries(prefix: string): Promise<readonly Entry[]> },
  table: string,
): Promise<ReadonlyMap<string, readonly Entry[]>> {
  const days = new Map<string, Entry[]>()
  for (const object of await archive.entries(tablePrefix(table))) {
    const { date } = parsePartition(object.key)
    const day = days.get(date)
    if (day === undefined) days.set(date, [object])
    else day.push(object)
  }
  return days
}

export function dayOf(objects: readonly ListedObject[]): DayOfObjects {
  return {
    objects: objects.length,
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    sha256: hash('sha256', coveredText(objects)),
  }
}

/** True where a day's objects are those that its run was made from. */
export function isCovered(
  manifest: UnloadedManifest | undefined,
  day: string,
  objects: readonly ListedObject[],
): boolean {
  return manifest?.days[day]?.sha256 === dayOf(objects).sha256
}

/** Reads a manifest. Throws for one that is not as it should be: whatever it names becomes part of statements. */
export function parseManifest(text: string, table: string): UnloadedManifest {
  const value = tryParseObject(text)
  if (value === undefined) throw new Error('its manifest is no JSON object')
  const { version, runs, days, columns, checkpoints, replaced } = value
  if (version !== UNLOADED_VERSION)
    throw new Error(`its manifest has version ${JSON.stringify(version)}, expected "${UNLOADED_VERSION}"`)
  if (value.table !== table) throw new Error(`its manifest is of table ${JSON.stringify(value.table)}`)
  const names = (list: unknown, pattern: RegExp) =>
    Array.isArray(list) && list.every(name => typeof name === 'string' && pattern.test(name))
  const isRun = (run: unknown) => isObject(run) && NAME.test(String(run.name)) && (run.digits === 1 || run.digits === 2)
  const isCheckpoint = (checkpoint: unknown) =>
    isObject(checkpoint) && NAME.test(String(checkpoint.name)) && DAY.test(String(checkpoint.day))
  const isDay = ([day, covered]: [string, unknown]) => DAY.test(day) && isObject(covered)
  const whole =
    names(columns, COLUMN) &&
    names(replaced, NAME) &&
    Array.isArray(runs) &&
    runs.every(isRun) &&
    Array.isArray(checkpoints) &&
    checkpoints.every(isCheckpoint) &&
    isObject(days) &&
    Object.entries(days).every(isDay)
  if (!whole) throw new Error('its manifest lacks something, or names what no compaction does')
  return value as unknown as UnloadedManifest
}

const NAME = /^[0-9a-f-]{36}$/
const DAY = /^\d{4}-\d{2}-\d{2}$/
const COLUMN = /^[a-z][a-z0-9_]*$/

const DAY_US = 86_400_000_000
const LAST_US = Date.UTC(9999, 11, 31) * 1000

/** How long what was listed is taken for what is there. */
const FRESH_MS = 60_000

/**
 * Finds, for a question about one item or a moment on AWS, derived rows that stand for days of the archive. Day by day: one whose
 * objects are not those that were copied is read from the archive, and so is every day that the copy does not have. So an
 * answer is what it is without a copy, whenever one is made.
 */
export class UnloadedCopies {
  private readonly looked = new Map<string, { readonly at: number; readonly runs: Promise<Usable | undefined> }>()
  readonly remarks = new Set<string>()

  constructor(
    private readonly archive: ListedBucket,
    private readonly derived: ListedBucket,
    private readonly database: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** What a statement reads instead of its table; undefined where nothing derived does for it. */
  async relationOf({ table, itemKey, states }: Scope): Promise<string | undefined> {
    if (itemKey === undefined && states === undefined) return undefined
    const usable = await this.look(table)
    if (usable === undefined) return undefined
    const tables = copyTables(this.database, table, usable.manifest.columns)
    if (itemKey !== undefined) return itemRelation(tables, usable.runs, digits => bucketOf(itemKey, digits))
    const { fromUs = 0, toUs = 0 } = states ?? {}
    const from = dateOf(fromUs)
    const checkpoint = usable.checkpoints.findLast(({ day }) => day < from)
    return checkpoint && statesRelation(tables, checkpoint, dateOf(Math.min(toUs + DAY_US, LAST_US)))
  }

  /** What is known of a table whose first day is in the copy. */
  async outlineOf(table: string): Promise<TableOutline | undefined> {
    const usable = await this.look(table)
    if (usable === undefined) return undefined
    const { manifest, firstDay } = usable
    const first = manifest.runs.find(run => run.name === manifest.days[firstDay]?.run)
    if (first === undefined || first.firstDay !== firstDay) return undefined
    if (!usable.runs.some(({ days }) => days[0] === firstDay)) return undefined
    return { beganUs: first.beganUs, sampleKey: first.sampleKey }
  }

  /** Asks the archive from now on. */
  giveUp(table: string, reason: string): void {
    this.remarks.add(`compacted copy of ${table} was not used, the archive was asked instead: ${reason}`)
    this.looked.set(table, { at: Number.POSITIVE_INFINITY, runs: Promise.resolve(undefined) })
  }

  private look(table: string): Promise<Usable | undefined> {
    const known = this.looked.get(table)
    if (known !== undefined && this.now() - known.at < FRESH_MS) return known.runs
    const runs = this.find(table).catch((error: Error) => {
      this.giveUp(table, error.message)
      return undefined
    })
    this.looked.set(table, { at: this.now(), runs })
    return runs
  }

  /** The manifest is read before the archive is listed, so whatever it covers is in the list or is gone. */
  private async find(table: string): Promise<Usable | undefined> {
    const text = await this.derived.open(manifestKey(table)).catch((error: Error) => {
      if (error.name === 'NoSuchKey') return undefined
      throw error
    })
    if (text === undefined) return undefined
    const manifest = parseManifest(Buffer.from(text).toString(), table)
    const days = await listDays(this.archive, table)
    const runs = usableRuns(manifest, days)
    if (runs.length === 0) return undefined
    const checkpoints = usableCheckpoints(manifest, days)
    return { manifest, runs, checkpoints, firstDay: [...days.keys()].sort()[0] as string }
  }
}

interface Usable {
  readonly manifest: UnloadedManifest
  readonly runs: readonly UsableRun[]
  readonly checkpoints: readonly UnloadedCheckpoint[]
  /** The first day of the archive. */
  readonly firstDay: string
}

/** The runs of a manifest with the days that they can stand for. */
export function usableRuns(
  manifest: UnloadedManifest,
  listed: ReadonlyMap<string, readonly ListedObject[]>,
): readonly UsableRun[] {
  const days = [...listed].filter(([day, objects]) => isCovered(manifest, day, objects)).map(([day]) => day)
  days.sort()
  return manifest.runs
    .map(({ name, digits }) => ({ name, digits, days: days.filter(day => manifest.days[day]?.run === name) }))
    .filter(run => run.days.length > 0)
}

/** The last day up to which the archive is what was copied, every day of it; undefined where its first is not. */
export function coveredUntil(
  manifest: UnloadedManifest | undefined,
  listed: ReadonlyMap<string, readonly ListedObject[]>,
): string | undefined {
  let until: string | undefined
  for (const day of [...new Set([...listed.keys(), ...Object.keys(manifest?.days ?? {})])].sort()) {
    if (!isCovered(manifest, day, listed.get(day) ?? [])) break
    until = day
  }
  return until
}

/** The checkpoints of a manifest that a change since may not have made wrong. */
export function usableCheckpoints(
  manifest: UnloadedManifest,
  listed: ReadonlyMap<string, readonly ListedObject[]>,
): readonly UnloadedCheckpoint[] {
  const until = coveredUntil(manifest, listed)
  return manifest.checkpoints.filter(({ day }) => until !== undefined && day <= until)
}

/** The tables of a copy as statements name them. */
export function copyTables(database: string, table: string, columns: readonly string[]): CopyTables {
  const inDatabase = (name: string) => `"${database}"."${name}"`
  return {
    archive: inDatabase(tableIdentifier(table)),
    copy: inDatabase(copyIdentifier(table)),
    checkpoints: inDatabase(checkpointsIdentifier(table)),
    columns,
  }
}
