import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { type Configuration, readConfiguration } from '../../config/configuration.js'
import { FileError } from '../../config/gate.js'
import { nearest } from '../../config/nearest.js'
import { isFileWithin, readVerifier } from '../../journal/key-file.js'
import { readSeen } from '../../journal/seen-checkpoint.js'
import type { OpenArchive } from '../../library/archive.js'
import { ArchiveError } from '../../library/archive-error.js'
import { type FolderOptions, openArchive } from '../../library/open-archive.js'
import { formatVkey } from '../../proof/note.js'
import { ProofError } from '../../proof/proof-error.js'
import { DAMAGED, shortageOf } from '../../queries/engines/duckdb-error.js'
import type { KnownJournal, QueryEngine } from '../../queries/engines/engine.js'
import { countRefused } from '../../store/refused-of-table.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT, type Io, type Options } from '../io.js'
import { DEFAULT_ARCHIVE, nameOnAws } from '../show/archive-name.js'
import { cloudTrailOf } from './calls.js'
import { engineOf, placeOf, stackOf } from './engine-choice.js'
import { verifierOfKey } from './given-key.js'
import { type ArchiveKeys, keysOfStack, withoutKeys, withSealing } from './key-store.js'
import { memoryOf } from './memory-option.js'
import { keysOfFolder, lookAtTokens } from './own-keys.js'

const DEFAULT_CONFIGURATION = 'itemtrail.config.json'

/** Flags that every command takes. */
export const ARCHIVE_OPTION = ['--archive <dir>', 'the archive', DEFAULT_ARCHIVE] as const
export const CONFIG_OPTION = ['--config <file>', `the configuration (${DEFAULT_CONFIGURATION} if it is there)`] as const

/** The archive folder that the flags name; it need not be there. Throws `CommandError` for a file. */
export function archiveRoot(options: Options): string {
  const root = options.archive as string
  if (existsSync(root) && !statSync(root).isDirectory())
    throw new CommandError(`archive ${JSON.stringify(root)} is a file, expected a folder`)
  return root
}

/**
 * The configuration that the flags name, or the one in the working folder, or none; its tables seal what is erasable.
 * Throws `ConfigurationError`.
 */
export function loadConfiguration(options: Options): Configuration | undefined {
  const path = typeof options.config === 'string' ? options.config : DEFAULT_CONFIGURATION
  if (typeof options.config !== 'string' && !existsSync(path)) return undefined
  return withSealing(readConfiguration(path), typeof options.archive === 'string' ? options.archive : DEFAULT_ARCHIVE)
}

/** An archive opened for questions, with what is configured for its tables. */
export interface Workspace {
  /** Names the archive: its folder, or on AWS `athena:WORKGROUP/DATABASE`, and `@REGION` where one was said. */
  readonly root: string
  readonly archive: OpenArchive
  /** The engine of `archive`. */
  readonly engine: QueryEngine
  readonly configuration: Configuration | undefined
  /** On AWS only those that are configured. */
  readonly tables: readonly string[]
  /** The tables that were asked about; none where a question may be of any. */
  readonly asked: Set<string>
  readonly persons: ArchiveKeys
}

/**
 * Opens the archive that the flags name, hands it to `ask`, and closes it. A folder, unless `io` is given: then it is a
 * question, which may go to Athena, can be interrupted, and tells what it took. Throws `CommandError` where there is
 * none.
 */
export async function withWorkspace<T>(
  options: Options,
  ask: (workspace: Workspace) => Promise<T>,
  io?: Io,
): Promise<T> {
  const onAws = io !== undefined && engineOf(options, DEFAULT_ARCHIVE) === 'athena'
  const configuration = loadConfiguration(options)
  const open = onAws ? openOnAws : openFolder
  const { root, archive, persons, end } = await open(options, configuration, io)
  try {
    return await ask({
      root,
      archive,
      engine: archive.engine,
      configuration,
      tables: archive.tables(),
      asked: new Set(),
      persons,
    })
  } finally {
    await archive.close()
    end()
  }
}

interface Opened {
  readonly root: string
  readonly archive: OpenArchive
  readonly persons: ArchiveKeys
  /** Called when all was asked. */
  readonly end: () => void
}

async function openFolder(options: Options, configuration: Configuration | undefined, io?: Io): Promise<Opened> {
  const root = archiveRoot(options)
  if (!existsSync(root)) {
    throw new CommandError(
      `archive ${JSON.stringify(root)} is not there`,
      EXIT.unchecked,
      'itemtrail ingest FILE makes one, --archive names another',
    )
  }
  await lookAtTokens(configuration, root)
  const signal = io?.interruption?.()
  const files = options.files === true
  const memory = memoryOf(options)
  return {
    root,
    archive: await openArchiveIn(root, configuration?.tables.values() ?? [], {
      signal,
      files,
      memory,
      ...journalOptions(configuration, root, options),
      cloudtrail: cloudTrailOf(options),
    }),
    persons: keysOfFolder(configuration, root),
    end: () => {},
  }
}

/**
 * What is known of the journal of an archive in a folder: by the key that is given, else the configuration, and by what
 * this machine saw. Throws a `CommandError` for a key that is given and is none.
 */
export function journalOptions(
  configuration: Configuration | undefined,
  root: string,
  { key }: Options = {},
): Pick<FolderOptions, 'journalKey' | 'journal'> {
  const journal = { ...knownJournal(configuration), seen: readSeen(root) }
  if (typeof key !== 'string') return { journalKey: journalKeyOf(configuration, root), journal }
  const journalKey = formatVkey(verifierOfKey(key))
  return { ...(!isFileWithin(key, root) && { journalKey }), journal }
}

/** The same of an archive on AWS; a configured key may be one of KMS, which is the stack's to say. */
export function journalOnAws(configuration: Configuration | undefined, { key }: Options = {}): KnownJournal {
  if (typeof key === 'string') return { ...knownJournal(configuration), believed: verifierOfKey(key) }
  const configured = journalKeyOf(configuration)
  return { ...knownJournal(configuration), ...(configured !== undefined && { believed: readVerifier(configured) }) }
}

/** What the configuration says of an archive's journal, beside its key. */
function knownJournal(configuration: Configuration | undefined): KnownJournal {
  return {
    ...(configuration?.seal !== undefined && { sealedBy: 'the configuration, which says "seal"' }),
    refusedDays: configuration?.refusedDays,
  }
}

/**
 * The configured key that the journal is believed under. Without one that can be read an answer says that nobody is
 * believed: who asks need not have it. One inside the archive vouches for nothing.
 */
function journalKeyOf(configuration: Configuration | undefined, root?: string): string | undefined {
  const key = configuration?.seal?.key
  if (key === undefined || key.startsWith('arn:') || (root !== undefined && isFileWithin(key, root))) return undefined
  try {
    readVerifier(key)
    return key
  } catch (error) {
    if (error instanceof FileError || error instanceof ProofError) return undefined
    throw error
  }
}

/**
 * Opens the archive in a folder. An object that is damaged makes no answer, rather than one that lacks it: throws
 * `CommandError`.
 */
export async function openArchiveIn(
  root: string,
  tables: Iterable<TableConfiguration>,
  options: Omit<FolderOptions, 'tables'> = {},
): Promise<OpenArchive> {
  try {
    const refused = (table: string, sinceUs: number | null) => countRefused(root, table, sinceUs)
    return await openArchive(root, { tables, refused, ...options })
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    // what the file system refuses names its file already
    if (error.cause instanceof Error && 'syscall' in error.cause) throw error.cause
    const { message, cause } = error
    throw new CommandError(
      message,
      EXIT.unchecked,
      cause === undefined ? undefined : (shortageOf(cause, tmpdir())?.hint ?? DAMAGED),
    )
  }
}

async function openOnAws(options: Options, configuration: Configuration | undefined, io?: Io): Promise<Opened> {
  const place = await placeOf(options, configuration)
  const { workgroup, database, region } = place
  const [{ openStackEngine }, { expenseOf, formatExpense }] = await Promise.all([
    import('../../library/stack.js'),
    import('../../queries/engines/athena-cost.js'),
  ])
  const refusal = (message: string) => new CommandError(message, EXIT.unchecked, FACTS_NEED)
  const known = journalOnAws(configuration, options)
  const engine = await openStackEngine(place, { signal: io?.interruption?.(), refusal, known })
  return {
    root: nameOnAws(workgroup, database, region),
    archive: await openArchive({ engine, tables: withoutKeys(configuration?.tables.values() ?? []), others: true }),
    persons: keysOfStack(stackOf(options), region),
    end: () => {
      if (engine.executions.length > 0) io?.err(`athena: ${formatExpense(expenseOf(engine.executions))}\n`)
    },
  }
}

const FACTS_NEED =
  'the caller needs s3:ListBucket and s3:GetObject on facts/ and kms:Decrypt on its key, of a sealed archive s3:ListBucketVersions and s3:GetObject on log/, too; --workgroup and --database in place of --stack ask without facts, and then no answer is COMPLETE'

/**
 * The table that a user names, whatever its case. Throws `CommandError` with the nearest names, or that the table is
 * what was typed next.
 */
export function findWorkspaceTable({ archive, asked }: Workspace, name: string, next = ''): TableConfiguration {
  const table = archive.findTable(name)
  if (table !== undefined) {
    asked.add(table.table)
    return table
  }
  throw new CommandError(
    `table ${JSON.stringify(name)} is not in the archive`,
    EXIT.usage,
    archive.tables().some(known => known.toLowerCase() === next.toLowerCase())
      ? `the table comes first: ${next} ${JSON.stringify(name)}`
      : suggestion('table', name, archive.tables()),
  )
}

/** A hint with the names that come nearest to what was typed. */
export function suggestion(kind: string, typed: string, known: readonly string[]): string {
  if (known.length === 0) return `the archive has no ${kind} yet`
  const near = nearest(typed, known)
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known: ${known.slice(0, 20).join(', ')}`
}
