import { hash } from 'node:crypto'
import { z } from 'zod'
import { columnsOf } from '../transform/audit-row.js'
import { parseConfigurationKey } from '../transform/layout.js'
import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { checkJson, decode, exactly, FileError, listOf, oneOf, record, text } from './gate.js'
import { attributeName, COLUMN_NAME, declaredType } from './schema.js'

const NAME = 'a name that a column can have: lower-case letters, digits and "_", a letter first, at most 251 characters'
const column = z.string(NAME).regex(COLUMN_NAME, NAME)
const path = z
  .array(attributeName, 'an array of attribute names')
  .min(1, 'an array of attribute names that is not empty')

const rowConfiguration = record({
  version: exactly('row-configuration/v1'),
  table: text,
  keys: listOf(record({ column, attribute: attributeName })),
  actor: path.exactOptional(),
  columns: listOf(
    record({ column, path, type: declaredType, unit: z.enum(['s', 'ms'], '"s" or "ms"').exactOptional() }),
  ),
  erasable: listOf(
    record({
      subject: path,
      values: listOf(record({ path, keep: oneOf(['year', 'last4', 'domain']).exactOptional() })),
    }),
  ).exactOptional(),
  keyIsPersonal: listOf(attributeName).exactOptional(),
})

/**
 * A configuration as an archive keeps it, in `config/<table>/<id>.json`: names and types are those that the file of a
 * configuration may have, because they become names and types in SQL. Throws a `FileError`.
 */
export function readKeptConfiguration(content: Uint8Array, key: string): TableConfiguration {
  const file = decode(content, key)
  const { version: _, ...found } = checkJson(file, rowConfiguration, key)
  const { table, id: name } = parseConfigurationKey(key) ?? { table: '', id: '' }
  const id = hash('sha256', file).slice(0, 16)
  if (id !== name) throw new FileError(key, [`its content has the id ${id}, expected that of its name`])
  if (found.table !== table) throw new FileError(key, [`table is ${JSON.stringify(found.table)}, expected "${table}"`])
  const configuration: TableConfiguration = { ...unconfiguredTable(table), ...found }
  const names = columnsOf(configuration).map(({ name: filled }) => filled)
  const twice = names.find((filled, i) => names.indexOf(filled) < i)
  if (twice !== undefined) throw new FileError(key, [`column ${twice} is there twice, or every audit row has it`])
  return configuration
}
