import { parseItemKey, showItemKey } from '../cli/show/item-key.js'
import { NoSuchTable, UnreadableTable } from '../queries/engines/engine.js'
import { storedKey } from '../queries/item-key.js'
import { anyItemKey } from '../queries/known-keys.js'
import { lastChangeUs } from '../queries/list-changes.js'
import { archiveBegan } from '../queries/verdict/state-at.js'
import { findFacts } from '../store/kept-facts.js'
import type { Fact } from '../transform/fact.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { AddressError, linkTo, type Search } from './address.js'
import type { PageAsking } from './screen.js'

/** The table that an address names. Throws an `AddressError` where there is none. */
export function tableIn({ archive }: PageAsking, name: string | undefined): TableConfiguration {
  const table = name === undefined ? undefined : archive.findTable(name)
  if (table !== undefined) return table
  const all = archive.tables().join(', ') || 'none'
  throw new AddressError(`table ${JSON.stringify(name)} is not in the archive, which has ${all}`, 404)
}

/** The canonical key that an address names, in any form that the command line takes, as rows have it. */
export async function itemIn({ archive, once }: PageAsking, table: TableConfiguration, typed: string): Promise<string> {
  const anyKey = await once(`a key of ${table.table}`, () => anyItemKey(archive.engine, table))
  if (anyKey === undefined) throw new AddressError(`table ${table.table} has no rows in the archive`, 404)
  return storedKey(parseItemKey(typed, anyKey), table)
}

/** The address of an item: its key as it is typed, or as JSON where that would be read as something else in a path. */
export function itemLink(table: string, itemKey: string, search: Search = {}): string {
  const typed = showItemKey(itemKey)
  return linkTo(['t', table, 'i', /^\.{0,2}$|\.(json|csv)$/.test(typed) ? itemKey : typed], search)
}

/** The facts that are kept of a table, read once; none where the engine has no place for them. */
export async function factsIn({ archive, once }: PageAsking, table: string): Promise<readonly Fact[]> {
  const { facts } = archive.engine
  if (facts === undefined) return []
  return (await once(`facts of ${table}`, () => findFacts(facts, table))).facts
}

/** When the archive of a table begins, in microseconds since 1970. */
export function beganOf({ archive, once }: PageAsking, table: TableConfiguration): Promise<number> {
  return once(`began ${table.table}`, () => archiveBegan(archive.engine, table))
}

/** When the last change of a table was made, in microseconds since 1970; null where it has none. */
export function lastChangeOf(asking: PageAsking, table: TableConfiguration): Promise<number | null> {
  return asking.once(`last change of ${table.table}`, async () => {
    try {
      return await lastChangeUs(asking.archive.engine, table)
    } catch (error) {
      // it is told where the table itself is looked at
      if (error instanceof UnreadableTable || error instanceof NoSuchTable) return null
      throw error
    }
  })
}

/** The same of the whole archive. */
export async function lastChange(asking: PageAsking): Promise<number | null> {
  const { archive } = asking
  const all = await Promise.all(archive.tables().map(name => lastChangeOf(asking, archive.table(name))))
  return all.reduce<number | null>((last, us) => (us !== null && us > (last ?? us - 1) ? us : last), null)
}
