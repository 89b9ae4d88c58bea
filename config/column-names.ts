import { AUDIT_COLUMNS, columnsOf } from '../transform/audit-row.js'
import { isObject } from '../transform/json.js'
import { shown } from '../transform/refusal.js'
import {
  type AttributePath,
  type ConfiguredColumn,
  type ConfiguredKey,
  unconfiguredTable,
} from '../transform/table-configuration.js'
import { TABLE_NAME } from '../transform/table-names.js'
import { type FieldPath, pathText } from './problems.js'
import { attributePath, COLUMN_NAME, type ColumnField, columnField, type KeyField, keyField } from './schema.js'

const COLUMN_NAME_RULE = 'lower-case letters, digits and "_", a letter first, at most 251 characters'
const TABLE_NAME_RULE = '3 to 255 letters, digits, "_", "-" or "."'

/** The attribute names of a path as the file writes it: a text is split at its dots. */
export function toPath(attribute: string | readonly string[]): AttributePath {
  return typeof attribute === 'string' ? attribute.split('.') : attribute
}

/** A declared key, normalised. */
export function toKey(field: KeyField): ConfiguredKey {
  return typeof field === 'string' ? { column: snakeCase(field), attribute: field } : field
}

/**
 * A declared column, normalised. With `attribute` its name is the column's as it stands, else it is the attribute's.
 */
export function toColumn(name: string, field: ColumnField): ConfiguredColumn {
  const { attribute, ...type } = typeof field === 'string' ? { type: field } : field
  return attribute === undefined
    ? { column: snakeCase(name), path: [name], ...type }
    : { column: name, path: toPath(attribute), ...type }
}

/** `orderStatus` -> `order_status`, `shipToURL` -> `ship_to_url`. */
export function snakeCase(attribute: string): string {
  return attribute.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toLowerCase()
}

/**
 * What is wrong with the names in a file: of tables, and of the columns that keys and attributes make. It looks at
 * every field that can be read, so that names are reported together with what is wrong elsewhere.
 */
export function nameProblems(file: unknown): readonly string[] {
  const tables = isObject(file) && isObject(file.tables) ? file.tables : {}
  return [
    ...tableNameProblems(Object.keys(tables)),
    ...Object.entries(tables).flatMap(([name, table]) => columnNameProblems(readFields(['tables', name], table))),
  ]
}

function tableNameProblems(names: readonly string[]): readonly string[] {
  return names
    .filter(name => !TABLE_NAME.test(name))
    .map(name => `${pathText(['tables', name])} is no table name, expected ${TABLE_NAME_RULE}`)
}

/** A key or a column of the file, with what its name makes. */
interface NamedField {
  readonly path: FieldPath
  readonly column: string
  /** The columns of a row that it fills, were its column called so. */
  readonly fills: (column: string) => readonly string[]
  /** How the file gives it an alias. */
  readonly aliased: (column: string) => string
}

function readFields(path: FieldPath, table: unknown): readonly NamedField[] {
  if (!isObject(table)) return []
  const keys = Array.isArray(table.keys) ? table.keys : []
  const columns = isObject(table.columns) ? table.columns : {}
  return [
    ...keys.flatMap((value, index) => {
      const field = keyField.safeParse(value).data
      // a key that is there twice is reported as such, and no alias would help
      return field === undefined || keys.indexOf(value) < index ? [] : [nameKey([...path, 'keys', index], toKey(field))]
    }),
    ...Object.entries(columns).flatMap(([name, value]) => {
      const field = columnField.safeParse(value).data
      return field === undefined ? [] : [nameColumn([...path, 'columns', name], name, field)]
    }),
  ]
}

function nameKey(path: FieldPath, key: ConfiguredKey): NamedField {
  const { column, attribute } = key
  return {
    path,
    column,
    fills: alias => flatNames({ keys: [{ ...key, column: alias }] }),
    aliased: alias => inOneLine({ attribute, column: alias }),
  }
}

function nameColumn(path: FieldPath, name: string, field: ColumnField): NamedField {
  const configured = toColumn(name, field)
  const declared = typeof field === 'string' ? { type: field } : field
  const attribute = attributePath.safeParse(name).success ? name : [name]
  return {
    path,
    column: configured.column,
    fills: alias => flatNames({ columns: [{ ...configured, column: alias }] }),
    aliased: alias => `"${alias}": ${inOneLine({ attribute, ...declared })}`,
  }
}

function flatNames(part: { keys: [ConfiguredKey] } | { columns: [ConfiguredColumn] }): readonly string[] {
  const columns = columnsOf({ ...unconfiguredTable(''), ...part })
  return columns.slice(AUDIT_COLUMNS.length, -1).map(({ name }) => name)
}

function inOneLine(value: object): string {
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ')
}

const EVERY_ROW = columnsOf(unconfiguredTable('')).map(({ name }) => name)

function columnNameProblems(fields: readonly NamedField[]): readonly string[] {
  const problems: string[] = []
  const owners = new Map<string, string>(EVERY_ROW.map(name => [name, 'every audit row']))
  const taken = new Set([...EVERY_ROW, ...fields.flatMap(({ column, fills }) => fills(column))])
  for (const { path, column, fills, aliased } of fields) {
    const subject = pathText(path)
    const clash = fills(column).find(name => owners.has(name))
    const problem = !COLUMN_NAME.test(column)
      ? `makes the column name ${shown(column)}, expected ${COLUMN_NAME_RULE}`
      : clash && `makes the column ${clash}, which ${owners.get(clash)} has`
    if (problem !== undefined) {
      const alias = proposeName(column, name => fills(name).every(filled => !taken.has(filled)))
      for (const name of fills(alias)) taken.add(name)
      problems.push(`${subject} ${problem}: an alias is required, such as ${aliased(alias)}`)
    }
    for (const name of fills(column)) if (!owners.has(name)) owners.set(name, subject)
  }
  return problems
}

/** What a column is called, and whether that is another name than its attribute makes. */
export interface ColumnName {
  readonly column: string
  readonly isAlias: boolean
}

/**
 * A column for each attribute, in their order, none that a row has already: called as the attribute, or where that
 * makes no column of its own, as a path never does, by an alias.
 */
export function nameColumns(
  keys: readonly ConfiguredKey[],
  attributes: readonly AttributePath[],
): readonly ColumnName[] {
  const fills = (column: string) => flatNames({ columns: [{ column, path: [column], type: 'string' }] })
  const taken = new Set([...EVERY_ROW, ...keys.flatMap(key => flatNames({ keys: [key] }))])
  const isFree = (column: string) => fills(column).every(name => !taken.has(name))
  return attributes.map(path => {
    const plain = snakeCase(path.join('_'))
    const isAlias = path.length > 1 || !COLUMN_NAME.test(plain) || !isFree(plain)
    const column = isAlias ? proposeName(plain, isFree) : plain
    for (const name of fills(column)) taken.add(name)
    return { column, isAlias }
  })
}

/** A good column name that is near to a bad one. */
function proposeName(bad: string, isFree: (name: string) => boolean): string {
  const plain = snakeCase(bad.normalize('NFKD').replaceAll(/\p{Mark}/gu, ''))
  const words = plain.replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^[^a-z]+|_+$/g, '')
  const base = words.slice(0, 60) || 'renamed'
  let name = base
  for (let n = 2; !isFree(name); n++) name = `${base}_${n}`
  return name
}
