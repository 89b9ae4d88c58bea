import type { QueryEngine } from '../queries/engines/engine.js'
import { boundariesWith } from '../queries/verdict/erasures.js'
import { keptConfigurations } from '../store/kept-configurations.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { firstOf, markingOf, type Unsealing, unsealingOf } from './reveal.js'
import type { SubjectKeys } from './subject-keys.js'

/**
 * Opens what is sealed in answers about some tables, for who has the keys, and tells of what was erased when that was.
 * Throws the `FileError` of a kept configuration that is none: what is sealed by it would stay closed.
 */
export async function openingFor(
  engine: QueryEngine,
  tables: readonly TableConfiguration[],
  keys: Pick<SubjectKeys, 'find'>,
): Promise<Unsealing> {
  const { facts } = engine
  const versions =
    facts === undefined ? [] : await Promise.all(tables.map(({ table }) => keptConfigurations(facts, table)))
  return firstOf([unsealingOf([...versions.flat(), ...tables], keys), await markingFor(engine, tables)])
}

/** Tells of what was erased in answers about some tables when that was, which takes no keys. */
export async function markingFor(engine: QueryEngine, tables: readonly TableConfiguration[]): Promise<Unsealing> {
  const known = await Promise.all(tables.map(table => boundariesWith(engine, table)))
  return firstOf(known.map(({ erasures }) => markingOf(erasures)))
}
