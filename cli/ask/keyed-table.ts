import { existsSync } from 'node:fs'
import { nameProblems, toKey } from '../../config/column-names.js'
import { type Configuration, tableConfiguration } from '../../config/configuration.js'
import { anyItemKey } from '../../queries/known-keys.js'
import { DiskArchive } from '../../store/folder.js'
import { keptTable } from '../../store/tables.js'
import { parseItem } from '../../transform/attribute-value.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT } from '../io.js'
import { openArchiveIn } from './workspace.js'

/**
 * A table's configuration with its keys, without which no item can be told from another: as configured, else as the
 * table itself says, else as the archive knows it. Throws `CommandError` where nobody knows, or two say different
 * things.
 */
export async function keyedTable(
  name: string,
  configuration: Pick<Configuration, 'tables'> | undefined,
  liveKeys: readonly string[] | undefined,
  root: string | undefined,
): Promise<TableConfiguration> {
  const table = tableConfiguration(configuration, name)
  const configured = table.keys.map(({ attribute }) => attribute)
  if (liveKeys !== undefined && configured.length > 0 && !sameNames(configured, liveKeys))
    throw new CommandError(
      `table ${JSON.stringify(name)} has the keys ${JSON.stringify(liveKeys)}, its configuration says ${JSON.stringify(configured)}`,
    )
  if (configured.length > 0) return table
  if (liveKeys !== undefined) return { ...table, keys: keysOf(name, liveKeys) }
  if (root !== undefined) {
    const kept = (await keptTable(new DiskArchive(root), name)).keys
    if (kept.length > 0) return { ...table, keys: kept }
    const archived = await archivedKeys(root, table)
    if (archived !== undefined) return { ...table, keys: keysOf(name, archived) }
  }
  throw new CommandError(
    `keys of table ${JSON.stringify(name)} are not known: an export does not tell them`,
    EXIT.usage,
    `add them to the configuration: {"tables":{${JSON.stringify(name)}:{"keys":["..."]}}}`,
  )
}

/** Every row names its item's keys. */
async function archivedKeys(root: string, table: TableConfiguration): Promise<readonly string[] | undefined> {
  if (!existsSync(root)) return undefined
  const { engine } = await openArchiveIn(root, [table])
  try {
    const key = await anyItemKey(engine, table)
    return key === undefined ? undefined : Object.keys(parseItem(key))
  } finally {
    engine.close()
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(name => b.includes(name))
}

/** Keys whose columns need an alias can only come from a configuration. */
function keysOf(name: string, attributes: readonly string[]): TableConfiguration['keys'] {
  const problems = nameProblems({ tables: { [name]: { keys: attributes } } })
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage, 'say so in the configuration')
  return attributes.map(attribute => toKey(attribute))
}
