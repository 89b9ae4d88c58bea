/**
 * What lies where in an archive: every prefix and file name, made and read back. No other file spells one. Names
 * derived from them, such as those of compacted files, are made from these.
 */
import { configurationId, type TableConfiguration } from './table-configuration.js'

/** The rows, as Parquet objects by table and day. */
export const DATA_PREFIX = 'data/'

/** The configurations that rows were made under. */
export const CONFIG_PREFIX = 'config/'

/** What an archive knows about itself that no row can say. */
export const FACTS_PREFIX = 'facts/'

/** The journal: a log of what was written. */
export const LOG_PREFIX = 'log/'

/** Parts of the journal: which checkpoint followed which; tiles and bundles; what a sealing is about to write. */
export const CLAIMS_PREFIX = `${LOG_PREFIX}next/`
export const TILES_PREFIX = `${LOG_PREFIX}tile/`
export const STAGED_PREFIX = `${LOG_PREFIX}staging/`

/** What the daily check of the journal keeps, so that it goes on the next day; it is no part of the archive. */
export const CHECKED_PREFIX = 'checked/'

/** Everything that went no further, in the archive and in the bucket for what never reached Firehose. */
export const REFUSED_PREFIX = 'refused/'

/** Where Lambda itself writes the batches that it gave up: `aws/lambda/<mapping>/<shard>/<date>/...`. */
export const GIVEN_UP_PREFIX = 'aws/lambda/'

/** What is made from the rows, and can be made again. */
export const DERIVED_PREFIX = 'derived/'

/** What is evidence: on AWS its objects are locked, but for partial tiles. */
export const EVIDENCE_PREFIXES = [DATA_PREFIX, CONFIG_PREFIX, FACTS_PREFIX, CLAIMS_PREFIX, TILES_PREFIX] as const

/** What the journal names, object by object. Derived files are proven against it, and left out. */
export const SEALED_PREFIXES = [CONFIG_PREFIX, FACTS_PREFIX, DATA_PREFIX, REFUSED_PREFIX] as const

/** True of a tile or bundle that a fuller one takes the place of. */
export function isPartialTile(key: string): boolean {
  return key.startsWith(TILES_PREFIX) && /\.p\/\d+$/.test(key)
}

/** Files that are about to become objects. The folder is no part of the archive: no key begins with a dot. */
export const STAGING_FOLDER = '.staging'

/** How far a `tail` is, and that it runs. */
export const TAIL_FOLDER = '.tail'

/** What of the refused objects was sent again. */
export const LEDGER_FILE = '.redriven.ndjson'

/**
 * True of a key whose end only objects have. A table may be called `Orders.json`, too: its folder is a level higher. Of
 * refused objects the name tells nothing, Firehose gives them no ending.
 */
export function isNameOfObject(key: string): boolean {
  return NAME_OF_OBJECT.test(key)
}

const NAME_OF_OBJECT = new RegExp(
  `^(?:${[DATA_PREFIX, CONFIG_PREFIX, FACTS_PREFIX, DERIVED_PREFIX].join('|')})[^/]+/.*\\.(?:json|parquet)$`,
)

/** The names that make a folder an archive. */
export const TOP_NAMES: readonly string[] = [
  ...[DATA_PREFIX, CONFIG_PREFIX, FACTS_PREFIX, LOG_PREFIX, REFUSED_PREFIX, DERIVED_PREFIX].map(prefix =>
    prefix.slice(0, -1),
  ),
  ...[STAGING_FOLDER, TAIL_FOLDER, LEDGER_FILE],
]

/** Where an audit row lives: one table's changes of one UTC day. */
export interface Partition {
  readonly table: string
  /** `YYYY-MM-DD`, the change's own date in UTC. */
  readonly date: string
}

/**
 * The partition column. Its values are projected: Athena works partitions out, no crawler and no repair is ever needed.
 */
export const PARTITION_COLUMN = 'event_date'

/** The key prefix of all objects of a table. */
export function tablePrefix(table: string): string {
  return `${DATA_PREFIX}${table}/`
}

/** The key prefix of a partition's objects, relative to the archive. */
export function partitionPrefix({ table, date }: Partition): string {
  return `${tablePrefix(table)}${PARTITION_COLUMN}=${date}/`
}

const PARTITION = new RegExp(`^${DATA_PREFIX}([^/]+)/${PARTITION_COLUMN}=(\\d{4}-(\\d{2})-(\\d{2}))(/|$)`)

/** The partition that an object's key or a prefix belongs to. Throws for anything that no partition has. */
export function parsePartition(prefix: string): Partition {
  const match = PARTITION.exec(prefix)
  const shown = `partition prefix ${JSON.stringify(prefix)}`
  if (match === null)
    throw new Error(`${shown} is none, expected ${partitionPrefix({ table: '<table>', date: 'YYYY-MM-DD' })}`)
  const date = match[2] as string
  const day = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) {
    const wrong = Number(match[3]) < 1 || Number(match[3]) > 12 ? 'month' : 'day'
    throw new Error(`${shown} has no such ${wrong}, expected ${PARTITION_COLUMN}=YYYY-MM-DD/`)
  }
  // times count from 1970, so no row is of a day before, and no question looks there
  if (date < '1970-01-01') throw new Error(`${shown} is of no change's day, expected 1970-01-01 or later`)
  return { table: match[1] as string, date }
}

/**
 * The day of an object's key, or of its path on any system, as the first group: the last folder that names one, since
 * an object may lie deeper than its day's folder. DuckDB takes the pattern, too.
 */
export const DAY_IN_PATH = String.raw`.*${PARTITION_COLUMN}=([^/\\]*)[/\\]`

const DAY = new RegExp(DAY_IN_PATH, 's')

/** The partition column's value of an object, as SQL has it: empty where no folder above it names a day. */
export function dateOfKey(key: string): string {
  return DAY.exec(key)?.[1] ?? ''
}

/** The key prefix of the configurations that rows of a table were made under. */
export function configurationPrefix(table: string): string {
  return `${CONFIG_PREFIX}${table}/`
}

/** The key of the configuration that rows were made under. */
export function configurationKey(table: TableConfiguration): string {
  return configurationKeyOf(table.table, configurationId(table))
}

/** The same of a table's name and the configuration's id. */
export function configurationKeyOf(table: string, id: string): string {
  return `${configurationPrefix(table)}${id}.json`
}

/** The table and the id that a configuration's key names; undefined for any other key. */
export function parseConfigurationKey(key: string): { readonly table: string; readonly id: string } | undefined {
  const [, table, id] = CONFIGURATION_KEY.exec(key) ?? []
  return table === undefined || id === undefined ? undefined : { table, id }
}

const CONFIGURATION_KEY = new RegExp(`^${CONFIG_PREFIX}([^/]+)/([^/]*)\\.json$`)

/** The key prefix of a table's facts, relative to the archive. */
export function factPrefix(table: string): string {
  return `${FACTS_PREFIX}${table}/`
}

/** Where a fact is kept, by when it was recorded and what it is of, so that facts list in their order. */
export function factKey(fact: { readonly table: string; readonly recorded: string; readonly kind: string }): string {
  return `${factPrefix(fact.table)}${fact.recorded.replaceAll(/[-:]/g, '')}-${fact.kind}.json`
}

/** Firehose's two kinds of failure before S3, which are also the folders under `refused/`. */
export type ErrorType = 'processing-failed' | 'format-conversion-failed'

/** The folders under `refused/`: what Firehose refused, and what the forwarder kept because it was too large for it. */
export type RefusedFolder = ErrorType | 'oversize'

/** The key prefix of refused objects of one kind. */
export function refusedPrefix(folder: RefusedFolder, table: string): string {
  return `${REFUSED_PREFIX}${folder}/${table}/`
}

/** The kind and table that the key of a refused object names; undefined of what Lambda gave up, which names neither. */
export function parseRefusedKey(key: string): { readonly type: RefusedFolder; readonly table: string } | undefined {
  const [, type, table] = REFUSED_KEY.exec(key) ?? []
  return type === undefined || table === undefined ? undefined : { type: type as RefusedFolder, table }
}

const REFUSED_KEY = new RegExp(`^${REFUSED_PREFIX}(processing-failed|format-conversion-failed|oversize)/([^/]+)/`)

/** The key prefix of everything derived from a table, relative to the archive. */
export function derivedPrefix(table: string): string {
  return `${DERIVED_PREFIX}${table}/`
}
