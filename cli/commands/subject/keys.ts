import { type Configuration, tableConfiguration } from '../../../config/configuration.js'
import type { SubjectPlace } from '../../../erasure/erase.js'
import { createFolderKeys } from '../../../erasure/folder-keys.js'
import { renewSubject } from '../../../erasure/renew.js'
import { keySealing } from '../../../erasure/seal-image.js'
import { configuredKey, storedKey } from '../../../queries/item-key.js'
import { DiskArchive } from '../../../store/folder.js'
import { keptConfigurations } from '../../../store/kept-configurations.js'
import { tablesIn } from '../../../store/tables.js'
import { keyFolder } from '../../ask/key-store.js'
import { archiveRoot, loadConfiguration } from '../../ask/workspace.js'
import { CommandError, EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import { formatOf } from '../../show/choose-format.js'
import { parseItemKey, showItemKey } from '../../show/item-key.js'
import { printable } from '../../show/text.js'
import { openSubject } from './place.js'

/** Makes the key store of an archive. */
export async function initCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  if (options.stack !== undefined)
    throw new CommandError('subject init is of a desk: a stack makes its key store itself, when it is deployed')
  if (id !== undefined) throw new CommandError(`subject init is of the key store, not of ${JSON.stringify(id)}`)
  const root = archiveRoot(options)
  const folder = keyFolder(loadConfiguration(options), root)
  await refuseSecond(new DiskArchive(root), folder)
  try {
    createFolderKeys(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new CommandError(`key store ${JSON.stringify(folder)} is there already`)
  }
  const page = () =>
    io.out(`${printable(folder)} holds the keys: a copy of it is a copy of them, and brings erased persons back\n`)
  await format.print({ page, whole: () => ({ keys: folder }) }, io)
  return EXIT.done
}

/** Under a new secret a person would have another token: those of old rows would be found no more. */
async function refuseSecond(archive: DiskArchive, folder: string): Promise<void> {
  for (const table of (await tablesIn(archive)).keys()) {
    const kept = await keptConfigurations(archive, table)
    if (kept.some(({ erasable }) => erasable !== undefined))
      throw new CommandError(
        `archive has rows of ${JSON.stringify(table)} that were sealed, with the keys of another store than ${JSON.stringify(folder)} would be`,
        EXIT.usage,
        'put the key store back that they were sealed with; without it they stay unreadable',
      )
  }
}

/** Makes a key table that was restored the archive's own, once the erased are erased in it, too. */
export async function adoptCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  if (id !== undefined) throw new CommandError(`subject adopt is of the key table, not of ${JSON.stringify(id)}`)
  if (typeof options.stack !== 'string')
    throw new CommandError('subject adopt is of a stack, expected --stack: a folder of keys is held against the facts')
  const { adoptOnStack } = await import('./stack-place.js')
  const { table, destroyed } = await adoptOnStack(options.stack, options)
  const page = () => io.out(`${printable(table)} is used from now on, after ${destroyed} keys were destroyed in it\n`)
  await format.print({ page, whole: () => ({ table, destroyed }) }, io)
  return EXIT.done
}

/**
 * Tells a person's token, which SQL finds rows by: a searched name would be a new copy of it. With `--table` the key
 * that rows of this table have in the place of one.
 */
export async function tokenCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  const place = await openSubject(id, options)
  if (typeof options.table === 'string') {
    const key = tokenKey(place, options.table, loadConfiguration(options))
    await format.print({ page: () => io.out(`${showItemKey(key)}\n`), whole: () => ({ key: JSON.parse(key) }) }, io)
    return EXIT.done
  }
  const { token } = place
  await format.print({ page: () => io.out(`${token}\n`), whole: () => ({ token }) }, io)
  return EXIT.done
}

/** The configuration does not tell what type a key is of. */
function tokenKey({ id, keys }: SubjectPlace, name: string, configuration: Configuration | undefined): string {
  const table = tableConfiguration(configuration, name)
  const { keyIsPersonal } = table
  const anyKey = configuredKey(table)
  if (anyKey === undefined || keyIsPersonal === undefined)
    throw new CommandError(`table ${JSON.stringify(name)} has no "keyIsPersonal" here: its keys are as they are`)
  if (!id.startsWith('{') && /^[-+.\d]+$/.test(id))
    throw new CommandError(
      `key ${JSON.stringify(id)} may be a number or a text`,
      EXIT.usage,
      `say which, as in {"${keyIsPersonal[0]}":{"N":"42"}}`,
    )
  return storedKey(parseItemKey(id, anyKey), { table: name, keyIsPersonal, seal: { key: keySealing(table, keys) } })
}

/** Gives a person who was erased a new key, for a new life; what was sealed under the old one stays unreadable. */
export async function renewCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  const place = await openSubject(id, options)
  const { token } = place
  const renewal = await renewSubject(place, token)
  if (renewal.kind === 'not-erased')
    throw new CommandError(`person ${token} was not erased, so there is nothing to renew`, EXIT.findings)
  if (renewal.kind === 'unfinished')
    throw new CommandError(
      `erasure of ${token} is not finished: ${JSON.stringify(renewal.table)} has no certificate of key ${renewal.generation}`,
      EXIT.findings,
      'itemtrail subject erase writes it, when it is run again',
    )
  const { generation } = renewal
  const page = () => io.out(`${token} has the key ${generation}; what was sealed before stays unreadable\n`)
  await format.print({ page, whole: () => ({ token, generation }) }, io)
  return EXIT.done
}
