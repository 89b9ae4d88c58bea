import type { Table } from 'apache-arrow'
import { byText, tableOf } from './arrow-columns.js'

/** Rows of texts as an Arrow table, for what was put together from an answer and is to become a file. */
export function textTable(names: readonly string[], rows: readonly (readonly (string | null)[])[]): Table {
  const columns = names.map((_, i) => rows.map(row => row[i] ?? null))
  const mappings = names.map(() => byText<string>())
  return tableOf(names, mappings, [{ rowCount: rows.length, columns }])
}
