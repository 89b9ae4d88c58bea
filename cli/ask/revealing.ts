import type { Table, Vector } from 'apache-arrow'
import { markingFor, openingFor } from '../../erasure/opening.js'
import { AS_STORED, type Unsealing, unsealText } from '../../erasure/reveal.js'
import type { ReadingKeys } from '../../erasure/subject-keys.js'
import { keysNamedIn } from '../../transform/sealed-field.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { callAws } from '../failures.js'
import { CommandError, type Options } from '../io.js'
import type { Workspace } from './workspace.js'

/** Opens what is sealed, for who has the keys. */
export const REVEAL_OPTION = ['--reveal', 'shows what is sealed, for who has the keys'] as const

/** How sealed values open: `ready` fetches the keys that some texts take, and then `given` opens what is in them. */
export interface Opening {
  /** For programs, which get what is stored where nobody asks for more. */
  readonly given: Unsealing
  readonly ready: (texts: Iterable<string | null>) => Promise<void>
}

/** What becomes of sealed values in an answer. */
export interface Revealing extends Opening {
  /** For people, who are told of what was erased in any case. */
  readonly shown: Unsealing
}

/** How an answer about a table shows sealed values. Throws a `CommandError` where keys are asked for in vain. */
export async function revealingOf(
  workspace: Workspace,
  table: TableConfiguration,
  options: Options,
): Promise<Revealing> {
  const opening = await openingOf(workspace, [table], options)
  const { given } = opening
  return { ...opening, shown: given === AS_STORED ? await markingFor(workspace.engine, [table]) : given }
}

/** How sealed values open where somebody asks to see them; else they stay. Throws a `CommandError`. */
export async function openingOf(
  { engine, persons }: Workspace,
  tables: readonly TableConfiguration[],
  options: Options,
): Promise<Opening> {
  if (options.reveal !== true) return { given: AS_STORED, ready: async () => {} }
  if (options.receipt !== undefined || options.evidence !== undefined)
    throw new CommandError('--reveal is for reading: a receipt, and evidence, are of what is stored')
  const keys = await persons.open()
  return { given: await openingFor(engine, tables, keys), ready: texts => fetchKeys(keys, texts) }
}

async function fetchKeys(keys: ReadingKeys, texts: Iterable<string | null>): Promise<void> {
  const names = keysNamedIn(texts)
  if (names.length > 0) await callAws('key table cannot be read', () => keys.fetch(names))
}

/** An answer's columns with what is sealed in their texts replaced. */
export async function revealTable(table: Table, { given, ready }: Opening): Promise<Table> {
  if (given === AS_STORED) return table
  await ready(textsIn(table))
  const { DataType, Table: ArrowTable, Utf8, vectorFromArray } = await import('apache-arrow')
  const columns = table.schema.fields.map(({ name, type }, i) => {
    const column = table.getChildAt(i) as Vector
    if (!DataType.isUtf8(type)) return [name, column] as const
    const texts = [...column].map(text => (text === null ? null : unsealText(String(text), given)))
    return [name, vectorFromArray(texts, new Utf8())] as const
  })
  return new ArrowTable(Object.fromEntries(columns) as Record<string, Vector>)
}

/** The texts of an answer's columns. */
export function* textsIn(table: Table): Generator<string> {
  for (let i = 0; i < table.numCols; i++)
    for (const value of table.getChildAt(i) ?? []) if (typeof value === 'string') yield value
}
