/** Sealed values on a screen: told of where they were erased, and opened for who asked for that. Files have neither. */
import { markingFor, openingFor } from '../erasure/opening.js'
import { type Unsealing, unsealText } from '../erasure/reveal.js'
import { imagesIn, revealChange, revealHistory, revealRows } from '../erasure/revealed.js'
import type { AnsweredHistory } from '../queries/answers/read-history.js'
import type { Row } from '../queries/engines/rows.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import { canonicalImage, type Item, parseItem } from '../transform/attribute-value.js'
import { keysNamedIn } from '../transform/sealed-field.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { PageAsking } from './screen.js'

/** A history as people see it; in a file as it is stored. */
export async function seenHistory(
  asking: PageAsking,
  table: TableConfiguration,
  history: AnsweredHistory,
): Promise<AnsweredHistory> {
  if (asking.waits) return history
  return revealHistory(history, await unsealing(asking, [table], imagesIn([history])))
}

/** One change as people see it. */
export async function seenChange(
  asking: PageAsking,
  table: TableConfiguration,
  change: HistoryChange,
): Promise<HistoryChange> {
  return revealChange(change, await unsealing(asking, [table], imagesIn([{ changes: [change] }])))
}

/** Items as people see them; in a file as they are stored. */
export async function seenItems<Of extends { readonly item: Item | null }>(
  asking: PageAsking,
  table: TableConfiguration,
  items: readonly Of[],
): Promise<readonly Of[]> {
  if (asking.waits) return items
  const texts = items.map(({ item }) => (item === null ? null : canonicalImage(item)))
  const unseal = await unsealing(asking, [table], texts)
  return items.map((one, i) => {
    const text = texts[i]
    return text == null ? one : { ...one, item: parseItem(unsealText(text, unseal)) }
  })
}

/** Rows of an answer with sealed values opened, for who asked for that; in a file as they are stored. */
export async function seenRows(
  asking: PageAsking,
  tables: readonly TableConfiguration[],
  rows: readonly Row[],
): Promise<readonly Row[]> {
  if (asking.waits || asking.keys === undefined) return rows
  const texts = rows.flatMap(row => Object.values(row).filter(value => typeof value === 'string'))
  return [...revealRows(rows, await unsealing(asking, tables, texts))]
}

/** What becomes of the sealed values in some texts. */
async function unsealing(
  { archive, keys }: PageAsking,
  tables: readonly TableConfiguration[],
  texts: Iterable<string | null>,
): Promise<Unsealing> {
  const { engine } = archive
  const names = keysNamedIn(texts)
  if (names.length === 0) return () => undefined
  if (keys === undefined) return markingFor(engine, tables)
  const opened = await keys()
  await opened.fetch(names)
  return openingFor(engine, tables, opened)
}
