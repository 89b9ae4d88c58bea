import { existsSync, rmSync, statSync } from 'node:fs'
import { NoEvents } from '../capture/cloudtrail-files.js'
import { derivedIn } from '../derived/desk-reader.js'
import { indexPath } from '../journal/kept-index.js'
import { isFileWithin, readVerifier } from '../journal/key-file.js'
import { DuckDbEngine } from '../queries/engines/duckdb.js'
import type { KnownJournal, QueryEngine } from '../queries/engines/engine.js'
import type { JudgeOptions } from '../queries/verdict/table-verdict.js'
import { DiskArchive } from '../store/folder.js'
import type { Objects } from '../store/objects.js'
import { tablesIn } from '../store/tables.js'
import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { nameTables } from '../transform/table-names.js'
import { OpenArchive } from './archive.js'
import { ArchiveError } from './archive-error.js'
import type { CopyOptions } from './local-copy.js'
import { KEPT_CLOSED, openingWith, openKeys, type PersonOptions, refuseKeys, withKeys } from './persons.js'

/** How an archive in a folder is opened. */
export interface FolderOptions extends PersonOptions {
  /** What is configured for its tables. @default - what the archive itself keeps in `config/` */
  readonly tables?: Iterable<TableConfiguration>
  /** Ends every statement. @default - only the signal of a single statement does */
  readonly signal?: AbortSignal | undefined
  /** How many refused records of a table arrived at a moment or later, for verdicts. @default - nobody looks */
  readonly refused?: JudgeOptions['refused']
  /**
   * Whether `sql` and `stream` run any statement, with the rights of the process: on other files, on settings, with
   * extensions. Else they are held to one query of the archive's rows.
   * @default false
   */
  readonly files?: boolean | undefined
  /**
   * Whom to believe who signed the archive's journal: a vkey, or its file.
   * @default - nobody: what was sealed is held against the journal all the same, and every verdict says so
   */
  readonly journalKey?: string | undefined
  /** What DuckDB may hold in memory, such as `2GB`: more goes to a temporary folder. @default - `448MB` */
  readonly memory?: string | undefined
  /** What else is known of its journal. @default - nothing */
  readonly journal?: Omit<KnownJournal, 'believed'> | undefined
  /**
   * Folder with files of CloudTrail, as it delivers them, which tell who called for a change.
   * @default - `changes-with-caller` finds nobody, and says so
   */
  readonly cloudtrail?: string | undefined
}

/** An archive behind an engine, such as one on AWS. */
export interface EngineOptions {
  readonly engine: QueryEngine
  /** A name alone does for a table without configured columns. */
  readonly tables: Iterable<TableConfiguration | string>
  /** Whether a table that is not among `tables` is asked all the same, by its name. @default false */
  readonly others?: boolean
}

/** An archive on AWS, by what its stack says. */
export interface StackOptions {
  /** The name of the stack, whose outputs name workgroup, database and buckets. */
  readonly stack: string
  /** @default - as the AWS SDK finds it */
  readonly region?: string | undefined
  /** Which workgroup, where the stack has several archives. @default - the one of the stack */
  readonly workgroup?: string | undefined
  /** The same of the Glue database. @default - the one of the stack */
  readonly database?: string | undefined
}

/**
 * Opens an archive for questions: a folder; objects that lie elsewhere, which are copied; a deployed stack, which is
 * asked on AWS; or what an engine reads. Throws `ArchiveError` for what is no archive or holds a damaged object.
 */
export async function openArchive(
  archive: string | Objects | StackOptions | EngineOptions,
  options: FolderOptions & CopyOptions = {},
): Promise<OpenArchive> {
  if (typeof archive === 'string') return openFolder(archive, options)
  if ('engine' in archive || 'stack' in archive) {
    refuseKeys(options)
    return 'engine' in archive ? openEngine(archive) : openStack(archive, options)
  }
  if (archive instanceof DiskArchive) return openFolder(archive.root, options)
  const { copyLocally } = await import('./local-copy.js')
  const root = await copyLocally(archive, options)
  const remove = () => rmSync(root, { recursive: true, force: true })
  // a copy has rows and facts alone: what was sealed is where it was
  const journal = { ...options.journal, archive }
  return openFolder(root, { ...options, journal }, remove).catch(error => {
    remove()
    throw error
  })
}

async function openFolder(root: string, options: FolderOptions, end?: () => void): Promise<OpenArchive> {
  if (!existsSync(root) || !statSync(root).isDirectory())
    throw new ArchiveError(`archive ${JSON.stringify(root)} is not there, expected a folder`)
  const folder = new DiskArchive(root)
  if (!folder.isArchive())
    throw new ArchiveError(
      `archive ${JSON.stringify(root)} is none, expected a folder with data/, config/, facts/ or refused/ in it`,
    )
  if (options.reveal === true && options.keys === undefined)
    throw new ArchiveError('reveal takes the key store, expected keys: FOLDER with it')
  const keys = options.keys === undefined ? undefined : await openKeys(root, options.keys)
  const configured = [...(options.tables ?? [])]
  try {
    const known = await tablesIn(folder, configured)
    const tables =
      keys === undefined ? known : new Map([...known].map(([name, table]) => [name, withKeys(table, keys)]))
    const opening = keys === undefined || options.reveal !== true ? KEPT_CLOSED : openingWith(keys)
    const engine = await openDesk(root, configured, options)
    return new OpenArchive(engine, tables, { refused: options.refused, end, opening })
  } catch (error) {
    if (error instanceof NoEvents) throw new ArchiveError(`cloudtrail ${error.message}`)
    const [reason] = (error as Error).message.split('\n')
    throw new ArchiveError(`archive ${JSON.stringify(root)} cannot be read: ${reason}`, { cause: error })
  }
}

/** The engine over a folder, which is given what was derived from its tables. */
export function openDesk(
  root: string,
  tables: Iterable<TableConfiguration> = [],
  options: Omit<FolderOptions, 'tables'> = {},
): Promise<DuckDbEngine> {
  return DuckDbEngine.open(root, tables, { ...options, journal: knownJournal(options, root), derived: derivedIn(root) })
}

/** Whoever has a key of a journal knows that there is one. A key in the archive itself vouches for nothing. */
function knownJournal(
  { journalKey, journal: given = {} }: Pick<FolderOptions, 'journalKey' | 'journal'>,
  root?: string,
): KnownJournal {
  // a copy is read once
  const kept = root !== undefined && given.archive === undefined ? indexPath(root) : undefined
  const journal = { kept, ...given }
  if (journalKey === undefined || (root !== undefined && isFileWithin(journalKey, root))) return journal
  return { sealedBy: 'the key that is given for it', ...journal, believed: readVerifier(journalKey) }
}

function openEngine({ engine, tables, others }: EngineOptions): OpenArchive {
  const named = nameTables([...tables].map(table => (typeof table === 'string' ? unconfiguredTable(table) : table)))
  return new OpenArchive(engine, new Map(named.map(table => [table.table, table])), { others })
}

async function openStack({ stack, region, ...names }: StackOptions, options: FolderOptions): Promise<OpenArchive> {
  const { describeStack, openStackEngine } = await import('./stack.js')
  const told = await describeStack(stack, region)
  const { workgroup = told.workgroup(), database = told.database() } = names
  const place = { ...told, workgroup, database, region }
  const engine = await openStackEngine(place, { signal: options.signal, known: knownJournal(options) })
  const tables = engine.facts === undefined ? [] : await tablesIn(engine.facts, options.tables)
  return new OpenArchive(engine, new Map(tables), { others: true, refused: options.refused })
}
