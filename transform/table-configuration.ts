import { hash } from 'node:crypto'
import { canonicalJson } from './json.js'
import type { Sealing } from './sealed-field.js'

/** The declared type of a configured column; decimals are written `decimal(p,s)`. */
export type DeclaredType =
  | 'string'
  | 'number'
  | 'json'
  | 'bigint'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | `decimal(${number},${number})`

/** Attribute names from the top of an item down through maps. */
export type AttributePath = readonly string[]

/** One configured attribute: it fills the flat columns `old_<column>` and `new_<column>`. */
export interface ConfiguredColumn {
  readonly column: string
  readonly path: AttributePath
  readonly type: DeclaredType
  /** What a numeric `timestamp` counts since 1970. */
  readonly unit?: 's' | 'ms'
}

/** One key attribute of the table: it fills the flat column `key_<column>`. */
export interface ConfiguredKey {
  readonly column: string
  readonly attribute: string
}

/** Which attribute holds the status of an item, and which steps it may take. */
export interface Lifecycle {
  readonly path: AttributePath
  readonly allowed: readonly (readonly [string, string])[]
}

/** What may be kept in clear of a sealed value: a date's year, the last four characters, an address's domain. */
export type Keep = 'year' | 'last4' | 'domain'

/** Values that are sealed: a path from the top of an item down, `*` for every member of a list or a map. */
export interface ErasableValue {
  readonly path: AttributePath
  readonly keep?: Keep
}

/** A person whom an item concerns, and what of it is sealed under the person's key. */
export interface ErasableSubject {
  /** Where the person's id is. */
  readonly subject: AttributePath
  readonly values: readonly ErasableValue[]
}

/**
 * A table's configuration, checked and normalised. It travels as a file beside the function's code, so the transform
 * reads it as it is.
 */
export interface TableConfiguration {
  readonly table: string
  /** Its name in SQL, which depends on its neighbours: `nameTables` gives it. No part of a file. */
  readonly identifier?: string | undefined
  readonly capture: 'streams' | 'kinesis'
  /** First day of the archive, `YYYY-MM-DD`: changes before it are refused. */
  readonly since?: string
  readonly keys: readonly ConfiguredKey[]
  readonly actor?: AttributePath
  readonly columns: readonly ConfiguredColumn[]
  readonly lifecycle?: Lifecycle
  readonly erasable?: readonly ErasableSubject[]
  /** The key attributes that name a person, in whose place rows have tokens; only where values are erasable. */
  readonly keyIsPersonal?: readonly string[]
  /** How its rows are sealed, where values are erasable: given by who holds the keys. No part of a file. */
  readonly seal?: Sealing
  /** How keys of persons are fetched that `seal` takes, where it has not all of them at hand. No part of a file. */
  readonly withKeys?: WithKeys
}

/** Makes something under a table of which every key is at hand that its sealing takes. It may be made several times. */
export type WithKeys = <T>(make: (table: TableConfiguration) => T) => Promise<T>

/** Makes something under a table, whose keys are fetched where that is needed. */
export async function underKeys<T>(table: TableConfiguration, make: (table: TableConfiguration) => T): Promise<T> {
  return table.withKeys === undefined ? make(table) : table.withKeys(make)
}

/** The configuration of a table that nobody configured: images, no flat columns. */
export function unconfiguredTable(table: string): TableConfiguration {
  return { table, capture: 'streams', keys: [], columns: [] }
}

/**
 * Canonical JSON of the part of a configuration that decides what is in a row: with it and the images, every derived
 * column can be derived again. `since`, `capture` and `lifecycle` are not in it: they change no row.
 */
export function rowConfiguration(table: TableConfiguration): string {
  const { actor, erasable, keyIsPersonal } = table
  const [keys, columns] = [byColumn(table.keys), byColumn(table.columns)]
  const { table: name } = table
  return canonicalJson({ version: 'row-configuration/v1', table: name, keys, actor, columns, erasable, keyIsPersonal })
}

/** Their order in the file is the writer's taste and decides nothing. */
function byColumn<T extends { readonly column: string }>(columns: readonly T[]): readonly T[] {
  return [...columns].sort((a, b) => (a.column < b.column ? -1 : 1))
}

const ids = new WeakMap<TableConfiguration, string>()

/** The `config_id` of rows made under a configuration: the first 16 hex of the SHA-256 of `rowConfiguration`. */
export function configurationId(table: TableConfiguration): string {
  let id = ids.get(table)
  if (id === undefined) {
    id = hash('sha256', rowConfiguration(table)).slice(0, 16)
    ids.set(table, id)
  }
  return id
}
