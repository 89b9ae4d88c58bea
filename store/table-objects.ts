/** The objects of tables, and what lies among them that no question reads, or not every one. */
import { DATA_PREFIX, FACTS_PREFIX, PARTITION_COLUMN, parsePartition, tablePrefix } from '../transform/layout.js'
import { IS_A_LINK } from './links.js'
import type { ObjectEntry, Objects, Survey } from './objects.js'

/** Something under `data/` that no question reads, or not every one. */
export interface Unread {
  readonly key: string
  readonly reason: string
  /** True where rows may be in it. */
  readonly mayHoldRows: boolean
}

/** What an archive holds of a table. */
export interface TableObjects {
  /** The keys of its objects, by partition and name. */
  readonly objects: readonly string[]
  readonly unread: readonly Unread[]
}

/**
 * The DynamoDB tables that an archive knows of: by their rows, or by a fact, such as that a table was found empty. A
 * folder that is a link names a table, too: that nothing of it is read is to be told.
 */
export async function tablesOf(archive: Objects): Promise<readonly string[]> {
  const folders = await Promise.all(
    [DATA_PREFIX, FACTS_PREFIX].map(async prefix =>
      (await archive.folders(prefix)).map(folder => folder.slice(prefix.length, -1)),
    ),
  )
  return [...new Set(folders.flat())].sort()
}

/** What an archive holds of a table. Objects may lie deeper than their day's folder: Firehose can append an hour. */
export async function listTable(archive: Objects, table: string): Promise<TableObjects> {
  const prefix = tablePrefix(table)
  return sortOut(await archive.survey(prefix), prefix)
}

/** The objects of a table, as a list tells of each. */
export async function entriesOf(archive: Objects, table: string): Promise<readonly ObjectEntry[]> {
  const objects = new Set((await listTable(archive, table)).objects)
  return (await archive.entries(tablePrefix(table))).filter(({ key }) => objects.has(key))
}

/** What is not read of some tables, and beside the folders of all. */
export async function listUnread(archive: Objects, tables: readonly string[]): Promise<readonly Unread[]> {
  const survey = await archive.survey(DATA_PREFIX)
  const beside = [...survey.keys, ...survey.odd.filter(({ reason }) => reason !== IS_A_LINK).map(({ key }) => key)]
    .filter(key => !key.includes('/', DATA_PREFIX.length))
    .map(key => ({ key, reason: 'lies in the folder of no table', mayHoldRows: mayHoldRows(key) }))
  return [...beside, ...tables.flatMap(table => sortOut(survey, tablePrefix(table)).unread)]
}

/** The objects of a table, and what is no object or lies outside of any day; a folder is named once, not each file. */
function sortOut({ keys, odd }: Survey, prefix: string): TableObjects {
  const above = odd.find(({ key }) => prefix.startsWith(`${key}/`))
  if (above !== undefined) return { objects: [], unread: [{ ...above, mayHoldRows: true }] }
  const unread = new Map<string, Unread>()
  /** True where the folders above a key are walked, those that are told with it. */
  const isWalked = (key: string): boolean => {
    for (let end = key.indexOf('/', prefix.length); end !== -1; end = key.indexOf('/', end + 1)) {
      const folder = key.slice(0, end)
      const reason = whyFolderUnread(folder, prefix)
      if (reason !== undefined) unread.set(folder, { key: folder, reason, mayHoldRows: true })
      if (reason === HIDDEN || reason === NESTED) return false
    }
    return true
  }
  for (const { key, reason } of odd)
    if (key.startsWith(prefix) && isWalked(key)) unread.set(key, { key, reason, mayHoldRows: true })
  const objects = keys.filter(key => {
    if (!key.startsWith(prefix) || !isWalked(key)) return false
    const reason = whyUnread(key, prefix)
    if (reason !== undefined) unread.set(key, { key, reason, mayHoldRows: mayHoldRows(key) })
    return reason === undefined
  })
  return { objects, unread: [...unread.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) }
}

/** What a desk's file manager leaves behind has a hidden name and is no object. */
function mayHoldRows(key: string): boolean {
  return !isHidden(key) || key.endsWith('.parquet')
}

const NESTED = `lies within another day's folder, so its day is not certain`
const HIDDEN = 'has a name that begins with "_" or ".", which Athena passes over, too'

function whyFolderUnread(folder: string, prefix: string): string | undefined {
  if (isHidden(folder)) return HIDDEN
  if (folder.endsWith('.parquet')) return 'is a folder, expected an object'
  if (folder.includes('/', prefix.length)) return nameOf(folder).startsWith(`${PARTITION_COLUMN}=`) ? NESTED : undefined
  return isPartition(folder)
    ? undefined
    : `is the folder of no day, expected ${PARTITION_COLUMN}=YYYY-MM-DD from 1970 on`
}

function whyUnread(key: string, prefix: string): string | undefined {
  if (isHidden(key)) return HIDDEN
  if (!key.endsWith('.parquet')) return 'is no .parquet object'
  return key.includes('/', prefix.length) ? undefined : 'lies in the folder of no day'
}

function isHidden(key: string): boolean {
  return /^[_.]/.test(nameOf(key))
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

function isPartition(key: string): boolean {
  try {
    return parsePartition(`${key}/`) !== undefined
  } catch {
    return false
  }
}
