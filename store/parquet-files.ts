import { type Dirent, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  DATA_PREFIX,
  FACTS_PREFIX,
  PARTITION_COLUMN,
  parsePartition,
  TOP_NAMES,
  tablePrefix,
} from '../transform/layout.js'
import { IS_A_LINK, linkIn } from './links.js'

/** Something under `data/` that no question reads, or not every one. */
export interface Unread {
  readonly key: string
  readonly reason: string
  /** True where rows may be in it. */
  readonly mayHoldRows: boolean
}

/** What an archive holds in the folder of a table. */
export interface TableFolder {
  /** The paths of its objects, by partition and name. */
  readonly objects: readonly string[]
  readonly unread: readonly Unread[]
}

/** True for the folder of an archive, be it empty; false for one that holds something else only. */
export function isArchive(root: string): boolean {
  const names = readdirSync(root)
  return names.length === 0 || names.some(name => TOP_NAMES.includes(name))
}

/**
 * The DynamoDB tables that an archive knows of: by their rows, or by a fact, such as that a table was found empty. A
 * folder that is a link names a table, too: that nothing of it is read is to be told.
 */
export function tablesOf(root: string): readonly string[] {
  const names = [DATA_PREFIX, FACTS_PREFIX].flatMap(prefix =>
    entriesOf(root, prefix)
      .filter(entry => entry.isDirectory() || entry.isSymbolicLink())
      .map(({ name }) => name),
  )
  return [...new Set(names)].sort()
}

/** The paths of a table's objects, by partition and name. */
export function parquetFiles(root: string, table: string): readonly string[] {
  return listTable(root, table).objects
}

/** What lies in the folder of a table. Objects may lie deeper than their day's folder: Firehose can append an hour. */
export function listTable(root: string, table: string): TableFolder {
  const objects: string[] = []
  const unread: Unread[] = []
  const prefix = tablePrefix(table)
  const link = linkIn(root, prefix)
  if (link !== undefined) return { objects, unread: [{ key: link, reason: IS_A_LINK, mayHoldRows: true }] }
  const walk = (folder: string, isDay: boolean): void => {
    for (const entry of entriesOf(root, folder)) {
      const key = `${folder}${entry.name}`
      const reason = whyUnread(key, entry, isDay)
      if (reason !== undefined) unread.push({ key, reason, mayHoldRows: mayHoldRows(entry) })
      if (entry.isDirectory() && reason !== NESTED && !isHidden(entry.name)) walk(`${key}/`, true)
      else if (reason === undefined && entry.isFile()) objects.push(join(root, ...key.split('/')))
    }
  }
  walk(prefix, false)
  return { objects, unread }
}

/** What lies beside the folders of tables. */
export function unreadBesideTables(root: string): readonly Unread[] {
  const link = linkIn(root, DATA_PREFIX)
  if (link !== undefined) return [{ key: link, reason: IS_A_LINK, mayHoldRows: true }]
  return entriesOf(root, DATA_PREFIX)
    .filter(entry => !entry.isDirectory() && !entry.isSymbolicLink())
    .map(entry => ({
      key: `${DATA_PREFIX}${entry.name}`,
      reason: 'lies in the folder of no table',
      mayHoldRows: mayHoldRows(entry),
    }))
}

/** What a desk's file manager leaves behind has a hidden name and is no object. */
function mayHoldRows(entry: Dirent): boolean {
  return !entry.isFile() || !isHidden(entry.name) || entry.name.endsWith('.parquet')
}

const NESTED = `lies within another day's folder, so its day is not certain`
const HIDDEN = 'has a name that begins with "_" or ".", which Athena passes over, too'

function whyUnread(key: string, entry: Dirent, isDay: boolean): string | undefined {
  if (entry.isSymbolicLink()) return IS_A_LINK
  if (isHidden(entry.name)) return HIDDEN
  if (entry.isDirectory()) {
    if (entry.name.endsWith('.parquet')) return 'is a folder, expected an object'
    if (isDay) return entry.name.startsWith(`${PARTITION_COLUMN}=`) ? NESTED : undefined
    return isPartition(key)
      ? undefined
      : `is the folder of no day, expected ${PARTITION_COLUMN}=YYYY-MM-DD from 1970 on`
  }
  if (!entry.isFile() || !entry.name.endsWith('.parquet')) return 'is no .parquet object'
  return isDay ? undefined : 'lies in the folder of no day'
}

function isHidden(name: string): boolean {
  return name.startsWith('_') || name.startsWith('.')
}

function isPartition(key: string): boolean {
  try {
    return parsePartition(`${key}/`) !== undefined
  } catch {
    return false
  }
}

function entriesOf(root: string, prefix: string): readonly Dirent[] {
  const folder = join(root, prefix)
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
}
