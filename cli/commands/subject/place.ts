import { userInfo } from 'node:os'
import type { SubjectPlace } from '../../../erasure/erase.js'
import { sealedWholeIn } from '../../../erasure/sealed-whole.js'
import { keptRows } from '../../../erasure/subject-rows.js'
import { tablesIn } from '../../../store/tables.js'
import { existingArchive } from '../../ask/journal-options.js'
import { openOwnKeys } from '../../ask/own-keys.js'
import { loadConfiguration } from '../../ask/workspace.js'
import { CommandError, EXIT, type Options } from '../../io.js'

/**
 * Opens what an act about a person takes: on a desk, or with `--stack` on AWS. Throws a `CommandError` for an act
 * without a person.
 */
export async function openSubject(id: string | undefined, options: Options): Promise<SubjectPlace> {
  if (id === undefined || id === '') throw new CommandError('no person is said, expected the id that the items have')
  if (typeof options.stack !== 'string') return openOnDesk(id, options)
  const { openOnStack } = await import('./stack-place.js')
  return openOnStack(id, options.stack, options)
}

async function openOnDesk(id: string, options: Options): Promise<SubjectPlace> {
  const { root, archive } = existingArchive(options)
  const configuration = loadConfiguration(options)
  const keys = await openOwnKeys(configuration, root)
  if (configuration === undefined) throw new CommandError('no configuration is there', EXIT.usage)
  const erasable = [...configuration.tables.values()].filter(table => table.erasable !== undefined)
  const tables = new Set([...erasable.map(({ table }) => table), ...(await tablesIn(archive)).keys()])
  return {
    id,
    token: keys.tokenOf(id),
    archive,
    keys,
    tables: [...tables].sort(),
    rows: table => keptRows(archive, table),
    sealed: table => sealedWholeIn(archive, table, configuration.tables.get(table)),
    refused: [{ at: '', objects: archive }],
    reveal: async () => keys,
  }
}

/** Who does it: as the flags say, else as the system calls the user. */
export function whoActs({ by }: Options): string {
  return typeof by === 'string' && by !== '' ? by : userInfo().username
}

/** What a flag has to say. Throws a `CommandError` where it says nothing. */
export function required(options: Options, name: string, what: string): string {
  const value = options[name]
  if (typeof value === 'string' && value.trim() !== '') return value
  throw new CommandError(`--${name} is missing, expected ${what}`)
}
