import { hash } from 'node:crypto'
import { AUDIT_COLUMNS, type Column } from './audit-row.js'
import { derivedPrefix, PARTITION_COLUMN } from './layout.js'
import { answersIdentifier, checkpointsIdentifier, copyIdentifier, type NamedTable } from './table-names.js'

/**
 * Where derived tables live: beside the archive's write-once keys, and no part of them. The folder can be deleted at
 * any time; a compaction makes it again. No other file builds these names.
 */

/** What a manifest says that it is. */
export const DERIVED_VERSION = 'derived/v2'

/** The one file that says what of a table's derived files is in use. It is replaced as a whole. */
export function manifestKey(table: string): string {
  return `${derivedPrefix(table)}manifest.json`
}

/** Whether a key is that of a table's manifest. */
export function isManifest(key: string): boolean {
  const [, table = ''] = key.split('/')
  return key === manifestKey(table)
}

/** The key prefix of the clustered copy. */
export function changesPrefix(table: string): string {
  return `${derivedPrefix(table)}changes/`
}

/** The key prefix of the checkpoints. */
function checkpointsPrefix(table: string): string {
  return `${derivedPrefix(table)}checkpoint/`
}

/** The key prefix of kept answers. */
function answersPrefix(table: string): string {
  return `${derivedPrefix(table)}answers/`
}

/** The partition column of the clustered copy. */
export const BUCKET_COLUMN = 'bucket'

/** The partition column before it: the folder that one statement wrote. */
export const FOLDER_COLUMN = 'folder'

/** The key prefix of what one statement wrote of a run; buckets are folders in it, and who writes names the objects. */
export function folderPrefix(table: string, folder: string): string {
  return `${changesPrefix(table)}${FOLDER_COLUMN}=${folder}/`
}

/** The key prefix of a checkpoint. */
export function checkpointFolderPrefix(table: string, folder: string): string {
  return `${checkpointsPrefix(table)}${FOLDER_COLUMN}=${folder}/`
}

/** The key prefix of a kept answer. */
export function answersFolderPrefix(table: string, folder: string): string {
  return `${answersPrefix(table)}${FOLDER_COLUMN}=${folder}/`
}

/** Which of the archive's objects a run was made from: one line `key<TAB>bytes<TAB>etag` an object, by key. */
export function coveredKey(table: string, run: string): string {
  return `${derivedPrefix(table)}covered/${FOLDER_COLUMN}=${run}/objects.tsv`
}

/** A run of the clustered copy, as far as its place follows from it. */
export interface RunPlace {
  readonly name: string
  /** How many hex digits name a bucket. */
  readonly digits: number
}

/** A folder of a run: it has the buckets from `from` up to before `to`. */
export interface RunFolder {
  readonly folder: string
  readonly from: string
  readonly to: string | undefined
}

/** Athena writes at most so many partitions in one statement (Athena user guide, "UNLOAD": considerations). */
const MOST_PARTITIONS = 100

/** The folders of a run, one for each statement with which Athena writes it. */
export function foldersOf({ name, digits }: RunPlace): readonly RunFolder[] {
  const buckets = 16 ** digits
  const parts = Math.ceil(buckets / MOST_PARTITIONS)
  const bucketAt = (i: number) => i.toString(16).padStart(digits, '0')
  const starts = Array.from({ length: parts }, (_, part) => Math.floor((part * buckets) / parts))
  return starts.map((start, part) => {
    const end = starts[part + 1]
    return { folder: `${name}-${part}`, from: bucketAt(start), to: end === undefined ? undefined : bucketAt(end) }
  })
}

/** The folder of a run that has a bucket. */
export function folderOf(run: RunPlace, bucket: string): string {
  return (foldersOf(run).findLast(({ from }) => from <= bucket) as RunFolder).folder
}

/** The key prefix of a bucket of a run. */
export function bucketPrefix(table: string, run: RunPlace, bucket: string): string {
  return `${folderPrefix(table, folderOf(run, bucket))}${BUCKET_COLUMN}=${bucket}/`
}

/** The run, checkpoint or answer that a derived object is of, and its bucket; undefined for what is none. */
export function parseDerivedKey(key: string): { readonly name: string; readonly bucket: string } | undefined {
  const [, name, bucket = ''] = DERIVED_KEY.exec(key) ?? []
  return name === undefined ? undefined : { name, bucket }
}

/** A run has several folders, numbered. */
const DERIVED_KEY = new RegExp(`/${FOLDER_COLUMN}=([0-9a-f-]{36})(?:-\\d+)?/(?:${BUCKET_COLUMN}=([0-9a-f]+)/)?[^/]+$`)

/** A table on AWS over what is derived. */
export interface DerivedTable {
  readonly identifier: string
  /** The key prefix of its objects. */
  readonly prefix: string
  readonly columns: readonly Column[]
  /** All of them are texts. */
  readonly partitions: readonly { readonly name: string; readonly comment: string }[]
  /** The key prefix of a partition, each name where its value belongs. */
  readonly template: string
}

/** The clustered copy as a table on AWS. */
export function copyTable(named: NamedTable): DerivedTable {
  const { table } = named
  return {
    identifier: copyIdentifier(named),
    prefix: changesPrefix(table),
    columns: [...KEPT_COLUMNS, column('repeats', 'bigint', 'how many further times the row was delivered')],
    partitions: [
      { name: FOLDER_COLUMN, comment: 'what one statement wrote' },
      { name: BUCKET_COLUMN, comment: 'first hex digits of the SHA-256 of item_key' },
    ],
    template: `${folderPrefix(table, placeholder(FOLDER_COLUMN))}${BUCKET_COLUMN}=${placeholder(BUCKET_COLUMN)}/`,
  }
}

/** The checkpoints as a table on AWS. */
export function checkpointsTable(named: NamedTable): DerivedTable {
  const { table } = named
  return {
    identifier: checkpointsIdentifier(named),
    prefix: checkpointsPrefix(table),
    columns: KEPT_COLUMNS,
    partitions: [{ name: FOLDER_COLUMN, comment: 'one checkpoint' }],
    template: checkpointFolderPrefix(table, placeholder(FOLDER_COLUMN)),
  }
}

/** The kept answers as a table on AWS: each folder has those of its columns that its statement has. */
export function answersTable(named: NamedTable): DerivedTable {
  return {
    identifier: answersIdentifier(named),
    prefix: answersPrefix(named.table),
    columns: ANSWER_COLUMNS,
    partitions: [{ name: FOLDER_COLUMN, comment: 'one answer' }],
    template: answersFolderPrefix(named.table, placeholder(FOLDER_COLUMN)),
  }
}

/** Columns that two deliveries of a row may differ in. */
export const OF_DELIVERY: readonly string[] = ['arrived_at', 'size_bytes']

/** What every table has: configured columns come and go. */
const KEPT_COLUMNS: readonly Column[] = [
  ...AUDIT_COLUMNS,
  column(PARTITION_COLUMN, 'string', "the change's own day, UTC: YYYY-MM-DD"),
]

const ANSWER_COLUMNS: readonly Column[] = [
  column('item_key', 'string', 'the item'),
  column('finding', 'string', 'what continuity finds'),
  column('event_id', 'string', 'the change at which it shows'),
  column('event_time_us', 'bigint', 'when that change was made, or the first one of an item that is older'),
  column('entry_state', 'string', 'what the first change of an item that is older left'),
  column('changes', 'bigint', 'how many changes are concerned, or how many the item has'),
  column('since_us', 'bigint', 'when the time that a finding concerns begins'),
  column('until_us', 'bigint', 'when it ends'),
  column('first_us', 'bigint', 'when the first change of the item was made'),
  column('last_us', 'bigint', 'when the last one was made'),
]

function column(name: string, type: Column['type'], meaning: string): Column {
  return { name, type, required: true, meaning }
}

function placeholder(name: string): string {
  return `\${${name}}`
}

/**
 * The table properties by which Athena (and Trino) find the partitions that a statement names. They are injected: the
 * paths follow from the statement alone, so nothing has to be registered, and what no manifest names is never read.
 * `location` is where derived files are, ending in "/".
 */
export function injectedProjection(table: DerivedTable, location: string): Readonly<Record<string, string>> {
  return {
    'projection.enabled': 'true',
    ...Object.fromEntries(table.partitions.map(({ name }) => [`projection.${name}.type`, 'injected'])),
    'storage.location.template': `${location}${table.template}`,
  }
}

/** The bucket of an item: the first hex digits of the SHA-256 of its key. */
export function bucketOf(itemKey: string, digits: number): string {
  return hash('sha256', itemKey).slice(0, digits)
}

/** The same in the SQL that Trino, Athena and DuckDB (with the macros) share. */
export function bucketSql(itemKey: string, digits: number): string {
  return `substr(lower(to_hex(sha256(to_utf8(${itemKey})))), 1, ${digits})`
}
