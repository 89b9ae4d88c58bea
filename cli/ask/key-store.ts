import type { Configuration } from '../../config/configuration.js'
import { FolderFences } from '../../erasure/fences.js'
import { FolderKeys } from '../../erasure/folder-keys.js'
import { keySealing, sealingOf } from '../../erasure/seal-image.js'
import type { ReadingKeys } from '../../erasure/subject-keys.js'
import { isWithin } from '../../journal/key-file.js'
import { type Sealing, SealingError } from '../../transform/sealed-field.js'
import type { TableConfiguration, WithKeys } from '../../transform/table-configuration.js'
import { callAws } from '../failures.js'
import { CommandError, EXIT, type Options } from '../io.js'

/** The key store that is configured, and what the archive knows of erasures. Throws `CommandError`, `SealingError`. */
export function openKeyStore(configuration: Configuration | undefined, root: string): FolderKeys {
  const folder = keyFolder(configuration, root)
  const fences = new FolderFences(root)
  return FolderKeys.open(folder, name => fences.of(name))
}

/** The keys of the persons whom an archive's rows concern: what they take is opened when it is first asked for. */
export interface ArchiveKeys {
  /** The token of an id, which takes what makes tokens alone. Throws `CommandError`, `SealingError`. */
  readonly tokenOf: (id: string) => Promise<string>
  /** The keys for who reads. Throws `CommandError`, `SealingError`. */
  readonly open: () => Promise<ReadingKeys>
}

/** Those of an archive on AWS, which a stack names. */
export function keysOfStack(stack: string | undefined, region: string | undefined): ArchiveKeys {
  const opened = async () => {
    if (stack === undefined)
      throw new CommandError(
        'keys of persons on AWS are those of a stack',
        EXIT.usage,
        '--stack NAME, or ITEMTRAIL_STACK, names it in the place of --workgroup and --database',
      )
    return (await import('./stack-keys.js')).openStackKeys(stack, region)
  }
  return {
    tokenOf: async id => (await opened()).tokenOf(id),
    open: async () => (await opened()).open(),
  }
}

/** Which stack's keys a command takes that reads or writes a live table. */
export const KEYS_OF_OPTION = [
  '--keys-of <stack>',
  'the stack whose keys seal what is erasable, if no folder has them',
] as const

/** A table whose values are sealed by the keys of the stack that `--keys-of` names; without it as it is. */
export async function sealedByStack(table: TableConfiguration, options: Options): Promise<TableConfiguration> {
  return (await stackKeysOf(table, options))?.table ?? table
}

/**
 * The keys of the stack that `--keys-of` names, and the table with what seals its values by them; undefined without
 * the flag. Throws a `CommandError` for a table without erasable values, or a stack without keys.
 */
export async function stackKeysOf(
  table: TableConfiguration,
  { keysOf, region }: Options,
  { mayMake = true }: { readonly mayMake?: boolean } = {},
): Promise<{ readonly table: TableConfiguration; readonly keys: ReadingKeys } | undefined> {
  if (typeof keysOf !== 'string') return undefined
  if (keysOf === '') throw new CommandError('--keys-of is empty, expected the name of a stack')
  if (table.erasable === undefined)
    throw new CommandError(`--keys-of is for erasable values, of which ${JSON.stringify(table.table)} has none`)
  const [{ openStackKeys }, { sealAhead }] = await Promise.all([
    import('./stack-keys.js'),
    import('../../erasure/seal-ahead.js'),
  ])
  const keys = await (await openStackKeys(keysOf, typeof region === 'string' ? region : undefined)).open()
  const fetched = <T>(make: () => Promise<T>) => callAws(`key table of ${JSON.stringify(keysOf)} cannot be used`, make)
  const image = () => {
    throw new SealingError(`keys of ${table.table} have to be fetched first`)
  }
  const withKeys: WithKeys = make => fetched(() => sealAhead(table, keys, make, mayMake))
  return {
    table: { ...table, seal: { image, key: keySealing(table, keys) }, withKeys },
    keys: { find: name => keys.find(name), fetch: names => fetched(() => keys.fetch(names)) },
  }
}

/** The folder of the key store. Throws a `CommandError` where none is configured, or it lies in the archive. */
export function keyFolder(configuration: Configuration | undefined, root: string): string {
  const folder = configuration?.erasure?.keys
  if (folder === undefined)
    throw new CommandError(
      'no key store is configured, expected "erasure": {"keys": FOLDER} in the configuration',
      EXIT.usage,
    )
  if (isWithin(folder, root))
    throw new CommandError(
      `key store ${JSON.stringify(folder)} is inside the archive ${JSON.stringify(root)}, expected a place outside`,
      EXIT.usage,
      'a copy of the archive would be a copy of the keys, and of an archive nothing is deleted',
    )
  return folder
}

/** A configuration whose tables seal what is erasable. The key store is opened when the first value is sealed. */
export function withSealing(configuration: Configuration, root: string): Configuration {
  if (configuration.erasure === undefined) return configuration
  let keys: FolderKeys | undefined
  const sealed = (table: TableConfiguration): TableConfiguration => {
    if (table.erasable === undefined) return table
    let opened: Sealing | undefined
    const open = () => {
      keys ??= openOrRefuse(configuration, root)
      opened ??= sealingOf(table, keys)
      return opened
    }
    return { ...table, seal: { image: (...image) => open().image(...image), key: (...key) => open().key(...key) } }
  }
  return {
    ...configuration,
    tables: new Map([...configuration.tables].map(([name, table]) => [name, sealed(table)])),
  }
}

/** Tables of an archive whose keys are elsewhere: with those of this desk a person would have another token. */
export function withoutKeys(tables: Iterable<TableConfiguration>): readonly TableConfiguration[] {
  return [...tables].map(({ seal: _, ...table }) => table)
}

/** What is wrong with the place is no fault of the record that is being sealed. */
function openOrRefuse(configuration: Configuration, root: string): FolderKeys {
  try {
    return openKeyStore(configuration, root)
  } catch (error) {
    if (error instanceof CommandError) throw new SealingError(error.message, { cause: error })
    throw error
  }
}
