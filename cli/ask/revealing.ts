import type { Table, Vector } from 'apache-arrow'
import { AS_STORED, firstOf, markingOf, type Unsealing, unsealingOf, unsealText } from '../../erasure/reveal.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { boundariesWith } from '../../queries/verdict/erasures.js'
import { keptConfigurations } from '../../store/kept-configurations.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT, type Options } from '../io.js'
import { isOnAws } from '../show/archive-name.js'
import { openKeyStore } from './key-store.js'
import type { Workspace } from './workspace.js'

/** Opens what is sealed, for who has the keys. */
export const REVEAL_OPTION = ['--reveal', 'shows what is sealed, for who has the keys'] as const

/** What becomes of sealed values in an answer. */
export interface Revealing {
  /** For people, who are told of what was erased in any case. */
  readonly shown: Unsealing
  /** For programs, which get what is stored. @default - nothing becomes of them */
  readonly given: Unsealing
}

/** How an answer about a table shows sealed values. Throws a `CommandError` where keys are asked for in vain. */
export async function revealingOf(
  workspace: Workspace,
  table: TableConfiguration,
  options: Options,
): Promise<Revealing> {
  const given = await openingOf(workspace, [table], options)
  return { shown: given === AS_STORED ? await markingIn(workspace.engine, table) : given, given }
}

/** What becomes of sealed values where somebody asks to see them, else nothing. Throws a `CommandError`. */
export async function openingOf(
  { engine, root, configuration }: Workspace,
  tables: readonly TableConfiguration[],
  options: Options,
): Promise<Unsealing> {
  if (options.reveal !== true) return AS_STORED
  if (options.receipt !== undefined || options.evidence !== undefined)
    throw new CommandError('--reveal is for reading: a receipt, and evidence, are of what is stored')
  if (isOnAws(root)) throw new CommandError('--reveal is for an archive in a folder', EXIT.usage)
  const keys = openKeyStore(configuration, root)
  const versions = await Promise.all(tables.map(({ table }) => keptIn(engine, table)))
  const markings = await Promise.all(tables.map(table => markingIn(engine, table)))
  return firstOf([unsealingOf(versions.flat(), keys), ...markings])
}

async function markingIn(engine: QueryEngine, table: TableConfiguration): Promise<Unsealing> {
  return markingOf((await boundariesWith(engine, table)).erasures)
}

async function keptIn({ facts }: QueryEngine, table: string): Promise<readonly TableConfiguration[]> {
  return facts === undefined ? [] : keptConfigurations(facts, table)
}

/** An answer's columns with what is sealed in their texts replaced. */
export async function revealTable(table: Table, unseal: Unsealing): Promise<Table> {
  if (unseal === AS_STORED) return table
  const { DataType, Table: ArrowTable, Utf8, vectorFromArray } = await import('apache-arrow')
  const columns = table.schema.fields.map(({ name, type }, i) => {
    const column = table.getChildAt(i) as Vector
    if (!DataType.isUtf8(type)) return [name, column] as const
    const texts = [...column].map(text => (text === null ? null : unsealText(String(text), unseal)))
    return [name, vectorFromArray(texts, new Utf8())] as const
  })
  return new ArrowTable(Object.fromEntries(columns) as Record<string, Vector>)
}
