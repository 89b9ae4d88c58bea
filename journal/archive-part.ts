import type { VersionedEntry } from '../store/objects.js'
import type { Bucket } from '../store/s3.js'
import { DATA_PREFIX, dateOfKey, PARTITION_COLUMN, SEALED_PREFIXES } from '../transform/layout.js'

/**
 * A part of an archive that is listed and held against its journal by itself: the rows of some days, of every table; or
 * all that is not below a table's folder of rows. Days from an empty text on, to one that is undefined, are all keys:
 * what lies in a table's folder and in no day's is in one part, too.
 */
export type ArchivePart = 'others' | { readonly from: string; readonly before: string | undefined }

/** True of a folder that may have keys of the part. */
export function mayHavePart(part: ArchivePart, folder: string): boolean {
  return isOfPart(part, folder) || (part !== 'others' && BELOW_TABLE.exec(folder)?.[1] === '')
}

/** True of a key of the part. */
export function isOfPart(part: ArchivePart, key: string): boolean {
  const [, within] = BELOW_TABLE.exec(key) ?? []
  if (within === undefined || part === 'others') return (within === undefined) === (part === 'others')
  return within >= nameOfDay(part.from) && (part.before === undefined || within < nameOfDay(part.before))
}

const BELOW_TABLE = new RegExp(`^${DATA_PREFIX}[^/]+/(.*)$`, 's')

/** What a day's folder begins with; nothing of the day before every day. */
function nameOfDay(day: string): string {
  return day === '' ? '' : `${PARTITION_COLUMN}=${day}`
}

/** Behind every key that there is. */
const LAST = '\uffff'

/** The objects of a part, each with its version. */
export async function listPart(bucket: Bucket, part: ArchivePart): Promise<readonly VersionedEntry[]> {
  const found: VersionedEntry[] = []
  const add = async (prefix: string, after: string, before: string) => {
    for (const object of await bucket.versioned(prefix, { after, before }))
      if (isOfPart(part, object.key)) found.push(object)
  }
  const tables = await bucket.folders(DATA_PREFIX)
  if (part !== 'others') {
    const before = (table: string) => (part.before === undefined ? LAST : `${table}${nameOfDay(part.before)}`)
    for (const table of tables)
      await add(table, part.from === '' ? '' : `${table}${nameOfDay(part.from)}`, before(table))
    return found
  }
  for (const prefix of SEALED_PREFIXES) if (prefix !== DATA_PREFIX) await add(prefix, '', LAST)
  // between the tables' folders
  for (const [i, after] of ['', ...tables.map(table => `${table}${LAST}`)].entries())
    await add(DATA_PREFIX, after, tables[i] ?? LAST)
  return found
}

/** Days of which a journal names rows, in order, by how many of its bundles each. */
export function daysOf(folders: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const bundle of folders)
    for (const day of new Set(bundle.filter(folder => BELOW_TABLE.test(folder)).map(dateOfKey)))
      counts.set(day, (counts.get(day) ?? 0) + 1)
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The rows of one day. */
export function partOfDay(day: string): ArchivePart {
  // "/" is before "0"
  return { from: day, before: `${day}0` }
}

/** The part that follows on what was looked at: from a day until so many bundles tell of it, or until the end. */
export function partFrom(
  from: string,
  {
    days,
    before,
    bundles,
  }: { readonly days: ReadonlyMap<string, number>; readonly before: string; readonly bundles: number },
): { readonly from: string; readonly before: string } {
  let sum = 0
  for (const [day, count] of days) {
    if (day < from || day >= before) continue
    if (sum > 0 && sum + count > bundles) return { from, before: day }
    sum += count
  }
  return { from, before }
}
