import type { KeyRange } from '../store/objects.js'
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

/** Where objects are listed: keys of a range below a prefix, and prefixes one "/" further. */
export interface ListablePlace<T extends { readonly key: string }> {
  between(prefix: string, range: KeyRange): Promise<readonly T[]>
  folders(prefix: string): Promise<readonly string[]>
}

/** The objects of a part. */
export async function listPart<T extends { readonly key: string }>(
  place: ListablePlace<T>,
  part: ArchivePart,
): Promise<readonly T[]> {
  const found: T[] = []
  const add = async (prefix: string, after: string, before: string) => {
    for (const object of await place.between(prefix, { after, before }))
      if (isOfPart(part, object.key)) found.push(object)
  }
  const tables = await place.folders(DATA_PREFIX)
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

/** Days of which a journal names rows, in order, each with the numbers of the bundles that do, of these folders. */
export function daysOf(folders: readonly (readonly string[])[]): ReadonlyMap<string, readonly number[]> {
  const days = new Map<string, number[]>()
  for (const [number, bundle] of folders.entries())
    for (const day of new Set(bundle.filter(folder => BELOW_TABLE.test(folder)).map(dateOfKey))) {
      const numbers = days.get(day)
      if (numbers === undefined) days.set(day, [number])
      else numbers.push(number)
    }
  return new Map([...days].sort(([a], [b]) => (a < b ? -1 : 1)))
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
  }: {
    readonly days: ReadonlyMap<string, readonly number[]>
    readonly before: string
    readonly bundles: number
  },
): { readonly from: string; readonly before: string } {
  const told = new Set<number>()
  for (const [day, numbers] of days) {
    if (day < from || day >= before) continue
    const isFirst = told.size === 0
    for (const number of numbers) told.add(number)
    if (!isFirst && told.size > bundles) return { from, before: day }
  }
  return { from, before }
}
