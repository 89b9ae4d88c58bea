/** The archive that a table is compared with: in a folder, or of a stack. */
import { existsSync } from 'node:fs'
import type { Configuration } from '../../../config/configuration.js'
import type { AthenaEngine } from '../../../queries/engines/athena.js'
import type { QueryEngine } from '../../../queries/engines/engine.js'
import { DiskArchive } from '../../../store/folder.js'
import { readKept } from '../../../store/kept-configurations.js'
import type { Objects } from '../../../store/objects.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { placeOf, refuseFolderFlags } from '../../ask/engine-choice.js'
import { sealedByStack } from '../../ask/key-store.js'
import { keyedTable } from '../../ask/keyed-table.js'
import { memoryOf } from '../../ask/memory-option.js'
import { openBucket } from '../../ask/open-bucket.js'
import { lookAtKeys } from '../../ask/own-keys.js'
import { archiveRoot, journalOnAws, journalOptions, openArchiveIn } from '../../ask/workspace.js'
import { CommandError, EXIT, type Io, type Options } from '../../io.js'
import { DEFAULT_ARCHIVE } from '../../show/archive-name.js'

/** An archive, as it is compared. */
export interface ReconcilePlace {
  /** The table as its rows are made, whose keys the source may tell. */
  readonly tableOf: (name: string, liveKeys: readonly string[] | undefined) => Promise<TableConfiguration>
  /** Opens it anew, with what has arrived by then. */
  readonly open: (table: TableConfiguration) => Promise<QueryEngine>
  /** The same with what is known of its journal. */
  readonly openSealed: (table: TableConfiguration) => Promise<QueryEngine>
  /** Where the fact of the comparison is kept. */
  readonly objects: Pick<Objects, 'put'>
  /** Between two looks at what differs, in milliseconds. @default - what arrives in a folder is read at once */
  readonly roundMs: number | undefined
  /** Tells what it took. */
  readonly end: () => void
}

/** Opens the archive that the flags name. Throws `CommandError` where there is none. */
export function openReconcilePlace(
  options: Options,
  configuration: Configuration | undefined,
  io: Io,
): Promise<ReconcilePlace> {
  return typeof options.stack === 'string'
    ? openOfStack(options, configuration, io)
    : openInFolder(options, configuration)
}

async function openInFolder(options: Options, configuration: Configuration | undefined): Promise<ReconcilePlace> {
  const root = archiveRoot(options)
  if (!existsSync(root)) throw new CommandError(`archive ${JSON.stringify(root)} is not there`, EXIT.unchecked)
  if (options.keysOf === undefined) await lookAtKeys(configuration, root)
  const configured = [...(configuration?.tables.values() ?? [])]
  const memory = memoryOf(options)
  const open = async (table: TableConfiguration, more = {}) =>
    (await openArchiveIn(root, [table, ...configured], { memory, ...more })).engine
  return {
    tableOf: async (name, liveKeys) => sealedByStack(await keyedTable(name, configuration, liveKeys, root), options),
    open,
    openSealed: table => open(table, journalOptions(configuration, root)),
    objects: new DiskArchive(root),
    roundMs: undefined,
    end: () => {},
  }
}

async function openOfStack(
  options: Options,
  configuration: Configuration | undefined,
  io: Io,
): Promise<ReconcilePlace> {
  refuseFolderFlags(options, DEFAULT_ARCHIVE)
  const place = await placeOf(options, configuration)
  const { bucket: name, region } = place
  if (name === undefined) throw new CommandError(`stack ${JSON.stringify(options.stack)} has no output ArchiveBucket`)
  const [bucket, { openStackEngine }, { expenseOf, formatExpense }] = await Promise.all([
    openBucket(name, region),
    import('../../../library/stack.js'),
    import('../../../queries/engines/athena-cost.js'),
  ])
  const engines: AthenaEngine[] = []
  const known = journalOnAws(configuration)
  let signal: AbortSignal | undefined
  const open = async () => {
    // until Athena is asked, who wants an end gets it at once
    signal ??= io.interruption?.()
    const refusal = (message: string) => new CommandError(message, EXIT.unchecked)
    const engine = await openStackEngine(place, { signal, known, refusal })
    engines.push(engine)
    return engine
  }
  return {
    tableOf: async (table, liveKeys) => {
      const found = await keyedTable(table, await configuredFor(bucket, table, configuration), liveKeys, undefined)
      const keysOf = options.keysOf ?? (found.erasable === undefined ? undefined : options.stack)
      return sealedByStack(found, { ...options, keysOf })
    },
    open,
    openSealed: open,
    objects: bucket,
    // Firehose delivers a minute's changes at once, and each look asks for all states
    roundMs: 60_000,
    end: () => {
      const executions = engines.flatMap(engine => engine.executions)
      if (executions.length > 0) io.err(`athena: ${formatExpense(expenseOf(executions))}\n`)
    },
  }
}

/**
 * As configured here, else as the archive knows the table. Which of several configurations that it keeps is deployed
 * nobody can tell by them, and where one seals values that decides what is equal.
 */
async function configuredFor(
  archive: Objects,
  table: string,
  configuration: Configuration | undefined,
): Promise<Pick<Configuration, 'tables'>> {
  if (configuration?.tables.has(table)) return configuration
  const { versions } = await readKept(archive, table)
  if (versions.some(({ erasable }) => erasable !== undefined))
    throw new CommandError(
      `table ${JSON.stringify(table)} has erasable values, and is not configured here`,
      EXIT.usage,
      'use the itemtrail.config.json of the deployment: what is sealed is compared under it',
    )
  const kept = versions.at(-1)
  return { tables: new Map(kept === undefined ? [] : [[table, kept]]) }
}
